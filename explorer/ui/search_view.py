"""Finding rows: by words in their cells, by meaning, by values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import streamlit as st

from explorer import values
from explorer.errors import ExplorerError
from explorer.escape import esc_md, shown
from explorer.neighbors.nearest_to import MOST
from explorer.queries import Answer, meaning_step
from explorer.run import Run, name_of
from explorer.search_rows import (
    LONGEST,
    Found,
    Query,
    fold_column,
    read_query,
    search,
    searched_columns,
    snippet,
)
from explorer.ui import state
from explorer.ui.backend import backend
from explorer.ui.cells import shown_cell
from explorer.ui.filter_view import show_filter
from explorer.ui.job_panel import submit, watch
from explorer.ui.kept import Kept
from explorer.ui.pictures import picture
from explorer.ui.problem import show_notes, show_problem
from explorer.ui.rows_view import counted

ORIGIN = "search"
_WORDS, _MEANING = "Words", "Meaning"
_ALL = ""
_PAGE = 50
_TEXT, _SIDE = 400, 48
_NO_MATCH = 1_000
_HELP = ("Type words and press Enter: rows with all of them are found, whatever the case and "
         'accents, also within longer words. Put "several words" into quotes for a phrase. '
         "A row's id finds the row.")
_columns: Kept[Any] = Kept(300_000_000, lambda column: int(column.nbytes))
_found: Kept[Found] = Kept(64_000_000, lambda found: found.rows.nbytes + _NO_MATCH)


def show_search(current: Run, names: dict[int, str]) -> None:
    """The search line, what it finds, and the filter."""
    by_words = bool(searched_columns(current.dataset))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        how = _keep("search.how", _WORDS if by_words else _MEANING, lambda key: (
            st.segmented_control("Search by", [_WORDS, _MEANING], key=key, required=True,
                                 label_visibility="collapsed", width="content")))
        if how == _WORDS:
            typed = _keep("search.words", "", lambda key: st.text_input(
                "Words", key=key, label_visibility="collapsed", max_chars=LONGEST, type="search",
                placeholder='words, "a phrase", or a row\'s id', disabled=not by_words,
                icon=":material/search:"))
            column = _choose_column(current)
        else:
            typed = _keep("search.meaning", "", lambda key: st.text_input(
                "Meaning", key=key, label_visibility="collapsed", max_chars=LONGEST,
                type="search", icon=":material/search:",
                placeholder="what the rows should be about: a sentence or a few words",
                disabled=not _places_texts(current)))
    try:
        if how == _MEANING:
            _show_meaning(current, typed, names)
        elif not by_words:
            st.caption("These data have no table: there are no words to search.")
        elif typed.strip():
            _show_words(current, typed, column, names)
        else:
            st.caption(_HELP)
    except ExplorerError as error:
        show_problem(error)
    st.divider()
    show_filter(current, names)


def _keep(key: str, value: Any, draw: Any) -> Any:
    """A widget whose value outlives another panel being open."""
    if key not in st.session_state:
        st.session_state[key] = st.session_state.get(f"{key}.kept", value)
    st.session_state[f"{key}.kept"] = drawn = draw(key)
    return drawn


def _choose_column(current: Run) -> str:
    columns = [_ALL, *searched_columns(current.dataset)]
    if st.session_state.get("search.column.kept") not in columns:
        st.session_state.pop("search.column", None)
        st.session_state.pop("search.column.kept", None)
    chosen: str = _keep("search.column", _ALL, lambda key: st.selectbox(
        "In", columns, key=key, width=220, label_visibility="collapsed",
        format_func=lambda name: f"in {shown(name)}" if name else "in all columns"))
    return chosen


def _show_words(current: Run, typed: str, column: str, names: dict[int, str]) -> None:
    data = current.dataset
    columns = (column,) if column else searched_columns(data)
    query = read_query(typed)
    found = _found.get((data.id, query.terms, typed.strip(), columns), lambda: search(
        data, query, typed, columns,
        lambda name: _columns.get((data.id, name), lambda: fold_column(data, name))))
    rows = found.rows
    if found.named >= 0:
        rows = np.concatenate([[found.named], rows[rows != found.named]]).astype(np.int64)
    part = _show_count(current, found, query, rows)
    if not len(rows):
        return
    records = [_hit(current, int(row), found, query, columns, names) for row in part]
    _show_table(records, part, "search.hits", ("before",))
    st.caption("Click a row to select it.")


def _show_count(current: Run, found: Found, query: Query, rows: np.ndarray) -> np.ndarray:
    """How many rows, the button that selects them, and the page that is shown: one line. Returns
    the rows of that page."""
    everything = counted(current.dataset.n)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(width="content"):
            if not len(rows):
                which = "this" if len(query.terms) == 1 else "all of these words"
                st.markdown(f"**None** of {everything} has {which}.")
            elif found.named >= 0:
                others = f", and {len(rows) - 1:,} more of {everything}" if len(rows) > 1 else ""
                st.markdown(f"**The row of that id**{others}.")
            else:
                st.markdown(f"**{len(rows):,}** of {everything}.")
        if len(rows):
            _offer_selection(rows, "Select it" if len(rows) == 1 else f"Select all {len(rows):,}")
        part = _choose_page(rows, "search.page")
    if len(query.terms) > 1:
        each = ", ".join(f"{esc_md(_cut(term, 40))}: {count:,}"
                         for term, count in zip(query.terms, found.counts, strict=True))
        st.caption(f"Rows with each of them: {each}.")
    lacking = int(np.count_nonzero(~np.isin(rows, current.rows)))
    if lacking:
        st.caption(f"{counted(lacking)} of these {'has' if lacking == 1 else 'have'} no vector: "
                   "not on the map.")
    return part


def _hit(current: Run, row: int, found: Found, query: Query, columns: tuple[str, ...],
         names: dict[int, str]) -> dict[str, Any]:
    """One line of the list: the match in the middle of what stands around it."""
    record = _about(current, row, names)
    said = snippet(current.dataset, row, query, columns)
    if said is None:
        column, before, match, after = "", "", "the row's id" if row == found.named else "", ""
    else:
        column, before, match, after = said.column, said.before, said.match, said.after
    return record | {"column": shown_cell(column), "before": shown_cell(before),
                     "match": shown_cell(match), "after": shown_cell(after)}


def _about(current: Run, row: int, names: dict[int, str]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    if current.dataset.has_images:
        record["picture"] = picture(current.dataset, row, _SIDE)
    record["row"] = shown_cell(current.dataset.row_ids[row])
    if current.clustering is not None:
        place = current.positions(np.array([row]))
        record["cluster"] = shown_cell(name_of(int(current.clustering.labels[place[0]]), names)) \
            if len(place) else "(no vector)"
    return record


def _show_meaning(current: Run, typed: str, names: dict[int, str]) -> None:
    if not _places_texts(current):
        st.caption(f"These rows were placed by {esc_md(current.recipe.encoding.title)}, which "
                   "cannot place a typed text among them. To search by meaning, use a text encoder "
                   "in the recipe. Here you can search by words, filter by values, or click a row "
                   "on the map and open Neighbours: the rows most like it.")
        return
    if not typed.strip():
        st.caption("Type what the rows should be about and press Enter: "
                   f"{esc_md(current.recipe.encoding.title)}, which placed the rows, places your "
                   "text among them, and the rows nearest to it stand here.")
        return
    step = meaning_step(current, typed)
    entry = backend().store.find(step.key)
    if entry is None:
        if backend().jobs.view(step.key) is None:
            submit([step])
        if not watch([step], "Searching by meaning"):
            st.button("Search", icon=":material/search:", on_click=submit, args=([step],))
        return
    _show_answer(current, values.read(Answer, entry), names)


def _show_answer(current: Run, answer: Answer, names: dict[int, str]) -> None:
    assert current.embedding is not None
    most = min(MOST, len(answer.places))
    if not most:
        st.caption("There is no row to compare it with.")
        return
    if st.session_state.get("search.most.kept", most) > most:
        st.session_state.pop("search.most", None)
        st.session_state.pop("search.most.kept", None)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        count = int(_keep("search.most", min(20, most), lambda key: st.number_input(
            "How many", 1, most, key=key, width=130)))
        rows = current.rows[answer.places[:count]]
        _offer_selection(rows, f"Select {'it' if len(rows) == 1 else f'these {len(rows):,}'}")
    records = []
    for row, distance in zip(rows.tolist(), answer.distances.tolist(), strict=False):
        record = {"similarity": 1 - distance, **_about(current, row, names)}
        for column in current.dataset.with_role("text", "label"):
            if column.place == "table":
                name = shown_cell(column.name)
                text = _cut(current.dataset.text(column.name, row), _TEXT)
                record[name if name not in record else f"{name} (uploaded)"] = shown_cell(text)
        records.append(record)
    _show_table(records, rows, "search.nearest", ())
    left_out = (f" {counted(answer.directionless)} without a direction were left out."
                if answer.directionless else "")
    st.caption(f"Similarity: cosine in {esc_md(current.embedding.title)}; 1 is the same direction. "
               f"Exact: {counted(answer.compared)} compared.{left_out} Click a row to select it.")
    show_notes(answer.notes)


def _offer_selection(rows: np.ndarray, words: str) -> None:
    st.button(words, icon=":material/select_all:", key="search.select", on_click=state.select,
              args=(rows, ORIGIN))


def _show_table(records: list[dict[str, Any]], rows: np.ndarray, key: str,
                right: tuple[str, ...]) -> None:
    table = pa.Table.from_pylist(records)
    config: dict[str, Any] = {
        "similarity": st.column_config.NumberColumn(format="%.3f", width="small"),
        "picture": st.column_config.ImageColumn(width="small"),
        **{name: st.column_config.TextColumn(alignment="right") for name in right}}
    st.dataframe(table, hide_index=True, height=min(38 + 35 * len(records), 330), key=key,
                 on_select=lambda: _clicked(key, rows), selection_mode="single-cell",
                 column_config=config, row_height=_SIDE if "picture" in records[0] else None)


def _clicked(key: str, rows: np.ndarray) -> None:
    cells = st.session_state[key]["selection"]["cells"]
    if cells:
        state.select(rows[[cells[0][0]]], ORIGIN)


def _choose_page(rows: np.ndarray, key: str) -> np.ndarray:
    pages = -(-len(rows) // _PAGE)
    if pages < 2:
        return rows
    if st.session_state.get(key, 1) > pages:
        st.session_state[key] = 1
    page = int(st.number_input(f"Page (of {pages:,})", 1, pages, key=key, width=130,
                               label_visibility="collapsed"))
    first = _PAGE * (page - 1)
    part = rows[first:first + _PAGE]
    st.markdown(f":gray[page of {pages:,}: hits {first + 1:,} to {first + len(part):,}]",
                width="content")
    return part


def _places_texts(current: Run) -> bool:
    return current.recipe.encoding.places_texts


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most - 1]}…"
