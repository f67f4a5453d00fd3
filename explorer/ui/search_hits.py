"""What a search found, as a list whose rows can be clicked and selected."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import streamlit as st

from explorer.escape import esc_md
from explorer.neighbors.nearest_to import MOST
from explorer.queries import Answer
from explorer.run import Run, name_of
from explorer.ui import state
from explorer.ui.cells import shown_cell
from explorer.ui.pictures import picture
from explorer.ui.problem import show_notes
from explorer.ui.rows_view import counted

ORIGIN = "search"
_TEXT, _SIDE = 400, 48


def show_answer(current: Run, answer: Answer, names: dict[int, str]) -> None:
    """The rows nearest to a question, nearest first, with how near each is and in what."""
    assert current.embedding is not None
    most = min(MOST, len(answer.places))
    if not most:
        st.caption("There is no row to compare it with.")
        return
    if st.session_state.get("search.most.kept", most) > most:
        st.session_state.pop("search.most", None)
        st.session_state.pop("search.most.kept", None)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        count = int(keep("search.most", min(20, most), lambda key: st.number_input(
            "How many", 1, most, key=key, width=130)))
        rows = current.rows[answer.places[:count]]
        offer_selection(rows, f"Select {'it' if len(rows) == 1 else f'these {len(rows):,}'}")
    records: list[dict[str, Any]] = []
    cosine = answer.metric == "cosine"
    for row, distance in zip(rows.tolist(), answer.distances.tolist(), strict=False):
        near = {"similarity": 1 - distance} if cosine else {"distance": distance}
        record = {"place": len(records) + 1, **near, **about(current, row, names)}
        for column in current.dataset.with_role("text", "label"):
            if column.place == "table":
                name = shown_cell(column.name)
                text = cut(current.dataset.text(column.name, row), _TEXT)
                record[name if name not in record else f"{name} (uploaded)"] = shown_cell(text)
        records.append(record)
    show_table(records, rows, "search.nearest", ())
    left_out = (f" {counted(answer.directionless)} without a direction were left out."
                if answer.directionless else "")
    space = esc_md(current.embedding.title)
    said = (f"Similarity: cosine in {space}; 1 is the same direction." if cosine else
            f"{esc_md(answer.metric.capitalize())} distance in {space}; 0 is the same place.")
    st.caption(f"{said} Exact: {counted(answer.compared)} compared.{left_out} Click a row to "
               "select it.")
    show_notes(answer.notes)


def offer_selection(rows: np.ndarray, words: str) -> None:
    """A button that selects these rows."""
    st.button(words, icon=":material/select_all:", key="search.select", on_click=state.select,
              args=(rows, ORIGIN))


def show_table(records: list[dict[str, Any]], rows: np.ndarray, key: str,
               right: tuple[str, ...]) -> None:
    """A line for each row; a click on one selects it. Columns in `right` end at the right."""
    table = pa.Table.from_pylist(records)
    config: dict[str, Any] = {
        "similarity": st.column_config.NumberColumn(format="%.3f", width="small"),
        "distance": st.column_config.NumberColumn(format="%.4g", width="small"),
        "place": st.column_config.NumberColumn(format="%d", width="small"),
        "picture": st.column_config.ImageColumn(width="small"),
        **{name: st.column_config.TextColumn(alignment="right") for name in right}}
    st.dataframe(table, hide_index=True, height=min(38 + 35 * len(records), 330), key=key,
                 on_select=lambda: _clicked(key, rows), selection_mode="single-cell",
                 column_config=config, row_height=_SIDE if "picture" in records[0] else None)


def _clicked(key: str, rows: np.ndarray) -> None:
    cells = st.session_state[key]["selection"]["cells"]
    if cells:
        state.select(rows[[cells[0][0]]], ORIGIN)


def about(current: Run, row: int, names: dict[int, str]) -> dict[str, Any]:
    """What every list says of a row: its picture, its id, its cluster."""
    record: dict[str, Any] = {}
    if current.dataset.has_images:
        record["picture"] = picture(current.dataset, row, _SIDE)
    record["row"] = shown_cell(current.dataset.row_ids[row])
    if current.clustering is not None:
        place = current.positions(np.array([row]))
        record["cluster"] = shown_cell(name_of(int(current.clustering.labels[place[0]]), names)) \
            if len(place) else "(no vector)"
    return record


def keep(key: str, value: Any, draw: Any) -> Any:
    """A widget whose value outlives another panel being open."""
    if key not in st.session_state:
        st.session_state[key] = st.session_state.get(f"{key}.kept", value)
    st.session_state[f"{key}.kept"] = drawn = draw(key)
    return drawn


def cut(text: str, most: int) -> str:
    """A text of at most `most` letters."""
    return text if len(text) <= most else f"{text[:most - 1]}…"
