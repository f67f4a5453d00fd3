"""Finding rows: by words in their cells, by meaning, by an image, by values."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from explorer import values
from explorer.errors import ExplorerError
from explorer.escape import esc_md, shown
from explorer.queries import Answer, meaning_step
from explorer.run import Run
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
from explorer.ui.backend import backend
from explorer.ui.cells import shown_cell
from explorer.ui.filter_view import show_filter
from explorer.ui.job_panel import submit, watch
from explorer.ui.kept import Kept
from explorer.ui.problem import show_problem
from explorer.ui.rows_view import counted
from explorer.ui.search_hits import about, cut, keep, offer_selection, show_answer, show_table
from explorer.ui.search_image import show_image_search

_WORDS, _MEANING, _IMAGE = "Words", "Meaning", "Image"
_SENTENCE = "a photo of {}"
_ALL = ""
_PAGE = 50
_NO_MATCH = 1_000
_HELP = ("Type words and press Enter: rows with all of them are found, whatever the case and "
         'accents, also within longer words. Put "several words" into quotes for a phrase. '
         "A row's id finds the row.")
_columns: Kept[Any] = Kept(300_000_000, lambda column: int(column.nbytes))
_found: Kept[Found] = Kept(64_000_000, lambda found: found.rows.nbytes + _NO_MATCH)


def show_search(current: Run, names: dict[int, str]) -> None:
    """The search line, what it finds, and the filter."""
    by_words = bool(searched_columns(current.dataset))
    ways = [_WORDS, _MEANING, *([_IMAGE] if current.dataset.has_images else [])]
    if st.session_state.get("search.how.kept", _WORDS) not in ways:
        st.session_state.pop("search.how", None)
        st.session_state.pop("search.how.kept", None)
    column, typed = "", ""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        how = keep("search.how", _WORDS if by_words else _MEANING, lambda key: (
            st.segmented_control("Search by", ways, key=key, required=True,
                                 label_visibility="collapsed", width="content")))
        if how == _WORDS:
            typed = keep("search.words", "", lambda key: st.text_input(
                "Words", key=key, label_visibility="collapsed", max_chars=LONGEST, type="search",
                placeholder='words, "a phrase", or a row\'s id', disabled=not by_words,
                icon=":material/search:"))
            column = _choose_column(current)
        elif how == _MEANING:
            typed = _ask_meaning(current)
    try:
        if how == _MEANING:
            _show_meaning(current, typed, names)
        elif how == _IMAGE:
            show_image_search(current, names)
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


def _ask_meaning(current: Run) -> str:
    """What is asked; words for images within the sentence they are put into."""
    try:
        able = current.recipe.encoding.places_words(current.dataset)
    except ExplorerError:  # the model is gone: below, it says so
        able = False
    images = able and current.recipe.encoding.places_pictures(current.dataset)
    typed: str = keep("search.meaning", "", lambda key: st.text_input(
        "Meaning", key=key, label_visibility="collapsed", max_chars=LONGEST,
        type="search", icon=":material/search:", disabled=not able,
        placeholder="what the images should show: a few words" if images else
        "what the rows should be about: a sentence or a few words"))
    if not (images and typed.strip()):
        return typed
    sentence: str = keep("search.sentence", _SENTENCE, lambda key: st.text_input(
        "Sentence", key=key, label_visibility="collapsed", max_chars=LONGEST, width=220,
        icon=":material/format_quote:", help="Your words stand for {}: such models know images by "
                                             "their captions. Leave {} alone to search for the "
                                             "words as they are."))
    return sentence.replace("{}", typed) if "{}" in sentence else typed


def _choose_column(current: Run) -> str:
    columns = [_ALL, *searched_columns(current.dataset)]
    if st.session_state.get("search.column.kept") not in columns:
        st.session_state.pop("search.column", None)
        st.session_state.pop("search.column.kept", None)
    chosen: str = keep("search.column", _ALL, lambda key: st.selectbox(
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
    show_table(records, part, "search.hits", ("before",))
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
            offer_selection(rows, "Select it" if len(rows) == 1 else f"Select all {len(rows):,}")
        part = _choose_page(rows, "search.page")
    if len(query.terms) > 1:
        each = ", ".join(f"{esc_md(cut(term, 40))}: {count:,}"
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
    record = about(current, row, names)
    said = snippet(current.dataset, row, query, columns)
    if said is None:
        column, before, match, after = "", "", "the row's id" if row == found.named else "", ""
    else:
        column, before, match, after = said.column, said.before, said.match, said.after
    return record | {"column": shown_cell(column), "before": shown_cell(before),
                     "match": shown_cell(match), "after": shown_cell(after)}


def _show_meaning(current: Run, typed: str, names: dict[int, str]) -> None:
    if not current.recipe.encoding.places_words(current.dataset):
        st.caption(f"These rows were placed by {esc_md(current.recipe.encoding.title)}, which "
                   "cannot place a typed text among them. To search by meaning, use a text encoder "
                   "in the recipe, or for images CLIP or SigLIP. Here you can search by words, "
                   "filter by values, or click a row on the map and open Neighbours: the rows most "
                   "like it.")
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
    show_answer(current, values.read(Answer, entry), names)


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
