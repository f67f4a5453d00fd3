"""Where in a picture the network errs: blue where it made it brighter, orange where darker."""

from __future__ import annotations

from typing import Any

import numpy as np

from explorer.plot.palette import NUMBER_SCALE, cluster_color, with_alpha
from explorer.plot.theme import new_figure

_BRIGHTER, _DARKER = cluster_color(0), cluster_color(1)


def draw_error_map(difference: np.ndarray, limit: float, *, squared: bool = False,
                   height: int = 230) -> Any:
    """A Figure of channels x height x width differences (rebuilt - original; of several channels
    their mean, or the mean of their squares). Full colour is at `limit` (its square) and beyond;
    nothing is clear, so that it reads on light and dark pages."""
    import plotly.graph_objects as go

    apart = np.asarray(difference, dtype=np.float64)
    values = (apart**2).mean(axis=0) if squared else apart.mean(axis=0)
    limit = limit or 1.0
    high = limit**2 if squared else limit
    scale: Any = NUMBER_SCALE if squared else [
        [0.0, _DARKER], [0.5, with_alpha("#808080", 0.06)], [1.0, _BRIGHTER]]
    heat = go.Heatmap(
        z=values, zmin=0 if squared else -high, zmax=high, colorscale=scale,
        hovertemplate="column %{x}, line %{y}: %{z:.3g}<extra></extra>",
        colorbar={"thickness": 10, "len": 1.0, "outlinewidth": 0, "x": 1.02,
                  "tickvals": [0, high] if squared else [-high, 0, high],
                  "ticktext": ["0", f"{high:.2g}"] if squared else
                  [f"−{high:.2g}", "0", f"+{high:.2g}"]})
    hidden = {"visible": False, "fixedrange": True}
    return new_figure([heat], height=height, margin={"l": 0, "r": 0, "t": 4, "b": 4},
                      xaxis={**hidden, "constrain": "domain"},
                      yaxis={**hidden, "autorange": "reversed", "scaleanchor": "x",
                             "constrain": "domain"})
