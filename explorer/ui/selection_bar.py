"""One line under the views: how many rows are selected, and what can be done with them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from explorer.errors import ExplorerError
from explorer.escape import esc_md
from explorer.run import Run
from explorer.ui import marks, state
from explorer.ui.chosen import BYTES, STEPS, Step
from explorer.ui.links import save_view, show_address
from explorer.ui.problem import show_problem
from explorer.ui.rows_view import counted
from explorer.ui.saved_menu import offer_to_save, show_saved

_REFUSED = "selection_refused"


def show_selection_bar(current: Run) -> None:
    """'n of N rows selected' with undo, redo, invert, clear, export, saved selections and a link;
    below it the filter in force."""
    rows, past = state.selection().rows, state.past_selections()
    with st.container(key="selection_bar", horizontal=True, vertical_alignment="center",
                      gap="xsmall"):
        with st.container(width="content"):
            st.markdown(f"**{len(rows):,}** of {counted(current.dataset.n)} selected")
        st.button("Undo", icon=":material/undo:", key="selection.undo", type="tertiary",
                  disabled=not past.before, on_click=state.undo_selection,
                  help=f"{_brings(past.before)} The last {STEPS:d} selections of this tab are "
                       f"kept, at most {BYTES // 2**20:d} MB of them.")
        st.button("Redo", icon=":material/redo:", key="selection.redo", type="tertiary",
                  disabled=not past.after, on_click=state.redo_selection,
                  help=_brings(past.after))
        st.button("Invert", icon=":material/flip:", key="selection.invert", type="tertiary",
                  on_click=_invert, args=(current,),
                  help="Selects the rows shown on the map that are not selected now.")
        st.button("Clear", icon=":material/close:", key="selection.clear", type="tertiary",
                  disabled=not len(rows), on_click=state.forget_selection,
                  help="Selects nothing.")
        if st.button("Export", icon=":material/download:", key="selection.export", type="tertiary",
                     disabled=not len(rows), help="To the export page, with these rows."):
            state.go_to("pages/take/export.py")
        offer_to_save(current, attempt)
        show_saved(current, attempt)
        st.button("Link", icon=":material/link:", key="selection.link", type="tertiary",
                  on_click=attempt, args=(lambda: save_view(current, None, ()),),
                  help="Makes an address that opens exactly this view: data, recipe, colouring, "
                       "filter and selection.")
    refused: ExplorerError | None = st.session_state.pop(_REFUSED, None)
    if refused is not None:
        show_problem(refused)
    show_address()
    _show_filter(current)


def attempt(act: Callable[[], object]) -> None:
    """Do something in a callback; a refusal is shown under the bar."""
    try:
        act()
    except ExplorerError as error:
        st.session_state[_REFUSED] = error


def _brings(steps: list[Step]) -> str:
    if not steps:
        return "There is nothing to bring back."
    count = steps[-1].count
    return f"Brings back {counted(count)} selected." if count else "Brings back: nothing selected."


def _invert(current: Run) -> None:
    passing = marks.filtered()
    shown = current.rows if passing is None else np.intersect1d(current.rows, passing)
    state.select(np.setdiff1d(shown, state.selection().rows), "bar")


def _show_filter(current: Run) -> None:
    """While a filter hides rows, the page says so wherever one is on it."""
    found = marks.filter_in_force()
    if found is None:
        return
    with st.container(key="filter_line", horizontal=True, vertical_alignment="center",
                      gap="xsmall"):
        with st.container(width="content"):
            st.markdown(f":material/filter_alt: Filter: **{len(found.rows):,}** of "
                        f"{counted(current.dataset.n)} shown ({esc_md(found.words)})")
        st.button("Clear the filter", icon=":material/filter_alt_off:", type="tertiary",
                  key="filter.clear", on_click=_clear_filter)


def _clear_filter() -> None:
    from explorer.ui.filter_state import clear_filter

    clear_filter()
