"""Your score against the scores the same method gets on data without groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from explorer.errors import ParameterError, Where
from explorer.judge import judges
from explorer.judge.against_null import Against, compare
from explorer.spec import Cost, Facts, Progress, advanced, part
from explorer.study import Study
from explorer.study.nulls import (
    GAUSSIAN,
    GUESSED_WIDTH,
    SHUFFLED,
    UNIFORM,
    Base,
    Outcome,
    base_of,
    observed,
    pipeline,
    said_of,
)
from explorer.study.subject import Subject
from explorer.values import Finding, Score

if TYPE_CHECKING:
    from explorer.recipe import Recipe

STATISTICS = ("silhouette", "davies_bouldin", "calinski_harabasz")


class NullModels(Study):
    """Every clustering method finds clusters, in noise too. Here the run's own method looks for
    clusters in data of the same size made without any, several times, and the scores it gets there
    are set beside yours. Only a score that no such data reaches speaks for real groups."""

    key: ClassVar[str] = "null_models"
    title: ClassVar[str] = "Against data without groups"
    question: ClassVar[str] = "Is there anything here, or would noise give the same clusters?"
    reads: ClassVar[tuple[Any, ...]] = ("embedding", "clustered", "original")
    repeats: ClassVar[tuple[Any, ...]] = ("clusterer",)
    min_rows: ClassVar[int] = 4

    shuffled: bool = Field(True, description="Compare with shuffled columns: each keeps its "
                           "values, what ties them together is gone.")
    gaussian: bool = Field(True, description="Compare with one Gaussian cloud of the same "
                           "covariance.")
    uniform: bool = Field(True, description="Compare with rows spread evenly over a box around the "
                          "data.")
    runs: int = Field(20, ge=4, le=500, description="How many data sets of each kind; the smallest "
                      "p is 1 / (runs + 1).")
    most_rows: int = advanced(3_000, ge=20, description="The most rows; of larger data a random "
                              "part is used, for your score as well.")
    seed: int = advanced(0, ge=0, le=2**31, description="Same seed, same result.")

    def check(self, facts: Facts) -> tuple[str, ...]:
        if not (self.shuffled or self.gaussian or self.uniform):
            raise ParameterError("NOTHING_TO_COMPARE", "At least one kind of data must be on, got "
                                 "none.", Where(parameter="shuffled"), "Switch one on.")
        return super().check(facts)

    def expense(self, recipe: Recipe, n: int, d: int) -> Cost:
        m, drawn = min(n, self.most_rows), recipe.cluster_in == "projection"
        wide = GUESSED_WIDTH if drawn else d
        costs = [recipe.clustering.estimate(m, d),
                 *(judges().create(key).estimate(m, d) for key in STATISTICS)]
        if drawn:
            costs.append(recipe.projecting.estimate(m, wide))
        each = sum(cost.seconds for cost in costs) + 1e-9 * m * wide * min(m, wide)
        whole = 1 + (self.shuffled + self.gaussian + self.uniform) * self.runs
        return Cost(whole * each + 2e-9 * m * wide * min(m, wide) + 4e-9 * min(m, wide) ** 3,
                    max(cost.bytes for cost in costs) + 40 * m * wide + 16 * min(m, wide) ** 2)

    def study(self, subject: Subject, progress: Progress) -> Finding:
        """Tables 'nulls' (one record per kind and score: your value, the null's mean, p, z, how
        many null runs were as good, in how many the score was defined) and 'clusters' (how many
        the method found on each kind). Extras: 'values' (kinds x runs x scores, NaN where not
        defined), 'observed' (scores), 'counts' and 'noise' (kinds x runs).
        """
        kinds = [kind for kind, on in ((SHUFFLED, self.shuffled), (GAUSSIAN, self.gaussian),
                                       (UNIFORM, self.uniform)) if on]
        progress(0.0, "measuring the vectors")
        base = base_of(subject, self.most_rows, self.seed)
        total = len(kinds) * self.runs + 1
        own = observed(subject, base, part(progress, 0.0, 0.8 / total))
        yours = _scored(subject, own, part(progress, 0.8 / total, 1 / total))
        values = np.full((len(kinds), self.runs, len(STATISTICS)), np.nan)
        counts, noise = (np.full((len(kinds), self.runs), np.nan) for _ in range(2))
        refused: list[str] = []
        for place in range(len(kinds) * self.runs):
            row, run = divmod(place, self.runs)
            share = _named(part(progress, (place + 1) / total, (place + 2) / total),
                           f"{kinds[row]}, {run + 1} of {self.runs}")
            share(0.0, "drawing it")
            made = base.make(kinds[row], np.random.default_rng([self.seed, 2 + row, run]))
            outcome = pipeline(subject, base, made, part(share, 0.0, 0.8))
            if outcome.found is None:
                refused.append(f"{kinds[row]}: {outcome.why}")
                continue
            counts[row, run], noise[row, run] = outcome.found.count, outcome.found.noise
            values[row, run] = [np.nan if score.value is None else score.value
                                for score in _scored(subject, outcome, part(share, 0.8, 1.0))]
        notes = said_of(subject, base)
        if own.found is None:
            notes.append(f"The method refused the rows themselves: {own.why}")
        if refused:
            notes.append(f"The method refused {len(refused)} of {total - 1} null data sets, which "
                         f"count as not as good as yours: {refused[0]}")
        return self._finding(subject, base, kinds, own, yours, values, counts, noise, notes)

    def _finding(self, subject: Subject, base: Base, kinds: list[str], own: Outcome,
                 yours: tuple[Score, ...], values: np.ndarray, counts: np.ndarray,
                 noise: np.ndarray, notes: list[str]) -> Finding:
        records, scores = [], []
        for place, score in enumerate(yours):
            scores.append(_of_all(score, subject, base, self.seed, "your clusters"))
            for row, kind in enumerate(kinds):
                found = compare(score.value, values[row, :, place], score.better)
                records.append(_record(kind, score, found))
                if place == 0:
                    scores.append(_of_all(Score(
                        "", found.p, score.space, score.metric, score.sample, score.total,
                        score.noise, None, score.why if found.p is None else "", "lower"),
                        subject, base, self.seed, f"p of the silhouette against {kind}"))
        clusters = [{"data": "yours", "clusters": None if own.found is None else own.found.count,
                     "fewest": None, "most": None, "runs without two clusters": None,
                     "noise share": None if own.found is None
                     else own.found.noise / len(base.rows)}]
        for row, kind in enumerate(kinds):
            known = counts[row][np.isfinite(counts[row])]
            clusters.append({
                "data": kind, "clusters": float(known.mean()) if len(known) else None,
                "fewest": int(known.min()) if len(known) else None,
                "most": int(known.max()) if len(known) else None,
                "runs without two clusters": int((known < 2).sum()) + self.runs - len(known),
                "noise share": float(np.nanmean(noise[row])) / len(base.rows) if len(known)
                else None})
        return Finding(scores=tuple(scores), notes=tuple(notes),
                       tables={"nulls": records, "clusters": clusters},
                       extras={"values": values, "counts": counts, "noise": noise, "observed":
                               np.array([np.nan if score.value is None else score.value
                                         for score in yours])})


def _scored(subject: Subject, outcome: Outcome, progress: Progress) -> tuple[Score, ...]:
    """The statistics of one outcome; not defined where nothing was found."""
    title = subject.clustered.title
    if outcome.found is None:
        metric, n = subject.original.metric, len(outcome.vectors)
        return tuple(Score(judges().get(key).title, None, title, metric, 0, n, "", None,
                           outcome.why) for key in STATISTICS)
    labels, metric = outcome.found.labels, outcome.found.metric
    return tuple(judges().create(key).judge(
        outcome.vectors, labels, metric, title,
        part(progress, at / len(STATISTICS), (at + 1) / len(STATISTICS))).scores[0]
        for at, key in enumerate(STATISTICS))


def _named(progress: Progress, what: str) -> Progress:
    return lambda fraction, text: progress(fraction, f"{what}: {text}")


def _of_all(score: Score, subject: Subject, base: Base, seed: int, what: str) -> Score:
    """The score with its sample counted among all rows of the run, and what it is of."""
    name = f"{score.name}, {what}" if score.name else what
    return Score(name, score.value, score.space, score.metric, score.sample,
                 len(subject.original.labels), score.noise, seed, score.why, score.better)


def _record(kind: str, score: Score, found: Against) -> dict[str, Any]:
    return {"data": kind, "score": score.name, "better": score.better, "yours": score.value,
            "null mean": found.mean, "p": found.p, "z": found.z, "as good": found.as_good,
            "runs": found.runs, "defined": found.defined}
