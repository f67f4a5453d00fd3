"""The gap statistic over the number of clusters."""

from __future__ import annotations

from typing import Any

import numpy as np

from explorer.plot.palette import cluster_color
from explorer.plot.theme import LINE, axis_title, new_figure, say_why


def draw_gap(counts: np.ndarray, gap: np.ndarray, error: np.ndarray, chosen: int | None, *,
             current: int | None = None, title: str = "", height: int = 320) -> Any:
    """A Figure of the gap at m rising `counts` with its error as bars (NaN where not defined), a
    star at the number `chosen`, a line at the `current` one."""
    import plotly.graph_objects as go

    counts, gap = np.asarray(counts), np.asarray(gap, np.float64)
    if not np.isfinite(gap).any():
        return say_why("The gap is not defined for any number of clusters.", height=height,
                       title=title)
    color = cluster_color(0)
    traces = [go.Scatter(
        x=counts, y=gap, mode="lines+markers", line={"color": color, "width": 2},
        marker={"color": color, "size": 7}, showlegend=False, customdata=counts,
        error_y={"array": np.asarray(error, np.float64), "color": color, "thickness": 1.5},
        hovertemplate="k = %{x}: %{y:.4g} ± %{error_y.array:.2g}<extra></extra>")]
    if chosen is not None:
        at = int(np.flatnonzero(counts == chosen)[0])
        traces.append(go.Scatter(
            x=[chosen], y=[gap[at]], mode="markers+text", hoverinfo="skip", showlegend=False,
            marker={"color": color, "size": 16, "symbol": "star"}, text=[f"  chosen: {chosen}"],
            textposition="middle right", cliponaxis=False))
    figure = new_figure(traces, height=height, title=title, dragmode=False, margin={"t": 40})
    figure.update_xaxes(title=axis_title("number of clusters"), tickformat="d")
    figure.update_yaxes(title=axis_title("gap"))
    mark_current(figure, current)
    return figure


def mark_current(figure: Any, current: int | None) -> None:
    """A dotted line at the number of clusters in use."""
    if current is None:
        return
    figure.add_shape(type="line", x0=current, x1=current, y0=0, y1=1, xref="x", yref="paper",
                     line={"width": 2, "dash": "dot", "color": LINE})
    figure.add_annotation(text=f"now: {current:d}", x=current, y=1, xref="x", yref="paper",
                          yanchor="bottom", showarrow=False)
