"""Self-organising map: the rows' neurons, joined to clusters (Vesanto, Alhoniemi 2000)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from explorer.cluster import Clusterer
from explorer.cluster.prepare import facts
from explorer.self_organize.layout import Trained
from explorer.self_organize.train import SelfOrganizing
from explorer.spec import Cost, Facts, Progress, part
from explorer.values import NOISE, Clustering, RowValue, by_size


class SOM(SelfOrganizing, Clusterer):
    """Lays an elastic grid of neurons over the rows; each stands for the rows nearest to it, and
    neighbours on the grid stand for rows that are alike. Neurons are then joined to clusters. The
    panel Method on the Map page draws the grid."""

    key: ClassVar[str] = "som"
    title: ClassVar[str] = "Self-organising map"
    rank: ClassVar[int] = 90
    sweeps: ClassVar[str] = "clusters"
    draws: ClassVar[tuple[str, ...]] = ("hit_map", "u_matrix", "component_planes")
    rows_say: ClassVar[Mapping[str, RowValue]] = {
        **Clusterer.rows_say,
        "neuron_distance": RowValue("Distance to its neuron", "How far the row lies from the "
                                    "neuron that stands for it: far ones are poorly described.")}

    clusters: int = Field(8, ge=2, le=200, description="To how many clusters the neurons are "
                          "joined; plays no part where every neuron is one.")
    grouping: Literal["ward", "average", "kmeans", "none"] = Field(
        "ward", description="How neurons are joined: step by step with the least growth of "
        "variance (ward) or the least mean distance (average), by k-means, which counts a neuron "
        "as often as it has rows, or not at all: every neuron is a cluster (none).")

    def limits(self, facts: Facts) -> Mapping[str, tuple[float, float]]:
        if self.grouping == "none":
            return {}
        distinct = facts.n if facts.distinct is None else facts.distinct
        return {"clusters": (2, max(2, min(200, distinct, self.neurons(facts.n))))}

    def estimate(self, n: int, d: int) -> Cost:
        m = self.neurons(n)
        training = self.training_cost(n, d)
        return Cost(training.seconds + 2e-8 * m * m * (1 + 0.05 * d), training.bytes + 24 * m * m)

    def cluster(self, vectors: np.ndarray, progress: Progress) -> Clustering:
        """`extras`, of m neurons: 'weights' m x d float32 in the unit of the data (cosine: of rows
        at length 1), 'places' m x 2 float32 on the grid, 'hits' m int32 rows, 'neuron_labels' m
        int32 (-1: no row), 'ridges' m float32, the U-matrix; 'grid' int32 width, height and
        whether it is hexagonal; 'quantization_error' (mean distance of a row to its neuron) and
        'topographic_error' (share of rows whose two nearest neurons do not touch), 1 float64 each;
        of n rows 'neuron' int32 and 'neuron_distance' float32."""
        return self.sweep(vectors, (self.clusters,), progress)[0]

    def sweep(self, vectors: np.ndarray, counts: Sequence[int],
              progress: Progress) -> list[Clustering]:
        """The grid is trained once and its neurons joined for every count."""
        for count in counts:
            self.with_count(count).check(facts(vectors))
        if not counts:
            return []
        trained = self.train(vectors, part(progress, 0.0, 0.97))
        progress(0.97, "joining the neurons")
        found = [self._clustering(trained, count) for count in counts]
        progress(1.0, f"{len(trained.weights)} neurons, {found[0].count} clusters")
        return found

    def estimate_sweep(self, n: int, d: int, counts: Sequence[int]) -> Cost:
        return self.estimate(n, d)

    def _clustering(self, trained: Trained, count: int) -> Clustering:
        hits, layout = trained.hits, trained.layout
        used = np.flatnonzero(hits)
        group = np.full(len(hits), NOISE)
        group[used] = self._join(trained.weights[used], hits[used], count)
        labels = by_size(group[trained.best])
        of_neuron = np.full(len(hits), NOISE, dtype=np.int32)
        of_neuron[trained.best] = labels
        return Clustering(
            labels=labels, metric=self.metric, notes=self._notes(trained, len(used), count),
            extras={"weights": trained.weights.astype(np.float32),
                    "places": layout.places.astype(np.float32), "hits": hits,
                    "neuron_labels": of_neuron, "ridges": trained.ridges().astype(np.float32),
                    "grid": np.array([layout.width, layout.height, layout.hexagonal],
                                     dtype=np.int32),
                    "neuron": trained.best,
                    "neuron_distance": trained.distance.astype(np.float32),
                    "quantization_error": np.array([trained.quantization_error]),
                    "topographic_error": np.array([trained.topographic_error])})

    def _join(self, weights: np.ndarray, hits: np.ndarray, count: int) -> np.ndarray:
        """The group of each neuron that has rows."""
        from sklearn.cluster import AgglomerativeClustering, KMeans
        from threadpoolctl import threadpool_limits

        if self.grouping == "none" or len(weights) <= count:
            return np.arange(len(weights))
        # Near 1: squares of 1e-30 and 1e19 leave the range of the sums inside.
        moved = weights - weights.mean(axis=0)
        moved /= np.abs(moved).max(initial=0.0) or 1.0
        if self.grouping == "kmeans":
            with threadpool_limits(limits=1):
                return KMeans(count, n_init=10, random_state=self.seed).fit_predict(
                    moved, sample_weight=hits)
        return AgglomerativeClustering(count, linkage=self.grouping).fit_predict(moved)

    def _notes(self, trained: Trained, used: int, count: int) -> tuple[str, ...]:
        layout, error = trained.layout, trained.topographic_error
        notes: tuple[str, ...] = (
            f"{layout.width} x {layout.height} neurons, {used:,} of them with rows. Quantization "
            f"error {trained.quantization_error:.4g}: the mean distance of a row to its neuron. "
            f"Topographic error {error:.1%}: the share of rows whose two nearest neurons do not "
            "touch on the grid.",)
        if self.grouping != "none" and used < count:
            notes += (f"Only {used} neurons have rows, so there are {used} clusters and not "
                      f"{count}: use a larger grid or fewer clusters.",)
        return notes
