"""Spectral clustering: k-means on the slowest vibrations of the neighbour graph (Shi, Malik 2000;
von Luxburg 2007)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from explorer.cluster import Clusterer
from explorer.cluster.kmeans import KMeans
from explorer.cluster.prepare import facts
from explorer.errors import DataError
from explorer.neighbors.nearest import Nearest
from explorer.spec import Cost, Facts, Progress, advanced, part
from explorer.values import Clustering

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_DENSE_UP_TO = 1500
"""Rows of a part up to which the dense solver is as fast as Lanczos, about a second."""


class Spectral(Clusterer):
    """Ties every row to its nearest rows and cuts that net where it is thinnest. Finds clusters of
    any shape, rings and crescents too; every row gets a cluster. Up to 20,000 rows."""

    key: ClassVar[str] = "spectral"
    title: ClassVar[str] = "Spectral"
    rank: ClassVar[int] = 80
    sweeps: ClassVar[str] = "clusters"
    draws: ClassVar[tuple[str, ...]] = ("eigenvalues",)
    min_rows: ClassVar[int] = 3
    min_distinct: ClassVar[int] = 2
    max_rows: ClassVar[int] = 20_000

    clusters: int = Field(8, ge=2, le=200, description="How many clusters to make.")
    n_neighbors: int = Field(10, ge=2, le=500, description="To how many rows, itself included, a "
                             "row is tied: few follow thin shapes, many keep groups whole.")
    metric: Literal["euclidean", "cosine"] = Field(
        "euclidean", description="How the nearest rows are found.")
    seed: int = advanced(0, ge=0, le=2**32 - 1, description="Same seed, same result.")

    def limits(self, facts: Facts) -> Mapping[str, tuple[float, float]]:
        distinct = facts.n if facts.distinct is None else facts.distinct
        return {"clusters": (2, min(200, distinct)), "n_neighbors": (2, facts.n)}

    def check(self, facts: Facts) -> tuple[str, ...]:
        """Also raises DataError TOO_MANY_ROWS."""
        if facts.n > self.max_rows:
            raise DataError(
                "TOO_MANY_ROWS",
                f"{self.title} must have at most {self.max_rows:,} rows, got {facts.n:,}.",
                hint="Use k-means or HDBSCAN, or a sample of the rows.")
        return super().check(facts)

    def estimate(self, n: int, d: int) -> Cost:
        search = self._nearest(n).estimate(n, d)
        solve = (1e-10 * n**3 if n <= _DENSE_UP_TO else
                 6e-5 * n * self.clusters + 3e-8 * n * self.n_neighbors * self.clusters)
        # Rows lie in tight groups there: a few rounds each start.
        again = KMeans(clusters=self.clusters, max_iterations=8).estimate(n, self.clusters).seconds
        return Cost(seconds=0.1 + search.seconds + solve + again,
                    bytes=search.bytes + 60 * n * self.n_neighbors + 48 * n * self.clusters
                    + (24 * n * n if n <= _DENSE_UP_TO else 0))

    def cluster(self, vectors: np.ndarray, progress: Progress) -> Clustering:
        """What SpectralClustering(affinity='nearest_neighbors') of scikit-learn stands for: ties in
        one direction count half, no weights. `extras`: 'eigenvalues', float64, of the normalised
        Laplacian, rising: as many are near 0 as the net has loosely tied parts."""
        self.check(facts(vectors))
        graph = self._nearest(len(vectors)).find(vectors, part(progress, 0.0, 0.4))
        progress(0.4, "looking for the thinnest places of the net")
        slow = _vibrations(graph.indices, self.clusters, self.seed)
        found = KMeans.create(clusters=self.clusters, seed=self.seed).cluster(
            slow.places, part(progress, 0.8, 1.0))
        notes = found.notes
        if slow.parts > self.clusters:
            notes += (f"The net of {self.n_neighbors} neighbours falls into {slow.parts:,} "
                      f"separate parts, more than the {self.clusters} clusters: which of them "
                      "share a cluster means little. Tie rows to more neighbours.",)
        return Clustering(labels=found.labels, metric=self.metric, notes=notes,
                          extras={"eigenvalues": slow.values})

    def _nearest(self, n: int) -> Nearest:
        return Nearest.create(count=max(1, min(self.n_neighbors - 1, n - 1)), metric=self.metric)


@dataclass(frozen=True)
class _Vibrations:
    """`values` float64, rising, of the normalised Laplacian; `places` n x count float64 of the rows
    in its eigenvectors, over the root of their degrees; `parts`: how many do not hang together."""

    values: np.ndarray
    places: np.ndarray
    parts: int


def _vibrations(indices: np.ndarray, count: int, seed: int) -> _Vibrations:
    """The `count` slowest of the graph that `indices` (n x k) span, ties in one direction counting
    half. Each separate part is solved alone: together they have as many equal ones, of which
    Lanczos misses some."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n, k = indices.shape
    rows = np.repeat(np.arange(n), k)
    one_way = coo_array((np.ones(n * k), (rows, indices.ravel())), shape=(n, n)).tocsr()
    ties = (one_way + one_way.T) * 0.5
    parts, part_of = connected_components(ties, directed=False)
    root = np.sqrt(np.asarray(ties.sum(axis=1)).ravel())
    scaled = ties.multiply(1 / root[:, None]).multiply(1 / root[None, :]).tocsr()
    order = np.argsort(part_of, kind="stable")
    values: list[np.ndarray] = []
    vectors: list[np.ndarray] = []
    places: list[np.ndarray] = []
    for inside in np.split(order, np.cumsum(np.bincount(part_of))[:-1]):
        found = _largest(scaled[inside][:, inside], min(count, len(inside)), seed)
        values.append(found[0])
        vectors.extend(found[1].T)
        places.extend([inside] * len(found[0]))
    largest = np.concatenate(values)
    chosen = np.argsort(-largest, kind="stable")[:count]
    spread = np.zeros((n, count))
    for column, one in enumerate(chosen):
        spread[places[one], column] = vectors[one]
    return _Vibrations(1 - largest[chosen], spread / root[:, None], int(parts))


def _largest(matrix: csr_array, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The `count` largest eigenvalues of a symmetric matrix, and their vectors in columns."""
    from scipy.linalg import eigh
    from scipy.sparse.linalg import eigsh

    n = matrix.shape[0]
    if n <= _DENSE_UP_TO or 2 * count >= n:
        found: tuple[np.ndarray, np.ndarray] = eigh(matrix.toarray(),
                                                    subset_by_index=(n - count, n - 1))
        return found
    start = np.random.default_rng(seed).uniform(-1, 1, size=n)
    return eigsh(matrix, k=count, which="LA", v0=start, ncv=min(n, max(4 * count, 40)), tol=1e-6)
