"""Agglomerative clustering: one tree, kept, and cut wherever asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from explorer.cluster.along_neighbors import join_along
from explorer.cluster.prepare import prepare
from explorer.cluster.spanning_tree import estimate_spanning_tree, find_spanning_tree
from explorer.cluster.tree import TreeClusterer, follow, merges_of
from explorer.errors import DataError, ParameterError, Where
from explorer.spec import Cost, Facts, Progress, advanced, part
from explorer.values import Clustering, Tree, by_size

_BLOCK_BYTES = 32 * 2**20


class Agglomerative(TreeClusterer):
    """Joins the two closest groups again and again until one is left; the tree of joins is then cut
    into clusters, by their number or at a distance. Shows how clusters nest in each other. The tree
    is kept: another cut takes no time. It needs the distance of every pair of rows, so it is for up
    to 20,000 rows; with single linkage, or when only neighbours may join, for many more."""

    key: ClassVar[str] = "agglomerative"
    title: ClassVar[str] = "Agglomerative"
    version: ClassVar[int] = 2
    rank: ClassVar[int] = 20
    sweeps: ClassVar[str] = "clusters"
    draws: ClassVar[tuple[str, ...]] = ("dendrogram",)
    min_rows: ClassVar[int] = 2
    min_distinct: ClassVar[int] = 2
    max_rows: ClassVar[int] = 20_000
    """Where all pairs are needed: peak memory is 8 n^2 bytes, 3.2 GB here."""

    clusters: int = Field(8, ge=2, le=200, description="How many clusters to make.")
    linkage: Literal["ward", "average", "complete", "single"] = Field(
        "ward", description="What counts as the distance of two groups: growth of the variance "
                            "(ward), or the mean, largest or smallest distance of their rows.")
    metric: Literal["euclidean", "cosine", "manhattan"] = Field(
        "euclidean", description="How two rows are compared; ward needs euclidean.")
    distance_threshold: float | None = Field(
        None, gt=0, description="Cut the tree at this distance instead of at a number of "
                                "clusters. Empty: by number.")
    neighbors: int | None = advanced(
        None, ge=2, le=200, description="Join groups only along rows that are among each other's "
                                        "so many nearest (ward only): an approximation for more "
                                        "than 20,000 rows. Empty: any two groups may join.")

    @property
    def scale_free(self) -> bool:
        return self.distance_threshold is None

    @property
    def needs_pairs(self) -> bool:
        """Whether the distances of all pairs must be in memory."""
        return self.linkage != "single" and self.neighbors is None

    def limits(self, facts: Facts) -> Mapping[str, tuple[float, float]]:
        bounds: dict[str, tuple[float, float]] = {}
        if self.distance_threshold is None:
            distinct = facts.n if facts.distinct is None else facts.distinct
            bounds["clusters"] = (2, min(200, distinct))
        if self.neighbors is not None:
            bounds["neighbors"] = (2, min(200, max(2, facts.n - 1)))
        return bounds

    def check(self, facts: Facts) -> tuple[str, ...]:
        """Also raises ParameterError WARD_NEEDS_EUCLIDEAN, NEIGHBORS_NEED_WARD and DataError
        TOO_MANY_ROWS."""
        if self.linkage == "ward" and self.metric != "euclidean":
            raise ParameterError(
                "WARD_NEEDS_EUCLIDEAN",
                f"With linkage ward, metric must be euclidean, got {self.metric}.",
                Where(parameter="metric"),
                "Choose the euclidean metric, or average or complete linkage for cosine.")
        if self.linkage != "ward" and self.neighbors is not None:
            raise ParameterError(
                "NEIGHBORS_NEED_WARD",
                f"With neighbors, linkage must be ward, got {self.linkage}.",
                Where(parameter="neighbors"),
                "Leave neighbors empty, or choose ward. Single linkage has no limit of rows.")
        if self.needs_pairs and facts.n > self.max_rows:
            raise DataError(
                "TOO_MANY_ROWS",
                f"{self.title} must have at most {self.max_rows:,} rows, got {facts.n:,}.",
                hint=f"It would need {self.estimate(facts.n, facts.d).bytes / 1e9:,.0f} GB: set "
                     "neighbors (15, say) with ward, or use single linkage, k-means, HDBSCAN, or "
                     "a sample of the rows.")
        notes = super().check(facts)
        if self.distance_threshold is not None:
            notes += (f"The tree is cut at distance {self.distance_threshold:g}; the number of "
                      f"clusters ({self.clusters}) is not used.",)
        return notes

    def grower(self) -> Self:
        return self.create(clusters=2, linkage=self.linkage, metric=self.metric,
                           neighbors=self.neighbors)

    def estimate_tree(self, n: int, d: int) -> Cost:
        if not self.needs_pairs:
            cost = estimate_spanning_tree(n, d, self.metric)
            edges = n * ((self.neighbors or 0) + 1)
            return Cost(cost.seconds + edges * (2e-6 + 2e-8 * d),
                        cost.bytes + 8 * n * d + 64 * edges)
        pairs = n * (n - 1) / 2
        # scipy's linkage copies the distances.
        return Cost(seconds=0.1 + pairs * (6e-8 + 5e-10 * d),
                    bytes=int(16 * pairs) + 8 * n * d + 2 * _BLOCK_BYTES)

    def estimate_cut(self, n: int) -> Cost:
        return Cost(0.02 + 6e-7 * n, 200 * n)

    def grow(self, vectors: np.ndarray, progress: Progress) -> Tree:
        """The tree; heights are distances of the data (cosine: 1 - cos)."""
        if self.linkage == "single":
            return self._single(vectors, progress)
        if self.neighbors is not None:
            return self._along(vectors, self.neighbors, progress)
        from scipy.cluster import hierarchy

        distances = pair_distances(vectors, self.metric, part(progress, 0.0, 0.6))
        progress(0.6, "joining groups")
        merges = hierarchy.linkage(distances, method=self.linkage)
        # Rounding may leave a join a hair below one inside of it.
        merges[:, 2] = np.maximum.accumulate(merges[:, 2])
        progress(1.0, "tree built")
        return Tree(merges, self.metric)

    def cut(self, tree: Tree, progress: Progress) -> Clustering:
        """As many clusters as asked for, or as there are at the distance threshold."""
        count = self.clusters
        if self.distance_threshold is not None:
            count = count_at(tree.merges, self.distance_threshold)
        progress(0.0, "cutting the tree")
        clustering = Clustering(labels=cut(tree.merges, count), metric=tree.metric,
                                notes=tree.notes)
        progress(1.0, f"{count} clusters")
        return clustering

    def with_count(self, count: int) -> Self:
        """A distance threshold would decide the number instead."""
        return self.create(**{**self.values(), "clusters": count, "distance_threshold": None})

    def _single(self, vectors: np.ndarray, progress: Progress) -> Tree:
        """Single linkage is the minimum spanning tree (Gower, Ross 1969)."""
        prepared = prepare(vectors, self.metric)
        metric = "euclidean" if self.metric == "cosine" else self.metric
        found = find_spanning_tree(prepared.vectors, 1, metric, progress)
        lengths = found.lengths * prepared.unit
        if self.metric == "cosine":
            lengths = lengths**2 / 2  # |u - v|^2 = 2 - 2 cos
        return Tree(merges_of(found.ends, lengths), self.metric)

    def _along(self, vectors: np.ndarray, count: int, progress: Progress) -> Tree:
        n = len(vectors)
        prepared = prepare(vectors, self.metric)
        count = min(count, n - 1)
        found = find_spanning_tree(prepared.vectors, 1, self.metric, part(progress, 0.0, 0.7),
                                   listed=count)
        assert found.lists is not None
        near = np.column_stack([np.repeat(np.arange(n), count), found.lists.ravel()])
        joined = join_along(prepared.vectors, np.concatenate([near, found.ends]),
                            part(progress, 0.7, 1.0))
        joined.merges[:, 2] *= prepared.unit
        notes = [f"An approximation of Ward's tree: of the {n:,} rows only groups with rows among "
                 f"each other's {count} nearest could join; parts without such rows between them "
                 "were linked by the shortest distances there are (minimum spanning tree)."]
        if joined.raised:
            notes.append(f"{joined.raised:,} of {n - 1:,} joins would lie lower than a join inside "
                         "of them, as joins along neighbours may; they stand at its height.")
        return Tree(joined.merges, self.metric, tuple(notes))


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
        block = cdist(rows, data[start:], "cityblock" if metric == "manhattan" else metric)
        for row in range(len(rows)):
            right = block[row, row + 1:]
            distances[written:written + len(right)] = right
            written += len(right)
        progress(written / max(len(distances), 1), f"distances of {start + len(rows):,} of "
                                                   f"{n:,} rows")
    return distances


def count_at(merges: np.ndarray, height: float) -> int:
    """How many groups there are when joins at `height` and above are undone."""
    return 1 + int(np.count_nonzero(merges[:, 2] >= height))


def cut(tree: np.ndarray, count: int) -> np.ndarray:
    """n int32 labels by falling size: the groups there were when `count` were left of the merges
    `tree`.

    The joins are undone in the order made, as scikit-learn does it; a cut by height would give
    fewer clusters than asked for where heights are equal.
    """
    n = len(tree) + 1
    above = np.arange(2 * n - count)
    above[tree[:n - count, :2].astype(np.intp)] = np.arange(n, 2 * n - count)[:, None]
    return by_size(follow(above)[:n])
