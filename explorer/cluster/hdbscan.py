"""HDBSCAN: dense regions are clusters, the rest is noise.

The spanning tree is ours where there are many columns (spanning_tree.py has the measurements); what
is taken from it is the package hdbscan's. scikit-learn 1.9.1 gives the same clusters, slower, and
without the condensed tree and the outlier scores.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from explorer.cluster.condense import Condensed, condense
from explorer.cluster.prepare import prepare
from explorer.cluster.spanning_tree import estimate_spanning_tree, find_spanning_tree
from explorer.cluster.tree import TreeClusterer, merges_of
from explorer.spec import Cost, Facts, Progress, advanced
from explorer.values import Clustering, Tree, by_size

MANY_DIMENSIONS = 50


class HDBSCAN(TreeClusterer):
    """Finds dense regions of any shape and calls the rows between them noise; it finds the number
    of clusters itself. Says how firmly each row belongs, how far outside it is, and which clusters
    would split or join at other densities. With the cosine metric rows are scaled to length 1 and
    compared by straight distance, sqrt(2 - 2 cos), which puts pairs in the same order as the
    cosine."""

    key: ClassVar[str] = "hdbscan"
    title: ClassVar[str] = "HDBSCAN"
    version: ClassVar[int] = 2
    rank: ClassVar[int] = 30
    dense: ClassVar[bool] = True
    draws: ClassVar[tuple[str, ...]] = ("condensed_tree",)
    min_rows: ClassVar[int] = 2
    min_distinct: ClassVar[int] = 2

    min_cluster_size: int = Field(
        10, ge=2, description="The fewest rows that count as a cluster.")
    min_samples: int | None = Field(
        None, ge=1, description="How many close rows make a row dense; more gives more noise. "
                                "Empty: as many as the smallest cluster.")
    metric: Literal["euclidean", "cosine", "manhattan"] = Field(
        "euclidean", description="How two rows are compared.")
    method: Literal["eom", "leaf"] = Field(
        "eom", description="Take the most lasting clusters (eom) or the finest ones (leaf).")
    allow_single_cluster: bool = advanced(
        False, description="Whether one cluster alone may be the answer.")
    epsilon: float = advanced(
        0.0, ge=0, description="Clusters that split from each other only below this distance are "
                               "taken as one; 0: all splits count.")

    @property
    def scale_free(self) -> bool:
        return self.epsilon == 0

    def limits(self, facts: Facts) -> Mapping[str, tuple[float, float]]:
        return {"min_cluster_size": (2, facts.n), "min_samples": (1, facts.n)}

    def check(self, facts: Facts) -> tuple[str, ...]:
        notes = super().check(facts)
        if facts.d > MANY_DIMENSIONS:
            notes += (f"In {facts.d} dimensions density clustering tends to call most rows noise: "
                      "encode to fewer dimensions where the encoder can, cluster in the picture, "
                      "or use k-means.",)
        return notes

    def grower(self) -> Self:
        return self.create(min_cluster_size=2, metric=self.metric,
                           min_samples=self.min_samples or self.min_cluster_size)

    def estimate_tree(self, n: int, d: int) -> Cost:
        cost = estimate_spanning_tree(n, d, self.metric)
        return Cost(cost.seconds + 2e-6 * n, cost.bytes)

    def estimate_cut(self, n: int) -> Cost:
        return Cost(0.05 + 1.5e-5 * n, 600 * n)

    def grow(self, vectors: np.ndarray, progress: Progress) -> Tree:
        """Single linkage of mutual reachability distances; heights are distances of the data."""
        prepared = prepare(vectors, self.metric)
        samples = self.min_samples or self.min_cluster_size
        metric = "euclidean" if self.metric == "cosine" else self.metric
        found = find_spanning_tree(prepared.vectors, samples, metric, progress)
        return Tree(merges_of(found.ends, found.lengths * prepared.unit), self.metric)

    def cut(self, tree: Tree, progress: Progress) -> Clustering:
        """`strengths`: 0 for noise, 1 in the core of a cluster. `extras`: 'outlier' (n float32),
        'persistence' (a float64 per cluster), and the condensed tree: 'branches', 'last', 'left'
        (see condense.Condensed; 'cluster' there is the label here)."""
        progress(0.0, "choosing clusters")
        found = condense(tree.merges, self.min_cluster_size, method=self.method,
                         allow_single_cluster=self.allow_single_cluster, epsilon=self.epsilon)
        labels = by_size(found.labels)
        clustering = Clustering(
            labels=labels, metric=tree.metric, strengths=found.strengths.astype(np.float32),
            notes=(*tree.notes, *self._notes(labels)), extras=_extras(found, labels))
        progress(1.0, f"{clustering.count} clusters, {clustering.noise:,} rows of noise")
        return clustering

    def _notes(self, labels: np.ndarray) -> tuple[str, ...]:
        if (labels >= 0).any():
            return ()
        return (f"No clusters found, all rows are noise: try a smaller min_cluster_size (now "
                f"{self.min_cluster_size}) or min_samples, allow a single cluster, cluster in the "
                "picture, or use k-means.",)


def _extras(found: Condensed, labels: np.ndarray) -> dict[str, np.ndarray]:
    """With the clusters by falling size, as `labels` has them."""
    numbers = np.full(len(found.persistence), -1, dtype=np.int64)
    kept = found.labels >= 0
    numbers[found.labels[kept]] = labels[kept]
    persistence = np.zeros(int(numbers.max(initial=-1)) + 1)
    persistence[numbers[numbers >= 0]] = found.persistence[numbers >= 0]
    branches = found.branches.copy()
    chosen = branches[:, 4] >= 0
    branches[chosen, 4] = numbers[branches[chosen, 4].astype(np.int64)]
    return {"outlier": found.outlier.astype(np.float32), "persistence": persistence,
            "branches": branches, "last": found.last.astype(np.int32),
            "left": found.left.astype(np.float32)}
