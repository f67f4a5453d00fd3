"""A row's latent vector: each number, and where it lies among those of all rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from explorer.plot.palette import NOISE_COLOR, cluster_color, with_alpha
from explorer.plot.theme import LINE, axis_title, new_figure

MOST = 48
"""Numbers drawn; of more, those farthest from the middle of all rows."""


def places_among(code: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """k float64 from 0 to 100: the percentile of each of k numbers among all rows', from the 101 x
    k percentiles of these; to about one percent, halfway between where many rows are equal."""
    places = []
    for value, known in zip(code, quantiles.T, strict=True):
        below, upto = np.searchsorted(known, value, "left"), np.searchsorted(known, value, "right")
        if below < upto:
            places.append((below + upto - 1) / 2)
        else:
            places.append(float(np.interp(value, known, np.arange(101.0))))
    return np.array(places)


def draw_code(code: np.ndarray, quantiles: np.ndarray, *, height: int = 200) -> Any:
    """A Figure of a row's k latent numbers as dots before what all rows have: the middle 90 % and
    the middle half as bands, the median as a tick. Dots outside of the 90 % have another colour."""
    import plotly.graph_objects as go

    at = places_among(code, quantiles)
    shown = np.sort(np.argsort(-np.abs(at - 50), kind="stable")[:MOST])
    x = np.arange(len(shown))
    known = quantiles[:, shown]
    odd = (at[shown] < 5) | (at[shown] > 95)
    traces: list[Any] = [
        go.Bar(x=x, base=known[low], y=known[high] - known[low], width=width, name=name,
               marker={"color": with_alpha(NOISE_COLOR, alpha)}, hoverinfo="skip")
        for low, high, width, alpha, name in ((5, 95, 0.7, 0.25, "middle 90 % of all rows"),
                                              (25, 75, 0.7, 0.35, "middle half"))]
    traces.append(go.Scatter(x=x, y=known[50], mode="markers", name="median", hoverinfo="skip",
                             marker={"symbol": "line-ew", "size": 12,
                                     "line": {"width": 2, "color": LINE}}))
    for chosen, color, name in ((~odd, cluster_color(0), "this row"),
                                (odd, cluster_color(1), "this row, outside of the 90 %")):
        if chosen.any():
            traces.append(go.Scatter(
                x=x[chosen], y=code[shown][chosen], mode="markers", name=name,
                marker={"color": color, "size": 9,
                        "symbol": "diamond" if color == cluster_color(1) else "circle"},
                customdata=np.column_stack([shown[chosen], at[shown][chosen]]),
                hovertemplate="latent number %{customdata[0]:d}: %{y:.3g}, percentile "
                              "%{customdata[1]:.0f}<extra></extra>"))
    step = max(1, len(shown) // 16)
    return new_figure(traces, height=height, barmode="overlay", margin={"t": 42},
                      legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
                      xaxis={"title": axis_title("latent number"), "tickvals": list(x[::step]),
                             "ticktext": [str(number) for number in shown[::step]],
                             "showgrid": False, "fixedrange": True},
                      yaxis={"title": axis_title("value"), "fixedrange": True})
