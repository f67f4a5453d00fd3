"""Cards for what keeps a workspace from being shown, with the way out where there is one."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from functools import partial

import streamlit as st

from explorer.backups import Backup, list_backups
from explorer.disk import size_in_words
from explorer.errors import ExplorerError
from explorer.escape import esc_md
from explorer.imports import Kept, kept_step, sample_step
from explorer.jobs import Step
from explorer.load import SAMPLES
from explorer.restore import restore, start_empty
from explorer.store import home
from explorer.ui import state
from explorer.ui.backend import backend, open_again
from explorer.ui.bring import show_import
from explorer.ui.problem import problems_shown, show_problem
from explorer.ui.reading import kept_files, kept_options, start

_AGAIN = ("HOME_GONE", "READ_ONLY", "NEWER_VERSION", "DISK", "DISK_FULL", "BUSY", "TOO_MANY_FILES")
_DONE = "brought_back"


def show_trouble(error: ExplorerError) -> None:
    """The card for why there is nothing to show, and what can be done about it here."""
    if error.code == "NO_DATASET":
        _offer_reading(error)
        return
    show_problem(error)
    if error.code == "DAMAGED":
        _offer_backups(error.where.entry)
    elif error.code in _AGAIN:
        st.button("Try again", icon=":material/refresh:", on_click=open_again)
    elif st.button("Start with new data", icon=":material/add:"):
        state.start_over()
        st.rerun()


def show_read_only() -> None:
    """One line above every page while nothing can be saved; nothing when it can."""
    shared = backend()
    if not shared.workspaces.read_only:
        if shared.read_only:  # it was when the server started: engine and backups begin now
            open_again()
            st.rerun()
        return
    st.warning("The folder of results and workspaces cannot be written: what is there can be "
               "looked at, nothing can be computed or saved.", icon=":material/lock:")


def show_done() -> None:
    """Once after a backup was brought back: where that lies which it took the place of."""
    said = st.session_state.pop(_DONE, None)
    if said:
        st.success(esc_md(said), icon=":material/check_circle:")


def _offer_backups(workspace: str | None) -> None:
    copies = list_backups(home())
    what = "this workspace" if workspace else "all workspaces"
    if copies:
        st.markdown(f"Bring back {what} as of:")
    for copy in copies:
        left, right = st.columns([2, 3], vertical_alignment="center")
        left.button(_when(copy.at), key=f"restore.{copy.name}", disabled=copy.workspaces is None,
                    icon=":material/history:", width="stretch",
                    on_click=partial(_bring_back, copy, workspace))
        right.caption(_told(copy))
    if not copies:
        st.caption("There is no backup yet.")
    if workspace is None:
        st.button("Start with an empty workspace file", icon=":material/add:",
                  on_click=partial(_bring_back, None, None),
                  help="The damaged file is moved aside, not deleted.")
    elif st.button("Start with new data", icon=":material/add:"):
        state.start_over()
        st.rerun()


def _bring_back(copy: Backup | None, workspace: str | None) -> None:
    with problems_shown():
        aside = restore(home(), copy.name, workspace) if copy else start_empty(home())
        open_again()
        st.session_state[_DONE] = (
            f"{f'Brought back as of {_when(copy.at)}' if copy else 'Started anew'}. What was there "
            f"before lies in backups/{aside.name}.")


def _offer_reading(error: ExplorerError) -> None:
    """The data set is gone; the upload it was read from may still be there."""
    importing = state.document().importing
    if importing:
        show_import(importing)
        return
    show_problem(error)
    again = _reader()
    if again is not None:
        st.markdown("Its source is still here. Read again it is the same data set, with your "
                    "recipe and names as they were.")
        if st.button("Read it again", icon=":material/refresh:", type="primary"):
            with problems_shown():
                start(again(), dict(state.document().upload))
    if st.button("Start with new data", icon=":material/add:"):
        state.start_over()
        st.rerun()


def _reader() -> Callable[[], Step] | None:
    """How to make the step that reads the source again; None when that is gone too."""
    files = kept_files()
    if files and all((backend().folder / "uploads" / file.sha256).exists() for file in files):
        return partial(_kept_step, files)
    steps = [sample_step(sample.key, sample.title) for sample in SAMPLES]
    found = [step for step in steps if step.key == state.document().source]
    return (lambda: found[0]) if found else None


def _kept_step(files: list[Kept]) -> Step:
    return kept_step(files, kept_options(), backend().folder)


def _when(at: float) -> str:
    return datetime.datetime.fromtimestamp(at).strftime("%d %b %Y, %H:%M:%S")


def _told(copy: Backup) -> str:
    if copy.workspaces is None:
        return "This copy cannot be used."
    count = f"{copy.workspaces:,} workspace{'' if copy.workspaces == 1 else 's'}"
    return f"{count}, {size_in_words(copy.bytes)}"
