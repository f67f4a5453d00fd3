"""What pairs of things have in common, a cell each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from explorer.escape import esc_plotly
from explorer.plot.palette import RATIO_SCALE
from explorer.plot.theme import new_figure, say_why

_NAME = 30


def draw_shares(shares: np.ndarray, names: Sequence[str], *, said: str, low: np.ndarray,
                high: np.ndarray) -> Any:
    """A Figure of the symmetric E x E `shares` (0 to 1; NaN: not defined) between the things
    `names`, each cell with its number; `said` is what a share is of, `low` and `high` the ends of
    its interval (equal to the share where it is exact)."""
    import plotly.graph_objects as go

    count = len(names)
    if count < 2:
        return say_why("There is nothing to compare with: it takes two.")
    seen = shares.copy()
    np.fill_diagonal(seen, np.nan)
    hover = [[_told(names, row, column, shares[row, column], low[row, column], high[row, column],
                    said) for column in range(count)] for row in range(count)]
    text = [["" if np.isnan(value) else f"{value:.0%}" for value in line] for line in seen]
    heat = go.Heatmap(z=seen, zmin=0, zmax=1, colorscale=RATIO_SCALE, text=text,
                      texttemplate="%{text}", hovertext=hover, xgap=1, ygap=1,
                      hovertemplate="%{hovertext}<extra></extra>",
                      colorbar={"tickformat": ".0%", "thickness": 10, "outlinewidth": 0})
    figure = new_figure([heat], height=150 + 42 * count, dragmode=False, hovermode="closest")
    ticks = {"tickvals": list(range(count)), "showgrid": False,
             "ticktext": [esc_plotly(name, _NAME) for name in names]}
    figure.update_xaxes(**ticks, side="top", tickangle=-30 if count > 3 else 0)
    figure.update_yaxes(**ticks, autorange="reversed")
    return figure


def _told(names: Sequence[str], row: int, column: int, value: float, low: float, high: float,
          said: str) -> str:
    if row == column:
        return esc_plotly(names[row], 80)
    pair = f"{esc_plotly(names[row], 80)}<br>{esc_plotly(names[column], 80)}"
    if np.isnan(value):
        return f"{pair}<br>not defined"
    around = "" if low == high else f" (95 % interval {low:.1%} to {high:.1%})"
    return f"{pair}<br><b>{value:.1%}</b>{around} {esc_plotly(said, 80)}"
