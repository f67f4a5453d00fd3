"""Component planes of a self-organising map: one small grid for each column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from explorer.escape import esc_plotly
from explorer.plot.neuron_cells import cells, frame_of, grid_figure, scale_bar
from explorer.plot.palette import NUMBER_SCALE

_GAP, _TITLE = 1.0, 1.6


def draw_component_planes(places: np.ndarray, weights: np.ndarray, names: Sequence[str],
                          hexagonal: bool, *, across: int = 4) -> Any:
    """A Figure with one grid per column of `weights` (m neurons x p), p `names`: the colour goes
    from the smallest to the largest value of that column. customdata is the neuron."""
    count = weights.shape[1]
    across = min(across, count)
    span = np.ptp(places, axis=0) + 1
    moves = [np.array([(plane % across) * (span[0] + _GAP),
                       -(plane // across) * (span[1] + _TITLE)]) for plane in range(count)]
    every = np.vstack([places + move for move in moves])
    lows, highs = weights.min(axis=0), weights.max(axis=0)
    ranges = np.where(highs > lows, highs - lows, 1.0)
    color = ((weights - lows) / ranges).T.ravel()
    frame = frame_of(every, right=84, top=22)
    texts = [f"{esc_plotly(name, 60)}: {value:.4g}" for plane, name in enumerate(names)
             for value in weights[:, plane]]
    bar = scale_bar("of each column", frame, 0.0, 1.0) | {
        "tickvals": [0, 1], "ticktext": ["lowest", "highest"]}
    figure = grid_figure(frame, [cells(
        frame, every, hexagonal, neurons=np.tile(np.arange(len(places)), count), texts=texts,
        color=color, colorscale=NUMBER_SCALE, cmin=0, cmax=1, colorbar=bar)])
    letters = max(8, int(span[0] * frame.unit / 7))
    for move, name in zip(moves, names, strict=True):
        figure.add_annotation(
            text=esc_plotly(name, letters), showarrow=False, xanchor="left", yanchor="bottom",
            x=float(places[:, 0].min() + move[0] - 0.5), font={"size": 12},
            y=float(places[:, 1].max() + move[1] + 0.55))
    return figure
