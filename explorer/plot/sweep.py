"""The sweep: an index over the number of clusters, and the silhouettes of all rows at each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.escape import esc_plotly
from explorer.plot.map import check_lengths
from explorer.plot.palette import cluster_color, with_alpha
from explorer.plot.theme import LINE, axis_title, new_figure, say_why

_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "triangle-down", "pentagon")
_BELOW = "#D2692D"
_WIDTH = 0.42
"""Half the width of one number's rows, in cluster numbers."""


@dataclass(frozen=True)
class Line:
    """One method over K counts: `values` (NaN where not defined), where known the ends `low` and
    `high` of their intervals, and the place of the value to mark (None: none)."""

    title: str
    values: np.ndarray
    mark: int | None = None
    low: np.ndarray | None = None
    high: np.ndarray | None = None


def draw_index(counts: np.ndarray, lines: Sequence[Line], *, name: str, mark: str = "best",
               current: int | None = None, height: int = 380) -> Any:
    """A Figure of one index over m cluster `counts`, a line per method; the marked value of each is
    a star (its number stands in the legend: words at the points would cover each other at few
    clusters), the `current` count a dotted line. Every point carries [count, line] as customdata.

    Raises ParameterError LENGTHS when arrays do not have m entries.
    """
    import plotly.graph_objects as go

    counts = np.asarray(counts)
    for line in lines:
        check_lengths(len(counts), values=line.values)
    if not any(np.isfinite(line.values).any() for line in lines):
        return say_why(f"{name} is not defined for any of these numbers of clusters.",
                       height=height)
    traces = []
    for number, line in enumerate(lines):
        color, title = cluster_color(number), esc_plotly(line.title, 40)
        values = np.asarray(line.values, dtype=np.float64)
        if line.low is not None and line.high is not None:
            traces += _band(counts, np.asarray(line.low), np.asarray(line.high), color)
        told = "" if line.mark is None else f" ({mark}: {int(counts[line.mark])})"
        sizes = np.full(len(counts), 7)
        symbols = np.full(len(counts), _SYMBOLS[number % len(_SYMBOLS)], dtype=object)
        if line.mark is not None:
            sizes[line.mark], symbols[line.mark] = 16, "star"
        traces.append(go.Scatter(
            x=counts, y=values, mode="lines+markers", name=title + told,
            customdata=np.column_stack([counts, np.full(len(counts), number)]),
            line={"color": color, "width": 2},
            marker={"color": color, "size": sizes, "symbol": symbols.tolist()},
            unselected={"marker": {"opacity": 1}},
            hovertemplate=f"%{{x}} clusters, {title}: %{{y:.4g}}<extra></extra>"))
    figure = new_figure(traces, height=height, showlegend=True, hovermode="closest",
                        xaxis=_counts_axis(counts), yaxis={"title": axis_title(name)},
                        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
                        margin={"t": 56}, clickmode="event+select", dragmode=False)
    return _with_now(figure, counts, current)


def draw_profiles(counts: np.ndarray, profiles: np.ndarray, means: np.ndarray,
                  negative: np.ndarray, *, current: int | None = None, height: int = 320) -> Any:
    """A Figure of the silhouettes of all rows at each of m `counts`: m x q quantiles from 0 to
    100 % side by side, so that each number shows its rows from the lowest to the highest, what is
    below 0 in another colour; `means` are diamonds, `negative` the shares below 0 (m each).

    Raises ParameterError LENGTHS when arrays do not have m entries.
    """
    import plotly.graph_objects as go

    counts, profiles = np.asarray(counts), np.asarray(profiles, dtype=np.float64)
    check_lengths(len(counts), profiles=profiles, means=means, negative=negative)
    if not np.isfinite(profiles).any():
        return say_why("The silhouette is not defined for any of these numbers of clusters.",
                       height=height)
    across = np.linspace(-_WIDTH, _WIDTH, profiles.shape[1])
    known = np.isfinite(profiles).all(axis=1)
    x = np.concatenate([_between(count + across) for count in counts[known]])
    heights = np.concatenate([_between(profile, 0.0) for profile in profiles[known]])
    blue = cluster_color(0)
    traces = [
        _area(x, np.maximum(heights, 0), blue, "nearer to their own cluster"),
        _area(x, np.minimum(heights, 0), _BELOW, "nearer to another cluster"),
        go.Scatter(x=counts, y=means, mode="markers", name="mean",
                   customdata=np.column_stack([counts, np.zeros(len(counts))]),
                   marker={"symbol": "diamond", "size": 11, "color": blue,
                           "line": {"color": "white", "width": 1.5}},
                   unselected={"marker": {"opacity": 1}}, text=[f"{share:.1%}" for share in
                                                               np.nan_to_num(negative)],
                   hovertemplate="%{x} clusters: mean %{y:.3f}, %{text} of the rows below 0"
                                 "<extra></extra>")]
    figure = new_figure(traces, height=height, hovermode="closest", xaxis=_counts_axis(counts),
                        yaxis={"title": axis_title("silhouette of every row"), "zeroline": True,
                               "zerolinecolor": LINE},
                        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
                        margin={"t": 56}, clickmode="event+select", dragmode=False)
    return _with_now(figure, counts, current)


def _counts_axis(counts: np.ndarray) -> dict[str, Any]:
    return {"title": axis_title("number of clusters"), "tickformat": "d",
            "range": [float(counts.min()) - 0.6, float(counts.max()) + 0.6],
            **({"dtick": 1} if np.ptp(counts) <= 24 else {})}


def _with_now(figure: Any, counts: np.ndarray, current: int | None) -> Any:
    if current is None or not counts.min() <= current <= counts.max():
        return figure
    figure.add_shape(type="line", x0=current, x1=current, y0=0, y1=1, xref="x", yref="paper",
                     layer="below", line={"width": 2, "dash": "dot", "color": LINE})
    figure.add_annotation(text=f"now: {current:d}", x=current, y=0, xref="x", yref="paper",
                          xanchor="left", xshift=4, yanchor="bottom", showarrow=False)
    return figure


def _between(inside: np.ndarray, end: float | None = None) -> np.ndarray:
    """With its two ends once more, so that areas of neighbours are told apart by a line at 0."""
    first, last = (inside[0], inside[-1]) if end is None else (end, end)
    return np.concatenate([[first], inside, [last]])


def _area(x: np.ndarray, y: np.ndarray, color: str, name: str) -> Any:
    import plotly.graph_objects as go

    return go.Scatter(x=x, y=y, mode="lines", name=name, fill="tozeroy", hoverinfo="skip",
                      line={"width": 0, "color": color}, fillcolor=with_alpha(color, 0.7))


def _band(counts: np.ndarray, low: np.ndarray, high: np.ndarray, color: str) -> list[Any]:
    import plotly.graph_objects as go

    known = np.isfinite(low) & np.isfinite(high)
    if not known.any():
        return []
    around = np.concatenate([counts[known], counts[known][::-1]])
    edge = np.concatenate([low[known], high[known][::-1]])
    return [go.Scatter(x=around, y=edge, mode="lines", line={"width": 0}, fill="toself",
                       fillcolor=with_alpha(color, 0.18), hoverinfo="skip", showlegend=False)]
