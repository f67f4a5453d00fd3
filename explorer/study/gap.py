"""The gap statistic over numbers of clusters, one cluster included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from explorer.judge.gap_curve import Gap, gap_curve, log_within
from explorer.judge.kept import euclidean_only
from explorer.judge.null_data import measure_cloud, uniform_box
from explorer.spec import Cost, Progress, advanced, part
from explorer.study import Study
from explorer.study.by_count import cluster_each, counts_for, without_count
from explorer.study.subject import Subject
from explorer.study.vary import some_rows
from explorer.values import Finding, Score

if TYPE_CHECKING:
    from explorer.recipe import Recipe


class GapStatistic(Study):
    """Compares how tight the clusters are with how tight the same method's clusters are in rows
    spread evenly over a box, for one cluster, two clusters and so on. The number where the gap
    stops growing is chosen; it may be one: then nothing speaks for more than one group."""

    key: ClassVar[str] = "gap"
    title: ClassVar[str] = "Gap statistic"
    question: ClassVar[str] = "How many clusters are tighter than chance, and is it more than one?"
    reads: ClassVar[tuple[Any, ...]] = ("clustered",)
    repeats: ClassVar[tuple[Any, ...]] = ("clusterer",)
    min_rows: ClassVar[int] = 5
    min_distinct: ClassVar[int] = 3

    highest: int = Field(12, ge=2, le=100, description="The most clusters to try; from one on.")
    references: int = Field(10, ge=2, le=500, description="How many evenly spread data sets to "
                            "compare with.")
    most_rows: int = advanced(2_000, ge=10, description="The most rows; of larger data a random "
                              "part is used.")
    seed: int = advanced(0, ge=0, le=2**31, description="Same seed, same result.")

    def again(self, recipe: Recipe) -> list[dict[str, Any]]:
        return without_count(recipe)

    def expense(self, recipe: Recipe, n: int, d: int) -> Cost:
        m, method = min(n, self.most_rows), recipe.clustering
        if not method.sweeps:
            return self.estimate(1, 1)
        counts = list(range(2, min(self.highest, max(2, m - 1)) + 1))
        one = method.estimate_sweep(m, d, counts)
        each = one.seconds + 4e-9 * m * d * len(counts) + 1e-9 * m * d * min(m, d)
        return Cost((1 + self.references) * each + 4e-9 * min(m, d) ** 3,
                    one.bytes + 40 * m * d + 16 * min(m, d) ** 2)

    def study(self, subject: Subject, progress: Progress) -> Finding:
        """Table 'gap': per number of clusters the gap, its error s, log W and its mean on the
        references, whether it was chosen. Extras 'counts', 'gap', 'error'."""
        method, space = subject.recipe.clustering, subject.clustered
        n = len(space.vectors)
        if not method.sweeps:
            return self._nothing(subject, n, f"Not defined: {method.title} finds the number of "
                                             "clusters itself.")
        rows = some_rows(n, self.most_rows, np.random.default_rng([self.seed, 1]))
        vectors = np.ascontiguousarray(space.vectors[rows])
        counts = counts_for(method, vectors, 2, self.highest)
        if not counts:
            return self._nothing(subject, n, "Not defined: there are too few different rows.")
        whole = 1 + self.references
        logs = np.full((whole, 1 + len(counts)), np.nan)
        cloud = measure_cloud(vectors)
        for number in range(whole):
            share = part(progress, number / whole, (number + 1) / whole)
            what = f"reference {number} of {self.references}" if number else "the rows"
            made = vectors if number == 0 else uniform_box(
                cloud, len(rows), np.random.default_rng([self.seed, 2, number]))
            logs[number] = [
                log_within(made, np.zeros(len(made), np.int32)),
                *(log_within(made, one.labels)
                  for one in cluster_each(method, made, counts, _named(share, what)))]
        return self._finding(subject, [1, *counts], logs, len(rows))

    def _finding(self, subject: Subject, counts: list[int], logs: np.ndarray,
                 sample: int) -> Finding:
        found: Gap = gap_curve(logs[0], logs[1:])
        chosen = None if found.chosen is None else counts[found.chosen]
        method = subject.recipe.clustering
        records = [{"clusters": count, "gap": _plain(found.gap[at]),
                    "error": _plain(found.error[at]), "log W": _plain(logs[0, at]),
                    "log W of even rows": _plain(logs[1:, at].mean()), "chosen": count == chosen}
                   for at, count in enumerate(counts)]
        notes = [*euclidean_only(self.title, method.distance)]
        if subject.recipe.cluster_in == "projection":
            notes.append("Clustered in the picture: the references are spread evenly over the "
                         "picture. That pictures make islands of nothing is not in this number; "
                         "'Against data without groups' draws a picture of every null.")
        score = Score("Number of clusters by the gap statistic", chosen, subject.clustered.title,
                      "euclidean", sample, len(subject.clustered.vectors), "no noise rows",
                      self.seed, "" if chosen is not None else
                      f"Not defined: the gap still grows at {counts[-1]} clusters; try more.")
        known = np.isfinite(found.gap)
        widest = Score("Number of clusters with the largest gap",
                       float(counts[int(np.nanargmax(found.gap))]) if known.any() else None,
                       score.space, "euclidean", sample, score.total, "no noise rows", self.seed,
                       "" if known.any() else "Not defined: the clusters are copies of one row.")
        return Finding(scores=(score, widest), tables={"gap": records}, notes=tuple(notes),
                       extras={"counts": np.array(counts), "gap": found.gap,
                               "error": found.error})

    def _nothing(self, subject: Subject, n: int, why: str) -> Finding:
        return Finding(scores=(Score("Number of clusters by the gap statistic", None,
                                     subject.clustered.title, "euclidean", 0, n, "no noise rows",
                                     self.seed, why),))


def _named(progress: Progress, what: str) -> Progress:
    return lambda fraction, text: progress(fraction, f"{what}: {text}")


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
