"""The silhouette plot: one bar per row, sorted inside each cluster, clusters from the top down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.escape import esc_plotly
from explorer.plot.map import check_lengths
from explorer.plot.palette import NOISE_COLOR, cluster_color, cluster_name, greyed
from explorer.plot.theme import LINE, axis_title, new_figure, say_why

BARS = 3000
"""Up to here every row is a bar of its own; above, bars are thinner than a pixel and Plotly takes
seconds: each cluster is then one filled outline of all its bars, with a dot at each bar's end."""
_FILLED = 0.85
_LABEL_PIXELS = 15


@dataclass(frozen=True)
class _Bars:
    """m bars from top to bottom: `positions` in the given arrays, `values` (silhouettes), `labels`,
    `heights` (their place on the y axis, 1 apart, clusters further), `gap` between clusters."""

    positions: np.ndarray
    values: np.ndarray
    labels: np.ndarray
    heights: np.ndarray
    gap: float

    def with_places(self, rows: np.ndarray, texts: list[str], lead: str) -> dict[str, Any]:
        """The ends of the bars as a trace takes them: where, which row, what hover says."""
        return {"x": self.values, "y": self.heights,
                "customdata": rows[self.positions].astype(np.int32, copy=False),
                "text": np.array(texts, dtype=object),
                "unselected": {"marker": {"color": NOISE_COLOR, "opacity": 0.3}},
                "hovertemplate": lead + "%{text}<br>silhouette %{x:.3f}<extra></extra>"}


@dataclass(frozen=True)
class _Group:
    """One cluster's bars: its number, where they start and end among all bars."""

    label: int
    start: int
    end: int


def draw_silhouette(silhouette: np.ndarray, labels: np.ndarray, second: np.ndarray, *,
                    rows: np.ndarray, names: Mapping[int, str] | None = None, noise: int = 0,
                    mean: float | None = None, title: str = "",
                    selected: np.ndarray | None = None, hover: Sequence[str] | None = None,
                    height: int = 620, dragmode: str = "select") -> Any:
    """A Figure of n silhouettes (float, NaN where not defined), n `labels` (-1 noise) and n numbers
    of the `second` best cluster (-1: none).

    Every bar carries its dataset position of `rows` (n int32) as customdata, for `map.point_rows`;
    a box selects the bars whose ends lie in it. `names` of clusters and `mean` (drawn as a line)
    are shown; `noise` rows are only counted. `selected`: n bool, the others are dimmed. `hover`: n
    texts already made by `esc_plotly` that name the rows. No row is left out silently: those
    without a silhouette are counted below the plot.

    Raises ParameterError LENGTHS when the arrays do not have n rows.
    """
    silhouette, labels = np.asarray(silhouette, dtype=np.float32), np.asarray(labels)
    check_lengths(len(silhouette), labels=labels, second=second, rows=rows, selected=selected,
                  hover=hover)
    bars = _stack(silhouette, labels)
    if not len(bars.positions):
        return say_why("No row has a silhouette: it takes two clusters and a row that is not "
                       f"noise ({noise:,} rows are noise).", height=height, title=title)
    groups = _groups(bars)
    ends = bars.with_places(np.asarray(rows), _hover_texts(bars, second, names, hover),
                            "row position %{customdata}<br>" if hover is None else "")
    chosen = None if selected is None else np.asarray(selected, dtype=bool)[bars.positions]
    draw = _bar_traces if len(bars.positions) <= BARS else _outline_traces
    traces = draw(bars, groups, ends, chosen)
    figure = new_figure(traces, height=height, title=title, bargap=0, showlegend=False,
                        hovermode="closest", dragmode=dragmode, uirevision="silhouette")
    _frame(figure, bars, groups, names, height)
    _mark_mean(figure, mean)
    _count_missing(figure, noise, int(np.count_nonzero(labels >= 0)) - len(bars.positions))
    return figure


def _stack(silhouette: np.ndarray, labels: np.ndarray) -> _Bars:
    known = np.flatnonzero((labels >= 0) & np.isfinite(silhouette))
    order = known[np.lexsort((-silhouette[known], labels[known]))]
    sorted_labels = labels[order]
    place = np.cumsum(np.diff(sorted_labels, prepend=sorted_labels[:1]) != 0)
    clusters = int(place[-1]) + 1 if len(order) else 1
    gap = max(1.0, len(order) * min(0.02, 0.4 / clusters))
    heights = (np.arange(len(order)) + place * gap).astype(np.float32)
    return _Bars(order, silhouette[order], sorted_labels, heights, gap)


def _groups(bars: _Bars) -> list[_Group]:
    found, starts = np.unique(bars.labels, return_index=True)
    ends = [*starts[1:].tolist(), len(bars.labels)]
    return [_Group(int(label), int(start), int(end))
            for label, start, end in zip(found, starts, ends, strict=True)]


def _hover_texts(bars: _Bars, second: np.ndarray, names: Mapping[int, str] | None,
                 hover: Sequence[str] | None) -> list[str]:
    def name(label: int) -> str:
        return esc_plotly(cluster_name(label, names), 60)

    known = {int(label): name(int(label)) for label in np.unique(bars.labels)}
    others = {int(label): f"second best: {name(int(label))}" if label >= 0 else "no second best"
              for label in np.unique(second)}
    texts = []
    for position, label in zip(bars.positions.tolist(), bars.labels.tolist(), strict=True):
        row = "" if hover is None else f"{hover[position]}<br>"
        texts.append(f"{row}{known[label]}<br>{others[int(second[position])]}")
    return texts


def _color_codes(groups: list[_Group], bars: _Bars,
                 chosen: np.ndarray | None = None) -> dict[str, Any]:
    """The marker's colours by code; bars not `chosen` have the greyed form of their colour."""
    shades = [cluster_color(group.label) for group in groups]
    steps = [*dict.fromkeys([*shades, *map(greyed, shades)])]  # two or more, as a scale needs
    codes = np.empty(len(bars.labels), dtype=np.uint8)
    for group, shade in zip(groups, shades, strict=True):
        part = slice(group.start, group.end)
        dim = steps.index(greyed(shade))
        codes[part] = steps.index(shade) if chosen is None else np.where(
            chosen[part], steps.index(shade), dim)
    scale = [[edge / len(steps), shade] for at, shade in enumerate(steps)
             for edge in (at, at + 1)]
    return {"color": codes, "colorscale": scale, "cmin": -0.5, "cmax": len(steps) - 0.5,
            "showscale": False}


def _bar_traces(bars: _Bars, groups: list[_Group], ends: dict[str, Any],
                chosen: np.ndarray | None) -> list[Any]:
    import plotly.graph_objects as go

    # Not dimmed by opacity: of bars thinner than a pixel several lie on each other and add up.
    marker = {**_color_codes(groups, bars, chosen), "line": {"width": 0}}
    return [go.Bar(orientation="h", width=1, marker=marker, textposition="none", **ends)]


def _outline_traces(bars: _Bars, groups: list[_Group], ends: dict[str, Any],
                    chosen: np.ndarray | None) -> list[Any]:
    import plotly.graph_objects as go

    if chosen is None:
        traces = _fills(groups, bars.heights, bars.values)
    else:
        traces = [*_fills(groups, bars.heights, bars.values, dimmed=True),
                  *_fills(groups, bars.heights, np.where(chosen, bars.values, 0))]
    marker = {**_color_codes(groups, bars, chosen), "size": 4, "opacity": _FILLED}
    traces.append(go.Scattergl(mode="markers", marker=marker, **ends))
    return traces


def _fills(groups: list[_Group], heights: np.ndarray, values: np.ndarray, *,
           dimmed: bool = False) -> list[Any]:
    """One filled trace per colour: the exact steps of all bars of its clusters, gaps between."""
    import plotly.graph_objects as go

    outlines: dict[str, list[np.ndarray]] = {}
    for group in groups:
        ys = heights[group.start:group.end]
        xs = values[group.start:group.end]
        edges = np.stack([ys - 0.5, ys + 0.5], axis=1).ravel()
        outline = np.column_stack([np.repeat(xs, 2), edges])
        closed = np.concatenate([[[0, edges[0]]], outline, [[0, edges[-1]]], [[np.nan, np.nan]]])
        outlines.setdefault(cluster_color(group.label), []).append(closed)
    traces = []
    for color, parts in outlines.items():
        line = np.concatenate(parts)[:-1].astype(np.float32)
        traces.append(go.Scatter(x=line[:, 0], y=line[:, 1], mode="lines", line={"width": 0},
                                 fill="toself", fillcolor=greyed(color) if dimmed else color,
                                 opacity=_FILLED, hoverinfo="skip"))
    return traces


def _frame(figure: Any, bars: _Bars, groups: list[_Group], names: Mapping[int, str] | None,
           height: int) -> None:
    low, top, bottom = float(bars.values.min()), -bars.gap, float(bars.heights[-1]) + bars.gap
    # The values' own range: most silhouettes end far below 1, and differences would be squeezed.
    high = max(float(bars.values.max()), 0.0)
    edge = 0.03 * (high - min(low, 0.0)) or 0.05
    figure.update_xaxes(range=[min(low, 0.0) - edge, high + edge],
                        title=axis_title("silhouette"), nticks=7)
    pixels = max(height - 80, 1) / (bottom - top)
    labelled: list[_Group] = []
    for group in sorted(groups, key=lambda group: (group.start - group.end, group.label)):
        middle = _middle(bars, group)
        if all(abs(_middle(bars, other) - middle) * pixels >= _LABEL_PIXELS for other in labelled):
            labelled.append(group)
    texts = []
    for group in labelled:
        average = round(float(bars.values[group.start:group.end].mean()), 2) + 0.0  # no '-0.00'
        texts.append(f"{esc_plotly(cluster_name(group.label, names), 28)} · "
                     f"{group.end - group.start:,} · {average:.2f}")
    figure.update_yaxes(range=[bottom, top], showgrid=False, ticks="", tickmode="array",
                        tickvals=[_middle(bars, group) for group in labelled], ticktext=texts,
                        title=axis_title("cluster · rows · mean"))
    figure.layout.shapes = [_upright(0, {"width": 1, "color": LINE})]
    left = len(groups) - len(labelled)
    if left:
        told = ("1 narrow cluster has no label: hover names it." if left == 1 else
                f"{left} narrow clusters have no label: hover names them.")
        _note(figure, told, 1)


def _middle(bars: _Bars, group: _Group) -> float:
    return float(bars.heights[group.start] + bars.heights[group.end - 1]) / 2


def _mark_mean(figure: Any, mean: float | None) -> None:
    if mean is not None and np.isfinite(mean):
        line = {"width": 2, "dash": "dash", "color": LINE}
        figure.layout.shapes = [*figure.layout.shapes, _upright(mean, line)]
        figure.layout.annotations = [{"text": f"mean {mean:.3f}", "showarrow": False, "x": mean,
                                      "y": 1, "xref": "x", "yref": "y domain",
                                      "xanchor": "center", "yanchor": "bottom"}]
        figure.layout.margin.t += 20


def _upright(x: float, line: dict[str, Any]) -> dict[str, Any]:
    """A line over the whole height. As plain data: `add_vline` takes 3 ms."""
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "xref": "x", "yref": "y domain",
            "line": line}


def _count_missing(figure: Any, noise: int, undefined: int) -> None:
    parts = [f"{noise:,} noise rows take no part." if noise else "",
             f"{undefined:,} rows have no silhouette." if undefined > 0 else ""]
    text = " ".join(part for part in parts if part)
    if text:
        _note(figure, text, 0)


def _note(figure: Any, text: str, line: int) -> None:
    """Words below the x axis' title, one line under the other."""
    figure.add_annotation(text=text, showarrow=False, xref="paper", yref="paper", x=1, y=0,
                          xanchor="right", yanchor="top", yshift=-44 - 16 * line, font={"size": 12})
    figure.update_layout(margin={"b": max(figure.layout.margin.b, 64 + 16 * line)})
