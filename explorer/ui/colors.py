"""What the map can be coloured by, and the words a point shows on hover."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import streamlit as st

from explorer.dataset import Column, Dataset
from explorer.escape import esc_plotly, shown
from explorer.plot.palette import CategoryColors, NumberColors, category_colors, cluster_colors
from explorer.run import Run, name_of
from explorer.ui.kept import Kept
from explorer.values import NOISE

HOVER_ROWS = 30_000
"""Above this many rows whole hover texts would make a figure of several MB."""
_MOST_VALUES = 200
_texts: Kept[list[str]] = Kept(8)


@dataclass(frozen=True)
class Coloring:
    """One way to colour the map: what the list shows, and what it draws."""

    title: str
    draw: Callable[[], CategoryColors | NumberColors]


def colorings(current: Run, names: dict[int, str]) -> dict[str, Coloring]:
    """Cluster first, then the scores per row, then the columns."""
    found = {"cluster": Coloring("Cluster", lambda: by_cluster(current, names))}
    judged = current.silhouette
    if judged is not None and "silhouette" in judged.per_row:
        found["silhouette"] = Coloring("Silhouette", lambda: NumberColors(
            np.asarray(judged.per_row["silhouette"], dtype=np.float64), "silhouette"))
        found["second"] = Coloring("Second-best cluster", lambda: _labels(
            judged.per_row["second"], names, "second-best cluster"))
    clustering = current.clustering
    if clustering is not None and clustering.strengths is not None:
        strengths = np.asarray(clustering.strengths, dtype=np.float64)
        found["strength"] = Coloring("Membership strength",
                                     lambda: NumberColors(strengths, "strength"))
    for column in current.dataset.columns:
        if column.place != "table" or column.dimensions:
            continue
        if column.role in ("number", "coordinate"):
            found[f"column:{column.name}"] = Coloring(column.name,
                                                      _number_column(current, column.name))
        elif column.role in ("category", "label") and (column.distinct or 0) <= _MOST_VALUES:
            found[f"column:{column.name}"] = Coloring(column.name,
                                                      _category_column(current, column.name))
    return found


def choose_coloring(options: Mapping[str, Coloring]) -> str:
    """The list of colourings; the choice outlives a change of page."""
    kept = st.session_state.get("coloring")
    if "color_by" not in st.session_state and kept in options:
        st.session_state["color_by"] = kept
    chosen: str = st.selectbox("Colour by", list(options), key="color_by",
                               label_visibility="collapsed",
                               format_func=lambda key: f"Colour: {shown(options[key].title)}")
    st.session_state["coloring"] = chosen
    return chosen


def by_cluster(current: Run, names: dict[int, str]) -> CategoryColors:
    """The colours of the clusters: the same everywhere."""
    assert current.clustering is not None
    return _labels(current.clustering.labels, names)


def hover_texts(current: Run, names: dict[int, str]) -> list[str]:
    """What each row covered says on hover, ready for Plotly: id and cluster; up to HOVER_ROWS rows
    its text and first columns too."""
    key = (current.dataset.id, tuple(current.dataset.roles.items()), current.plan.embedding,
           current.plan.clustering, tuple(sorted(names.items())))
    return _texts.get(key, lambda: _hover(current, names))


def row_names(current: Run) -> list[str]:
    """How hover calls each row covered, ready for Plotly: 'row 17'."""
    identifiers = current.dataset.row_ids
    return [f"row {esc_plotly(identifiers[row], 60)}" for row in current.rows]


def _hover(current: Run, names: dict[int, str]) -> list[str]:
    lines = row_names(current)
    if current.clustering is not None:
        called = {int(label): esc_plotly(name_of(int(label), names), 60)
                  for label in np.unique(current.clustering.labels)}
        lines = [f"{line} · {called[label]}" for line, label
                 in zip(lines, current.clustering.labels.tolist(), strict=True)]
    if len(lines) > HOVER_ROWS:
        return lines
    data = current.dataset
    parts = [lines]
    for column in data.with_role("text"):
        texts = data.texts(column.name)
        parts.append([esc_plotly(" ".join(texts[row].split()), 160, wrap=60)
                      for row in current.rows])
    for column in _facts(data):
        texts = data.texts(column.name)
        parts.append([esc_plotly(f"{column.name}: {texts[row]}", 80) for row in current.rows])
    return ["<br>".join(part) for part in zip(*parts, strict=True)]


def _facts(data: Dataset) -> list[Column]:
    """The first few columns that say something about a row in a word."""
    return [column for column in data.with_role("label", "category", "number", "coordinate")
            if column.place == "table"][:4]


def _labels(labels: np.ndarray, names: dict[int, str], title: str = "") -> CategoryColors:
    count = int(labels.max(initial=NOISE)) + 1
    called = {label: name_of(label, names) for label in range(count)}
    return cluster_colors(labels, called, title=title)


def _number_column(current: Run, name: str) -> Callable[[], NumberColors]:
    return lambda: NumberColors(current.dataset.numbers(name)[current.rows], name)


def _category_column(current: Run, name: str) -> Callable[[], CategoryColors]:
    def draw() -> CategoryColors:
        texts = current.dataset.texts(name)
        return category_colors([texts[row] for row in current.rows], title=name)
    return draw
