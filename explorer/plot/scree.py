"""The scree plot: how much each principal component explains."""

from __future__ import annotations

from typing import Any

import numpy as np

from explorer.plot.palette import cluster_color
from explorer.plot.theme import MIDDLE_GREY, axis_title, new_figure, say_why


def broken_stick(components: int, count: int) -> np.ndarray:
    """`count` float64: the mean shares of a stick broken at random into `components` pieces, from
    the longest on (MacArthur 1957): (1 / p) sum over i = k..p of 1 / i. What components of columns
    that have nothing in common would explain, as a rule of thumb (Jackson 1993)."""
    lengths = np.cumsum((1 / np.arange(1, components + 1))[::-1])[::-1] / components
    found: np.ndarray = lengths[:count]
    return found


def draw_scree(ratios: np.ndarray, *, drawn: int = 0, first: int = 0, title: str = "",
               height: int = 320, chance: np.ndarray | None = None, chance_name: str = "",
               what: str = "explained variance") -> Any:
    """A Figure of m explained variance `ratios` (shares of the whole, 0..1) as bars, and their
    running sum as a line; `chance` (m shares) is what would be there by chance, `chance_name` how.
    The components on the map, `drawn` of them from number `first` (0: the first) on, are of
    another colour. customdata of the bars is the component, from 0."""
    import plotly.graph_objects as go

    shares = 100 * np.asarray(ratios, dtype=np.float64)
    if not len(shares) or not np.isfinite(shares).any():
        return say_why("This projection has no explained variance.", height=height, title=title)
    numbers = np.arange(1, len(shares) + 1)
    on_map = (numbers > first) & (numbers <= first + drawn)
    colors = [cluster_color(1 if shown else 0) for shown in on_map]
    traces = [
        go.Bar(x=numbers, y=shares, marker={"color": colors}, name="each",
               customdata=numbers - 1,
               hovertemplate="component %{x}: %{y:.2f} %<extra></extra>"),
        go.Scatter(x=numbers, y=np.cumsum(shares), mode="lines+markers", name="together",
                   yaxis="y2", line={"color": cluster_color(2)}, marker={"color": cluster_color(2)},
                   hovertemplate="first %{x}: %{y:.2f} %<extra></extra>"),
    ]
    if chance is not None:
        traces.append(go.Scatter(
            x=numbers[:len(chance)], y=100 * np.asarray(chance), mode="lines", name=chance_name,
            line={"color": MIDDLE_GREY, "dash": "dash"},
            hovertemplate="by chance %{y:.2f} %<extra></extra>"))
    figure = new_figure(traces, height=height, title=title, clickmode="event+select",
                        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"})
    figure.update_xaxes(title=axis_title("component"), tickformat="d")
    figure.update_layout(
        yaxis={"title": axis_title(f"{what}, %"), "rangemode": "tozero"},
        # Of its own: under a line that rises to 100 the bars would all look alike.
        yaxis2={"title": axis_title("together, %"), "overlaying": "y", "side": "right",
                "range": [0, 104], "tickvals": [0, 25, 50, 75, 100], "showgrid": False,
                "automargin": True, "zeroline": False})
    return figure
