"""How clusters of soft membership run into each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from explorer.escape import esc_plotly
from explorer.plot.palette import RATIO_SCALE
from explorer.plot.theme import axis_title, new_figure

_TICKS = (0.0, 0.01, 0.05, 0.2, 0.5, 1.0)

def draw_memberships(shares: np.ndarray, names: Sequence[str]) -> Any:
    """A Figure of k x k `shares` as squares: the mean membership in the cluster of a column, of the
    rows whose cluster is that of the line (NaN: no rows). Colours go with the root, so that one in
    a hundred is seen. customdata is line, column."""
    import plotly.graph_objects as go

    k = len(shares)
    side = float(np.clip(400 / max(k, 1), 8, 44))
    line, column = (part.ravel() for part in np.mgrid[0:k, 0:k])
    flat = shares[line, column]
    ticks = {"tickmode": "array", "tickvals": list(range(k)), "fixedrange": True,
             "ticktext": [esc_plotly(name, 18) for name in names], "range": [-0.6, k - 0.4],
             "showgrid": False}
    extent = int(side * k)
    known = np.isfinite(flat)
    trace = go.Scatter(
        x=column[known], y=line[known], mode="markers",
        # A list: an array of two columns comes back from the browser as an object of its indices.
        customdata=np.column_stack([line, column])[known].tolist(), showlegend=False,
        hoverinfo="text",
        hovertext=[f"rows of {esc_plotly(names[i], 40)}: {value:.1%} in "
                   f"{esc_plotly(names[j], 40)} on average"
                   for i, j, value in zip(line[known], column[known], flat[known], strict=True)],
        unselected={"marker": {"opacity": 0.5}}, selected={"marker": {"opacity": 1}},
        marker={"symbol": "square", "size": side * 0.94, "color": np.sqrt(flat[known]),
                "cmin": 0, "cmax": 1,
                "colorscale": RATIO_SCALE, "line": {"width": 0}, "opacity": 1,
                "colorbar": {"title": {"text": "mean membership", "side": "right"},
                             "tickmode": "array", "tickvals": [share**0.5 for share in _TICKS],
                             "ticktext": [f"{share:.0%}" for share in _TICKS], "thickness": 12,
                             "outlinewidth": 0}})
    figure = new_figure([trace], height=extent + 150, width=extent + 270, autosize=False,
                        clickmode="event+select", dragmode="pan", hovermode="closest",
                        margin={"l": 130, "r": 110, "t": 20, "b": 120})
    figure.update_xaxes(title=axis_title("membership in"), **ticks, tickangle=-45)
    figure.update_yaxes(title=axis_title("rows of"), **ticks | {"range": [k - 0.4, -0.6]})
    return figure
