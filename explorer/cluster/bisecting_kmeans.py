"""Bisecting k-means: one cluster split in two, again and again (Steinbach, Karypis, Kumar 2000)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from explorer.cluster import Clusterer
from explorer.cluster.prepare import only_found, prepare
from explorer.spec import Cost, Facts, Progress, advanced
from explorer.values import Clustering, by_size


@dataclass(frozen=True)
class _Leaf:
    """`rows` int64 of a cluster and the sum of their squared distances to their mean."""

    rows: np.ndarray
    inertia: float


class BisectingKMeans(Clusterer):
    """Splits all rows in two by k-means, then the loosest cluster in two, until the wanted number
    is there. The clusters for 5 are parts of the clusters for 4; faster than k-means for many."""

    key: ClassVar[str] = "bisecting_kmeans"
    title: ClassVar[str] = "Bisecting k-means"
    rank: ClassVar[int] = 60
    sweeps: ClassVar[str] = "clusters"
    min_rows: ClassVar[int] = 2
    min_distinct: ClassVar[int] = 2

    clusters: int = Field(8, ge=2, le=200, description="How many clusters to make.")
    split: Literal["inertia", "size"] = Field(
        "inertia", description="Which cluster is split next: the one with the largest sum of "
                               "squared distances to its centre, or with the most rows.")
    restarts: int = advanced(
        3, ge=1, le=100, description="How often each split is tried; the tightest is kept.")
    seed: int = advanced(0, ge=0, le=2**32 - 1, description="Same seed, same result.")

    def limits(self, facts: Facts) -> Mapping[str, tuple[float, float]]:
        distinct = facts.n if facts.distinct is None else facts.distinct
        return {"clusters": (2, min(200, distinct))}

    def estimate(self, n: int, d: int) -> Cost:
        # Every level of the tree reads all rows once; the splits are seldom even.
        levels = 1.5 * np.log2(self.clusters)
        return Cost(seconds=0.05 + 0.003 * self.restarts * self.clusters
                    + float(levels) * self.restarts * n * (2e-7 + 1.2e-8 * d), bytes=20 * n * d)

    def cluster(self, vectors: np.ndarray, progress: Progress) -> Clustering:
        """`extras`: 'centers' k x d float32 in label order, 'inertia' one float64 (the sum of
        squared distances of rows to their centres)."""
        return self._grown(vectors, (self.clusters,), progress)[0]

    def sweep(self, vectors: np.ndarray, counts: Sequence[int],
              progress: Progress) -> list[Clustering]:
        """The splits for the largest count pass by all others."""
        return self._grown(vectors, counts, progress) if counts else []

    def estimate_sweep(self, n: int, d: int, counts: Sequence[int]) -> Cost:
        return self.with_count(max(counts, default=2)).estimate(n, d)

    def _grown(self, vectors: np.ndarray, counts: Sequence[int],
               progress: Progress) -> list[Clustering]:
        for count in counts:
            self.with_count(count).check(Facts(*vectors.shape))
        prepared = prepare(vectors)
        draws = np.random.RandomState(self.seed)
        leaves = [_leaf(prepared.vectors, np.arange(len(vectors)))]
        found: dict[int, Clustering] = {}
        most = max(counts)
        while True:
            if len(leaves) in counts:
                found[len(leaves)] = self._clustering(vectors, leaves, prepared.unit, len(leaves))
            splittable = [leaf for leaf in leaves if leaf.inertia > 0]
            if len(leaves) == most or not splittable:
                break
            progress(len(leaves) / most, f"{len(leaves)} of {most} clusters")
            chosen = max(splittable, key=lambda leaf: (
                leaf.inertia if self.split == "inertia" else len(leaf.rows)))
            place = next(at for at, leaf in enumerate(leaves) if leaf is chosen)
            leaves[place:place + 1] = self._halves(prepared.vectors, chosen, draws)
        # Fewer than asked for when all that is left are copies.
        results = [found[count] if count in found else
                   self._clustering(vectors, leaves, prepared.unit, count) for count in counts]
        progress(1.0, f"{len(leaves)} clusters")
        return results

    def _halves(self, data: np.ndarray, leaf: _Leaf, draws: np.random.RandomState) -> list[_Leaf]:
        from sklearn.cluster import KMeans as Fit
        from sklearn.exceptions import ConvergenceWarning
        from threadpoolctl import threadpool_limits

        rows = data[leaf.rows]
        with warnings.catch_warnings(), threadpool_limits(limits=1):
            warnings.simplefilter("ignore", ConvergenceWarning)
            # tol 0: until no row changes sides, whatever the unit of the data.
            fit = Fit(n_clusters=2, n_init=self.restarts, tol=0, random_state=draws).fit(rows)
        right = fit.labels_ == 1
        if right.all() or not right.any():
            # Rows so near each other that rounding joins them again: the furthest one leaves.
            far = np.square(rows - rows.mean(axis=0)).sum(axis=1)
            right = np.arange(len(rows)) == np.argmax(far)
        return [_leaf(data, leaf.rows[~right]), _leaf(data, leaf.rows[right])]

    def _clustering(self, vectors: np.ndarray, leaves: list[_Leaf], unit: float,
                    wanted: int) -> Clustering:
        labels = np.empty(len(vectors), dtype=np.int64)
        for number, leaf in enumerate(leaves):
            labels[leaf.rows] = number
        labels = by_size(labels)
        centers = np.array([vectors[labels == label].mean(axis=0, dtype=np.float64)
                            for label in range(len(leaves))], dtype=np.float32)
        inertia = sum(leaf.inertia for leaf in leaves) * unit**2
        return Clustering(labels=labels, metric="euclidean",
                          notes=only_found(len(leaves), wanted),
                          extras={"centers": centers, "inertia": np.array([inertia])})


def _leaf(data: np.ndarray, rows: np.ndarray) -> _Leaf:
    own = data[rows]
    if not np.ptp(own, axis=0).any():
        return _Leaf(rows, 0.0)  # a mean of copies is off by rounding
    return _Leaf(rows, float(np.square(own - own.mean(axis=0)).sum()))
