"""The scree plot: how much each principal component explains."""

from __future__ import annotations

from typing import Any

import numpy as np

from explorer.plot.palette import cluster_color
from explorer.plot.theme import axis_title, new_figure, say_why


def draw_scree(ratios: np.ndarray, *, drawn: int = 0, title: str = "", height: int = 320) -> Any:
    """A Figure of m explained variance `ratios` (shares of the whole, 0..1) as bars, and their
    running sum as a line. The first `drawn` components, those on the map, are of another colour."""
    import plotly.graph_objects as go

    shares = 100 * np.asarray(ratios, dtype=np.float64)
    if not len(shares) or not np.isfinite(shares).any():
        return say_why("This projection has no explained variance.", height=height, title=title)
    numbers = np.arange(1, len(shares) + 1)
    colors = [cluster_color(1 if number <= drawn else 0) for number in numbers]
    figure = new_figure([
        go.Bar(x=numbers, y=shares, marker={"color": colors}, name="each",
               hovertemplate="component %{x}: %{y:.2f} %<extra></extra>"),
        go.Scatter(x=numbers, y=np.cumsum(shares), mode="lines+markers", name="together",
                   line={"color": cluster_color(2)}, marker={"color": cluster_color(2)},
                   hovertemplate="first %{x}: %{y:.2f} %<extra></extra>"),
    ], height=height, title=title, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"})
    figure.update_xaxes(title=axis_title("component"), tickformat="d")
    figure.update_yaxes(title=axis_title("explained variance, %"), rangemode="tozero")
    return figure
