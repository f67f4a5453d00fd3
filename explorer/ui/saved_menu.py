"""Saving the selection under a name, and the menu of what was saved."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from explorer.escape import esc_md, shown
from explorer.run import Run
from explorer.ui import state
from explorer.ui.backend import backend
from explorer.ui.kept import Kept
from explorer.ui.rows_view import counted
from explorer.ui.saved import (
    DELETE,
    MOST,
    MOST_BYTES,
    NAME_LENGTH,
    RENAME,
    SAVE,
    Saved,
    fitting_name,
    make_saved,
    payload,
    saved_selections,
)
from explorer.workspace import Family, Operation

_saved: Kept[tuple[Saved, ...]] = Kept(64)
Attempt = Callable[[Callable[[], object]], None]
"""Does something in a callback and shows a refusal."""
_WAYS = (("Replace", "replace", "The selection becomes these rows."),
         ("Add", "add", "These rows join the selection."),
         ("Keep common", "common", "Only rows that are in both stay selected."),
         ("Take away", "take away", "These rows leave the selection."))


def offer_to_save(current: Run, attempt: Attempt) -> None:
    """A name for the rows selected now."""
    rows = state.selection().rows
    with (st.popover("Save as…", icon=":material/bookmark_add:", type="tertiary",
                     disabled=not len(rows), key="selection.save_as",
                     help="Keeps these rows in the workspace under a name."),
          st.container(width=380),
          st.form("selection.form", border=False, clear_on_submit=True)):
        st.text_input("Name of the selection", key="selection.name", max_chars=NAME_LENGTH,
                      placeholder="for example: to be checked")
        st.form_submit_button(f"Save {counted(len(rows))}", type="primary", on_click=attempt,
                              args=(lambda: save_selection(current),))
        st.caption(f"Saved in this workspace for everybody who has its address: at most {MOST:d} "
                   f"selections, {MOST_BYTES // 2**20:d} MB together.")


def show_saved(current: Run, attempt: Attempt) -> None:
    """What was saved: bring it back in one of four ways, rename it, delete it."""
    # Not only once it is open: a menu that grows after it was opened hangs out of the window.
    with (st.popover("Saved", icon=":material/bookmarks:", type="tertiary", key="selection.saved",
                     help="Selections saved in this workspace."), st.container(width=420)):
        found = {one.id: one for one in saved()}
        if not found:
            st.markdown("Nothing saved yet. Select rows, then *Save as…* keeps them here under a "
                        "name.")
            return
        chosen = st.selectbox("Saved selection", list(found), key="selection.which",
                              format_func=lambda id: _title(found[id], current))
        one = found[chosen]
        foreign = one.dataset != current.dataset.id
        with st.container(horizontal=True, gap="xsmall"):
            for label, how, words in _WAYS:
                st.button(esc_md(label), key=f"selection.{how}", help=esc_md(words),
                          disabled=foreign, on_click=attempt,
                          args=(lambda how=how: apply_saved(one, how),))
        if foreign:
            st.caption(f"These are rows of other data ({esc_md(one.dataset_name)}): they cannot be "
                       "selected here.")
        with st.form(f"selection.rename.{one.id}", border=False):
            st.text_input("Name", value=one.name, key=f"selection.renamed.{one.id}",
                          max_chars=NAME_LENGTH)
            with st.container(horizontal=True, gap="xsmall"):
                st.form_submit_button("Rename", on_click=attempt, args=(lambda: _rename(one),))
                st.form_submit_button("Delete", icon=":material/delete:", on_click=attempt,
                                      args=(lambda: log(DELETE, {"id": one.id}),))


def saved() -> tuple[Saved, ...]:
    """The saved selections of the open workspace, as they are now."""
    shelf, workspace = backend().workspaces, state.open_workspace().id
    return _saved.get((str(backend().store.root), workspace, shelf.stamp(workspace)),
                      lambda: saved_selections(_steps()))


def save_selection(current: Run) -> None:
    """Keep the rows selected now under the name typed in. Raises ParameterError, StoreError."""
    data = current.dataset
    made = make_saved(st.session_state["selection.name"], state.selection().rows, data.id,
                      data.name, data.n, _steps())
    log(SAVE, payload(made))
    st.toast(f"Saved {counted(made.count)} as {esc_md(made.name)}", icon=":material/bookmark:")


def apply_saved(one: Saved, how: str) -> None:
    """Select its rows in that way (`chosen.COMBINED`)."""
    state.select(one.rows(), "saved", how)


def log(operation: str, told: dict[str, object]) -> None:
    """Append to the log of the open workspace."""
    backend().workspaces.log(state.open_workspace().id, operation, told)


def _steps() -> tuple[Operation, ...]:
    family = Family((SAVE, RENAME, DELETE))
    return backend().workspaces.trail(state.open_workspace().id, family).active


def _rename(one: Saved) -> None:
    others = [other for other in saved() if other.id != one.id]
    log(RENAME, {"id": one.id,
                 "name": fitting_name(st.session_state[f"selection.renamed.{one.id}"], others)})


def _title(one: Saved, current: Run) -> str:
    words = f"{shown(one.name)} · {counted(one.count)}"
    return words if one.dataset == current.dataset.id else f"{words} · of other data"
