"""The grid of a self-organising map as a picture of the rows."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from explorer.project import Projector
from explorer.self_organize.layout import Trained
from explorer.self_organize.train import SelfOrganizing
from explorer.spec import Cost, Progress, part
from explorer.values import Graph, Projection

_CELL = 0.44
"""Radius of the disc of a neuron's rows; cells touch at 0.5."""
_GOLDEN = np.pi * (3 - np.sqrt(5))


class SOMGrid(SelfOrganizing, Projector):
    """Places every row at its neuron of a self-organising map: a regular grid on which
    neighbouring cells hold rows that are alike. Cells are equally far apart however different they
    are: look at the U-matrix for that. With the parameters of the clusterer of that name it is the
    same grid."""

    key: ClassVar[str] = "som_grid"
    title: ClassVar[str] = "SOM grid"
    rank: ClassVar[int] = 9

    placement: Literal["packed", "between"] = Field(
        "packed", description="Inside its cell the nearest row in the middle and the others around "
        "it in a spiral (packed; the direction means nothing), or on the way from its nearest "
        "neuron to the next nearest (between).")

    def estimate(self, n: int, d: int) -> Cost:
        training = self.training_cost(n, d)
        return Cost(training.seconds + 4e-7 * n, training.bytes + 100 * n)

    def project(self, vectors: np.ndarray, progress: Progress,
                graph: Graph | None = None) -> Projection:
        """One unit is the width of a cell. `extras`: quantization_error and topographic_error, 1
        float64 each, as the clusterer's."""
        trained = self.train(vectors, part(progress, 0.0, 0.97))
        points = _packed(trained) if self.placement == "packed" else _between(trained)
        layout = trained.layout
        progress(1.0, f"{len(points):,} rows on {len(trained.weights)} neurons")
        note = (f"{layout.width} x {layout.height} neurons; quantization error "
                f"{trained.quantization_error:.4g}, topographic error "
                f"{trained.topographic_error:.1%} (rows whose two nearest neurons do not touch)")
        return Projection(points.astype(np.float32), ("grid x", "grid y"), (note,),
                          {"quantization_error": np.array([trained.quantization_error]),
                           "topographic_error": np.array([trained.topographic_error])})


def _packed(trained: Trained) -> np.ndarray:
    """Rows of a neuron in a sunflower around it, by their distance. Neurons with few rows (below
    the upper tenth) have a disc whose area goes with their number."""
    order = np.lexsort((trained.distance, trained.best))
    hits = trained.hits
    first = np.cumsum(hits) - hits
    rank = np.empty(len(order))
    rank[order] = np.arange(len(order)) - first[trained.best[order]]
    full = np.quantile(hits[hits > 0], 0.9)
    radius = _CELL * np.sqrt((rank + 0.5) / np.maximum(hits[trained.best], full))
    angle = rank * _GOLDEN
    spiral = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    found: np.ndarray = trained.layout.places[trained.best] + spiral
    return found


def _between(trained: Trained) -> np.ndarray:
    """Rows on the line to the next nearest neuron, in the middle where both are equally near; a
    neuron that does not touch the nearest one pulls to the edge of the cell at most."""
    places = trained.layout.places
    way = places[trained.second] - places[trained.best]
    length = np.linalg.norm(way, axis=1)
    both = trained.distance + trained.second_distance
    share = np.divide(trained.distance, both, out=np.full(len(both), 0.5), where=both > 0)
    found: np.ndarray = places[trained.best] + way * (share / np.maximum(length, 1.0))[:, None]
    return found
