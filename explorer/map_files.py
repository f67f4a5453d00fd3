"""The map of a run to take away: a Plotly figure, and HTML, SVG and PNG files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.colorings import HOVER_ROWS, Coloring, colorings, hover_texts
from explorer.errors import DataError, ParameterError, Where
from explorer.plot.map import draw_map
from explorer.plot.page import write_page
from explorer.plot.png import write_png
from explorer.plot.scene import Named, Scene, lay_out
from explorer.plot.svg import write_svg
from explorer.run import Run, name_of
from explorer.values import NOISE

SVG_ROWS = 100_000
"""Above so many rows an SVG or HTML file would take a browser minutes: PNG takes any number."""


@dataclass(frozen=True)
class Look:
    """How a run's map is to look: its colours, people's names of clusters, the selected dataset
    rows (None: nothing is dimmed), the rows that pass a filter (None: all) and its words."""

    coloring: Coloring
    names: dict[int, str]
    selected: np.ndarray | None = None
    passing: np.ndarray | None = None
    filter_words: str = ""


def look_at(current: Run, color_by: str = "cluster", names: dict[int, str] | None = None,
            selected: np.ndarray | None = None) -> Look:
    """The look of a run coloured by 'cluster', 'silhouette', 'second', 'strength' ... or by the
    name of a column. Raises ParameterError COLOR_BY for anything else."""
    names = names or {}
    options = colorings(current, names, selected)
    found = options.get(color_by) or options.get(f"column:{color_by}")
    if found is None:
        allowed = ", ".join(key.removeprefix("column:") for key in options)
        raise ParameterError("COLOR_BY", f"color_by must be one of {allowed}, got {color_by!r}.",
                             Where(parameter="color_by"))
    return Look(found, names, selected)


def draw_figure(current: Run, look: Look, *, height: int = 720) -> Any:
    """The map (2-D or 3-D) as a Plotly figure with title, legend and hover texts."""
    projection = _projection(current)
    inside = _inside(current, look.passing)
    shown = np.ones(len(current.rows), dtype=bool) if inside is None else inside
    colors = look.coloring.make()
    points = np.where(shown[:, None], np.asarray(projection.points), np.nan)
    selected = _inside(current, look.selected)
    hover = hover_texts(current, look.names) if len(current.rows) <= HOVER_ROWS else None
    title, subtitle = describe(current, look)
    figure = draw_map(points, rows=current.rows.astype(np.int32), colors=colors, hover=hover,
                      selected=selected, axes=projection.axes,
                      units=current.recipe.projecting.units, title=f"{title} · {subtitle}",
                      height=height, dragmode="pan")
    figure.update_layout(paper_bgcolor="#FFFFFF", plot_bgcolor="#FFFFFF")
    return figure


def draw_html(current: Run, look: Look) -> bytes:
    """The map as one HTML file that works without a network."""
    figure = draw_figure(current, look)
    figure.update_layout(height=None, autosize=True)
    return write_page(figure, title=describe(current, look)[0])


def draw_svg(current: Run, look: Look) -> bytes:
    """The map (2-D) as SVG."""
    return write_svg(_scene(current, look)).encode()


def draw_png(current: Run, look: Look) -> bytes:
    """The map (2-D) as PNG, 2,400 pixels wide."""
    return write_png(_scene(current, look))


def describe(current: Run, look: Look) -> tuple[str, str]:
    """What a picture of the map must say: data, method, seed and space; rows, clusters, colours."""
    recipe = current.recipe
    seed = getattr(recipe.projecting, "seed", None)
    of = current.embedding.title if current.embedding is not None else ""
    title = (f"{current.dataset.name} · {recipe.projecting.title}"
             f"{'' if seed is None else f', seed {seed}'}{f' of {of}' if of else ''}")
    passing = _inside(current, look.passing)
    drawn = len(current.rows) if passing is None else int(passing.sum())
    parts = [f"{drawn:,} of {current.dataset.n:,} rows"]
    if look.filter_words:
        parts.append(f"filter: {look.filter_words}")
    if look.selected is not None:
        parts.append(f"{len(look.selected):,} selected")
    if current.clustering is not None:
        edited = f", {current.rows_edited:,} rows edited by hand" if current.rows_edited else ""
        parts.append(f"{recipe.clustering.title} in {current.space}{edited}")
    parts.append(f"colour: {look.coloring.title}")
    return title, " · ".join(parts)


def _scene(current: Run, look: Look) -> Scene:
    projection = _projection(current)
    points = np.asarray(projection.points)
    if points.shape[1] != 2:
        raise DataError("THREE_DIMENSIONS", f"A still picture must be of 2 dimensions, got "
                                            f"{points.shape[1]}.", hint="Take the HTML file.")
    title, subtitle = describe(current, look)
    return lay_out(points, look.coloring.make(), title=title, subtitle=subtitle,
                   heading=look.coloring.heading, names=_names(current, look, points),
                   selected=_inside(current, look.selected), drawn=_inside(current, look.passing),
                   same_units=current.recipe.projecting.reads != "coordinates")


def _names(current: Run, look: Look, points: np.ndarray) -> list[Named]:
    """The clusters' names at the medians of their points, the biggest first."""
    if current.clustering is None:
        return []
    found, counts = np.unique(current.clustering.labels, return_counts=True)
    order = [at for at in np.argsort(-counts, kind="stable") if found[at] != NOISE]
    named = []
    for label in found[order].tolist():
        x, y = np.median(points[current.clustering.labels == label], axis=0)
        named.append(Named(name_of(label, look.names), float(x), float(y)))
    return named


def _projection(current: Run) -> Any:
    if current.projection is None:
        raise DataError("NOT_PROJECTED", "The map must be computed before it can be drawn.",
                        hint="Run the recipe first.")
    return current.projection


def _inside(current: Run, rows: np.ndarray | None) -> np.ndarray | None:
    """The places of these dataset rows, as n bool."""
    if rows is None:
        return None
    inside = np.zeros(len(current.rows), dtype=bool)
    inside[current.positions(rows)] = True
    return inside
