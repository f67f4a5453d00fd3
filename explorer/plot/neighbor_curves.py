"""What maps keep of neighbourhoods of every size: one line for each map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.escape import esc_plotly
from explorer.plot.palette import cluster_color
from explorer.plot.theme import LINE, axis_title, new_figure, say_why

_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


@dataclass(frozen=True)
class Curve:
    """A map by `name`: `values` for the neighbourhood sizes `counts` (both m)."""

    name: str
    counts: np.ndarray
    values: np.ndarray


def draw_neighbor_curves(curves: Sequence[Curve], *, what: str, asked: int | None = None,
                         chance: Curve | None = None, height: int = 340) -> Any:
    """A Figure of the curves over the number of neighbours (logarithmic), `what` on the upright
    axis; the number `asked` about is marked, `chance` is what a map without any sense keeps. Lines
    differ by dashes as well as by colour."""
    import plotly.graph_objects as go

    if not any(len(curve.counts) for curve in curves):
        return say_why("There are too few rows for neighbourhoods.", height=height)
    traces = [go.Scatter(
        x=curve.counts, y=curve.values, mode="lines", name=esc_plotly(curve.name, 60),
        line={"color": cluster_color(at), "width": 2.5, "dash": _DASHES[at % len(_DASHES)]},
        hovertemplate="k = %{x}: %{y:.3f}") for at, curve in enumerate(curves)]
    if chance is not None:
        traces.append(go.Scatter(x=chance.counts, y=chance.values, mode="lines",
                                 name=esc_plotly(chance.name, 60), hoverinfo="skip",
                                 line={"color": LINE, "width": 1.5, "dash": "dot"}))
    figure = new_figure(traces, height=height, hovermode="x unified", showlegend=True,
                        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"})
    last = int(max(curve.counts.max(initial=1) for curve in curves))
    ticks = [count for count in (1, 2, 5, 10, 20, 50, 100, 200) if count <= last]
    figure.update_xaxes(title=axis_title("neighbours (k)"), type="log", tickvals=ticks)
    figure.update_yaxes(title=axis_title(what), rangemode="tozero")
    if asked is not None and asked <= last:
        figure.add_vline(x=asked, line={"width": 1.5, "dash": "dot", "color": LINE})
    return figure
