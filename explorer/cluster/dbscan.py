"""DBSCAN (Ester, Kriegel, Sander, Xu 1996), in blocks of rows, so that a radius that takes in
everything costs time and not memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from explorer.cluster import Clusterer
from explorer.cluster.prepare import facts, prepare
from explorer.spec import Cost, Facts, Progress, part
from explorer.values import NOISE, Clustering, by_size

if TYPE_CHECKING:
    from sklearn.neighbors import KDTree

_MANY_DIMENSIONS = 50
_PAIRS = 2_000_000
"""Pairs of rows that are held at once: 32 MB."""


class DBSCAN(Clusterer):
    """Joins rows that have enough others within a fixed distance; rows near them belong to them,
    the rest is noise. It finds the number of clusters itself, and suggests the distance from the
    data. One distance for all: clusters of very different density want HDBSCAN."""

    key: ClassVar[str] = "dbscan"
    title: ClassVar[str] = "DBSCAN"
    rank: ClassVar[int] = 50
    draws: ClassVar[tuple[str, ...]] = ("k_distances",)
    dense: ClassVar[bool] = True
    min_rows: ClassVar[int] = 2
    min_distinct: ClassVar[int] = 2

    eps: float | None = Field(
        None, gt=0, le=1e15, description="How far the rows around a row may lie from it, in the "
        "unit of the data (cosine: 1 - cos). Empty: suggested from the data, and told.")
    min_samples: int = Field(
        5, ge=2, le=5000, description="How many rows, itself included, must lie within that "
                                      "distance of a row inside a cluster.")
    metric: Literal["euclidean", "cosine"] = Field(
        "euclidean", description="How two rows are compared.")

    @property
    def scale_free(self) -> bool:
        return self.eps is None or self.metric == "cosine"

    def limits(self, facts: Facts) -> Mapping[str, tuple[float, float]]:
        return {"min_samples": (2, facts.n)}

    def check(self, facts: Facts) -> tuple[str, ...]:
        notes = super().check(facts)
        if facts.d > _MANY_DIMENSIONS:
            notes += (f"In {facts.d} dimensions all rows lie about equally far apart, so that one "
                      "distance seldom separates them: encode to fewer dimensions where the "
                      "encoder can, cluster in the picture, or use k-means.",)
        return notes

    def estimate(self, n: int, d: int) -> Cost:
        # A tree asks all pairs above few columns: once for the distances, once to join.
        return Cost(seconds=0.1 + 5e-5 * n + float(n) * n * (2e-9 + 2.4e-9 * d if d > 3 else 1e-9),
                    bytes=24 * n * d + 60 * n + 40 * _PAIRS)

    def cluster(self, vectors: np.ndarray, progress: Progress) -> Clustering:
        """Core rows, noise and what is joined are those of scikit-learn's DBSCAN. A row at the edge
        of two clusters belongs to the one whose core row is nearest (there: to the one found
        first), so that the order of the rows does not matter.

        `extras`: 'eps', the distance used (1 float64); 'k_distances', n float64, ascending: how far
        the `min_samples`-th row is, itself included. Both as `eps` is given.
        """
        from sklearn.neighbors import KDTree

        self.check(facts(vectors))
        prepared = prepare(vectors, self.metric)
        tree = KDTree(prepared.vectors)
        reach = self._reach(prepared.vectors, tree, part(progress, 0.0, 0.5))
        curve = np.sort(reach)
        radius = _bend(curve) if self.eps is None else self._inner(self.eps, prepared.unit)
        labels = _join(prepared.vectors, tree, reach <= radius, radius, part(progress, 0.5, 1.0))
        eps = self.eps if self.eps is not None else float(self._outer(radius, prepared.unit))
        clustering = Clustering(
            labels=by_size(labels), metric=self.metric, notes=self._notes(labels, eps),
            extras={"eps": np.array([eps]), "k_distances": self._outer(curve, prepared.unit)})
        progress(1.0, f"{clustering.count} clusters, {clustering.noise:,} rows of noise")
        return clustering

    def _reach(self, vectors: np.ndarray, tree: KDTree, progress: Progress) -> np.ndarray:
        reach = np.empty(len(vectors))
        for rows in _blocks(len(vectors)):
            progress(rows.start / len(vectors), f"distances of row {rows.start:,} of "
                                                f"{len(vectors):,}")
            reach[rows] = tree.query(vectors[rows], self.min_samples)[0][:, -1]
        return reach

    def _inner(self, eps: float, unit: float) -> float:
        """A radius among the prepared rows. Cosine: |u - v|^2 = 2 (1 - cos)."""
        return float(np.sqrt(2 * min(eps, 2.0))) if self.metric == "cosine" else eps / unit

    def _outer(self, radius: np.ndarray | float, unit: float) -> np.ndarray:
        return np.asarray(np.square(radius) / 2 if self.metric == "cosine"
                          else np.multiply(radius, unit))

    def _notes(self, labels: np.ndarray, eps: float) -> tuple[str, ...]:
        notes: tuple[str, ...] = ()
        if self.eps is None:
            notes = (f"The distance eps was suggested as {eps:.4g}: for rows further than that "
                     f"from their {self.min_samples - 1} nearest the distance is an outlier among "
                     f"all {len(labels):,} rows (above the upper quartile + 1.5 interquartile "
                     "ranges).",)
        if not (labels != NOISE).any():
            notes += (f"No clusters found, all rows are noise: try a larger eps (now {eps:.4g}) or "
                      f"a smaller min_samples (now {self.min_samples}), or use k-means.",)
        elif labels.max() == 0:
            notes += (f"Only one cluster was found: try a smaller eps (now {eps:.4g}); scores that "
                      "compare clusters are not defined.",)
        return notes


def _blocks(n: int) -> Iterator[slice]:
    size = max(1, _PAIRS // n)
    for start in range(0, n, size):
        yield slice(start, min(n, start + size))


def _bend(curve: np.ndarray) -> float:
    """Where a rising curve of distances leaves its body: Tukey's fence, upper quartile + 1.5
    interquartile ranges. The place furthest below the line between its ends, the usual knee, is
    moved far away by one row far away; on moons and rings it cut them in pieces.

    The smallest distance above 0 where that is 0 (copies), and a hair where all are."""
    lower, upper = np.quantile(curve, (0.25, 0.75))
    fence = upper + 1.5 * (upper - lower)
    bend = curve[curve <= fence][-1]
    positive = curve[curve > 0]
    return float(bend if bend > 0 else positive[0] if len(positive) else 1e-12)


def _join(vectors: np.ndarray, tree: KDTree, core: np.ndarray, radius: float,
          progress: Progress) -> np.ndarray:
    """n labels: core rows within `radius` of each other share one; other rows within it take that
    of their nearest core row; the rest is noise."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(vectors)
    group = np.arange(n)
    nearest, owner = np.full(n, np.inf), np.full(n, NOISE)
    inside = np.flatnonzero(core)
    for block in _blocks(n):
        rows = inside[block]
        if not len(rows):
            break
        progress(block.start / n, f"joining row {block.start:,} of {len(inside):,}")
        lists, lengths = tree.query_radius(vectors[rows], radius, return_distance=True)
        sizes = [len(one) for one in lists]
        others, far = np.concatenate(lists), np.concatenate(lengths)
        own = np.repeat(rows, sizes)
        joined = core[others]
        pairs = group[own[joined]], group[others[joined]]
        known = coo_array((np.ones(len(pairs[0]), dtype=bool), pairs), shape=(n, n))
        group = connected_components(known, directed=False)[1][group]
        own, others, far = own[~joined], others[~joined], far[~joined]
        order = np.lexsort((own, far, others))
        first = order[np.unique(others[order], return_index=True)[1]]
        closer = first[far[first] < nearest[others[first]]]
        nearest[others[closer]], owner[others[closer]] = far[closer], own[closer]
    labels = np.full(n, NOISE)
    labels[core] = group[core]
    edge = owner != NOISE
    labels[edge] = group[owner[edge]]
    return by_size(labels)
