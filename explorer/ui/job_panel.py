"""Jobs on screen: progress, estimate, cancel; polls by itself while something runs."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explorer.escape import esc_md
from explorer.jobs import JobView, Step
from explorer.ui.backend import backend
from explorer.ui.problem import show_problem
from explorer.ui.state import open_workspace

_MOVING = ("queued", "running")


def submit(steps: Sequence[Step]) -> None:
    """Queue these steps for this workspace."""
    if steps:
        backend().jobs.submit(steps, open_workspace().id)


def watch(steps: Sequence[Step], what: str) -> bool:
    """Show how far these missing steps are. True while any of them waits or runs; the page reruns
    by itself when that changes. A failed step shows its reason."""
    views = backend().jobs.views([step.key for step in steps])
    moving = any(view.state in _MOVING for view in views.values())
    if moving:
        _poll([step.key for step in steps], what)
        return True
    for view in views.values():
        _show_end(view)
    return False


@st.fragment(run_every=0.5)
def _poll(keys: list[str], what: str) -> None:
    views = backend().jobs.views(keys)
    if not any(view.state in _MOVING for view in views.values()):
        st.rerun()
    with st.container(border=True, key="jobs"):
        left, right = st.columns([5, 1], vertical_alignment="center")
        left.markdown(f"**{esc_md(what)}**{_overall(list(views.values()))}")
        if right.button("Cancel", key="cancel_jobs", icon=":material/stop_circle:"):
            backend().jobs.cancel(keys, open_workspace().id)
        for key in keys:
            if key in views:
                _show_progress(views[key])
        if not backend().jobs.engine_alive():
            st.warning("The engine is starting. Waiting steps begin as soon as it is up.")


def _show_progress(view: JobView) -> None:
    if view.state == "running":
        left = f" · about {_seconds(view.remaining)} left" if view.remaining is not None else ""
        st.progress(min(max(view.fraction, 0.0), 1.0),
                    text=f"{esc_md(view.title)}: {esc_md(view.text or 'started')} · "
                         f"{_seconds(view.elapsed)}{left}")
    elif view.state == "queued":
        ahead = f", {view.ahead} before it" if view.ahead else ""
        st.caption(f":material/schedule: {esc_md(view.title)} waits{ahead} · "
                   f"about {_seconds(view.expected)}")
    elif view.state == "done":
        st.caption(f":material/check_circle: {esc_md(view.title)} · {_seconds(view.elapsed)}")
    else:
        _show_end(view)


def _show_end(view: JobView) -> None:
    if view.state == "cancelled":
        st.info(f"{esc_md(view.title)} was cancelled. What was done before is kept.",
                icon=":material/stop_circle:")
    elif view.error is not None and view.error.code != "STEP_BEFORE_FAILED":
        st.markdown(f"**{esc_md(view.title)}** did not finish:")
        show_problem(view.error)


def _overall(views: list[JobView]) -> str:
    left = sum(view.remaining if view.remaining is not None else view.expected
               for view in views if view.state in _MOVING)
    return f" · about {_seconds(left)} in all" if left else ""


def _seconds(seconds: float) -> str:
    """'under 1 s', '12 s', '3 min 20 s', '2 h 5 min'."""
    whole = round(seconds)
    if whole < 1:
        return "under 1 s"
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


seconds_in_words = _seconds
