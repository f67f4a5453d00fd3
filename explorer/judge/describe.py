"""What sets a cluster apart: its words, its columns, its typical rows. Not scores, so no judge.

Noise (-1) always belongs to the background a cluster is compared with, and is described itself only
when asked for.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.errors import DataError
from explorer.judge.phrases import percent, short, two_numbers
from explorer.values import NOISE

if TYPE_CHECKING:
    from scipy.sparse import csr_array

SMALL_EFFECT = 0.2
"""J. Cohen, Statistical Power Analysis (1988): d or h below 0.2 is less than a small effect."""

_WORD = r"(?u)\b(?=\w*[^\W\d_])\w\w+\b"


@dataclass(frozen=True)
class Contrast:
    """One thing that sets a cluster apart: `name` of the word or column, `text` a short phrase for
    people, `value` the effect size, `n` the rows of the cluster it speaks of (those with the word,
    with the category, or with a number)."""

    name: str
    text: str
    value: float
    n: int


@dataclass(frozen=True)
class ClusterWords:
    """The words of one cluster (-1: noise), best first. `reason` says why there are none."""

    cluster: int
    words: tuple[Contrast, ...]
    reason: str = ""


@dataclass(frozen=True)
class ClusterColumns:
    """The columns that set one cluster (-1: noise) apart, best first. `reason` says why there are
    none."""

    cluster: int
    columns: tuple[Contrast, ...]
    reason: str = ""


@dataclass(frozen=True)
class _Groups:
    """The label values there are (ascending), how many rows each has, and which one each row has;
    `asked` are the places of those to describe, noise last."""

    values: np.ndarray
    sizes: np.ndarray
    of_row: np.ndarray
    asked: tuple[int, ...]

    def counts(self, columns: np.ndarray, width: int, rows: np.ndarray) -> csr_array:
        """groups x width: how many of these rows are in each group and each column."""
        from scipy.sparse import csr_array

        return csr_array((np.ones(len(rows), dtype=np.int64), (self.of_row[rows], columns)),
                         shape=(len(self.values), width))


def describe_texts(texts: Sequence[str], labels: np.ndarray, count: int = 8, *,
                   noise: bool = False) -> tuple[ClusterWords, ...]:
    """The `count` terms that mark each cluster, one entry per cluster number there is.

    Class-based TF-IDF: sqrt(tf) log(1 + A / f), where tf is the term's share of all terms in the
    cluster, f its count in all texts and A the mean number of terms per cluster (M. Grootendorst,
    BERTopic, arXiv:2203.05794, 2022; the root is its reduce_frequent_words, which keeps words such
    as 'said' from leading everywhere). Terms are words of two or more characters, one of them a
    letter, and pairs of them; NFC and lower case, without scikit-learn's English stop words. Ties:
    words before pairs, then by alphabet. Languages written without spaces give few useful terms.
    DataError ROW_COUNT.
    """
    groups = _groups(labels, len(texts), noise)
    terms = count_terms(texts)
    if terms is None:
        why = "No words: the texts are empty or hold nothing but stop words and single letters."
        return tuple(ClusterWords(int(groups.values[place]), (), why) for place in groups.asked)
    rows = np.arange(len(texts))
    member = groups.counts(rows, len(rows), rows)
    used = (member @ terms.counts).tocsr()
    with_term = (member @ (terms.counts > 0).astype(np.int64)).tocsr()
    everywhere = np.asarray(used.sum(axis=0)).ravel()
    rarity = np.log1p(used.sum() / len(groups.values) / everywhere)
    return tuple(
        _words(int(groups.values[place]), int(groups.sizes[place]), used[[place]],
               with_term[[place]], rarity, terms.names, count)
        for place in groups.asked)


def describe_columns(columns: Mapping[str, np.ndarray | Sequence[Any]], labels: np.ndarray,
                     count: int = 5, *, noise: bool = False) -> tuple[ClusterColumns, ...]:
    """The `count` columns and categories in which each cluster differs most from all other rows.

    Arrays of numbers (not booleans): Cohen's d, the difference of the means over the pooled
    standard deviation; NaN and infinity are left out; where neither side has any spread, the
    standard deviation of the whole column stands in. All else is categories (None, '' and NaN are
    missing): for values more common here than elsewhere Cohen's h = 2 asin sqrt(p) - 2 asin
    sqrt(q) of the two shares, on the same scale as d (J. Cohen, 1988); values that occur once in
    the column are left out. Effects below SMALL_EFFECT are left out. DataError ROW_COUNT.
    """
    n = len(np.asarray(labels))
    groups = _groups(labels, n, noise)
    found: list[list[Contrast]] = [[] for _ in groups.values]
    for name, values in columns.items():
        if len(values) != n:
            raise _row_count(f"Column {name!r}", n, len(values))
        kind = values.dtype.kind if isinstance(values, np.ndarray) else "O"
        compare = _compare_numbers if kind in "iuf" else _compare_categories
        for place, contrast in compare(name, values, groups):
            found[place].append(contrast)
    described = []
    for place in groups.asked:
        best = sorted(found[place], key=lambda contrast: -abs(contrast.value))[:count]
        why = "" if best else _why_nothing(groups, bool(columns))
        described.append(ClusterColumns(int(groups.values[place]), tuple(best), why))
    return tuple(described)


def typical_rows(vectors: np.ndarray, labels: np.ndarray, metric: str,
                 count: int = 3) -> np.ndarray:
    """The rows nearest to the mean of their cluster, nearest first: int64 clusters x `count`, -1
    where a cluster has fewer rows. `metric` 'cosine' takes the mean of the rows scaled to length 1
    and the smallest angle to it; else straight distance, float64. Ties: the earlier row."""
    labels = np.asarray(labels)
    result = np.full((int(labels.max(initial=NOISE)) + 1, count), -1, dtype=np.int64)
    for cluster in range(len(result)):
        rows = np.flatnonzero(labels == cluster)
        if not len(rows):
            continue
        members = vectors[rows].astype(np.float64)
        if metric == "cosine":
            lengths = np.linalg.norm(members, axis=1, keepdims=True)
            members /= np.where(lengths == 0, 1.0, lengths)
            far = -(members @ members.mean(axis=0))
        else:
            members -= members.mean(axis=0)
            far = np.einsum("ij,ij->i", members, members)
        nearest = rows[np.argsort(far, kind="stable")[:count]]
        result[cluster, :len(nearest)] = nearest
    return result


@dataclass(frozen=True)
class Terms:
    """How often each text (rows) has each term (columns), and the terms by the alphabet."""

    counts: csr_array
    names: np.ndarray


def count_terms(texts: Sequence[str]) -> Terms | None:
    """The terms of `describe_texts`; None when there is not one."""
    from scipy.sparse import csr_array
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(ngram_range=(1, 2), stop_words="english", token_pattern=_WORD,
                              preprocessor=lambda text: unicodedata.normalize("NFC", text).lower())
    analyze = counter.build_analyzer()
    if not any(analyze(text) for text in texts):
        return None
    counts = counter.fit_transform(texts)
    return Terms(counts=csr_array(counts), names=counter.get_feature_names_out())


def _words(cluster: int, size: int, used: csr_array, with_term: csr_array, rarity: np.ndarray,
           names: np.ndarray, count: int) -> ClusterWords:
    if not used.nnz:
        return ClusterWords(cluster, (), "No words in the texts of this cluster.")
    used.sort_indices()
    with_term.sort_indices()
    weights = np.sqrt(used.data / used.data.sum()) * rarity[used.indices]
    pairs = np.char.find(names[used.indices].astype(str), " ") >= 0
    best = np.lexsort((used.indices, pairs, -weights))[:count]
    words = []
    for place in best:
        name, rows = str(names[used.indices[place]]), int(with_term.data[place])
        words.append(Contrast(name=name, text=f"{name}: in {rows:,} of {size:,} rows",
                              value=float(weights[place]), n=rows))
    return ClusterWords(cluster, tuple(words))


def _compare_numbers(name: str, values: np.ndarray | Sequence[Any],
                     groups: _Groups) -> list[tuple[int, Contrast]]:
    numbers = np.asarray(values, dtype=np.float64)
    rows = np.flatnonzero(np.isfinite(numbers))
    if not len(rows):
        return []
    scale = float(np.abs(numbers[rows]).max()) or 1.0  # so that no square overflows
    x, group, k = numbers[rows] / scale, groups.of_row[rows], len(groups.values)
    middle = float(x.mean())
    x -= middle
    whole = float(x.std())
    n = np.bincount(group, minlength=k)
    means = np.bincount(group, x, minlength=k) / np.maximum(n, 1)
    squares = np.bincount(group, (x - means[group])**2, minlength=k)
    found = []
    for place in groups.asked:
        others = np.arange(k) != place
        rest = int(n[others].sum())
        if not n[place] or not rest or whole == 0:
            continue
        mean_rest = float(means[others] @ n[others]) / rest
        squares_rest = squares[others].sum() + n[others] @ (means[others] - mean_rest)**2
        freedom = n[place] + rest - 2
        spread = math.sqrt((squares[place] + squares_rest) / freedom) if freedom else 0.0
        # Sums of squares of equal numbers are zero but for rounding.
        effect = float(means[place] - mean_rest) / (spread if spread > 1e-7 * whole else whole)
        if abs(effect) >= SMALL_EFFECT:
            pair = two_numbers((float(means[place]) + middle) * scale,
                               (mean_rest + middle) * scale)
            found.append((place, Contrast(name, f"{name}: mean {pair}", effect, int(n[place]))))
    return found


def _compare_categories(name: str, values: np.ndarray | Sequence[Any],
                        groups: _Groups) -> list[tuple[int, Contrast]]:
    known: dict[str, int] = {}
    codes = np.array([-1 if _missing(value) else known.setdefault(str(value), len(known))
                      for value in values], dtype=np.int64)
    rows = np.flatnonzero(codes >= 0)
    table = groups.counts(codes[rows], len(known), rows)
    names = list(known)
    everywhere = np.asarray(table.sum(axis=0)).ravel()
    filled = np.asarray(table.sum(axis=1)).ravel()
    found = []
    for place in groups.asked:
        line, rest = table[[place]], int(filled.sum() - filled[place])
        for code, here in zip(line.indices, line.data, strict=True):
            if everywhere[code] < 2 or not rest:
                continue
            share, elsewhere = here / filled[place], (everywhere[code] - here) / rest
            effect = 2 * math.asin(math.sqrt(share)) - 2 * math.asin(math.sqrt(elsewhere))
            if effect >= SMALL_EFFECT:
                text = (f"{name} = {short(names[code])}: {percent(share)} here, "
                        f"{percent(elsewhere)} elsewhere")
                found.append((place, Contrast(name, text, effect, int(here))))
    return found


def _groups(labels: np.ndarray, n: int, noise: bool) -> _Groups:
    if len(labels) != n:
        raise _row_count("The labels", n, len(labels))
    values, of_row, sizes = np.unique(np.maximum(np.asarray(labels), NOISE), return_inverse=True,
                                      return_counts=True)
    asked = [place for place, value in enumerate(values) if value != NOISE]
    if noise and len(asked) < len(values):
        asked.append(0)
    return _Groups(values=values, sizes=sizes, of_row=of_row, asked=tuple(asked))


def _row_count(what: str, n: int, got: int) -> DataError:
    return DataError("ROW_COUNT", f"{what} must have {n} rows, got {got}.")


def _why_nothing(groups: _Groups, any_columns: bool) -> str:
    if not any_columns:
        return "There are no columns to compare."
    if len(groups.values) < 2:
        return "All rows are in one cluster: there is nothing to compare it with."
    return "No column differs by more than a small effect."


def _missing(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))
