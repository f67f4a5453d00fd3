"""Two groupings of the same rows: the table of shared rows, and the rows flowing between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.escape import esc_plotly
from explorer.plot.palette import cluster_color, with_alpha
from explorer.plot.theme import CLEAR, MIDDLE_GREY, axis_title, new_figure, say_why

MOST_DRAWN = 50
"""Groups of a side that a table of cells or a flow still shows readably."""
MOST_FLOWS = 250
_NUMBERED = 16
_DARK = 0.55
_STEPS = 24


@dataclass(frozen=True)
class Table:
    """R x C `counts` (int64) with the numbers and the names of the groups of both sides, not
    escaped, and for each of R the place of its partner or -1; in the order drawn."""

    counts: np.ndarray
    first: np.ndarray
    second: np.ndarray
    first_names: Sequence[str]
    second_names: Sequence[str]
    paired: np.ndarray
    row_sizes: np.ndarray
    """All rows of each of R, also those in columns not drawn."""


def in_order(table: Table) -> Table:
    """The largest groups first, each group's partner in its own row's place, then the rest; at most
    MOST_DRAWN of each side."""
    rows = np.argsort(-table.row_sizes, kind="stable")[:MOST_DRAWN]
    partners = [int(table.paired[row]) for row in rows if table.paired[row] >= 0]
    sizes = table.counts.sum(0)
    rest = [place for place in np.argsort(-sizes, kind="stable").tolist() if place not in partners]
    columns = np.array([*partners, *rest][:MOST_DRAWN], dtype=np.int64)
    at = {int(column): place for place, column in enumerate(columns)}
    return Table(table.counts[np.ix_(rows, columns)], table.first[rows], table.second[columns],
                 [table.first_names[row] for row in rows],
                 [table.second_names[column] for column in columns],
                 np.array([at.get(int(table.paired[row]), -1) for row in rows], dtype=np.int64),
                 table.row_sizes[rows])


def draw_overlap(table: Table, *, ours: str, theirs: str, title: str = "") -> Any:
    """A Figure of a cell per pair of groups, its colour the share of the row's group; pairs are
    framed. Every cell that is not empty is a point that can be chosen, `customdata` the numbers of
    its two groups."""
    import plotly.graph_objects as go

    rows, columns = table.counts.shape
    height = int(np.clip(24 * rows + 120, 260, 1100))
    if not table.counts.sum():
        return say_why("No row has a group on both sides.", height=height, title=title)
    share = table.counts / np.maximum(table.row_sizes, 1)[:, None]
    heat = go.Heatmap(z=share, zmin=0, zmax=1, hoverinfo="skip", xgap=1, ygap=1,
                      colorscale=[[0, with_alpha(cluster_color(0), 0.05)], [1, cluster_color(0)]],
                      colorbar={"title": {"text": "share of the row"}, "tickformat": ".0%",
                                "thickness": 10, "outlinewidth": 0})
    numbered = max(rows, columns) <= _NUMBERED
    traces = [heat, *(_cells(table, share, dark=dark, numbered=numbered)
                      for dark in (False, True))]
    figure = new_figure(traces, height=height, title=title, showlegend=False,
                        hovermode="closest", dragmode=False)
    figure.update_xaxes(title=axis_title(theirs), showgrid=False, side="top",
                        range=[-0.5, columns - 0.5], tickvals=list(range(columns)),
                        ticktext=[esc_plotly(name, 18) for name in table.second_names],
                        tickangle=-40 if columns > 4 else 0)
    figure.update_yaxes(title=axis_title(ours), showgrid=False, range=[rows - 0.5, -0.5],
                        tickvals=list(range(rows)),
                        ticktext=[esc_plotly(name, 18) for name in table.first_names])
    figure.update_layout(shapes=[
        {"type": "rect", "x0": column - 0.5, "x1": column + 0.5, "y0": row - 0.5, "y1": row + 0.5,
         "line": {"color": cluster_color(1), "width": 2}, "fillcolor": CLEAR}
        for row, column in enumerate(table.paired.tolist()) if column >= 0])
    return figure


def _cells(table: Table, share: np.ndarray, *, dark: bool, numbered: bool) -> Any:
    """The cells that can be chosen; the numbers of `dark` cells are white, others grey."""
    import plotly.graph_objects as go

    rows, columns = np.nonzero((table.counts > 0) & ((share > _DARK) == dark))
    counts = table.counts[rows, columns]
    size = int(np.clip(900 / max(table.counts.shape), 8, 44))
    ink = "#FFFFFF" if dark else MIDDLE_GREY
    return go.Scatter(
        x=columns, y=rows, mode="markers+text" if numbered else "markers", opacity=1,
        text=[f"{count:,}" for count in counts.tolist()] if numbered else None,
        textfont={"color": ink}, marker={"symbol": "square", "size": size, "color": CLEAR},
        # Chosen cells are the page's selection: the chart itself does not fade the others.
        selected={"textfont": {"color": ink}}, unselected={"textfont": {"color": ink}},
        customdata=np.column_stack([table.first[rows], table.second[columns]]).tolist(),
        hovertext=[_told(table, row, column, int(count)) for row, column, count
                   in zip(rows.tolist(), columns.tolist(), counts.tolist(), strict=True)],
        hovertemplate="%{hovertext}<extra></extra>")


def _told(table: Table, row: int, column: int, count: int) -> str:
    name, other = table.first_names[row], table.second_names[column]
    of_other = int(table.counts[:, column].sum())
    return (f"{esc_plotly(name, 60)} and {esc_plotly(other, 60)}: <b>{count:,} rows</b><br>"
            f"{count / max(1, int(table.row_sizes[row])):.1%} of {esc_plotly(name, 60)}<br>"
            f"{count / max(1, of_other):.1%} of {esc_plotly(other, 60)}<br>click: select them")


def draw_flow(table: Table, *, ours: str, theirs: str, title: str = "") -> Any:
    """A Figure of the rows flowing from the groups on the left to those on the right, in the
    colours of the left ones; the MOST_FLOWS widest flows. Flows can be chosen along their whole
    length, `customdata` as in `draw_overlap`."""
    import plotly.graph_objects as go

    rows, columns = table.counts.shape
    height = int(np.clip(24 * max(rows, columns) + 120, 320, 1100))
    total = int(table.counts.sum())
    if not total:
        return say_why("No row has a group on both sides.", height=height, title=title)
    gap = 0.012 * total if max(rows, columns) < 30 else 0.004 * total
    left = _starts(table.counts.sum(1), gap)
    right = _starts(table.counts.sum(0), gap)
    traces: list[Any] = []
    points: list[list[Any]] = []
    for row in range(rows):
        edge_x: list[float | None] = []
        edge_y: list[float | None] = []
        for column in _flows(table, row):
            count = int(table.counts[row, column])
            start = left[row] + int(table.counts[row, :column].sum())
            end = right[column] + int(table.counts[:row, column].sum())
            x, low = _bend(start, end)
            edge_x += [*x.tolist(), *x[::-1].tolist(), None]
            edge_y += [*low.tolist(), *(low[::-1] + count).tolist(), None]
            words = _told(table, row, column, count)
            points += [[at, y + count / 2, words, int(table.first[row]),
                        int(table.second[column])]
                       for at, y in zip(x[::2].tolist(), low[::2].tolist(), strict=True)]
        color = cluster_color(int(table.first[row]))
        traces.append(go.Scatter(x=edge_x, y=edge_y, mode="lines", fill="toself", line={"width": 0},
                                 fillcolor=with_alpha(color, 0.45), hoverinfo="skip"))
    ends = _ends(table, left, right)
    traces += [*(end.bar for end in ends), _targets(points)]
    figure = new_figure(traces, height=height, title=title, showlegend=False,
                        hovermode="closest", hoverdistance=40, dragmode=False)
    lowest = max(left[-1] + int(table.counts[-1].sum()),
                 right[-1] + int(table.counts[:, -1].sum()))
    figure.update_xaxes(visible=False, range=[-0.36, 1.36])
    figure.update_yaxes(visible=False, range=[lowest + gap, -0.06 * total - gap])
    for side_end in ends:
        if side_end.roomy:
            figure.add_annotation(x=side_end.x, y=side_end.y, text=side_end.text,
                                  xanchor=side_end.anchor, showarrow=False)
    for side_x, name, side in ((-0.03, ours, "right"), (1.03, theirs, "left")):
        figure.add_annotation(x=side_x, y=1, yref="paper", xref="x", xanchor=side, showarrow=False,
                              yanchor="top", text=f"<b>{esc_plotly(name, 24)}</b>")
    return figure


def flows_left_out(table: Table) -> tuple[int, int]:
    """How many flows `draw_flow` does not draw, and how many rows are in them."""
    least = _least(table)
    thin = (table.counts > 0) & (table.counts < least)
    return int(np.count_nonzero(thin)), int(table.counts[thin].sum())


def _least(table: Table) -> int:
    widths = np.sort(table.counts[table.counts > 0])[::-1]
    return int(widths[MOST_FLOWS - 1]) if len(widths) > MOST_FLOWS else 1


def _flows(table: Table, row: int) -> list[int]:
    return [int(column) for column in np.flatnonzero(table.counts[row] >= _least(table))]


def _starts(sizes: np.ndarray, gap: float) -> list[float]:
    ends = np.cumsum(sizes + gap)
    return [0.0, *ends[:-1].tolist()]


def _bend(start: float, end: float) -> tuple[np.ndarray, np.ndarray]:
    x = np.linspace(0.02, 0.98, _STEPS)
    along = (1 - np.cos(np.pi * (x - 0.02) / 0.96)) / 2
    return x, start + (end - start) * along


@dataclass(frozen=True)
class _End:
    """One group at an end of the flow: its bar, and its name where there is room (`roomy`)."""

    bar: Any
    x: float
    y: float
    text: str
    anchor: str
    roomy: bool


def _ends(table: Table, left: list[float], right: list[float]) -> list[_End]:
    import plotly.graph_objects as go

    total = int(table.counts.sum())
    ends = []
    for x, starts, sizes, groups, names in (
            (0.0, left, table.counts.sum(1), table.first, table.first_names),
            (0.98, right, table.counts.sum(0), table.second, table.second_names)):
        for start, size, group, name in zip(starts, sizes.tolist(), groups.tolist(), names,
                                            strict=True):
            bar = go.Scatter(x=[x, x + 0.02, x + 0.02, x],
                             y=[start, start, start + size, start + size],
                             mode="lines", fill="toself", fillcolor=cluster_color(int(group)),
                             line={"width": 0}, hoverinfo="skip")
            ends.append(_End(bar, -0.01 if x < 0.5 else 1.01, start + size / 2,
                             esc_plotly(name, 22), "right" if x < 0.5 else "left",
                             size > 0.025 * total or len(starts) <= 12))
    return ends


def _targets(points: list[list[Any]]) -> Any:
    import plotly.graph_objects as go

    return go.Scatter(
        x=[point[0] for point in points], y=[point[1] for point in points], mode="markers",
        marker={"size": 14, "color": MIDDLE_GREY, "opacity": 0},
        selected={"marker": {"opacity": 0}}, unselected={"marker": {"opacity": 0}},
        hovertext=[point[2] for point in points], hovertemplate="%{hovertext}<extra></extra>",
        customdata=[point[3:] for point in points])
