"""How well two halves of the rows agree, over the number of clusters."""

from __future__ import annotations

from typing import Any

import numpy as np

from explorer.plot.gap import mark_current
from explorer.plot.palette import cluster_color
from explorer.plot.theme import LINE, axis_title, new_figure, say_why


def draw_replication(counts: np.ndarray, strength: np.ndarray, error: np.ndarray,
                     rand: np.ndarray, enough: float, *, current: int | None = None,
                     title: str = "", height: int = 340) -> Any:
    """A Figure of the prediction strength at m `counts` with its standard error, and the adjusted
    Rand index (NaN where not defined); a line at `enough`, one at the `current` number."""
    import plotly.graph_objects as go

    counts = np.asarray(counts)
    if not np.isfinite(np.asarray(strength, np.float64)).any():
        return say_why("The prediction strength is not defined for any number of clusters.",
                       height=height, title=title)
    traces = [
        go.Scatter(x=counts, y=strength, mode="lines+markers", name="prediction strength",
                   line={"color": cluster_color(0), "width": 2}, marker={"size": 7},
                   error_y={"array": np.asarray(error, np.float64), "thickness": 1.5},
                   hovertemplate="k = %{x}: %{y:.3f}<extra>prediction strength</extra>"),
        go.Scatter(x=counts, y=rand, mode="lines+markers", name="adjusted Rand index",
                   line={"color": cluster_color(1), "width": 2, "dash": "dash"},
                   marker={"size": 6, "symbol": "square"},
                   hovertemplate="k = %{x}: %{y:.3f}<extra>adjusted Rand index</extra>")]
    figure = new_figure(traces, height=height, title=title, dragmode=False, margin={"t": 40},
                        legend={"orientation": "h", "y": -0.24, "x": 0})
    figure.update_xaxes(title=axis_title("number of clusters"), tickformat="d")
    figure.update_yaxes(title=axis_title("agreement of the halves"), range=[-0.05, 1.05])
    figure.add_shape(type="line", x0=0, x1=1, xref="paper", y0=enough, y1=enough,
                     line={"width": 1, "dash": "dash", "color": LINE})
    figure.add_annotation(text=f"enough: {enough:g}", x=1, xref="paper", y=enough, showarrow=False,
                          xanchor="right", yanchor="bottom")
    mark_current(figure, current)
    return figure
