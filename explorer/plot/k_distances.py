"""The k-distance curve of DBSCAN, with the distance that was used."""

from __future__ import annotations

from typing import Any

import numpy as np

from explorer.plot.palette import cluster_color
from explorer.plot.theme import axis_title, new_figure

_POINTS = 800


def draw_k_distances(distances: np.ndarray, eps: float, neighbors: int, *,
                     height: int = 360) -> Any:
    """A Figure of n rising `distances` to the `neighbors`-th row, drawn at up to 800 places evenly
    along the rows, and a line at `eps`. A point's customdata is its distance."""
    import plotly.graph_objects as go

    n = len(distances)
    places = np.unique(np.linspace(0, n - 1, min(n, _POINTS)).round().astype(int))
    curve = np.asarray(distances, dtype=np.float64)[places]
    inside = 100 * (places + 1) / n
    figure = new_figure([go.Scatter(
        x=inside, y=curve, mode="lines+markers", marker={"size": 5}, customdata=curve,
        line={"color": cluster_color(0)}, showlegend=False, hoverinfo="text",
        hovertext=[f"eps {far:.4g}: {share:.1f} % of the rows have {neighbors} rows that near"
                   for far, share in zip(curve, inside, strict=True)],
        unselected={"marker": {"opacity": 0.6}})], height=height, hovermode="closest",
        clickmode="event+select")
    figure.add_hline(y=eps, line={"color": cluster_color(1), "dash": "dash"},
                     annotation={"text": f"eps {eps:.4g}", "font": {"size": 12}})
    figure.update_xaxes(title=axis_title("rows, % (by rising distance)"), range=[0, 101],
                        showgrid=False)
    figure.update_yaxes(title=axis_title(f"distance to row number {neighbors}, itself counted"),
                        rangemode="tozero")
    return figure
