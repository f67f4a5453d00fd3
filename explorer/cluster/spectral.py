"""Spectral clustering: k-means on the slowest vibrations of the neighbour graph (Shi, Malik 2000;
von Luxburg 2007)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from explorer.cluster import Clusterer
from explorer.cluster.kmeans import KMeans
from explorer.cluster.prepare import facts
from explorer.errors import DataError
from explorer.neighbors.nearest import Nearest
from explorer.spec import Cost, Facts, Progress, advanced, part
from explorer.values import Clustering

_DENSE_UP_TO = 1500
"""Rows up to which all vibrations are computed, in less than a second: Lanczos may miss one of
several equal ones, which is what separate groups have."""


class Spectral(Clusterer):
    """Ties every row to its nearest rows and cuts that net where it is thinnest. Finds clusters of
    any shape, rings and crescents too; every row gets a cluster. Up to 20,000 rows."""

    key: ClassVar[str] = "spectral"
    title: ClassVar[str] = "Spectral"
    rank: ClassVar[int] = 80
    sweeps: ClassVar[str] = "clusters"
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
        again = KMeans(clusters=self.clusters).estimate(n, self.clusters).seconds
        return Cost(seconds=0.2 + search.seconds + solve + again,
                    bytes=search.bytes + 60 * n * self.n_neighbors + 48 * n * self.clusters
                    + (24 * n * n if n <= _DENSE_UP_TO else 0))

    def cluster(self, vectors: np.ndarray, progress: Progress) -> Clustering:
        """What SpectralClustering(affinity='nearest_neighbors') of scikit-learn stands for: ties in
        one direction count half, no weights. `extras`: 'eigenvalues', float64, of the normalised
        Laplacian, rising: as many are near 0 as the net has loosely tied parts."""
        self.check(facts(vectors))
        graph = self._nearest(len(vectors)).find(vectors, part(progress, 0.0, 0.4))
        progress(0.4, "looking for the thinnest places of the net")
        values, places, parts = _vibrations(graph.indices, self.clusters, self.seed)
        found = KMeans.create(clusters=self.clusters, seed=self.seed).cluster(
            places, part(progress, 0.8, 1.0))
        notes = found.notes
        if parts > self.clusters:
            notes += (f"The net of {self.n_neighbors} neighbours falls into {parts:,} separate "
                      f"parts, more than the {self.clusters} clusters: which of them share a "
                      "cluster means little. Tie rows to more neighbours.",)
        return Clustering(labels=found.labels, metric=self.metric, notes=notes,
                          extras={"eigenvalues": values})

    def _nearest(self, n: int) -> Nearest:
        return Nearest.create(count=max(1, min(self.n_neighbors - 1, n - 1)), metric=self.metric)


def _vibrations(indices: np.ndarray, count: int, seed: int) -> tuple[np.ndarray, np.ndarray, int]:
    """The `count` smallest eigenvalues of the normalised Laplacian of the graph that `indices`
    (n x k) span, the rows' places in its eigenvectors (n x count float64, over the root of their
    degrees), and the number of its separate parts."""
    from scipy.linalg import eigh
    from scipy.sparse import coo_array, eye_array
    from scipy.sparse.csgraph import connected_components
    from scipy.sparse.linalg import eigsh

    n, k = indices.shape
    rows = np.repeat(np.arange(n), k)
    one_way = coo_array((np.ones(n * k), (rows, indices.ravel())), shape=(n, n)).tocsr()
    one_way = one_way + eye_array(n, format="csr")
    ties = (one_way + one_way.T) * 0.5
    parts = int(connected_components(ties, directed=False)[0])
    ties.setdiag(0)
    root = np.sqrt(np.maximum(np.asarray(ties.sum(axis=1)).ravel(), np.finfo(float).tiny))
    scaled = ties.multiply(1 / root[:, None]).multiply(1 / root[None, :])
    if n <= _DENSE_UP_TO or count >= n // 2:
        largest, vectors = eigh(scaled.toarray(), subset_by_index=(n - count, n - 1))
    else:
        # 1 is added: Lanczos finds the largest in magnitude best, and values reach from -1 to 1.
        start = np.random.default_rng(seed).uniform(-1, 1, size=n)
        largest, vectors = eigsh(scaled.tocsr() + eye_array(n, format="csr"), k=count, which="LA",
                                 v0=start, ncv=min(n, max(4 * count, 40)), tol=1e-6)
        largest = largest - 1
    order = np.argsort(-largest)
    return 1 - largest[order], vectors[:, order] / root[:, None], parts
