"""The rows most like a row, or like the selection's centre, in the space they were encoded in."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from explorer.dataset import Column, Dataset
from explorer.errors import ExplorerError
from explorer.escape import esc_md, shown
from explorer.neighbors.nearest_to import METRICS, MOST, nearest_to
from explorer.queries import Answer
from explorer.run import Run, name_of
from explorer.ui.cells import shown_cell
from explorer.ui.gallery_view import show_gallery
from explorer.ui.neighbors_ask import (
    GALLERY,
    LEAST,
    Asked,
    Question,
    find_answer,
    follow,
    go_to,
    mark_neighbors,
    question,
    select_these,
    wait_for_answer,
)
from explorer.ui.pictures import picture
from explorer.ui.problem import show_problem
from explorer.ui.row_order import Ordered
from explorer.ui.rows_view import counted

__all__ = ["mark_neighbors", "show_neighbors"]
_LIST, _GALLERY = "List", "Gallery"
_ROW_SIDE, _ASKED_SIDE = 64, 96
_TEXT, _ASKED_TEXT = 200, 600
_CRUMBS = 6


def show_neighbors(current: Run, names: dict[int, str]) -> None:
    """Neighbours of the selected row, or of the centre of several."""
    if current.embedding is None:
        return
    held = follow(current)
    asked = question(current, held)
    if not len(asked.places):
        _offer_start(current, held)
        return
    _show_trail(current, held)
    left, right = st.columns([2, 5], gap="medium")
    with right:
        _choose(current, asked)
        try:
            answer = find_answer(current, asked)
        except ExplorerError as error:
            show_problem(error)
            return
        if answer is None:
            wait_for_answer(current, asked)
            return
        rows = current.rows[answer.places[:asked.count]]
        if not len(rows):
            st.caption("There are no other rows.")
            return
        _show_rows(current, asked, answer, names)
    with left:
        _show_asked(current, held, asked, answer, names)


def _offer_start(current: Run, held: Asked) -> None:
    if len(held.rows):
        st.caption("The selected rows have no vector: they were left out when encoding, so they "
                   "have no neighbours.")
        return
    assert current.embedding is not None
    left, right = st.columns([3, 1], vertical_alignment="center")
    left.caption("Nothing selected. Click a point on the map: the rows most like it stand here, "
                 f"found in the space of the vectors ({esc_md(current.embedding.title)}), not in "
                 "the picture. Select several rows to find what is most like their centre.")
    judged = current.silhouette
    values = np.asarray(judged.per_row["silhouette"]) if judged is not None else np.empty(0)
    if len(values) and np.isfinite(values).any():
        row = int(current.rows[int(np.nanargmin(values))])
        right.button("Start at the most doubtful row", width="stretch", on_click=go_to,
                     args=(row,), help="The one with the lowest silhouette.")


def _show_trail(current: Run, held: Asked) -> None:
    """Where one came from: a button for each of the last rows gone through."""
    if not held.trail:
        return
    identifiers = current.dataset.row_ids
    first = max(0, len(held.trail) - _CRUMBS)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.button("Back", icon=":material/arrow_back:", key="neighbors.back", on_click=go_to,
                  args=(held.trail[-1], len(held.trail) - 1))
        if first:
            st.markdown("…", width="content")
        for place in range(first, len(held.trail)):
            st.button(f"Row {esc_md(_cut(identifiers[held.trail[place]], 20))}",
                      key=f"neighbors.crumb.{place}", type="tertiary",
                      on_click=go_to, args=(held.trail[place], place))
            st.markdown("›", width="content")
        st.markdown("here", width="content")


def _choose(current: Run, asked: Question) -> None:
    """How many, by which distance, how they are shown."""
    for name, value in (("neighbors.count", asked.count), ("neighbors.metric", asked.metric),
                        ("neighbors.lines", True), ("neighbors.shape", _GALLERY)):
        if name not in st.session_state:
            st.session_state[name] = st.session_state.get(f"{name}.kept", value)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        count = st.number_input("How many", LEAST, MOST, key="neighbors.count", width=130)
        metric = st.selectbox("Distance", METRICS, key="neighbors.metric", width=150,
                              format_func=str.capitalize,
                              help="How alike two rows are, measured on their vectors. It starts "
                                   "as the recipe's.")
        if current.dataset.has_images:
            st.session_state["neighbors.shape.kept"] = st.segmented_control(
                "Show as", [_GALLERY, _LIST], required=True, key="neighbors.shape",
                width="content")
        lines = st.checkbox("Lines on the map", key="neighbors.lines")
    st.session_state["neighbors.count.kept"] = count
    st.session_state["neighbors.metric.kept"] = metric
    st.session_state["neighbors.lines.kept"] = lines


def _show_asked(current: Run, held: Asked, asked: Question, answer: Answer,
                names: dict[int, str]) -> None:
    """What was asked about, and what the neighbours say about it."""
    data = current.dataset
    rows = current.rows[answer.places[:asked.count]]
    if len(asked.places) == 1:
        row = int(current.rows[asked.places[0]])
        st.markdown(f"Nearest to **row {esc_md(_cut(data.row_ids[row], 40))}**"
                    f"{_cluster_words(current, int(asked.places[0]), names)}")
        if data.has_images:
            st.image(picture(data, row, _ASKED_SIDE), width=_ASKED_SIDE)
        for column in data.with_role("text"):
            st.text(shown(_cut(data.text(column.name, row) or "(empty)", _ASKED_TEXT)))
    else:
        st.markdown(f"Nearest to **the centre of {counted(len(asked.places))}** (the mean of "
                    f"their {'directions' if asked.metric == 'cosine' else 'vectors'}); the rows "
                    "themselves are left out.")
    st.button(f"Select {'this one' if len(rows) == 1 else f'these {len(rows)}'}",
              icon=":material/select_all:", on_click=select_these, args=(rows,),
              help="Selects the neighbours on every view; what is asked about stays.")
    _say_clusters(current, asked, answer, names)
    _say_labels(current, asked, rows)
    _say_trust(current, asked, answer)
    _say_basis(current, answer)


def _say_basis(current: Run, answer: Answer) -> None:
    assert current.embedding is not None
    left_out = (f" {counted(answer.directionless)} all zero, without a direction: left out."
                if answer.directionless else "")
    st.caption(f"{esc_md(answer.metric.capitalize())} distance in "
               f"{esc_md(current.embedding.title)}, exact: "
               f"{counted(answer.compared, 'other row')} compared.{left_out}")


def _cluster_words(current: Run, place: int, names: dict[int, str]) -> str:
    if current.clustering is None:
        return ""
    return f" · {esc_md(name_of(int(current.clustering.labels[place]), names))}"


def _say_clusters(current: Run, asked: Question, answer: Answer, names: dict[int, str]) -> None:
    """How the neighbours divide into clusters."""
    if current.clustering is None:
        return
    labels = current.clustering.labels
    near = labels[answer.places[:asked.count]]
    if len(asked.places) == 1:
        own = int(labels[asked.places[0]])
        same = int(np.count_nonzero(near == own))
        st.markdown(f"**{same} of {len(near)}** "
                    f"{'are noise like it' if own < 0 else 'are in the same cluster'}.")
        return
    values, counts = np.unique(near, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    parts = [f"{counts[at]:,} in {esc_md(name_of(int(values[at]), names))}" for at in order[:3]]
    st.markdown(f"{', '.join(parts)}{' and others' if len(order) > 3 else ''}.")


def _say_labels(current: Run, asked: Question, rows: np.ndarray) -> None:
    """How many neighbours have the label of the row."""
    if len(asked.places) > 1:
        return
    data, row = current.dataset, int(current.rows[asked.places[0]])
    for column in data.with_role("label")[:2]:
        own = data.text(column.name, row)
        same = sum(data.text(column.name, int(other)) == own for other in rows)
        st.markdown(f"**{same:,} of {len(rows)}** have the same {esc_md(column.name)}: "
                    f"{esc_md(_cut(own or '(empty)', 40))}.")


def _say_trust(current: Run, asked: Question, answer: Answer) -> None:
    """How far the picture can be trusted around this row. Equal distances count as near."""
    if len(asked.places) != 1 or current.projection is None or current.embedding is None:
        return
    places, points = asked.places, current.projection.points
    count = min(asked.count, len(answer.places))
    near = nearest_to(points, points[places[0]], count, "euclidean", without=places).places
    vectors = current.embedding.vectors
    true = nearest_to(vectors[near], vectors[places[0]], count, asked.metric).distances
    kept = int(np.count_nonzero(true <= answer.distances[count - 1]))
    trust = ("the picture can be trusted here" if kept >= 0.6 * count else
             "the picture shows a part of what it is near to" if kept >= 0.25 * count else
             "the picture misleads here; trust this list")
    st.markdown(f"**{kept:,} of the {count:,} points nearest to it in the picture** are true "
                f"neighbours: {trust}.")


def _show_rows(current: Run, asked: Question, answer: Answer, names: dict[int, str]) -> None:
    places = answer.places[:asked.count]
    distances = answer.distances[:asked.count]
    if current.dataset.has_images and st.session_state.get("neighbors.shape") == _GALLERY:
        show_gallery(current, Ordered(current.rows[places], distances), names, GALLERY,
                     about="distance", height=330)
        return
    key = f"neighbors.{'-'.join(map(str, asked.places[:3].tolist()))}.{len(asked.places)}"
    rows = current.rows[places]
    st.dataframe(
        _records(current, asked, places, distances, names), hide_index=True, height=330, key=key,
        on_select=lambda: _clicked(key, rows), selection_mode="single-cell",
        row_height=_ROW_SIDE if current.dataset.has_images else None,
        column_config={"distance": st.column_config.NumberColumn(format="%.4g"),
                       "picture": st.column_config.ImageColumn(width="small")})
    st.caption("Click a row to go to it: its neighbours then stand here.")


def _clicked(key: str, rows: np.ndarray) -> None:
    cells = st.session_state[key]["selection"]["cells"]
    if cells:
        go_to(int(rows[cells[0][0]]))


def _records(current: Run, asked: Question, places: np.ndarray, distances: np.ndarray,
             names: dict[int, str]) -> list[dict[str, Any]]:
    data = current.dataset
    labels = None if current.clustering is None else current.clustering.labels
    own = int(current.rows[asked.places[0]]) if len(asked.places) == 1 else None
    shown_columns = _columns(data)
    records = []
    for place, distance in zip(places.tolist(), distances.tolist(), strict=True):
        row = int(current.rows[place])
        record: dict[str, Any] = {}
        if data.has_images:
            record["picture"] = picture(data, row, _ROW_SIDE)
        record |= {"row": shown_cell(data.row_ids[row]), "distance": distance}
        if labels is not None:
            mark = "" if own is None or labels[place] == labels[asked.places[0]] else " (another)"
            record["cluster"] = shown_cell(name_of(int(labels[place]), names)) + mark
        for column in shown_columns:
            value = data.text(column.name, row)
            other = column.role == "label" and own is not None \
                and value != data.text(column.name, own)
            name = shown_cell(column.name)
            record[name if name not in record else f"{name} (uploaded)"] = (
                shown_cell(_cut(value, _TEXT)) + (" (another)" if other else ""))
        records.append(record)
    return records


def _columns(data: Dataset) -> list[Column]:
    """Those that tell a person what a row is."""
    told = [*data.with_role("label")[:2], *data.with_role("text")[:3]]
    if not data.has_images and not data.with_role("text"):
        told += data.with_role("number", "category")[:6]
    return [column for column in told if column.place == "table"]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most - 1]}…"
