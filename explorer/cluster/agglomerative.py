"""Agglomerative clustering: all distances, one tree, cut wherever asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from explorer.cluster import Clusterer
from explorer.errors import DataError, ParameterError, Where
from explorer.spec import Cost, Facts, Progress, advanced, part
from explorer.values import Clustering, by_size

_BLOCK_BYTES = 32 * 2**20


class Agglomerative(Clusterer):
    """Joins the two closest groups again and again until the wanted number is left.
    Shows how clusters nest in each other. Needs the distance of every pair of rows, so it is for
    up to 20,000 rows."""

    key: ClassVar[str] = "agglomerative"
    title: ClassVar[str] = "Agglomerative"
    rank: ClassVar[int] = 20
    sweeps: ClassVar[str] = "clusters"
    min_rows: ClassVar[int] = 2
    min_distinct: ClassVar[int] = 2
    max_rows: ClassVar[int] = 20_000
    """Peak memory is 8 n^2 bytes: 3.2 GB here."""

    clusters: int = Field(8, ge=2, le=200, description="How many clusters to make.")
    linkage: Literal["ward", "average", "complete", "single"] = Field(
        "ward", description="What counts as the distance of two groups: growth of the variance "
                            "(ward), or the mean, largest or smallest distance of their rows.")
    metric: Literal["euclidean", "cosine"] = Field(
        "euclidean", description="How two rows are compared; ward needs euclidean.")
    distance_threshold: float | None = advanced(
        None, gt=0, description="Stop joining at this distance instead of at a number of "
                                "clusters.")

    @property
    def scale_free(self) -> bool:
        return self.distance_threshold is None

    def limits(self, facts: Facts) -> Mapping[str, tuple[float, float]]:
        if self.distance_threshold is not None:
            return {}
        distinct = facts.n if facts.distinct is None else facts.distinct
        return {"clusters": (2, min(200, distinct))}

    def check(self, facts: Facts) -> tuple[str, ...]:
        """Also raises ParameterError WARD_NEEDS_EUCLIDEAN and DataError TOO_MANY_ROWS."""
        if self.linkage == "ward" and self.metric != "euclidean":
            raise ParameterError(
                "WARD_NEEDS_EUCLIDEAN",
                f"With linkage ward, metric must be euclidean, got {self.metric}.",
                Where(parameter="metric"),
                "Choose the euclidean metric, or average or complete linkage for cosine.")
        if facts.n > self.max_rows:
            raise DataError(
                "TOO_MANY_ROWS",
                f"{self.title} must have at most {self.max_rows:,} rows, got {facts.n:,}.",
                hint=f"It would need {self.estimate(facts.n, facts.d).bytes / 1e9:,.0f} GB: use "
                     "k-means or HDBSCAN, or a sample of the rows.")
        notes = super().check(facts)
        if self.distance_threshold is not None:
            notes += (f"The tree is cut at distance {self.distance_threshold:g}; the number of "
                      f"clusters ({self.clusters}) is not used.",)
        return notes

    def estimate(self, n: int, d: int) -> Cost:
        pairs = n * (n - 1) / 2
        # scipy's linkage copies the distances, except for single.
        copies = 1 if self.linkage == "single" else 2
        return Cost(seconds=0.1 + pairs * (6e-8 + 5e-10 * d),
                    bytes=int(8 * copies * pairs) + 8 * n * d + 2 * _BLOCK_BYTES)

    def cluster(self, vectors: np.ndarray, progress: Progress) -> Clustering:
        """`extras`: 'tree' is the (n-1) x 4 float64 linkage of scipy.cluster.hierarchy."""
        notes = self.check(_facts(vectors))
        tree = self._tree(vectors, progress)
        count = self.clusters
        if self.distance_threshold is not None:
            count = 1 + int(np.count_nonzero(tree[:, 2] >= self.distance_threshold))
        clustering = self._cut(tree, count, notes)
        progress(1.0, f"{count} clusters")
        return clustering

    def with_count(self, count: int) -> Self:
        """A distance threshold would decide the number instead."""
        return self.create(**{**self.values(), "clusters": count, "distance_threshold": None})

    def sweep(self, vectors: np.ndarray, counts: Sequence[int],
              progress: Progress) -> list[Clustering]:
        """The tree is built once and cut at every count; a distance threshold plays no part."""
        for count in counts:
            self.with_count(count).check(_facts(vectors))
        if not counts:
            return []
        tree = self._tree(vectors, progress)
        results = [self._cut(tree, count, ()) for count in counts]
        progress(1.0, f"{len(results)} cuts")
        return results

    def estimate_sweep(self, n: int, d: int, counts: Sequence[int]) -> Cost:
        return self.estimate(n, d)

    def _tree(self, vectors: np.ndarray, progress: Progress) -> np.ndarray:
        from scipy.cluster import hierarchy

        distances = pair_distances(vectors, self.metric, part(progress, 0.0, 0.6))
        progress(0.6, "joining groups")
        tree: np.ndarray = hierarchy.linkage(distances, method=self.linkage)
        progress(0.99, "tree built")
        return tree

    def _cut(self, tree: np.ndarray, count: int, notes: tuple[str, ...]) -> Clustering:
        return Clustering(labels=cut(tree, count), metric=self.metric, notes=notes,
                          extras={"tree": tree})


def _facts(vectors: np.ndarray) -> Facts:
    return Facts(len(vectors), vectors.shape[1],
                 zeros=int(np.count_nonzero(~vectors.any(axis=1))))


def pair_distances(vectors: np.ndarray, metric: str, progress: Progress,
                   block_bytes: int = _BLOCK_BYTES) -> np.ndarray:
    """The n(n-1)/2 float64 distances of `scipy.spatial.distance.pdist`, in its order, with about
    `block_bytes` beside them.

    The kernel is scipy's, pair by pair: matrix products would be faster but break the ties that
    decide which groups are joined first.
    """
    from scipy.spatial.distance import cdist

    data = np.ascontiguousarray(vectors, dtype=np.float64)
    n = len(data)
    distances = np.empty(n * (n - 1) // 2)
    step = max(1, block_bytes // (8 * max(n, 1)))
    written = 0
    for start in range(0, n, step):
        rows = data[start:start + step]
        block = cdist(rows, data[start:], metric)
        for row in range(len(rows)):
            right = block[row, row + 1:]
            distances[written:written + len(right)] = right
            written += len(right)
        progress(written / max(len(distances), 1), f"distances of {start + len(rows):,} of "
                                                   f"{n:,} rows")
    return distances


def cut(tree: np.ndarray, count: int) -> np.ndarray:
    """n int32 labels by falling size: the groups there were when `count` were left.

    The joins are undone in the order made, as scikit-learn does it; a cut by height would give
    fewer clusters than asked for where heights are equal.
    """
    n = len(tree) + 1
    joined = tree[:n - count, :2].astype(np.intp).tolist()
    group = list(range(n + len(joined)))
    for step in range(len(joined) - 1, -1, -1):
        for child in joined[step]:
            group[child] = group[n + step]
    return by_size(np.array(group[:n], dtype=np.intp))
