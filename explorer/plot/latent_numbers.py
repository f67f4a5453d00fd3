"""Latent numbers: one bar each, and how they go together."""

from __future__ import annotations

from typing import Any

import numpy as np

from explorer.plot.palette import NOISE_COLOR, cluster_color
from explorer.plot.theme import LINE, axis_title, new_figure, say_why

_MOST = 60


def draw_numbers(values: np.ndarray, *, what: str, line: float | None = None,
                 height: int = 260) -> Any:
    """A Figure of one bar for each of d numbers, the largest first, at most 60; those at or below
    `line` are grey."""
    import plotly.graph_objects as go

    order = np.argsort(-np.nan_to_num(values, nan=-np.inf), kind="stable")[:_MOST]
    if not np.isfinite(values).any():
        return say_why("Not defined.", height=height)
    unused = np.zeros(len(order), bool) if line is None else ~(values[order] > line)
    figure = new_figure([go.Bar(
        x=[f"z{number + 1}" for number in order.tolist()], y=values[order],
        marker={"color": np.where(unused, NOISE_COLOR, cluster_color(0)).tolist()},
        hovertemplate="%{x}: %{y:.4g}<extra></extra>")], height=height)
    more = len(values) - len(order)
    figure.update_xaxes(title=axis_title("latent number" + (
        f" (the first {len(order)} of {len(values):,})" if more else "")), type="category")
    figure.update_yaxes(title=axis_title(what))
    if line is not None:
        figure.add_hline(y=line, line={"color": LINE, "dash": "dash", "width": 1})
    return figure


def draw_correlations(correlation: np.ndarray, *, height: int = 300) -> Any:
    """A Figure of a d x d correlation matrix, NaN left empty; blue is 1, orange -1."""
    import plotly.graph_objects as go

    names = [f"z{number + 1}" for number in range(len(correlation))]
    figure = new_figure([go.Heatmap(
        z=correlation, x=names, y=names, zmin=-1, zmax=1, hoverongaps=False,
        colorscale=[[0, cluster_color(1)], [0.5, "#FFFFFF"], [1, cluster_color(0)]],
        colorbar={"thickness": 10, "tickvals": [-1, 0, 1]},
        hovertemplate="%{y} and %{x}: %{z:.3f}<extra></extra>")], height=height)
    figure.update_xaxes(type="category", showgrid=False)
    figure.update_yaxes(type="category", autorange="reversed", showgrid=False,
                        scaleanchor="x", constrain="domain")
    return figure
