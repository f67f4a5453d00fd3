"""What was done to the clusters so far: one line, undo and redo by name, the whole history."""

from __future__ import annotations

import time

import streamlit as st

from explorer.escape import esc_md
from explorer.run import Run
from explorer.ui import edits
from explorer.ui.problem import show_problem
from explorer.ui.rows_view import counted

_LABEL = 48


def show_steps(current: Run, names: dict[int, str]) -> None:
    """How far the clusters are from the original, and the way back, step by step."""
    found = edits.worked()
    trail = found.trail
    problem = edits.problem()
    if problem is not None:
        show_problem(problem)
    if not trail.active and not trail.undone:
        st.caption(f"The clusters are as {esc_md(current.recipe.clustering.title)} made them. "
                   "Edits make a new clustering: the original stays, and every step can be undone.")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(_status(current), width="content")
        if trail.active:
            st.button(f"Undo: {_short(edits.told(trail.active[-1], names))}", key="edit_undo",
                      icon=":material/undo:", on_click=edits.undo, args=(trail.last,))
        if trail.undone:
            st.button(f"Redo: {_short(edits.told(trail.undone[0], names))}", key="edit_redo",
                      icon=":material/redo:", on_click=edits.redo, args=(trail.last,))
        if found.changes.edits:
            st.button("Back to the original", key="edit_original", icon=":material/restart_alt:",
                      on_click=edits.back_to_original, args=(trail.last,),
                      help="As one more step: it can be undone too.")
        with st.popover("History", icon=":material/history:"):
            for number, step in enumerate(trail.active, 1):
                st.markdown(f"{number:,}. {esc_md(_line(step.at, edits.told(step, names)))}")
            for step in trail.undone:
                st.markdown(f":gray[undone: {esc_md(_line(step.at, edits.told(step, names)))}]")


def _status(current: Run) -> str:
    steps = len(current.plan.edited)
    if not steps:
        return f"As {esc_md(current.recipe.clustering.title)} made them: no row was moved."
    differ = current.rows_edited
    return (f"**Edited: {counted(steps, 'step')}**, {counted(differ)} "
            f"{'differs' if differ == 1 else 'differ'} from the original")


def _line(at: float, told: str) -> str:
    return f"{told[:1].upper() + told[1:]} · {time.strftime('%H:%M', time.gmtime(at))} UTC"


def _short(told: str) -> str:
    return esc_md(told if len(told) <= _LABEL else f"{told[:_LABEL - 1]}…")
