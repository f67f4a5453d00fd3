"""Eigenvalues of the neighbour graph: how many parts it falls into."""

from __future__ import annotations

from typing import Any

import numpy as np

from explorer.plot.palette import cluster_color
from explorer.plot.theme import axis_title, new_figure


def draw_eigenvalues(values: np.ndarray, *, height: int = 320) -> Any:
    """A Figure of rising eigenvalues (0..2) of a normalised Laplacian; those before the widest gap
    are of another colour."""
    import plotly.graph_objects as go

    numbers = np.arange(1, len(values) + 1)
    before = widest_gap(values)
    colors = [cluster_color(1 if number <= before else 0) for number in numbers]
    figure = new_figure([go.Bar(x=numbers, y=values, marker={"color": colors},
                                hovertemplate="number %{x}: %{y:.4g}<extra></extra>")],
                        height=height)
    figure.update_xaxes(title=axis_title("eigenvalue, from the smallest"), tickformat="d")
    figure.update_yaxes(title=axis_title("value"), rangemode="tozero")
    return figure


def widest_gap(values: np.ndarray) -> int:
    """How many rising values lie before the widest gap between two; 0 for fewer than two."""
    return int(np.argmax(np.diff(values))) + 1 if len(values) > 1 else 0
