"""One column of the data: how its values lie in each cluster, or in the selection and the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from explorer.escape import esc_plotly
from explorer.plot.map import check_lengths
from explorer.plot.palette import NOISE_COLOR, CategoryColors, cluster_color
from explorer.plot.theme import axis_title, new_figure, say_why

LISTED_VALUES = 20
LISTED_GROUPS = 25


@dataclass(frozen=True)
class _Part:
    """Some of the rows: their positions, name (escaped) and colour."""

    rows: np.ndarray
    name: str
    color: str


def draw_numbers(values: np.ndarray, *, name: str, groups: CategoryColors | None = None,
                 selected: np.ndarray | None = None, bins: int = 40, title: str = "",
                 height: int = 300) -> Any:
    """A histogram of n `values` (float) over `bins` equal steps. With `selected` (n bool): shares
    of the selection and of the rest, side by side; else with `groups`: counts, stacked. Values that
    are missing or infinite are counted in the axis title.

    Raises ParameterError LENGTHS when the arrays do not have n rows.
    """
    values = np.asarray(values, dtype=np.float64)
    check_lengths(len(values), selected=selected, groups=None if groups is None else groups.codes)
    known = np.isfinite(values)
    if not known.any():
        return say_why(f"Column {name} has no number among {len(values):,} rows.", height=height,
                       title=title)
    edges = np.histogram_bin_edges(values[known], bins=bins)
    middles, width = (edges[:-1] + edges[1:]) / 2, float(edges[1] - edges[0])
    spans = [f"{low:.6g} to {high:.6g}" for low, high in pairwise(edges)]
    traces = []
    for part in _parts(len(values), groups, selected):
        inside = part.rows[known[part.rows]]
        counts = np.histogram(values[inside], bins=edges)[0]
        traces.append(_bars(part, middles, counts, len(inside), spans,
                            as_share=selected is not None, width=width))
    left = len(values) - int(known.sum())
    figure = _frame(traces, selected, height, title)
    figure.update_xaxes(title=axis_title(name + (f" ({left:,} rows have no number)" if left
                                                 else "")))
    return figure


def draw_categories(values: Sequence[str | None], *, name: str,
                    groups: CategoryColors | None = None, selected: np.ndarray | None = None,
                    title: str = "", height: int = 300) -> Any:
    """Bars of the most frequent of n category `values` (None and '' are 'missing'); the rest stand
    together in a last bar that says how many they are. `groups` and `selected` as `draw_numbers`.

    Raises ParameterError LENGTHS when the arrays do not have n rows.
    """
    check_lengths(len(values), selected=selected, groups=None if groups is None else groups.codes)
    if not len(values):
        return say_why(f"Column {name} has no rows.", height=height, title=title)
    cells = ["missing" if value is None or value == "" else str(value) for value in values]
    ranked = [value for value, _ in sorted(Counter(cells).items(),
                                           key=lambda item: (-item[1], item[0]))]
    listed = ranked if len(ranked) <= LISTED_VALUES + 1 else ranked[:LISTED_VALUES]
    place = {value: at for at, value in enumerate(listed)}
    codes = np.array([place.get(cell, len(listed)) for cell in cells])
    ticks = [esc_plotly(value, 24) for value in listed]
    if len(listed) < len(ranked):
        ticks.append(f"{len(ranked) - len(listed):,} other values")
    traces = [_bars(part, np.arange(len(ticks)),
                    np.bincount(codes[part.rows], minlength=len(ticks)), len(part.rows), ticks,
                    as_share=selected is not None)
              for part in _parts(len(values), groups, selected)]
    figure = _frame(traces, selected, height, title)
    figure.update_xaxes(tickmode="array", tickvals=list(range(len(ticks))), ticktext=ticks,
                        showgrid=False, title=axis_title(name))
    return figure


def _parts(n: int, groups: CategoryColors | None, selected: np.ndarray | None) -> list[_Part]:
    """Selection and rest, or the groups (largest by themselves, the others as one), or all rows."""
    if selected is not None:
        chosen = np.asarray(selected, dtype=bool)
        return [_Part(np.flatnonzero(chosen), f"selected ({chosen.sum():,})", cluster_color(1)),
                _Part(np.flatnonzero(~chosen), f"the rest ({(~chosen).sum():,})", cluster_color(0))]
    if groups is None:
        return [_Part(np.arange(n), "all rows", cluster_color(0))]
    codes = np.asarray(groups.codes)
    found, counts = np.unique(codes, return_counts=True)
    ranked = [int(code) for code in found[np.argsort(-counts, kind="stable")]]
    listed = sorted(ranked[:LISTED_GROUPS]) if len(ranked) > LISTED_GROUPS + 1 else sorted(ranked)
    parts = [_Part(np.flatnonzero(codes == code), esc_plotly(groups.name(code), 40),
                   groups.color(code)) for code in listed]
    if len(listed) < len(ranked):
        rest = np.flatnonzero(~np.isin(codes, listed))
        parts.append(_Part(rest, f"{len(ranked) - len(listed)} others", NOISE_COLOR))
    return parts


def _bars(part: _Part, places: np.ndarray, counts: np.ndarray, total: int, labels: list[str], *,
          as_share: bool, width: float | None = None) -> Any:
    import plotly.graph_objects as go

    heights = 100 * counts / max(total, 1) if as_share else counts
    texts = [f"{label}<br>{part.name}: {count:,} of {total:,} rows"
             for label, count in zip(labels, counts, strict=True)]
    return go.Bar(x=places, y=heights, name=part.name, marker={"color": part.color}, text=texts,
                  textposition="none", width=None if as_share else width,
                  hovertemplate="%{text}<extra></extra>")


def _frame(traces: list[Any], selected: np.ndarray | None, height: int, title: str) -> Any:
    figure = new_figure(traces, height=height, title=title, showlegend=len(traces) > 1,
                        barmode="stack" if selected is None else "group",
                        bargap=0.05 if selected is None else 0.15, hovermode="closest")
    figure.update_yaxes(title=axis_title("rows" if selected is None else "share of rows, %"),
                        rangemode="tozero")
    return figure
