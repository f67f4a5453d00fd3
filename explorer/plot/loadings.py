"""Loadings: which columns make an axis, as bars, and as pictures where columns are pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from explorer.escape import esc_plotly
from explorer.plot.palette import cluster_color
from explorer.plot.theme import LINE, axis_title, new_figure

_BLUE, _ORANGE = (0, 114, 178), (230, 159, 0)


def draw_loadings(loadings: np.ndarray, names: Sequence[str], *, title: str = "",
                  most: int = 15, height: int = 0) -> Any:
    """A Figure of the `most` largest of d `loadings` (their sizes decide, the signs give the side
    and the colour), the largest on top; d `names`. customdata is the column's place."""
    import plotly.graph_objects as go

    order = np.argsort(-np.abs(loadings), kind="stable")[:most]
    values = np.asarray(loadings, dtype=np.float64)[order]
    labels = [esc_plotly(names[place], 28) for place in order]
    bars = go.Bar(
        x=values, y=np.arange(len(order)), orientation="h", customdata=order,
        marker={"color": [cluster_color(0 if value >= 0 else 1) for value in values]},
        hovertext=[f"{esc_plotly(names[place], 120)}: {value:+.4f}"
                   for place, value in zip(order, values, strict=True)], hoverinfo="text")
    figure = new_figure([bars], height=height or 90 + 22 * len(order), title=title,
                        clickmode="event+select")
    reach = 1.05 * float(np.abs(values).max(initial=0.0)) or 1.0
    figure.update_xaxes(title=axis_title("loading"), range=[-reach, reach], zeroline=True,
                        zerolinecolor=LINE, fixedrange=True)
    figure.update_yaxes(tickmode="array", tickvals=list(range(len(order))), ticktext=labels,
                        autorange="reversed", showgrid=False, fixedrange=True)
    return figure


def paint_loadings(loadings: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """d loadings of pixels as a picture, height x width x 3 uint8: one channel from orange
    (negative) over white to blue, three channels around middle grey."""
    height, width, channels = shape
    picture = np.asarray(loadings, dtype=np.float64).reshape(height, width, channels)
    picture = picture / (np.abs(picture).max() or 1.0)
    if channels == 3:
        return np.round(127.5 + 127.5 * picture).astype(np.uint8)
    strength = np.abs(picture)
    ends = np.where(picture >= 0, np.array(_BLUE), np.array(_ORANGE))
    return np.round(255 + strength * (ends - 255.0)).astype(np.uint8)
