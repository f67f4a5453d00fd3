"""The grid of a self-organising map on screen: hit map, U-matrix, component planes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from explorer.escape import esc_md, esc_plotly, shown
from explorer.judge.describe import describe_texts
from explorer.plot.component_planes import draw_component_planes
from explorer.plot.hit_map import draw_hit_map
from explorer.plot.u_matrix import draw_u_matrix
from explorer.run import Run, name_of
from explorer.ui import state
from explorer.ui.clicks import clicked
from explorer.ui.kept import Kept
from explorer.values import NOISE

_PLANES, _MOST_PLANES = 8, 24
_TEXTS, _TEXT, _TEXTS_IN_ALL = 6, 600, 2400
"""Of each neuron the nearest texts that its words are taken from, the characters of each, and how
many texts in all: more would hold up the page."""
_figures: Kept[Any] = Kept(24)
_grids: Kept[Grid] = Kept(8)
_words: Kept[tuple[str, ...]] = Kept(8)


@dataclass(frozen=True)
class Grid:
    """A trained grid of m neurons: `places` m x 2, `hits` m, `labels` m (of most of their rows now;
    -1 none or noise), `counts` how many rows have that label, `typical` m positions of the nearest
    row (-1 none), `order` the n rows by neuron and distance and `starts` m where each begins."""

    places: np.ndarray
    hits: np.ndarray
    labels: np.ndarray
    counts: np.ndarray
    typical: np.ndarray
    order: np.ndarray
    starts: np.ndarray
    hexagonal: bool


def show_hit_map(current: Run, names: dict[int, str]) -> None:
    """Neurons by their rows and clusters, with the most typical picture or word of each."""
    grid = grid_of(current)
    data = current.dataset
    pictures = data.has_images and st.toggle(
        "The most typical picture of each neuron", value=True, key="method.pictures",
        help="Of the rows of a neuron the one nearest to it.")
    words = () if data.has_images else words_of(current, grid)
    written = bool(words) and st.toggle(
        "A word of each neuron", value=True, key="method.words",
        help="The word that sets its texts most apart; more of them when the mouse is over it.")

    def draw() -> Any:
        thumbnails = [b"" if place < 0 else data.thumbnail(int(current.rows[place]))
                      for place in grid.typical] if pictures else []
        return draw_hit_map(grid.places, grid.hits, grid.labels, grid.hexagonal,
                            texts=_texts(current, grid, names, words), pictures=thumbnails,
                            words=[word.split(", ")[0] for word in words] if written else [])
    _show(current, ("hit_map", bool(pictures), written, _named(current, names)), draw)
    empty = int(np.count_nonzero(grid.hits == 0))
    basis = "" if not words else (
        f" Words: c-TF-IDF over up to {_TEXTS} texts nearest to each neuron, "
        f"at most {_TEXTS_IN_ALL:,} in all.")
    st.caption(f"{len(grid.hits)} neurons, {len(current.rows):,} rows in "
               f"{esc_md(current.space)}; {empty} neurons stand for no row, between the others."
               f"{basis}")


def show_u_matrix(current: Run, names: dict[int, str]) -> None:
    """Distances between neighbouring neurons."""
    grid = grid_of(current)
    ridges = _extras(current)["ridges"]
    texts = [f"mean distance to neighbours {ridge:.4g}<br>{text}" for ridge, text
             in zip(ridges, _texts(current, grid, names), strict=True)]
    _show(current, ("u_matrix", _named(current, names)), lambda: draw_u_matrix(
        grid.places, np.asarray(ridges), grid.labels, grid.hexagonal, texts))
    st.caption(f"Distances in {esc_md(current.space)}. Dots: the cluster of most of a neuron's "
               "rows; neurons without a dot stand for none.")


def show_component_planes(current: Run, names: dict[int, str]) -> None:
    """One grid per column."""
    grid, weights = grid_of(current), np.asarray(_extras(current)["weights"])
    columns = _columns(current, weights.shape[1])
    rank = np.argsort(-_variances(weights, grid.hits), kind="stable")
    key = "method.columns"
    offered = [int(place) for place in rank]
    if not set(st.session_state.get(key, ())) <= set(offered) or not st.session_state.get(key):
        st.session_state[key] = offered[:_PLANES]
    chosen = st.multiselect("Columns", offered, key=key, max_selections=_MOST_PLANES,
                            format_func=lambda place: shown(columns[place]))
    if not chosen:
        st.caption("Choose at least one column.")
        return
    _show(current, ("planes", tuple(chosen)), lambda: draw_component_planes(
        grid.places, weights[:, chosen], [columns[place] for place in chosen], grid.hexagonal))
    st.caption(f"{len(chosen)} of {weights.shape[1]:,} columns of {esc_md(current.space)}; listed "
               "and shown first are those in which the neurons differ most.")


def grid_of(current: Run) -> Grid:
    """The grid of this run's clusterer, with the clusters as they are now."""
    return _grids.get((current.plan.original, current.plan.clustering), lambda: _grid(current))


def words_of(current: Run, grid: Grid) -> tuple[str, ...]:
    """The words of each neuron, joined by commas; empty where there are no texts."""
    columns = [column.name for column in current.dataset.with_role("text")]
    if not columns:
        return ()
    key = (current.dataset.id, tuple(columns), current.plan.original)
    with nullcontext() if _words.holds(key) else st.spinner("Reading the texts of the neurons …"):
        return _words.get(key, lambda: _find_words(current, grid, columns))


def _find_words(current: Run, grid: Grid, columns: list[str]) -> tuple[str, ...]:
    used = np.flatnonzero(grid.hits)
    each = max(1, min(_TEXTS, _TEXTS_IN_ALL // max(1, len(used))))
    table = current.dataset.table
    texts, neurons = [], []
    for neuron in used:
        start = grid.starts[neuron]
        for place in grid.order[start:start + min(each, grid.hits[neuron])]:
            row = int(current.rows[place])
            texts.append("\n".join(str(table.column(name)[row].as_py() or "")[:_TEXT]
                                   for name in columns))
            neurons.append(neuron)
    found = [""] * len(grid.hits)
    for one in describe_texts(texts, np.array(neurons), count=4):
        found[one.cluster] = ", ".join(word.name for word in one.words)
    return tuple(found)


def _grid(current: Run) -> Grid:
    extras, clustering = _extras(current), current.clustering
    assert clustering is not None
    neuron, hits = np.asarray(extras["neuron"]), np.asarray(extras["hits"])
    order = np.lexsort((extras["neuron_distance"], neuron))
    starts = np.cumsum(hits) - hits
    typical = np.where(hits > 0, order[np.minimum(starts, len(order) - 1)], -1)
    pairs, counts = np.unique(np.column_stack([neuron, clustering.labels]), axis=0,
                              return_counts=True)
    best = np.lexsort((pairs[:, 1], counts))  # the last of a neuron has most rows
    labels, most = np.full(len(hits), NOISE), np.zeros(len(hits), dtype=int)
    labels[pairs[best, 0]], most[pairs[best, 0]] = pairs[best, 1], counts[best]
    return Grid(np.asarray(extras["places"], dtype=np.float64), hits, labels, most, typical, order,
                starts, bool(extras["grid"][2]))


def _texts(current: Run, grid: Grid, names: dict[int, str],
           words: tuple[str, ...] = ()) -> list[str]:
    """What each neuron says on hover, ready for Plotly."""
    found = []
    for neuron, hits in enumerate(grid.hits.tolist()):
        if not hits:
            found.append("no row")
            continue
        label, count = int(grid.labels[neuron]), int(grid.counts[neuron])
        called = esc_plotly(name_of(label, names), 40)
        mixed = "" if count == hits else f" ({count:,} of them)"
        lines = [f"<b>{hits:,} row{'s' if hits > 1 else ''}</b> · {called}{mixed}"]
        row = int(current.rows[grid.typical[neuron]])
        lines.append(f"most typical: row {esc_plotly(current.dataset.row_ids[row], 40)}")
        if words and words[neuron]:
            lines.append(esc_plotly(words[neuron], 120, wrap=60))
        found.append("<br>".join(lines))
    return found


def _extras(current: Run) -> dict[str, np.ndarray]:
    assert current.original is not None
    return current.original.extras


def _columns(current: Run, d: int) -> list[str]:
    """The names of the d columns that were clustered."""
    if current.recipe.cluster_in == "projection" and current.projection is not None:
        return list(current.projection.axes)
    features = current.embedding.features if current.embedding is not None else ()
    return list(features) if len(features) == d else [f"dimension {i + 1}" for i in range(d)]


def _variances(weights: np.ndarray, hits: np.ndarray) -> np.ndarray:
    mean = np.average(weights, axis=0, weights=hits)
    found: np.ndarray = np.average((weights - mean) ** 2, axis=0, weights=hits)
    return found


def _named(current: Run, names: dict[int, str]) -> tuple[Any, ...]:
    return (current.plan.clustering, current.dataset.id, tuple(sorted(names.items())))


def _show(current: Run, what: tuple[Any, ...], draw: Callable[[], Any]) -> None:
    """The figure, made once for all sessions, and the selection of the cells clicked on."""
    key = f"method.{what[0]}"
    figure = _figures.get((current.plan.original, *what), draw)
    st.plotly_chart(figure, key=key, width="content", on_select=_chooser(current, key),
                    selection_mode=("points", "box", "lasso"),
                    config={"displaylogo": False, "modeBarButtonsToRemove": ["toImage", "pan2d"]})


def _chooser(current: Run, key: str) -> Callable[[], None]:
    neuron = np.asarray(_extras(current)["neuron"])

    def choose() -> None:
        chosen = sorted({int(numbers[0]) for numbers in clicked(key)})
        state.select(current.rows[np.isin(neuron, chosen)], "method")
    return choose
