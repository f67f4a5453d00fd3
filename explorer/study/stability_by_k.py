"""For each number of clusters: are the clusters of one half of the rows those of the other half?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from explorer.cluster import Clusterer
from explorer.errors import ParameterError, Where
from explorer.judge.matching import rand_index
from explorer.judge.null_data import to_sphere
from explorer.judge.replication import (
    nearest_rows,
    prediction_strength,
    told_by_centers,
    told_by_rows,
)
from explorer.spec import Cost, Facts, Progress, advanced, part
from explorer.study import Study
from explorer.study.by_count import cluster_each, counts_for, without_count
from explorer.study.subject import Subject
from explorer.study.vary import some_rows
from explorer.values import Clustering, Finding, Score

if TYPE_CHECKING:
    from explorer.recipe import Recipe

_NAME = "Most clusters that both halves of the rows agree on"


class StabilityByK(Study):
    """Cuts the rows into two random halves, clusters each, and lets the other half tell every row
    its cluster. Where both halves have the same groups, what it is told fits what it found. Done
    for each number of clusters: numbers that split real groups, or noise, do not repeat."""

    key: ClassVar[str] = "stability_by_k"
    title: ClassVar[str] = "Stability by number of clusters"
    question: ClassVar[str] = "Which numbers of clusters come out again in other rows?"
    reads: ClassVar[tuple[Any, ...]] = ("clustered",)
    repeats: ClassVar[tuple[Any, ...]] = ("clusterer",)
    min_rows: ClassVar[int] = 8
    min_distinct: ClassVar[int] = 4

    lowest: int = Field(2, ge=2, le=100, description="The fewest clusters to try.")
    highest: int = Field(12, ge=2, le=100, description="The most clusters to try.")
    splits: int = Field(10, ge=1, le=200, description="How often to cut the rows into halves; each "
                        "cut is used both ways.")
    enough: float = Field(0.8, ge=0.5, le=0.99, description="From which prediction strength on a "
                          "number of clusters counts as repeating.")
    most_rows: int = advanced(4_000, ge=20, description="The most rows; of larger data a random "
                              "part is used.")
    seed: int = advanced(0, ge=0, le=2**31, description="Same seed, same result.")

    def check(self, facts: Facts) -> tuple[str, ...]:
        if self.lowest > self.highest:
            raise ParameterError("OUT_OF_RANGE", f"lowest must be at most highest ({self.highest}),"
                                 f" got {self.lowest}.", Where(parameter="lowest"),
                                 "Choose a smaller number.")
        return super().check(facts)

    def again(self, recipe: Recipe) -> list[dict[str, Any]]:
        return without_count(recipe)

    def expense(self, recipe: Recipe, n: int, d: int) -> Cost:
        m, method = min(n, self.most_rows) // 2, recipe.clustering
        if not method.sweeps:
            return self.estimate(1, 1)
        counts = list(range(self.lowest, max(self.lowest, min(self.highest, m - 1)) + 1))
        one = method.estimate_sweep(m, d, counts)
        each = one.seconds + m * m * (1.5e-9 + 2e-10 * d) + 3e-7 * m * len(counts)
        return Cost(2 * self.splits * each, one.bytes + 40 * m * d + 2**26)

    def study(self, subject: Subject, progress: Progress) -> Finding:
        """Table 'by_k': per number of clusters the mean prediction strength, its standard error and
        the mean adjusted Rand index of what rows found and were told. Extras 'counts', 'strength',
        'error', 'rand', and 'strengths', 'rands' (2 splits x numbers).

        The other half tells by the nearest cluster centre where the method works with centres (as
        in the paper), else by the nearest row. The index of agreement: T. Lange, V. Roth, M. Braun,
        J. Buhmann, Neural Computation 16 (2004) 1299-1323.
        """
        method, space = subject.recipe.clustering, subject.clustered
        n = len(space.vectors)
        if not method.sweeps:
            return self._nothing(subject, f"Not defined: {method.title} finds the number of "
                                          "clusters itself.")
        draw = np.random.default_rng([self.seed, 1])
        rows = some_rows(n, self.most_rows, draw)
        vectors = np.ascontiguousarray(space.vectors[rows])
        half = len(rows) // 2
        counts = counts_for(method, vectors[:half], self.lowest, self.highest)
        strengths, rands, by_centre = [], [], False
        for split in range(self.splits if counts else 0):
            order = draw.permutation(len(rows))
            halves = [np.sort(order[:half]), np.sort(order[half:])]
            common = [counts_for(method, vectors[one], counts[0], counts[-1]) for one in halves]
            counts = [count for count in counts if count in common[0] and count in common[1]]
            if not counts:
                break
            found = [cluster_each(
                method, vectors[which], counts,
                _named(part(progress, (split + 0.5 * side) / self.splits,
                            (split + 0.5 * side + 0.5) / self.splits),
                       f"cut {split + 1} of {self.splits}"))
                for side, which in enumerate(halves)]
            for own, other in ((0, 1), (1, 0)):
                told = _told(method, vectors[halves[own]], vectors[halves[other]], found[other])
                by_centre = _has_centres(found[other][0])
                pairs = [(mine.labels, heard)
                         for mine, heard in zip(found[own], told, strict=True)]
                strengths.append([prediction_strength(*pair) for pair in pairs])
                rands.append([rand_index(*pair) for pair in pairs])
        if not counts:
            return self._nothing(subject, "Not defined: there are too few different rows.")
        # A later half with fewer different rows may have cut the list of numbers.
        return self._finding(subject, counts, np.array([one[:len(counts)] for one in strengths]),
                             np.array([one[:len(counts)] for one in rands]), len(rows),
                             by_centre)

    def _finding(self, subject: Subject, counts: list[int], strengths: np.ndarray,
                 rands: np.ndarray, sample: int, told_by_centre: bool) -> Finding:
        strength, rand = strengths.mean(axis=0), rands.mean(axis=0)
        error = (strengths.std(axis=0, ddof=1) / np.sqrt(len(strengths)))
        good = [count for count, value in zip(counts, strength + error, strict=True)
                if value >= self.enough]
        records = [{"clusters": count, "prediction strength": _plain(strength[at]),
                    "standard error": _plain(error[at]), "adjusted Rand index": _plain(rand[at]),
                    "repeats": count in good} for at, count in enumerate(counts)]
        notes = ["Chosen is the largest number whose prediction strength, with one standard error, "
                 f"reaches {self.enough:g} (Tibshirani and Walther 2005: 0.8 to 0.9). One cluster "
                 "always does."]
        if subject.recipe.cluster_in == "projection":
            notes.append("Clustered in the picture: both halves come from the same picture, which "
                         "was made of all rows.")
        if told_by_centre:
            notes.append("The other half tells a row its cluster by the nearest cluster centre.")
        else:
            notes.append("The other half tells a row its cluster by its nearest row, which fits "
                         "clusters of any shape.")
        if subject.recipe.clustering.distance not in ("euclidean", "cosine"):
            notes.append("Rows of the other half are told their cluster by the nearest row in "
                         f"straight distance; the clusters were made with "
                         f"{subject.recipe.clustering.distance} distance.")
        score = Score(_NAME, float(max(good, default=1)), subject.clustered.title,
                      subject.recipe.clustering.distance, sample, len(subject.clustered.vectors),
                      "no noise rows", self.seed)
        return Finding(scores=(score,), tables={"by_k": records}, notes=tuple(notes),
                       extras={"counts": np.array(counts), "strength": strength, "error": error,
                               "rand": rand, "strengths": strengths, "rands": rands})

    def _nothing(self, subject: Subject, why: str) -> Finding:
        return Finding(scores=(Score(_NAME, None, subject.clustered.title,
                                     subject.recipe.clustering.distance, 0,
                                     len(subject.clustered.vectors), "no noise rows", self.seed,
                                     why),))


def _has_centres(found: Clustering) -> bool:
    return "centers" in found.extras


def _told(method: Clusterer, points: np.ndarray, among: np.ndarray,
          found: Sequence[Clustering]) -> list[np.ndarray]:
    """What clusterings of the rows `among` say of these points, one list of labels each."""
    if method.distance == "cosine":
        points, among = to_sphere(points), to_sphere(among)
    if _has_centres(found[0]):
        return [told_by_centers(points, among, one.labels) for one in found]
    near = nearest_rows(points, among)
    return [told_by_rows(near, one.labels) for one in found]


def _named(progress: Progress, what: str) -> Progress:
    return lambda fraction, text: progress(fraction, f"{what}: {text}")


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
