"""Numbers of several things with their intervals, one line each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from explorer.escape import esc_plotly
from explorer.plot.palette import cluster_color
from explorer.plot.theme import LINE, axis_title, new_figure, say_why

_SHAPES = ("circle", "diamond", "square")


@dataclass(frozen=True)
class Estimate:
    """One number of the thing `name` in the row `series`, with its interval where there is one."""

    name: str
    series: str
    value: float
    low: float | None
    high: float | None


def draw_intervals(estimates: Sequence[Estimate], *, axis: str, baseline: float | None = None,
                   baseline_name: str = "", title: str = "") -> Any:
    """A Figure of a dot with its interval per estimate, one colour and shape per series; the
    `baseline` as a dotted line."""
    import plotly.graph_objects as go

    names = list(dict.fromkeys(one.name for one in estimates))
    height = 120 + 46 * len(names)
    if not estimates:
        return say_why("Nothing is measured yet.", height=height, title=title)
    series = list(dict.fromkeys(one.series for one in estimates))
    traces = []
    for number, called in enumerate(series):
        own = [one for one in estimates if one.series == called]
        shift = (number - (len(series) - 1) / 2) * 0.24
        color = cluster_color(number)
        traces.append(go.Scatter(
            x=[one.value for one in own], y=[names.index(one.name) + shift for one in own],
            mode="markers", name=esc_plotly(called, 40),
            marker={"color": color, "size": 10, "symbol": _SHAPES[number % len(_SHAPES)]},
            error_x={"type": "data", "symmetric": False, "color": color, "thickness": 2,
                     "array": [0 if one.high is None else one.high - one.value for one in own],
                     "arrayminus": [0 if one.low is None else one.value - one.low for one in own]},
            hovertext=[_told(one) for one in own], hovertemplate="%{hovertext}<extra></extra>"))
    figure = new_figure(traces, height=height, title=title, hovermode="closest", dragmode=False,
                        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"})
    figure.update_xaxes(title=axis_title(axis))
    figure.update_yaxes(tickvals=list(range(len(names))), range=[len(names) - 0.4, -0.6],
                        ticktext=[esc_plotly(name, 40) for name in names])
    if baseline is not None:
        figure.add_shape(type="line", x0=baseline, x1=baseline, y0=0, y1=1, yref="paper",
                         line={"color": LINE, "dash": "dot", "width": 2})
        figure.add_annotation(x=baseline, y=0, yref="paper", yanchor="bottom", xanchor="left",
                              text=esc_plotly(baseline_name, 60), showarrow=False)
    return figure


def _told(one: Estimate) -> str:
    around = "" if one.low is None or one.high is None else (
        f"<br>95 % interval {one.low:.3f} to {one.high:.3f}")
    return f"{esc_plotly(one.name, 60)}, {esc_plotly(one.series, 40)}: {one.value:.3f}{around}"
