"""What the map of a run can be coloured by, and the words a point shows on hover."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from explorer.dataset import Column, Dataset
from explorer.escape import esc_plotly
from explorer.measures import Measure, in_a_sentence, measures
from explorer.plot.palette import CategoryColors, NumberColors, category_colors, cluster_colors
from explorer.run import Run, name_of
from explorer.values import NOISE

HOVER_ROWS = 30_000
"""Above this many rows whole hover texts would make a figure of several MB."""
MOST_VALUES = 200
"""A column with more different values is no list of categories: it is not offered."""


@dataclass(frozen=True)
class Coloring:
    """One way to colour the map: `title` in a list, `heading` over the legend, `make` gives the
    colours of the rows covered, and `content` names all they are made of."""

    title: str
    heading: str
    content: tuple[Hashable, ...]
    make: Callable[[], CategoryColors | NumberColors]


def colorings(current: Run, names: dict[int, str],
              chosen: np.ndarray | None = None) -> dict[str, Coloring]:
    """Cluster first, then what was found out about each row, the selection (`chosen`, dataset rows
    as int64), the columns ('column:<name>')."""
    found: dict[str, Coloring] = {}
    named = tuple(sorted(names.items()))

    def add(key: str, title: str, made_of: Hashable, make: Callable[[], Any],
            heading: str | None = None) -> None:
        found[key] = Coloring(title, in_a_sentence(title) if heading is None else heading,
                              (key, current.plan.embedding, made_of), make)

    clustering = current.clustering
    if clustering is not None:
        add("cluster", "Cluster", (current.plan.clustering, named),
            lambda: by_cluster(current, names))
    original = current.original
    if original is not None and current.plan.edited:
        add("original", "Cluster before your edits", current.plan.original,
            lambda: _labels(original.labels, {}, "cluster before your edits"))
    for key, measure in measures(current).items():
        add(key, measure.title, (measure.made_of, named if measure.ours else ()),
            partial(_measured, measure, names))
    if chosen is not None and len(chosen):
        add("selection", "Selected or not", hashlib.sha256(chosen.tobytes()).hexdigest(),
            partial(_chosen, current, chosen), "selection")
    for column in current.dataset.columns:
        if column.place != "table" or column.dimensions:
            continue
        made_of = (current.dataset.id, column.name, column.role)
        if column.role in ("number", "coordinate"):
            add(f"column:{column.name}", column.name, made_of,
                _number_column(current, column.name), column.name)
        elif column.role in ("category", "label") and (column.distinct or 0) <= MOST_VALUES:
            add(f"column:{column.name}", column.name, made_of,
                _category_column(current, column.name), column.name)
    return found


def by_cluster(current: Run, names: dict[int, str]) -> CategoryColors:
    """The colours of the clusters: the same everywhere."""
    assert current.clustering is not None
    return _labels(current.clustering.labels, names)


def hover_texts(current: Run, names: dict[int, str]) -> list[str]:
    """What each row covered says on hover, ready for Plotly: id and cluster; up to HOVER_ROWS rows
    its text and first columns too."""
    identifiers = current.dataset.row_ids
    lines = [f"row {esc_plotly(identifiers[row], 60)}" for row in current.rows]
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
    called = {int(label): name_of(int(label), names) for label in np.unique(labels)}
    return cluster_colors(labels, called, title=title)


def _measured(measure: Measure, names: dict[int, str]) -> CategoryColors | NumberColors:
    title = in_a_sentence(measure.title)
    if measure.kind == "number":
        return NumberColors(measure.numbers(), title)
    codes = measure.codes()
    if measure.kind == "cluster":
        called = {code: measure.name(code, names) for code in np.unique(codes).tolist()}
        return replace(_labels(codes, {}, title), names=called)
    return CategoryColors(codes, {0: "no", 1: "yes", NOISE: "not defined"}, {}, title)


def _chosen(current: Run, rows: np.ndarray) -> CategoryColors:
    codes = np.full(len(current.rows), NOISE, dtype=np.int32)
    codes[current.positions(rows)] = 0
    return CategoryColors(codes, {0: "selected", NOISE: "not selected"}, {}, "selection")


def _number_column(current: Run, name: str) -> Callable[[], NumberColors]:
    return lambda: NumberColors(current.dataset.numbers(name)[current.rows], name)


def _category_column(current: Run, name: str) -> Callable[[], CategoryColors]:
    def draw() -> CategoryColors:
        texts = current.dataset.texts(name)
        return category_colors([texts[row] for row in current.rows], title=name)
    return draw
