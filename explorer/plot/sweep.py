"""The sweep: silhouette, Davies-Bouldin and Calinski-Harabasz over the number of clusters."""

from __future__ import annotations

from typing import Any

import numpy as np

from explorer.plot.map import check_lengths
from explorer.plot.palette import cluster_color, with_alpha
from explorer.plot.theme import LINE, new_figure, say_why

_TITLES = ("silhouette (higher is better)", "Davies-Bouldin (lower is better)",
           "Calinski-Harabasz (higher is better)")


def draw_sweep(counts: np.ndarray, silhouette: np.ndarray, low: np.ndarray, high: np.ndarray,
               davies_bouldin: np.ndarray, calinski_harabasz: np.ndarray, *,
               current: int | None = None, title: str = "", height: int = 560) -> Any:
    """A Figure of three panels over m cluster `counts`: the mean silhouette with the band `low` to
    `high` that holds 80 % of the rows, and two indices; NaN where not defined. The best value of
    each panel is marked by a star, the `current` count by a line.

    Raises ParameterError LENGTHS when the arrays do not have m entries.
    """
    check_lengths(len(counts), silhouette=silhouette, low=low, high=high,
                  davies_bouldin=davies_bouldin, calinski_harabasz=calinski_harabasz)
    panels = [np.asarray(values, dtype=np.float64)
              for values in (silhouette, davies_bouldin, calinski_harabasz)]
    if not any(np.isfinite(values).any() for values in panels):
        return say_why("There is no number of clusters for which a score is defined.",
                       height=height, title=title)
    counts = np.asarray(counts)
    traces = _band(counts, np.asarray(low, np.float64), np.asarray(high, np.float64))
    for number, values in enumerate(panels):
        traces += _panel(counts, values, number, best=np.nanargmin if number == 1 else np.nanargmax)
    figure = new_figure(traces, height=height, title=title, showlegend=False, hovermode="x")
    for number, (domain, name) in enumerate(
            zip(((0.52, 1.0), (0.27, 0.46), (0.0, 0.19)), _TITLES, strict=True)):
        figure.update_layout({_axis("yaxis", number): {
            "domain": domain, "gridcolor": "rgba(128,128,128,0.22)", "automargin": True,
            "zeroline": False}})
        figure.add_annotation(text=name, x=0, y=domain[1], xref="paper", yref="paper",
                              xanchor="left", yanchor="bottom", showarrow=False)
    figure.update_layout(xaxis={"title": {"text": "number of clusters"}, "anchor": "y3",
                                "range": [float(counts.min()) - 0.5, float(counts.max()) + 0.5],
                                "tickformat": "d"},
                         margin={"t": 60 if title else 30})
    if current is not None:
        figure.add_shape(type="line", x0=current, x1=current, y0=0, y1=1, xref="x", yref="paper",
                         line={"width": 2, "dash": "dot", "color": LINE})
        figure.add_annotation(text=f"now: {current:d}", x=current, y=1, xref="x", yref="paper",
                              yanchor="bottom", yshift=14, showarrow=False)
    return figure


def _axis(kind: str, number: int) -> str:
    return kind if number == 0 else f"{kind}{number + 1}"


def _band(counts: np.ndarray, low: np.ndarray, high: np.ndarray) -> list[Any]:
    import plotly.graph_objects as go

    known = np.isfinite(low) & np.isfinite(high)
    if not known.any():
        return []
    around = np.concatenate([counts[known], counts[known][::-1]])
    edge = np.concatenate([low[known], high[known][::-1]])
    return [go.Scatter(x=around, y=edge, mode="lines", line={"width": 0}, fill="toself",
                       fillcolor=with_alpha(cluster_color(0), 0.18), hoverinfo="skip")]


def _panel(counts: np.ndarray, values: np.ndarray, number: int, best: Any) -> list[Any]:
    import plotly.graph_objects as go

    axis = "y" if number == 0 else f"y{number + 1}"
    color = cluster_color(number)
    traces = [go.Scatter(x=counts, y=values, yaxis=axis, mode="lines+markers",
                         line={"color": color, "width": 2}, marker={"color": color, "size": 6},
                         hovertemplate="k = %{x}: %{y:.4g}<extra></extra>")]
    if np.isfinite(values).any():
        at = int(best(values))
        traces.append(go.Scatter(
            x=[int(counts[at])], y=[float(values[at])], yaxis=axis, mode="markers+text",
            marker={"color": color, "size": 15, "symbol": "star"}, hoverinfo="skip",
            text=[f"best: {int(counts[at])}"], textposition="top center", cliponaxis=False))
    return traces
