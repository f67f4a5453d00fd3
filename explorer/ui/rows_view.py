"""Rows on screen: one whole, many as a table, pictures as a gallery. Pages, never a silent cut."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import streamlit as st

from explorer.escape import esc_md, shown
from explorer.run import Run, name_of
from explorer.ui.cells import shown_cell, shown_table
from explorer.ui.pictures import picture

_TABLE_ROWS = 200
_GALLERY_ROWS = 60
_GALLERY_SIDE = 80
_ROW_SIDE = 192
_GALLERY, _TABLE = "Gallery", "Table"


def counted(count: int, noun: str = "row") -> str:
    """'1 row', '1,234 rows'."""
    return f"1 {noun}" if count == 1 else f"{count:,} {noun}s"


def show_rows(current: Run, rows: np.ndarray, names: dict[int, str], key: str) -> None:
    """These dataset rows: one as a card, several as table or gallery."""
    if len(rows) == 1:
        show_row(current, int(rows[0]), names)
        return
    shape = _TABLE
    if current.dataset.has_images:
        chooser, turner, counter = st.columns([2, 2, 6], vertical_alignment="bottom")
        shape = chooser.segmented_control("Show as", [_GALLERY, _TABLE], default=_GALLERY,
                                          key=f"{key}.shape", label_visibility="collapsed",
                                          required=True) or _GALLERY
    else:
        turner, counter = st.columns([2, 8], vertical_alignment="bottom")
    size = _GALLERY_ROWS if shape == _GALLERY else _TABLE_ROWS
    with turner:
        first = size * (_choose_page(-(-len(rows) // size), key) - 1)
    shown = rows[first:first + size]
    counter.caption(f"Rows {first + 1:,} to {first + len(shown):,} of {len(rows):,}")
    if shape == _GALLERY:
        show_gallery(current, shown, names)
    else:
        st.dataframe(table_of(current, shown, names), hide_index=True, height=320,
                     key=f"{key}.table")


def show_gallery(current: Run, rows: np.ndarray, names: dict[int, str]) -> None:
    """Thumbnails of these dataset rows with row id and cluster."""
    identifiers = current.dataset.row_ids
    labels = _labels(current, rows)
    # Of 'truck/0094.jpg' the end tells rows apart.
    captions = [[identifiers[row].rsplit("/")[-1][:12],
                 *([name_of(labels[int(row)], names)[:12]] if int(row) in labels else [])]
                for row in rows]
    with st.container(height=360):
        st.image([picture(current.dataset, int(row), _GALLERY_SIDE) for row in rows],
                 caption=["  \n".join(map(esc_md, lines)) for lines in captions],
                 width=_GALLERY_SIDE)


def show_row(current: Run, row: int, names: dict[int, str]) -> None:
    """The row whole: its picture or text, every column, and what is known of it."""
    data = current.dataset
    left, right = st.columns([2, 3], gap="medium")
    with left:
        st.markdown(f"**Row {esc_md(data.row_ids[row])}**")
        if data.has_images:
            st.image(picture(data, row, _ROW_SIDE), width=_ROW_SIDE)
        for column in data.with_role("text"):
            st.caption(esc_md(column.name))
            st.text(shown(data.table.column(column.name)[row].as_py() or "(empty)"))
        st.markdown(_standing(current, row, names))
    with right:
        records = [{"column": shown_cell(column.original or column.name),
                    "value": shown_cell(data.table.column(column.name)[row].as_py())}
                   for column in data.columns if column.place == "table"]
        if records:
            st.dataframe(records, hide_index=True, height=min(38 + 35 * len(records), 360))


def table_of(current: Run, rows: np.ndarray, names: dict[int, str]) -> pa.Table:
    """The rows as a table: row_id, our columns, the columns as uploaded."""
    identifiers = current.dataset.row_ids
    columns: dict[str, Any] = {"row_id": pa.array([identifiers[row] for row in rows])}
    ours = current.table_of(rows, names)
    for name in ("cluster_name", "silhouette", "second_best_name"):
        if name in ours.column_names:
            columns[name.replace("_name", "").replace("_", " ")] = ours.column(name)
    table = current.dataset.table
    if table.num_columns:
        part = table.take(pa.array(rows))
        for name in part.column_names:
            columns[name if name not in columns else f"{name} (uploaded)"] = part.column(name)
    return shown_table(pa.table(columns))


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


def _labels(current: Run, rows: np.ndarray) -> dict[int, int]:
    """Row -> cluster, for those of these rows that have one."""
    covered = rows[np.isin(rows, current.rows)]
    if current.clustering is None:
        return {}
    labels = current.clustering.labels[current.positions(covered)]
    return dict(zip(covered.tolist(), labels.tolist(), strict=True))


def _choose_page(pages: int, key: str) -> int:
    if pages < 2:
        return 1
    if st.session_state.get(f"{key}.page", 1) > pages:
        st.session_state[f"{key}.page"] = 1
    return int(st.number_input(f"Page (of {pages:,})", 1, pages, key=f"{key}.page"))
