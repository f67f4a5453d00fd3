"""Rows on screen: one whole, many as a table, pictures as a gallery. Pages, never a silent cut."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import streamlit as st

from explorer.escape import esc_md
from explorer.run import Run, name_of

_TABLE_ROWS = 200
_GALLERY_ROWS = 60
_CELL = 1_000


def show_rows(current: Run, rows: np.ndarray, names: dict[int, str], key: str) -> None:
    """These dataset rows: one as a card, several as table or gallery."""
    if len(rows) == 1:
        show_row(current, int(rows[0]), names)
        return
    shapes = ["Gallery", "Table"] if current.dataset.has_images else ["Table"]
    shape = shapes[0]
    if len(shapes) > 1:
        shape = st.segmented_control("Show as", shapes, default=shapes[0], key=f"{key}.shape",
                                     label_visibility="collapsed", required=True) or shapes[0]
    if shape == "Gallery":
        show_gallery(current, rows, names, key)
    else:
        show_table(current, rows, names, key)


def show_table(current: Run, rows: np.ndarray, names: dict[int, str], key: str) -> None:
    """Row id, our columns, then the columns as uploaded, a page at a time."""
    shown = _page(rows, _TABLE_ROWS, key)
    st.dataframe(table_of(current, shown, names), hide_index=True, height=320, key=f"{key}.table")


def show_gallery(current: Run, rows: np.ndarray, names: dict[int, str], key: str) -> None:
    """Thumbnails with row id and cluster, a page at a time."""
    shown = _page(rows, _GALLERY_ROWS, key)
    identifiers = current.dataset.row_ids
    labels = _labels(current)
    captions = [f"{identifiers[row][:14]} · {name_of(labels[int(row)], names)[:14]}"
                if int(row) in labels else identifiers[row][:14] for row in shown]
    with st.container(height=360):
        st.image([current.dataset.thumbnail(int(row)) for row in shown],
                 caption=[esc_md(caption) for caption in captions], width=80)


def show_row(current: Run, row: int, names: dict[int, str]) -> None:
    """The row whole: its picture or text, every column, and what is known of it."""
    data = current.dataset
    left, right = st.columns([2, 3], gap="medium")
    with left:
        st.markdown(f"**Row {esc_md(data.row_ids[row])}**")
        if data.has_images:
            st.image(data.thumbnail(row), width=192)
        for column in data.with_role("text"):
            st.caption(esc_md(column.name))
            st.text(data.texts(column.name)[row] or "(empty)")
        st.markdown(_standing(current, row, names))
    with right:
        records = [{"column": column.original or column.name, "value": _cell(data, column, row)}
                   for column in data.columns if column.place == "table"]
        if records:
            st.dataframe(records, hide_index=True, height=min(38 + 35 * len(records), 360))


def table_of(current: Run, rows: np.ndarray, names: dict[int, str]) -> pa.Table:
    """The rows as a table: row_id, our columns, the columns as uploaded."""
    identifiers = current.dataset.row_ids
    columns: dict[str, Any] = {"row_id": pa.array([identifiers[row] for row in rows])}
    places = current.positions(rows)
    if len(places) == len(rows):
        ours = current.table(names).take(pa.array(places))
        for name in ("cluster_name", "silhouette", "second_best_name"):
            if name in ours.column_names:
                columns[name.replace("_name", "").replace("_", " ")] = ours.column(name)
    table = current.dataset.table
    if table.num_columns:
        part = table.take(pa.array(rows))
        for name in part.column_names:
            columns[name if name not in columns else f"{name} (uploaded)"] = part.column(name)
    return pa.table(columns)


def _standing(current: Run, row: int, names: dict[int, str]) -> str:
    places = current.positions(np.array([row]))
    if not len(places) or current.clustering is None:
        return "This row has no vector: it was left out when encoding."
    place = int(places[0])
    words = [f"In **{esc_md(name_of(int(current.clustering.labels[place]), names))}**"]
    if current.silhouette is not None:
        value = float(current.silhouette.per_row["silhouette"][place])
        second = int(current.silhouette.per_row["second"][place])
        if np.isnan(value):
            words.append("silhouette not defined")
        else:
            words.append(f"silhouette {value:.3f}")
        if second >= 0:
            verb = "would rather be in" if value < 0 else "second best:"
            words.append(f"{verb} {esc_md(name_of(second, names))}")
    return " · ".join(words)


def _labels(current: Run) -> dict[int, int]:
    if current.clustering is None:
        return {}
    return dict(zip(current.rows.tolist(), current.clustering.labels.tolist(), strict=True))


def _page(rows: np.ndarray, size: int, key: str) -> np.ndarray:
    pages = max(1, -(-len(rows) // size))
    page = 1
    if pages > 1:
        if st.session_state.get(f"{key}.page", 1) > pages:
            st.session_state[f"{key}.page"] = 1
        page = int(st.number_input(f"Page (of {pages:,})", 1, pages, key=f"{key}.page"))
    first = (page - 1) * size
    shown = rows[first:first + size]
    if len(rows):
        st.caption(f"Rows {first + 1:,} to {first + len(shown):,} of {len(rows):,}")
    return shown


def _cell(data: Any, column: Any, row: int) -> str:
    value = data.table.column(column.name)[row].as_py()
    text = "" if value is None else str(value)
    return text if len(text) <= _CELL else f"{text[:_CELL]} … ({len(text):,} characters)"
