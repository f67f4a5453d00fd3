"""Honest empty pages: what would be here, and the one thing to do."""

from __future__ import annotations

import streamlit as st

from explorer.run import Run
from explorer.ui import state
from explorer.ui.edit_wait import only_scores, show_edit_jobs
from explorer.ui.job_panel import about, submit, watch


def no_data(words: str) -> None:
    """The page of a workspace without data."""
    st.markdown(words)
    st.markdown("There is no data yet.")
    if st.button("Bring data", type="primary", icon=":material/upload_file:"):
        state.go_to("pages/data/bring.py")


def ready(words: str, *, whole: bool = False) -> Run | None:
    """The finished run, or None after showing what is missing and how to get it. Of clusters edited
    by hand the scores may still be on their way, in a line that says so; with `whole` the page
    waits for them too."""
    if state.dataset() is None:
        no_data(words)
        return None
    current = state.current_run()
    if current is None:
        st.markdown(words)
        st.markdown("Nothing has been computed yet.")
        left, right, _ = st.columns([1, 1, 2])
        if left.button("See the proposal", type="primary", width="stretch"):
            state.go_to("pages/data/bring.py")
        if right.button("Open the recipe", icon=":material/tune:", width="stretch"):
            state.go_to("pages/explore/recipe.py")
        return None
    missing = state.missing(current)
    if not whole and only_scores(current, missing):
        show_edit_jobs(missing)
        return current
    if missing:
        if not watch(missing, "Computing the recipe"):
            left, right, _ = st.columns([1, 1, 2])
            seconds = about(sum(step.seconds for step in missing))
            if left.button(f"Run ({seconds})", type="primary", width="stretch",
                           icon=":material/play_arrow:"):
                submit(missing)
                st.rerun()
            if right.button("Change the recipe", icon=":material/tune:", width="stretch"):
                state.go_to("pages/explore/recipe.py")
        return None
    show_edit_jobs(())
    return current
