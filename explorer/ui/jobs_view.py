"""Job records as a table that keeps itself up to date."""

from __future__ import annotations

import datetime

import streamlit as st

from explorer.jobs import JobView
from explorer.ui.backend import backend
from explorer.ui.job_panel import seconds_in_words
from explorer.ui.problem import problems_shown


@st.fragment(run_every=1.0)
def show_jobs(owner: str) -> None:
    """What this workspace asked for: state, time, and the reason where something failed."""
    with problems_shown():
        _show(owner)


def _show(owner: str) -> None:
    views = backend().jobs.owned(owner)
    alive = backend().jobs.engine_alive()
    st.caption("The engine is running." if alive else "The engine is starting or stopped; waiting "
                                                      "jobs begin when it is up.")
    if not views:
        st.caption("Nothing has been computed in this workspace yet.")
        return
    rows = [{
        "step": view.title, "state": view.state,
        "progress": view.fraction if view.state == "running" else None,
        "took": seconds_in_words(view.elapsed) if view.elapsed else "",
        "asked for": datetime.datetime.fromtimestamp(view.submitted).strftime("%H:%M:%S"),
        "says": _words(view),
    } for view in views]
    st.dataframe(rows, hide_index=True, height="content" if len(rows) < 16 else 560, column_config={
        "progress": st.column_config.ProgressColumn("progress", format="percent",
                                                    min_value=0.0, max_value=1.0)})
    moving = [view.key for view in views if view.state in ("queued", "running")]
    if moving and st.button("Cancel all", icon=":material/stop_circle:"):
        backend().jobs.cancel(moving, owner)


def _words(view: JobView) -> str:
    if view.error is not None:
        return str(view.error)
    return view.text if view.state in ("queued", "running") else ""
