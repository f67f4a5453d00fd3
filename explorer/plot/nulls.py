"""Your score beside the scores of data without groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from explorer.escape import esc_plotly
from explorer.plot.palette import cluster_color
from explorer.plot.theme import LINE, axis_title, new_figure, say_why

YOURS = "#D2692D"


def draw_nulls(kinds: Sequence[str], values: np.ndarray, observed: float | None, name: str, *,
               title: str = "") -> Any:
    """A Figure of K strips of points, one point per null data set (`values` K x R, NaN left out),
    and a line at the `observed` score `name`."""
    import plotly.graph_objects as go

    values = np.asarray(values, np.float64)
    if observed is None and not np.isfinite(values).any():
        return say_why(f"{name} is not defined for your clusters, nor for any of the others.",
                       title=title)
    height = 110 + 62 * len(kinds)
    traces = []
    for place, line in enumerate(values):
        known = line[np.isfinite(line)]
        # Points of one strip side by side, always in the same way.
        apart = 0.26 * np.sin(2.4 * np.arange(len(known)))
        traces.append(go.Scatter(
            x=known, y=place + apart, mode="markers", showlegend=False,
            marker={"size": 9, "color": cluster_color(place), "opacity": 0.75},
            hovertemplate=f"{esc_plotly(kinds[place])}: %{{x:.4g}}<extra></extra>"))
    figure = new_figure(traces, height=height, title=title, dragmode=False,
                        margin={"t": 62 if title else 32})
    figure.update_yaxes(tickmode="array", tickvals=list(range(len(kinds))), showgrid=False,
                        ticktext=[esc_plotly(kind, 40) for kind in kinds],
                        range=[len(kinds) - 0.4, -0.6])
    figure.update_xaxes(title=axis_title(name))
    for place, line in enumerate(values):
        if not np.isfinite(line).any():
            figure.add_annotation(x=0.5, xref="paper", y=place, showarrow=False,
                                  text="found nothing to score in any of them")
    if observed is not None:
        figure.add_shape(type="line", x0=observed, x1=observed, y0=0, y1=1, yref="paper",
                         line={"width": 3, "color": YOURS})
        figure.add_annotation(x=observed, y=1, yref="paper", yanchor="bottom", showarrow=False,
                              text=f"yours: {observed:.4g}", font={"color": YOURS, "size": 14})
    else:
        figure.add_annotation(x=0.5, xref="paper", y=1, yref="paper", yanchor="bottom",
                              showarrow=False, text="yours: not defined", font={"color": LINE})
    return figure
