"""One number of every row as a histogram, with a line where people draw it."""

from __future__ import annotations

from typing import Any

import numpy as np

from explorer.escape import esc_plotly
from explorer.plot.palette import cluster_color
from explorer.plot.theme import LINE, axis_title, new_figure, say_why

_BARS = 60


def draw_histogram(values: np.ndarray, *, what: str, line: float | None = None,
                   line_name: str = "", above: bool = True, title: str = "",
                   height: int = 240) -> Any:
    """A Figure of n `values` (NaN left out) in equal bars; those beyond `line` (`above` it, else
    below; the line itself counts) in another colour. `what` stands under the axis."""
    import plotly.graph_objects as go

    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        return say_why("There is no value to draw.", height=height, title=title)
    low, high = float(known.min()), float(known.max())
    edges = np.linspace(low, high, _BARS + 1) if high > low else np.array([low - 0.5, low + 0.5])
    beyond = np.zeros(len(known), dtype=bool) if line is None else (
        known >= line if above else known <= line)
    width = edges[1] - edges[0]
    traces = []
    for chosen, color, name in ((~beyond, cluster_color(0), "other rows"),
                                (beyond, cluster_color(1), line_name or "beyond the line")):
        counts = np.histogram(known[chosen], edges)[0]
        traces.append(go.Bar(x=edges[:-1] + width / 2, y=counts, width=width,
                             marker={"color": color, "line": {"width": 0}},
                             name=esc_plotly(name, 60), showlegend=line is not None,
                             hovertemplate="%{y:,} rows around %{x:.4g}<extra></extra>"))
    figure = new_figure(traces, height=height, title=title, barmode="stack", bargap=0,
                        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"})
    figure.update_xaxes(title=axis_title(what))
    figure.update_yaxes(title=axis_title("rows"), rangemode="tozero")
    if line is not None:
        figure.add_vline(x=line, line={"color": LINE, "dash": "dash", "width": 2})
    return figure
