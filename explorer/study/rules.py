"""One readable rule per cluster, from the columns and texts of the data."""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from explorer.dataset import Dataset
from explorer.judge.describe import count_terms
from explorer.judge.phrases import short
from explorer.judge.rules import Feature, Rule, Term, learn_rule
from explorer.spec import Cost, Progress, advanced
from explorer.study import Input, Study
from explorer.study.subject import Subject
from explorer.values import Finding, Score

_VALUES, _DIFFERENT, _WORDS = 20, 1_000, 120
"""Of a column so many values, the most frequent; none of a column with more different ones than
that; so many words, those in most texts."""
_CLUSTERS = 60
_TEXT = 2_000
_FITS, _BETTER = 0.5, 0.05


class Rules(Study):
    """Looks for a short rule that says which rows each cluster has, in the words of your data:
    'width at least 3.1 and colour is red'. Precision: how many of the rows that meet the rule are
    in the cluster. Recall: how many rows of the cluster meet it. Both are measured again on rows
    the rule was not learned from (cross-validated); where no rule holds there, none is told."""

    key: ClassVar[str] = "rules"
    title: ClassVar[str] = "Rules"
    version: ClassVar[int] = 2
    question: ClassVar[str] = "Can a cluster be told by a simple rule?"
    reads: ClassVar[tuple[Input, ...]] = ("embedding", "clustering")
    reads_data: ClassVar[bool] = True
    follows_rows: ClassVar[bool] = False

    conditions: int = Field(2, ge=1, le=4, description="At most so many conditions in a rule.")
    labels: bool = Field(False, description="Whether label columns may be in a rule too.")
    most_rows: int = advanced(5_000, ge=100, le=100_000, description=(
        "Rules are learned from at most so many rows, drawn by the seed; they are told with what "
        "they do on those."))
    seed: int = advanced(0, ge=0, le=2**32 - 1, description="Same seed, same result.")

    def estimate(self, n: int, d: int) -> Cost:
        rows = min(n, self.most_rows)
        return Cost(1 + 10 * 6e-6 * rows * _WORDS / 4, 8 * 4 * rows * _WORDS + 2000 * rows)

    def study(self, subject: Subject, progress: Progress) -> Finding:
        """Table 'rules': one record per cluster, the largest first; `terms` in plain data."""
        rows, labels = subject.embedding.rows, np.asarray(subject.clustering.labels)
        drawn = np.arange(len(rows))
        if len(rows) > self.most_rows:
            drawn = np.sort(np.random.default_rng(self.seed).choice(
                len(rows), self.most_rows, replace=False))
        progress(0.0, "reading columns and texts")
        features = _features(subject.dataset, rows[drawn], self.labels)
        clusters = sorted(subject.clustering.sizes.items(), key=lambda item: -item[1])
        told = clusters[:_CLUSTERS]
        records = []
        for step, (cluster, size) in enumerate(told):
            progress(0.1 + 0.9 * step / len(told), f"cluster {step + 1:,} of {len(told):,}")
            inside = labels[drawn] == cluster
            records.append(_record(cluster, size, inside, self._rule(features, inside)))
        good = sum(bool(record["rule"]) for record in records)
        return Finding(
            scores=(Score("Clusters that a rule tells", good, "columns and texts of the data", "",
                          len(drawn), len(rows), "noise rows are in no cluster", self.seed,
                          f"of {len(records):,} clusters"),),
            tables={"rules": records}, notes=_notes(features, len(clusters), self.labels,
                                                    len(drawn), len(rows), subject.dataset))

    def _rule(self, features: list[Feature], inside: np.ndarray) -> Rule | None:
        if not features or not inside.any() or inside.all():
            return None
        return learn_rule(features, inside, self.conditions, self.seed)


def in_words(terms: list[dict[str, Any]]) -> str:
    """'width at least 3.1 and colour is red'."""
    return " and ".join(
        f"{term['column']} {term['test']} " + (f"{term['number']:.12g}" if term["text"] is None
                                               else f"'{short(term['text'], 40)}'")
        for term in terms)


def _record(cluster: int, size: int, inside: np.ndarray, rule: Rule | None) -> dict[str, Any]:
    """What is told of one cluster; `rule` is '' where none fits, and `why` says why."""
    found: dict[str, Any] = {"cluster": cluster, "rows": size, "learned from": int(inside.sum())}
    if rule is None:
        return {**found, "rule": "", "terms": [], "precision": None, "recall": None,
                "precision on others": None, "recall on others": None, "parts": 0,
                "why": "There is nothing to make a rule of, or nothing to tell apart."}
    terms = [_plain(term) for term in rule.terms]
    judged = rule.crossed or rule.own
    share = float(inside.mean())
    everything = 2 * share / (1 + share)  # the F1 of calling every row in
    fits = rule.crossed is not None and rule.crossed.f1 >= max(_FITS, everything + _BETTER)
    why = "" if fits else (
        "Too few rows to keep some apart for judging a rule." if rule.crossed is None else
        f"No rule holds: the best found has precision {_said(judged.precision)} and recall "
        f"{_said(judged.recall)} on rows it was not learned from" + (
            f", little better than taking all rows (precision {share:.2f})."
            if judged.f1 >= _FITS else "."))
    return {**found, "rule": in_words(terms) if fits else "", "terms": terms if fits else [],
            "precision": rule.own.precision, "recall": rule.own.recall,
            "precision on others": judged.precision if rule.crossed else None,
            "recall on others": judged.recall if rule.crossed else None, "parts": rule.folds,
            "why": why}


def _plain(term: Term) -> dict[str, Any]:
    return {"column": term.column, "test": term.test, "number": term.number, "text": term.text}


def _said(share: float | None) -> str:
    return "not defined" if share is None else f"{share:.2f}"


def _features(data: Dataset, rows: np.ndarray, labels: bool) -> list[Feature]:
    found: list[Feature] = []
    for column in data.columns:
        if column.place != "table" or column.dimensions:
            continue
        if column.role == "number":
            values = np.array(data.numbers(column.name)[rows])
            values[~np.isfinite(values)] = np.nan
            found.append(Feature(column.name, values))
        elif column.role == "category" or (labels and column.role == "label"):
            texts = data.texts(column.name)
            found += _values(column.name, [texts[row] for row in rows])
        elif column.role == "text":
            texts = data.texts(column.name)
            found += _words(column.name, [texts[row][:_TEXT] for row in rows])
    return found


def _values(column: str, texts: list[str]) -> list[Feature]:
    counts = Counter(text for text in texts if text)
    if len(counts) > _DIFFERENT:
        return []
    missing = np.array([not text for text in texts])
    found = []
    for value, count in counts.most_common(_VALUES):
        if count > 1:
            held = np.array([text == value for text in texts], dtype=np.float64)
            found.append(Feature(column, np.where(missing, np.nan, held), value))
    return found


def _words(column: str, texts: list[str]) -> list[Feature]:
    """Whether a text has the letters of a word in it, as a filter's 'contains' asks."""
    terms = count_terms(texts)
    if terms is None:
        return []
    often = np.asarray((terms.counts > 0).sum(axis=0)).ravel()
    words = [str(terms.names[at]) for at in np.argsort(-often, kind="stable")
             if " " not in str(terms.names[at])][:_WORDS]
    folded = [text.casefold() for text in texts]
    missing = np.array([not text for text in texts])
    return [Feature(column, np.where(missing, np.nan, np.array(
        [word.casefold() in text for text in folded], dtype=np.float64)), word, "contains")
        for word in words]


def _notes(features: list[Feature], clusters: int, labels: bool, drawn: int, n: int,
           data: Dataset) -> tuple[str, ...]:
    found = []
    if not features:
        found.append("There are no columns of numbers or categories and no texts to make a rule "
                     "of.")
    if not labels and data.with_role("label"):
        found.append("Label columns are left out of the rules; the settings let them in.")
    if drawn < n:
        found.append(f"Learned from {drawn:,} of {n:,} rows, and told with what they do on those.")
    if clusters > _CLUSTERS:
        found.append(f"Rules of the {_CLUSTERS} largest of {clusters:,} clusters.")
    return tuple(found)
