"""The same map drawn several times, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from explorer.escape import esc_plotly
from explorer.plot.palette import CategoryColors
from explorer.plot.theme import new_figure, say_why

MOST_DRAWN = 9
_ACROSS = 3


def draw_copies(maps: np.ndarray, titles: Sequence[str], colors: CategoryColors, *,
                title: str = "") -> Any:
    """A Figure of up to MOST_DRAWN of M maps of the same m rows (`maps` M x m x 2 or 3, of which
    the first two axes are drawn; NaN: not on that map), in the `colors` of the rows, all on the
    same scale."""
    import plotly.graph_objects as go

    maps = np.asarray(maps)[:MOST_DRAWN]
    if not maps.size:
        return say_why("There are no maps.", title=title)
    lines = -(-len(maps) // _ACROSS)
    across = min(_ACROSS, len(maps))
    low, high = np.nanmin(maps[..., :2], axis=(0, 1)), np.nanmax(maps[..., :2], axis=(0, 1))
    edge = 0.03 * np.where(high > low, high - low, 1.0)
    shades = [colors.color(int(code)) for code in colors.codes]
    traces, layout, notes = [], {}, []
    for number, points in enumerate(maps):
        line, column = divmod(number, _ACROSS)
        suffix = "" if number == 0 else str(number + 1)
        left, right = (column + 0.03) / across, (column + 0.97) / across
        top = 1 - line / lines - 0.08 / lines
        traces.append(go.Scattergl(
            x=points[:, 0], y=points[:, 1], xaxis=f"x{suffix}", yaxis=f"y{suffix}", mode="markers",
            marker={"size": 3, "color": shades}, hoverinfo="skip", showlegend=False))
        plain = {"visible": False, "fixedrange": True}
        layout[f"xaxis{suffix}"] = {**plain, "domain": [left, right], "anchor": f"y{suffix}",
                                    "range": [low[0] - edge[0], high[0] + edge[0]]}
        layout[f"yaxis{suffix}"] = {**plain, "domain": [top - 0.88 / lines, top],
                                    "anchor": f"x{suffix}",
                                    "range": [low[1] - edge[1], high[1] + edge[1]]}
        notes.append({"text": esc_plotly(titles[number], 60), "x": left, "y": top, "xref": "paper",
                      "yref": "paper", "xanchor": "left", "yanchor": "bottom", "showarrow": False})
    return new_figure(traces, height=250 * lines, title=title, dragmode=False, annotations=notes,
                      **layout)
