"""The selected rows: what sets them apart, and the rows themselves."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.run import Run
from explorer.ui import state
from explorer.ui.offers import show_offers
from explorer.ui.rows_view import show_row, show_rows
from explorer.ui.summary_view import show_summary

_KEY = "selected"
_SHOWN = "selected.shown"


def show_selection(current: Run, names: dict[int, str]) -> None:
    """What is selected on any view, with quick choices when nothing is."""
    chosen = state.selection().rows
    rows = _shown(current, chosen)
    if not len(rows):
        show_offers(current, names)
        return
    if len(rows) == 1:
        show_row(current, int(rows[0]), names)
        return
    left, right = st.columns([4, 11], gap="medium")
    with left:
        if len(chosen) < len(rows):
            _lead_back(rows, chosen)
        if len(chosen) == 1:
            show_row(current, int(chosen[0]), names, narrow=True)
        elif len(chosen):
            show_summary(current, chosen, names)
    with right:
        show_rows(current, rows, names, _KEY)


def _shown(current: Run, chosen: np.ndarray) -> np.ndarray:
    """The rows to look at: the selection, or what it was before rows were chosen among them here.
    Else the first click on a picture would leave that one alone on the page."""
    dataset, held = st.session_state.get(_SHOWN, ("", chosen))
    inside = dataset == current.dataset.id and state.selection().origin == _KEY and \
        np.isin(chosen, held).all()
    if not inside:
        held = chosen
        st.session_state[_SHOWN] = (current.dataset.id, held)
    rows: np.ndarray = held
    return rows


def _lead_back(rows: np.ndarray, chosen: np.ndarray) -> None:
    with st.container(horizontal=True, gap="small"):
        st.button(f"Select all {len(rows):,} again", key="selected.all", on_click=state.select,
                  args=(rows, "selected.all"))
        if len(chosen) > 1:
            st.button(f"Show only these {len(chosen):,}", key="selected.only",
                      on_click=state.select, args=(chosen, "selected.only"))
