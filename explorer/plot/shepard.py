"""The Shepard diagram: distances on the map over those in the embedding, as a density."""

from __future__ import annotations

from typing import Any

import numpy as np

from explorer.plot.theme import axis_title, new_figure, say_why

_ENOUGH = 20


def draw_shepard(counts: np.ndarray, true: np.ndarray, drawn: np.ndarray, *, metric: str,
                 height: int = 340) -> Any:
    """A Figure of b x b pair `counts` (rows: bins of the embedding's distance between the b + 1
    edges `true`; columns: of the map's between `drawn`), darker for fewer, with the median drawn
    distance as a line where at least 20 pairs are so far apart."""
    import plotly.graph_objects as go

    counts = np.asarray(counts, dtype=np.float64)
    if not counts.sum():
        return say_why("There are no two rows to measure a distance between.", height=height)
    across, up = ((edges[1:] + edges[:-1]) / 2 for edges in (np.asarray(true), np.asarray(drawn)))
    shown = np.where(counts > 0, np.log10(np.maximum(counts, 1)), np.nan)
    top = int(np.ceil(np.nanmax(shown))) or 1
    totals = counts.sum(axis=1)
    reached = np.cumsum(counts, axis=1) >= (totals / 2)[:, None]
    median = np.where(totals >= _ENOUGH, up[reached.argmax(axis=1)], np.nan)
    number = np.broadcast_to(counts.T[..., None], (*counts.shape, 1))
    figure = new_figure([
        go.Heatmap(x=across, y=up, z=shown.T, customdata=number, colorscale="Cividis", zmin=0,
                   zmax=top, hovertemplate="embedding %{x:.3g}, map %{y:.3g}: %{customdata[0]:,} "
                   "pairs<extra></extra>",
                   colorbar={"title": {"text": "pairs"}, "thickness": 12,
                             "tickvals": list(range(top + 1)),
                             "ticktext": [f"{10 ** power:,}" for power in range(top + 1)]}),
        go.Scatter(x=across, y=median, mode="lines", line={"color": "#D55E00", "width": 2.5},
                   name="median", hovertemplate="median on the map %{y:.3g}<extra></extra>"),
    ], height=height, showlegend=False)
    figure.update_xaxes(title=axis_title(f"{metric} distance in the embedding"),
                        rangemode="tozero")
    figure.update_yaxes(title=axis_title("distance on the map"), rangemode="tozero")
    return figure
