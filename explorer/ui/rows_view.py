"""Rows on screen: one whole; many as a gallery or a table, in one order for both. What is not shown
is counted, never cut in silence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import streamlit as st

from explorer.escape import esc_md, shown
from explorer.measures import in_a_sentence, made_of, measures
from explorer.run import Run, name_of
from explorer.ui import state
from explorer.ui.cells import shown_cell, shown_table
from explorer.ui.gallery_view import show_gallery
from explorer.ui.kept import Kept
from explorer.ui.map_data import digest
from explorer.ui.pictures import picture
from explorer.ui.row_order import MOST_NUMBERS, Ordered, order_rows, orders_of, typicality

TABLE_ROWS = 5_000
"""A table is sent whole; beyond so many rows its first in the chosen order are."""
_ROW_SIDE = 256
_TABLE = "Table"
_tables: Kept[pa.Table] = Kept(64 * 2**20, lambda table: int(table.nbytes))


def counted(count: int, noun: str = "row") -> str:
    """'1 row', '1,234 rows'."""
    return f"1 {noun}" if count == 1 else f"{count:,} {noun}s"


def show_rows(current: Run, rows: np.ndarray, names: dict[int, str], key: str, *,
              height: int = 420, choosing: bool = True) -> None:
    """These dataset rows: one as a card, several as gallery or table. `choosing` among them changes
    the selection, with the origin `key`; else they are only looked at."""
    if len(rows) == 1:
        show_row(current, int(rows[0]), names)
        return
    gallery = _gallery_of(current)
    shape, order, grouped = st.columns([3, 6, 3], vertical_alignment="center")
    with shape:
        table = gallery is None or _choose_shape(gallery, key) == _TABLE
    found = orders_of(current, rows, texts=table)
    with order:
        name = _choose_order({way: found[way].title for way in found}, key)
    with grouped:
        by_cluster = st.toggle("By cluster", key=f"{key}.grouped",
                               help="The clusters one after the other, each in this order.")
    ordered = order_rows(current, rows, name, found[name], grouped=by_cluster)
    if table:
        _show_table(current, ordered, names, key, height, choosing)
    else:
        show_gallery(current, ordered, names, key, about=found[name].about, height=height,
                     choosing=choosing)
    if "center" not in found and len(rows) > 2:
        st.caption("Sorting by distance to the middle of the rows is offered up to "
                   f"{MOST_NUMBERS:,} numbers (rows times dimensions): these are more.")


def show_row(current: Run, row: int, names: dict[int, str], *, narrow: bool = False) -> None:
    """The row whole: its picture or text, every column, and what is known of it. `narrow`: one
    under the other."""
    data = current.dataset
    left, right = (st.container(), st.container()) if narrow else st.columns([2, 3], gap="medium")
    with left:
        st.markdown(f"**Row {esc_md(data.row_ids[row])}**")
        if data.has_images:
            st.image(picture(data, row, _ROW_SIDE), width=160 if narrow else _ROW_SIDE)
        for column in data.with_role("text"):
            st.caption(esc_md(column.name))
            st.text(shown(data.text(column.name, row) or "(empty)"))
        st.markdown(_standing(current, row, names))
    with right:
        records = [{"column": shown_cell(column.original or column.name),
                    "value": shown_cell(data.table.column(column.name)[row].as_py())}
                   for column in data.columns if column.place == "table"]
        if records:
            st.dataframe(records, hide_index=True, height=min(38 + 35 * len(records), 360))


def table_of(current: Run, rows: np.ndarray, names: dict[int, str]) -> pa.Table:
    """The rows (in any order) as a table: row_id, our columns, the columns as uploaded."""
    identifiers = current.dataset.row_ids
    columns: dict[str, Any] = {"row_id": pa.array([identifiers[row] for row in rows])}
    ours = current.table_of(np.sort(rows), names).take(pa.array(np.argsort(np.argsort(rows))))
    for name, title in _titles(current).items():
        if name in ours.column_names:
            columns[title] = ours.column(name)
    table = current.dataset.table
    if table.num_columns:
        part = table.take(pa.array(rows))
        for name in part.column_names:
            columns[name if name not in columns else f"{name} (uploaded)"] = part.column(name)
    return shown_table(pa.table(columns))


def _titles(current: Run) -> dict[str, str]:
    """Our columns that a table shows, and what they are called there."""
    found = {"cluster_name": "cluster"}
    for measure in measures(current).values():
        named = f"{measure.column.removesuffix('_cluster')}_name"
        column = named if measure.kind == "cluster" and measure.ours else measure.column
        found[column] = in_a_sentence(measure.title)
    return found


def _gallery_of(current: Run) -> str | None:
    """What the gallery is called; None where a row is only numbers."""
    if current.dataset.has_images:
        return "Gallery"
    return "Cards" if current.dataset.with_role("text") else None


def _choose_shape(gallery: str, key: str) -> str:
    return st.segmented_control("Show as", [gallery, _TABLE], key=f"{key}.shape", default=gallery,
                                label_visibility="collapsed", required=True) or gallery


def _choose_order(titles: dict[str, str], key: str) -> str:
    """The chosen order; it outlives a change of page."""
    held, kept = f"{key}.order", f"{key}.order_kept"
    if st.session_state.get(held) not in titles:
        before = st.session_state.get(kept)
        st.session_state[held] = before if before in titles else next(iter(titles))
    chosen: str = st.selectbox("Order", list(titles), key=held, label_visibility="collapsed",
                               format_func=lambda name: shown(titles[name]))
    st.session_state[kept] = chosen
    return chosen


def _show_table(current: Run, ordered: Ordered, names: dict[int, str], key: str, height: int,
                choosing: bool) -> None:
    rows = ordered.rows[:TABLE_ROWS]
    name = digest(rows.tobytes())
    content = (current.dataset.id, current.plan.clustering, name, made_of(current),
               tuple(sorted(names.items())))
    table = _tables.get(content, lambda: table_of(current, rows, names))
    # Another order is another table: its ticks would else stay at their places.
    held = f"{key}.table.{name}"
    if choosing:
        st.dataframe(table, hide_index=True, height=height - 46, key=held,
                     selection_mode="multi-row", on_select=_chooser(rows, held, key))
    else:
        st.dataframe(table, hide_index=True, height=height - 46, key=held)
    cut = (f"The first {len(rows):,} of {counted(len(ordered.rows))} in this order; choose "
           "another order above to see others." if len(rows) < len(ordered.rows)
           else f"{counted(len(rows))}.")
    st.caption(f"{cut} Tick rows to select them on the map." if choosing else cut)


def _chooser(rows: np.ndarray, held: str, key: str) -> Callable[[], None]:
    def choose() -> None:
        places = st.session_state[held]["selection"]["rows"]
        state.select(rows[[place for place in places if place < len(rows)]], key)
    return choose


def _standing(current: Run, row: int, names: dict[int, str]) -> str:
    places = current.positions(np.array([row]))
    if not len(places) or current.clustering is None:
        return "This row has no vector: it was left out when encoding."
    place = int(places[0])
    label = int(current.clustering.labels[place])
    words = [f"In **{esc_md(name_of(label, names))}**"]
    if current.silhouette is not None:
        value = float(current.silhouette.per_row["silhouette"][place])
        second = int(current.silhouette.per_row["second"][place])
        if np.isnan(value):
            outside = label >= 0 and current.silhouette.scores[0].interval
            words.append("silhouette not computed: not in the sample" if outside
                         else "silhouette not defined")
        else:
            words.append(f"silhouette {value:.3f}")
        if second >= 0:
            verb = "would rather be in" if value < 0 else "second best:"
            words.append(f"{verb} {esc_md(name_of(second, names))}")
    for measure in measures(current).values():
        if measure.key not in ("silhouette", "second"):
            words.append(f"{esc_md(in_a_sentence(measure.title))} "
                         f"{esc_md(measure.in_words(place, names))}")
    if label >= 0 and current.description is not None:
        far = typicality(current)[np.asarray(current.clustering.labels) == label]
        nearer = int(np.count_nonzero(far < typicality(current)[place]))
        words.append(f"{nearer + 1:,} of {len(far):,} in order of typicality")
    return " · ".join(words)
