"""HDBSCAN by scikit-learn: dense regions are clusters, the rest is noise.

cluster_selection_epsilon is not offered: scikit-learn 1.9.1 with numpy 2.4 raises TypeError
wherever it would join anything (scikit-learn issue 33219).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from explorer.cluster import Clusterer
from explorer.spec import Cost, Facts, Progress, advanced
from explorer.values import Clustering, by_size

MANY_DIMENSIONS = 50


class HDBSCAN(Clusterer):
    """Finds dense regions of any shape and calls the rows between them noise; it finds the number
    of clusters itself. With the cosine metric rows are scaled to length 1 and compared by straight
    distance, sqrt(2 - 2 cos), which puts pairs in the same order as the cosine."""

    key: ClassVar[str] = "hdbscan"
    title: ClassVar[str] = "HDBSCAN"
    rank: ClassVar[int] = 30
    min_rows: ClassVar[int] = 2
    min_distinct: ClassVar[int] = 2

    min_cluster_size: int = Field(
        10, ge=2, description="The fewest rows that count as a cluster.")
    min_samples: int | None = Field(
        None, ge=1, description="How many close rows make a row dense; more gives more noise. "
                                "Empty: as many as the smallest cluster.")
    metric: Literal["euclidean", "cosine"] = Field(
        "euclidean", description="How two rows are compared.")
    method: Literal["eom", "leaf"] = Field(
        "eom", description="Take the most lasting clusters (eom) or the finest ones (leaf).")
    allow_single_cluster: bool = advanced(
        False, description="Whether one cluster alone may be the answer.")

    def limits(self, facts: Facts) -> Mapping[str, tuple[float, float]]:
        return {"min_cluster_size": (2, facts.n), "min_samples": (1, facts.n)}

    def check(self, facts: Facts) -> tuple[str, ...]:
        notes = super().check(facts)
        if facts.d > MANY_DIMENSIONS:
            notes += (f"In {facts.d} dimensions density clustering tends to call most rows noise "
                      "and takes long: encode to fewer dimensions where the encoder can, cluster "
                      "in the picture, or use k-means.",)
        return notes

    def estimate(self, n: int, d: int) -> Cost:
        # Two passes over all pairs, one distance at a time: trees save little above few columns.
        return Cost(seconds=0.1 + float(n) * n * (2.5e-9 + 1.35e-9 * d),
                    bytes=24 * n * d + 300 * n)

    def cluster(self, vectors: np.ndarray, progress: Progress) -> Clustering:
        """`strengths` are scikit-learn's probabilities: 0 for noise, 1 in the core of a cluster."""
        from sklearn.cluster import HDBSCAN as Fit

        zeros = int(np.count_nonzero(~vectors.any(axis=1)))
        self.check(Facts(len(vectors), vectors.shape[1], zeros=zeros))
        progress(0.0, f"looking for dense regions among {len(vectors):,} rows")
        # The tree search, not brute: brute takes distances as |a|^2 + |b|^2 - 2ab, where copies of
        # a row come out a little apart and are split by what is rounding only.
        fit = Fit(min_cluster_size=self.min_cluster_size, min_samples=self.min_samples,
                  metric="euclidean", algorithm="kd_tree", cluster_selection_method=self.method,
                  allow_single_cluster=self.allow_single_cluster, copy=True)
        fit.fit(self._prepared(vectors))
        clustering = Clustering(labels=by_size(fit.labels_), metric=self.metric,
                                strengths=fit.probabilities_.astype(np.float32),
                                notes=self._notes(fit.labels_))
        progress(1.0, f"{clustering.count} clusters, {clustering.noise:,} rows of noise")
        return clustering

    def _prepared(self, vectors: np.ndarray) -> np.ndarray:
        data = np.asarray(vectors, dtype=np.float64)
        if self.metric == "cosine":
            data = data / np.linalg.norm(data, axis=1, keepdims=True)
        return data

    def _notes(self, labels: np.ndarray) -> tuple[str, ...]:
        if (labels >= 0).any():
            return ()
        return (f"No clusters found, all rows are noise: try a smaller min_cluster_size (now "
                f"{self.min_cluster_size}) or min_samples, allow a single cluster, cluster in the "
                "picture, or use k-means.",)
