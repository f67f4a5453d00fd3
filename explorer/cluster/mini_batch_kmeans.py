"""Mini-batch k-means (Sculley 2010) by scikit-learn."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field

from explorer.cluster import Clusterer
from explorer.cluster.prepare import only_found, prepare
from explorer.spec import Cost, Facts, Progress, advanced
from explorer.values import Clustering, by_size


class MiniBatchKMeans(Clusterer):
    """K-means that looks at a few rows at a time: much faster for hundreds of thousands of rows,
    a little less tight."""

    key: ClassVar[str] = "mini_batch_kmeans"
    title: ClassVar[str] = "Mini-batch k-means"
    rank: ClassVar[int] = 70
    sweeps: ClassVar[str] = "clusters"
    min_rows: ClassVar[int] = 2
    min_distinct: ClassVar[int] = 2

    clusters: int = Field(8, ge=2, le=200, description="How many clusters to make.")
    batch: int = advanced(1024, ge=16, le=100_000, description="How many rows are looked at "
                                                               "together; more is slower and "
                                                               "tighter.")
    restarts: int = advanced(
        3, ge=1, le=100, description="How many starts are compared; the best one goes on.")
    max_passes: int = advanced(
        100, ge=1, le=10_000, description="The most passes over all rows.")
    seed: int = advanced(0, ge=0, le=2**32 - 1, description="Same seed, same result.")

    def limits(self, facts: Facts) -> Mapping[str, tuple[float, float]]:
        distinct = facts.n if facts.distinct is None else facts.distinct
        return {"clusters": (2, min(200, distinct))}

    def estimate(self, n: int, d: int) -> Cost:
        rounds = min(self.max_passes * -(-n // self.batch), 150) * min(self.batch, n)
        return Cost(seconds=0.05 + (rounds + n) * (2e-7 + d * (3e-9 + 3e-10 * self.clusters)),
                    bytes=20 * n * d + 64 * n)

    def cluster(self, vectors: np.ndarray, progress: Progress) -> Clustering:
        """What MiniBatchKMeans(random_state=seed) finds on the centred rows; where it leaves
        centres without rows (nearly as many clusters as rows), k-means goes on from there.

        `extras`: 'centers' k x d float32 in label order, 'inertia' one float64 (the sum of squared
        distances of rows to their centres)."""
        from sklearn.cluster import KMeans as Whole
        from sklearn.cluster import MiniBatchKMeans as Fit
        from sklearn.exceptions import ConvergenceWarning
        from threadpoolctl import threadpool_limits

        self.check(Facts(*vectors.shape))
        progress(0.0, f"looking for {self.clusters} centres among {len(vectors):,} rows")
        prepared = prepare(vectors)
        data = prepared.vectors.astype(np.float32)
        with warnings.catch_warnings(), threadpool_limits(limits=1):
            # Copies: fewer centres than asked for become a note of the result.
            warnings.simplefilter("ignore", ConvergenceWarning)
            fit: Fit | Whole = Fit(
                n_clusters=self.clusters, batch_size=self.batch, n_init=self.restarts,
                max_iter=self.max_passes, random_state=self.seed).fit(data)
            if len(np.unique(fit.labels_)) < self.clusters:
                progress(0.9, "centres without rows: finding rows for them")
                fit = Whole(n_clusters=self.clusters, init=fit.cluster_centers_, n_init=1,
                            max_iter=self.max_passes).fit(data)
        labels = by_size(fit.labels_)
        found = int(labels.max()) + 1
        old = np.array([fit.labels_[np.argmax(labels == label)] for label in range(found)])
        centers = fit.cluster_centers_[old].astype(np.float64) * prepared.unit
        progress(1.0, f"{found} clusters")
        return Clustering(
            labels=labels, metric="euclidean", notes=only_found(found, self.clusters),
            extras={"centers": (centers + vectors.mean(axis=0, dtype=np.float64)).astype(
                        np.float32),
                    "inertia": np.array([float(fit.inertia_) * prepared.unit**2])})
