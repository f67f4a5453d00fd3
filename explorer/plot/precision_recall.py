"""Precision against recall over all thresholds, and where the threshold stands."""

from __future__ import annotations

from typing import Any

import numpy as np

from explorer.plot.palette import cluster_color
from explorer.plot.theme import LINE, axis_title, new_figure

_MOST_POINTS = 2_000


def draw_precision_recall(recall: np.ndarray, precision: np.ndarray, lines: np.ndarray,
                          share: float, here: tuple[float, float] | None, *,
                          height: int = 260) -> Any:
    """A Figure of the steps of m `precision` and rising `recall` at falling `lines`; `share` of the
    rows are anomalous: what guessing comes to. `here`: recall and precision of the line chosen."""
    import plotly.graph_objects as go

    at = np.unique(np.linspace(0, len(recall) - 1, min(_MOST_POINTS, len(recall))).astype(np.int64))
    traces = [go.Scatter(x=recall[at], y=precision[at], mode="lines", name="all thresholds",
                         line={"color": cluster_color(0), "width": 2, "shape": "vh"},
                         customdata=lines[at], hovertemplate="line %{customdata:.4g}: recall "
                         "%{x:.3f}, precision %{y:.3f}<extra></extra>"),
              go.Scatter(x=[0, 1], y=[share, share], mode="lines", name="guessing",
                         line={"color": LINE, "dash": "dash", "width": 1.5},
                         hovertemplate="share of anomalous rows: %{y:.3f}<extra></extra>")]
    if here is not None:
        traces.append(go.Scatter(x=[here[0]], y=[here[1]], mode="markers", name="your line",
                                 marker={"color": cluster_color(1), "size": 11,
                                         "symbol": "diamond"},
                                 hovertemplate="your line: recall %{x:.3f}, precision %{y:.3f}"
                                               "<extra></extra>"))
    return new_figure(traces, height=height, margin={"t": 36},
                      legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
                      xaxis={"title": axis_title("recall"), "range": [0, 1.02],
                             "fixedrange": True},
                      yaxis={"title": axis_title("precision"), "range": [0, 1.02],
                             "fixedrange": True})
