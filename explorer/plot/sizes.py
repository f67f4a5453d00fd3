"""Cluster sizes as bars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from explorer.escape import esc_plotly
from explorer.plot.palette import cluster_color, cluster_name
from explorer.plot.theme import axis_title, new_figure, say_why
from explorer.values import NOISE


def draw_sizes(labels: np.ndarray, *, names: Mapping[int, str] | None = None, title: str = "",
               height: int = 320) -> Any:
    """A Figure with one bar per cluster of n `labels` by number, noise (-1) last and grey; hover
    shows rows and share. Each bar carries its cluster's number as customdata."""
    import plotly.graph_objects as go

    labels = np.asarray(labels)
    if not len(labels):
        return say_why("There are no rows.", height=height, title=title)
    found, counts = np.unique(labels, return_counts=True)
    order = np.lexsort((found, found == NOISE))
    found, counts = found[order], counts[order]
    texts = [f"{esc_plotly(cluster_name(int(label), names), 60)}<br>{count:,} rows, "
             f"{100 * count / len(labels):.1f} %"
             for label, count in zip(found, counts, strict=True)]
    places = np.arange(len(found))
    figure = new_figure([go.Bar(
        x=places, y=counts, customdata=found.astype(np.int32), text=texts, textposition="none",
        marker={"color": [cluster_color(int(label)) for label in found]},
        hovertemplate="%{text}<extra></extra>")], height=height, title=title, showlegend=False)
    ticks = [esc_plotly(cluster_name(int(label), names), 24) for label in found]
    step = -(-len(found) // 40)  # labels of every step-th bar: more of them would overlap
    figure.update_xaxes(tickmode="array", tickvals=places[::step], ticktext=ticks[::step],
                        showgrid=False)
    figure.update_yaxes(title=axis_title("rows"), rangemode="tozero")
    return figure
