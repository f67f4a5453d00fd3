"""How stable each cluster is, as bars that can be clicked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from explorer.escape import esc_plotly
from explorer.plot.palette import cluster_color
from explorer.plot.theme import LINE, axis_title, new_figure, say_why

MOST_DRAWN = 40
_BAR = 26


@dataclass(frozen=True)
class Bar:
    """One cluster: its number and name (not escaped), the mean Jaccard coefficient of all repeats
    and of the kind of change that harms it most (None: not defined), in how many of the repeats it
    was found, and its grade in a word."""

    cluster: int
    name: str
    mean: float | None
    weakest: float | None
    found: int
    tried: int
    grade: str


def draw_stability(bars: Sequence[Bar], marks: Sequence[float], *, title: str = "") -> Any:
    """A Figure of one bar per cluster in the order given, at most MOST_DRAWN: its length the mean,
    a tick at the weakest kind; lines at `marks`. Each bar carries its cluster's number as
    customdata."""
    import plotly.graph_objects as go

    drawn = list(bars)[:MOST_DRAWN]
    if not drawn:
        return say_why("There are no clusters.", title=title)
    places = list(range(len(drawn)))
    numbers = [bar.cluster for bar in drawn]
    hover = [f"{esc_plotly(bar.name, 60)}<br>{_said(bar.mean)} on average"
             f"<br>{_said(bar.weakest)} under the change that harms it most"
             f"<br>found in {bar.found} of {bar.tried} repeats · {esc_plotly(bar.grade)}"
             for bar in drawn]
    traces = [go.Bar(
        y=places, x=[bar.mean or 0.0 for bar in drawn], orientation="h", customdata=numbers,
        marker={"color": [cluster_color(number) for number in numbers]}, hovertext=hover,
        hovertemplate="%{hovertext}<extra></extra>", showlegend=False),
        go.Scatter(
            y=places, x=[bar.weakest for bar in drawn], mode="markers", customdata=numbers,
            marker={"symbol": "line-ns", "size": 17, "line": {"width": 3, "color": LINE}},
            hovertext=hover, hovertemplate="%{hovertext}<extra></extra>", showlegend=False)]
    figure = new_figure(traces, height=70 + _BAR * len(drawn), title=title, bargap=0.25,
                        dragmode=False)
    figure.update_yaxes(tickmode="array", tickvals=places, showgrid=False, range=[
        len(drawn) - 0.4, -0.6], ticktext=[esc_plotly(bar.name, 28) for bar in drawn])
    figure.update_xaxes(range=[0, 1.66], tickvals=[0, *marks, 1], tickformat=".2~f",
                        title=axis_title("mean overlap with the repeats (Jaccard)"))
    for place, bar in zip(places, drawn, strict=True):
        said = f"found in {bar.found} of {bar.tried} · {esc_plotly(bar.grade)}"
        figure.add_annotation(x=1.02, y=place, text=said, showarrow=False, xanchor="left")
    return figure


def _said(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.3f}"
