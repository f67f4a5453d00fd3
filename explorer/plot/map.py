"""The map: one point per row, coloured by cluster, category or number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.errors import ParameterError, Where
from explorer.escape import esc_plotly
from explorer.plot.palette import NOISE_COLOR, CategoryColors, NumberColors
from explorer.plot.theme import CLEAR, MIDDLE_GREY, axis_title, new_figure, say_why

__all__ = ["CategoryColors", "NumberColors", "draw_map", "point_rows"]

LEGEND_ENTRIES = 15
_DIMMED = 0.2
_OUTLINED = 200


@dataclass(frozen=True)
class _Dots:
    """What the traces of one map share: the points to draw and how one is drawn."""

    points: np.ndarray
    rows: np.ndarray
    hover: np.ndarray | None
    size: float
    opacity: float

    def trace(self, which: np.ndarray, marker: dict[str, Any], **more: Any) -> Any:
        """A trace of the rows at the positions `which`, in that order."""
        import plotly.graph_objects as go

        kind = go.Scatter3d if self.points.shape[1] == 3 else go.Scattergl
        points = self.points[which].astype(np.float32, copy=False)
        axes = dict(zip("xyz", points.T, strict=False))
        template = "row position %{customdata}<extra></extra>"
        if self.hover is not None:
            more["text"] = self.hover[which]  # an array: of a list Plotly checks every text
            template = "%{text}<extra></extra>"
        if kind is go.Scattergl:  # what the browser itself does with a selection: the same
            more["unselected"] = {"marker": {"color": NOISE_COLOR, "opacity": _DIMMED}}
        return kind(**{"mode": "markers", "showlegend": False, "marker": marker,
                       "customdata": _small(self.rows[which]),
                       "hovertemplate": template, **axes, **more})

    def entry(self, name: str, color: str, **more: Any) -> Any:
        """A line of the legend without points of its own; `name` is already escaped."""
        import plotly.graph_objects as go

        kind = go.Scatter3d if self.points.shape[1] == 3 else go.Scatter
        empty = {letter: [None] for letter in "xyz"[:self.points.shape[1]]}
        return kind(**{"mode": "markers", "name": name, "hoverinfo": "skip", "showlegend": True,
                       "marker": {"color": color, "size": 9}, **empty, **more})


def draw_map(points: np.ndarray, *, rows: np.ndarray, colors: CategoryColors | NumberColors,
             hover: Sequence[str] | None = None, selected: np.ndarray | None = None,
             axes: Sequence[str] = ("x", "y", "z"), units: bool = False, title: str = "",
             height: int = 620, uirevision: str = "map", dragmode: str = "lasso") -> Any:
    """A Figure of n x 2 or n x 3 float32 `points`; every point carries its dataset position of
    `rows` (n int32) as customdata, for `point_rows`.

    `hover`: n texts already made by `esc_plotly`, or None. `selected`: n bool; the others are
    dimmed. `units`: whether the axes' numbers mean something (PCA, given coordinates), so that
    they are shown. Rows without finite coordinates are not drawn and are counted in the legend.
    Noise lies under the large clusters, small clusters on top. Plotly selects in 2-D only.

    Raises ParameterError LENGTHS when the arrays do not have n rows.
    """
    points = np.asarray(points)
    check_lengths(len(points), rows=rows, hover=hover, selected=selected,
                   colors=colors.codes if isinstance(colors, CategoryColors) else colors.values)
    drawn = np.flatnonzero(np.isfinite(points).all(axis=1))
    if not len(drawn):
        return say_why("There is no row with coordinates to draw." if len(points)
                       else "There are no rows to draw.", height=height, title=title)
    digits = float(np.log10(max(len(drawn), 10)))
    dots = _Dots(points=points, rows=np.asarray(rows),
                 hover=None if hover is None else np.array(hover, dtype=object),
                 size=round(max(2.0, 13 - 2 * digits) / (points.shape[1] - 1), 1),
                 opacity=round(float(np.clip(1.1 - 0.1 * digits, 0.4, 0.9)), 2))
    paint = _paint_categories if isinstance(colors, CategoryColors) else _paint_numbers
    traces = paint(dots, drawn, colors, selected)  # type: ignore[arg-type]
    if len(drawn) < len(points):
        traces.append(dots.entry(f"not drawn, without coordinates ({len(points) - len(drawn):,})",
                                 CLEAR))
    figure = new_figure(traces, height=height, title=title, uirevision=uirevision,
                        hovermode="closest", legend=_legend_box(colors))
    if title and isinstance(colors, NumberColors):  # room for the legend under the title
        figure.update_layout(margin={"t": 64}, title={"y": 0.97, "yanchor": "top"})
    _name_axes(figure, points.shape[1], axes, units)
    if points.shape[1] == 2:
        figure.update_layout(dragmode=dragmode, xaxis={"range": _span(points[drawn, 0])},
                             yaxis={"range": _span(points[drawn, 1])})
    return figure


def point_rows(event: Mapping[str, Any]) -> np.ndarray:
    """The dataset positions (int64, ascending, each once) in what st.plotly_chart gives back for a
    selection; points without customdata (legend entries, outlines) are left out."""
    selection = event.get("selection") or event
    found = set()
    for point in selection.get("points") or ():
        value = point.get("customdata")
        if isinstance(value, (list, tuple)):
            value = value[0] if value else None
        if value is not None:
            found.add(int(value))
    return np.array(sorted(found), dtype=np.int64)


def _legend_box(colors: CategoryColors | NumberColors) -> dict[str, Any]:
    """Where the legend stands: under the map, so that the map has the whole width; over it when the
    colour bar needs the right side."""
    # A click on a legend entry would hide an empty trace and nothing else.
    box: dict[str, Any] = {"itemclick": False, "itemdoubleclick": False, "orientation": "h",
                           "x": 0, "font": {"size": 12}}
    if isinstance(colors, NumberColors):
        return box | {"y": 1.0, "yanchor": "bottom"}
    # In the container, not on the paper: there it would lie on the axis' own title and numbers.
    box |= {"y": 0, "yanchor": "bottom", "yref": "container"}
    if colors.title:  # above: beside it the last column of names would be cut
        box["title"] = {"text": esc_plotly(colors.title, 60), "side": "top"}
    return box


def _span(values: np.ndarray) -> list[float]:
    """The ends of an axis: Plotly's own leave a tenth of the map empty."""
    low, high = float(values.min()), float(values.max())
    edge = 0.025 * (high - low) or 1.0
    return [low - edge, high + edge]


def _name_axes(figure: Any, dimensions: int, axes: Sequence[str], units: bool) -> None:
    """Titles and, where they mean something, numbers; else the names in one line below the map."""
    axis: dict[str, Any] = {"showticklabels": units, "showgrid": units, "ticks": ""}
    names = [axis_title(name) for name in axes]
    if dimensions == 3:
        figure.update_layout(scene={
            f"{letter}axis": {**axis, "title": name, "backgroundcolor": CLEAR}
            for letter, name in zip("xyz", names, strict=False)})
    elif units:
        figure.update_layout(xaxis={**axis, "title": names[0]}, yaxis={**axis, "title": names[1]})
    else:
        line = {**axis_title(f"across: {axes[0]} · up: {axes[1]}"), "font": {"size": 11},
                "standoff": 2}
        figure.update_layout(xaxis={**axis, "title": line}, yaxis={**axis, "title": None})


def _paint_categories(dots: _Dots, drawn: np.ndarray, colors: CategoryColors,
                      selected: np.ndarray | None) -> list[Any]:
    codes = np.asarray(colors.codes)
    counts = np.bincount(codes[drawn] + 1)  # grey first: code -1 counts at 0
    shades = [colors.color(code) for code in range(-1, len(counts) - 1)]
    # Colours may repeat: one step of the scale per different colour keeps it short.
    steps = list(dict.fromkeys(shades))
    at_step = {shade: at for at, shade in enumerate(steps)}
    step_of = np.array([at_step[shade] for shade in shades],
                       dtype=np.uint8 if len(steps) <= 256 else np.int16)
    scale = [[edge / len(steps), shade] for at, shade in enumerate(steps)
             for edge in (at, at + 1)]
    # Noise at the bottom, then from the largest to the smallest category.
    weight = np.concatenate(([-np.inf], -counts[1:]))
    order = drawn[np.argsort(weight[codes[drawn] + 1], kind="stable")]

    def marker(which: np.ndarray) -> dict[str, Any]:
        return {"color": step_of[codes[which] + 1], "colorscale": scale, "cmin": -0.5,
                "cmax": len(steps) - 0.5, "showscale": False}

    return [*_dots_and_selection(dots, order, marker, selected), *_legend(dots, colors, counts)]


def _legend(dots: _Dots, colors: CategoryColors, counts: np.ndarray) -> list[Any]:
    """Entries of the largest categories in their own order, the rest in one line, grey last."""
    present = [int(at) - 1 for at in np.argsort(-counts, kind="stable") if at and counts[at]]
    listed = LEGEND_ENTRIES if len(present) > LEGEND_ENTRIES + 1 else len(present)
    named, rest = sorted(present[:listed]), present[listed:]
    if counts[0]:
        named.append(-1)
    entries = [dots.entry(f"{esc_plotly(colors.name(code), 24)} ({counts[code + 1]:,})",
                          colors.color(code)) for code in named]
    if rest:
        total = sum(int(counts[code + 1]) for code in rest)
        entries.insert(listed, dots.entry(f"{len(rest)} others ({total:,})", CLEAR))
    return entries


def _paint_numbers(dots: _Dots, drawn: np.ndarray, colors: NumberColors,
                   selected: np.ndarray | None) -> list[Any]:
    values = np.asarray(colors.values, dtype=np.float32)
    known = np.isfinite(values[drawn])
    missing, order = drawn[~known], drawn[known]
    low = colors.low if colors.low is not None else float(values[order].min(initial=np.inf))
    high = colors.high if colors.high is not None else float(values[order].max(initial=-np.inf))
    if not low < high:  # one value, or none at all
        low, high = (low - 0.5, low + 0.5) if np.isfinite(low) else (0.0, 1.0)

    def number_marker(which: np.ndarray) -> dict[str, Any]:
        return {"color": values[which], "colorscale": colors.scale, "cmin": low, "cmax": high,
                "showscale": True,
                "colorbar": {"title": {"text": esc_plotly(colors.title, 60)}, "thickness": 14,
                             "outlinewidth": 0}}

    traces = []
    if len(missing):
        traces += _dots_and_selection(dots, missing, lambda _: {"color": NOISE_COLOR}, selected)
    if len(order):
        traces += _dots_and_selection(dots, order, number_marker, selected)
    if len(missing):
        traces.append(dots.entry(f"not defined ({len(missing):,})", NOISE_COLOR))
    return traces


def _dots_and_selection(dots: _Dots, order: np.ndarray, marker: Any,
                        selected: np.ndarray | None) -> list[Any]:
    """The trace of all rows; with a selection it is grey and the selected ones lie over it."""
    if selected is None:
        return [dots.trace(order, {**marker(order), "size": dots.size, "opacity": dots.opacity})]
    # Grey, not only dimmed: where many faint points lie on each other they are bright again.
    traces = [dots.trace(order, {"color": NOISE_COLOR, "size": dots.size, "opacity": _DIMMED})]
    chosen = order[selected[order]]
    if len(chosen):
        # Few stand out by an outline; of many the outlines would hide the colours.
        few = len(chosen) <= _OUTLINED
        outlined = {"size": dots.size + (2 if few else 0), "opacity": 1.0,
                    "line": {"width": 1 if few else 0, "color": MIDDLE_GREY}}
        traces.append(dots.trace(chosen, {**marker(chosen), **outlined}))
    return traces


def _small(rows: np.ndarray) -> np.ndarray:
    return rows.astype(np.uint16 if rows.max(initial=0) < 2**16 else np.int32, copy=False)


def check_lengths(n: int, **arrays: Any) -> None:
    for name, array in arrays.items():
        if array is not None and len(array) != n:
            raise ParameterError("LENGTHS", f"{name} must have {n} entries, one per point, "
                                            f"got {len(array)}.", Where(parameter=name))
