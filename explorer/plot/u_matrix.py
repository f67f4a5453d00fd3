"""The U-matrix of a self-organising map: ridges between regions of neurons that are alike."""

from __future__ import annotations

from typing import Any

import numpy as np

from explorer.plot.neuron_cells import cells, frame_of, grid_figure, scale_bar
from explorer.plot.palette import NUMBER_SCALE, cluster_color


def draw_u_matrix(places: np.ndarray, ridges: np.ndarray, labels: np.ndarray,
                  hexagonal: bool, texts: list[str] | None = None) -> Any:
    """A Figure of m neurons at `places` (m x 2, one unit a cell), coloured by `ridges` (m, the mean
    distance to the neurons they touch); a dot says the cluster (`labels`, m; none for -1). `texts`,
    ready for Plotly, show on hover; customdata is the neuron."""
    frame = frame_of(places, right=96)
    low, high = float(ridges.min()), float(ridges.max())
    neurons = np.arange(len(places))
    used = np.flatnonzero(labels >= 0)
    return grid_figure(frame, [
        cells(frame, places, hexagonal, neurons=neurons, texts=texts, color=ridges,
              colorscale=NUMBER_SCALE, cmin=low, cmax=high,
              colorbar=scale_bar("mean distance to neighbours", frame, low, high)),
        cells(frame, places[used], hexagonal, symbol="circle", size=max(3.0, 0.32 * frame.unit),
              color=[cluster_color(int(label)) for label in labels[used]],
              line={"width": 1, "color": "#FFFFFF"}),
    ])
