"""How far from its rows a network's reconstruction is, number by number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from explorer.escape import esc_plotly
from explorer.plot.palette import cluster_color
from explorer.plot.theme import LINE, axis_title, new_figure, say_why

MOST = 24
"""Columns drawn; of more, those with the largest errors."""


def column_errors(original: np.ndarray, made: np.ndarray) -> np.ndarray:
    """d float64: the root of the mean squared difference of each number over the m rows (both
    m x d)."""
    found: np.ndarray = np.sqrt(np.square(
        np.asarray(made, dtype=np.float64) - original).mean(axis=0))
    return found


def draw_column_errors(errors: np.ndarray, names: Sequence[str], *, unit: str,
                       spread: np.ndarray | None = None, height: int = 300) -> Any:
    """A Figure of bars, the largest of the d `errors` first (at most 24), `names` under them (''
    where there are none); `spread` (d): what the error would be if every row were taken for the
    mean, a tick at each bar."""
    import plotly.graph_objects as go

    if not len(errors):
        return say_why("There are no columns.", height=height)
    order = np.argsort(-errors, kind="stable")[:MOST]
    named = [names[at] if at < len(names) else f"number {at + 1}" for at in order.tolist()]
    called = [esc_plotly(name, 40) for name in named]
    traces = [go.Bar(x=list(range(len(order))), y=errors[order], name="error", customdata=called,
                     marker={"color": cluster_color(0)},
                     hovertemplate="%{customdata}: %{y:.4g}<extra></extra>")]
    if spread is not None:
        traces.append(go.Scatter(
            x=list(range(len(order))), y=np.asarray(spread, dtype=np.float64)[order],
            mode="markers", name="spread of the column: the error of always guessing its mean",
            customdata=called,
            marker={"symbol": "line-ew", "size": 14, "line": {"width": 3, "color": LINE}},
            hovertemplate="%{customdata}, spread: %{y:.4g}<extra></extra>"))
    ticks = [esc_plotly(name, 14) for name in named]
    return new_figure(traces, height=height, bargap=0.25, showlegend=spread is not None,
                      legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
                      margin={"t": 40 if spread is not None else 10},
                      xaxis={"tickvals": list(range(len(order))), "ticktext": ticks,
                             "tickangle": -40 if len(order) > 6 else 0},
                      yaxis={"title": axis_title(unit), "rangemode": "tozero"})
