"""Which kind of change breaks which cluster: a small heat map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from explorer.escape import esc_plotly
from explorer.plot.palette import RATIO_SCALE
from explorer.plot.theme import new_figure, say_why

MOST_DRAWN = 40


def draw_kinds(values: np.ndarray, kinds: Sequence[str], names: Sequence[str], *,
               title: str = "") -> Any:
    """A Figure of C clusters (rows, `names`) by K `kinds` of change: `values` C x K between 0 and
    1, NaN where not defined. The first MOST_DRAWN clusters are drawn, as cells with their number.
    """
    import plotly.graph_objects as go

    values = np.asarray(values, np.float64)[:MOST_DRAWN]
    if not values.size:
        return say_why("There is nothing to compare.", title=title)
    texts = [["–" if np.isnan(value) else f"{value:.2f}" for value in line] for line in values]
    called = [esc_plotly(name, 28) for name in names[:MOST_DRAWN]]
    hover = [[f"{name}, {esc_plotly(kind)}: {text}" for kind, text in zip(kinds, line, strict=True)]
             for name, line in zip(called, texts, strict=True)]
    figure = new_figure([go.Heatmap(
        z=values, text=texts, texttemplate="%{text}", hovertext=hover,
        hovertemplate="%{hovertext}<extra></extra>", colorscale=RATIO_SCALE, zmin=0, zmax=1,
        xgap=2, ygap=2, showscale=False)], height=70 + 26 * len(values), title=title,
        dragmode=False)
    figure.update_yaxes(tickmode="array", tickvals=list(range(len(called))), ticktext=called,
                        autorange="reversed", showgrid=False)
    figure.update_xaxes(tickmode="array", tickvals=list(range(len(kinds))), side="top",
                        ticktext=[esc_plotly(kind, 40, wrap=11) for kind in kinds], showgrid=False)
    return figure
