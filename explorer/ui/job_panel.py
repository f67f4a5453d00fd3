"""Jobs on screen: progress, estimate, cancel; polls by itself while something runs."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explorer.escape import esc_md
from explorer.jobs import JobView, Step
from explorer.ui.backend import backend
from explorer.ui.problem import problems_shown, show_problem
from explorer.ui.state import open_workspace

_MOVING = ("queued", "running")


def submit(steps: Sequence[Step]) -> None:
    """Queue these steps for this workspace."""
    st.session_state.pop("stopping", None)
    if steps:
        backend().jobs.submit(steps, open_workspace().id)


def watch(steps: Sequence[Step], what: str, place: str = "") -> bool:
    """Show how far these missing steps are. True while any of them waits or runs; the page reruns
    by itself when that changes. A failed step shows its reason. `place` tells several on one page
    apart."""
    views = backend().jobs.views([step.key for step in steps])
    moving = any(view.state in _MOVING for view in views.values())
    if moving:
        _poll([step.key for step in steps], what, place)
        return True
    _show_ends([views[step.key] for step in steps if step.key in views])
    return False


@st.fragment(run_every=0.5)
def _poll(keys: list[str], what: str, place: str) -> None:
    with problems_shown():
        _show_jobs(keys, what, place)


def _show_jobs(keys: list[str], what: str, place: str) -> None:
    views = backend().jobs.views(keys)
    if not any(view.state in _MOVING for view in views.values()):
        st.rerun()
    with st.container(border=True, key=f"jobs{place}"):
        left, right = st.columns([5, 1], vertical_alignment="center")
        shown = [views[key] for key in keys if key in views]
        left.markdown(f"**{esc_md(what)}**{_overall(shown)}")
        if right.button("Cancel", key=f"cancel_jobs{place}", icon=":material/stop_circle:",
                        width="stretch"):
            backend().jobs.cancel(keys, open_workspace().id)
            st.session_state["stopping"] = keys
        for view in shown:
            if view.state == "running":
                _show_progress(view, st.session_state.get("stopping") == keys)
        _show_rest(shown)
        if not backend().jobs.engine_alive():
            st.warning("The engine is starting. Waiting steps begin as soon as it is up.")


def _show_progress(view: JobView, stopping: bool) -> None:
    said = "stopping" if stopping else esc_md(view.text or "started")
    left = ""
    if view.remaining is not None and not stopping:
        left = f" · {about(view.remaining)} left" if view.remaining else " · longer than expected"
    st.progress(min(max(view.fraction, 0.01), 1.0),
                text=f"{esc_md(view.title)}: {said} · {_seconds(view.elapsed)}{left}")


def _show_rest(views: Sequence[JobView]) -> None:
    """What is done and what waits, a line each: a step that moves on moves nothing else."""
    done = [f"{esc_md(view.title)} ({_seconds(view.elapsed)})" for view in views
            if view.state == "done"]
    waiting = [view for view in views if view.state == "queued"]
    if done:
        st.caption(f":material/check_circle: Done: {', '.join(done)}")
    if waiting:
        others = min(view.ahead for view in waiting)
        first = f" Other jobs come first: {others:,}." if others else ""
        st.caption(f":material/schedule: Waiting: "
                   f"{', '.join(esc_md(view.title) for view in waiting)}.{first}")
    for said in dict.fromkeys(view.text for view in waiting if view.text):
        st.caption(f":material/hourglass_empty: {esc_md(said)}")
    if not any(view.state == "running" for view in views):
        _show_ends(views)


def _show_ends(views: Sequence[JobView]) -> None:
    stopped = [esc_md(view.title) for view in views if view.state == "cancelled"]
    if stopped:
        st.info(f"Cancelled: {', '.join(stopped)}. What was done before is kept.",
                icon=":material/stop_circle:")
    failed: dict[str, list[JobView]] = {}
    for view in views:
        if view.state in ("failed", "interrupted") and view.error is not None \
                and view.error.code != "STEP_BEFORE_FAILED":
            failed.setdefault(str(view.error), []).append(view)
    for same in failed.values():  # a restarted server interrupts all steps with one reason
        titles = ", ".join(esc_md(view.title) for view in same)
        st.markdown(f"**{titles}** did not finish:")
        if same[0].error is not None:
            show_problem(same[0].error)


def _overall(views: Sequence[JobView]) -> str:
    left = sum(view.remaining if view.remaining is not None else view.expected
               for view in views if view.state in _MOVING)
    return f" · {about(left)} to go" if left else ""


def about(seconds: float) -> str:
    """'under 1 s', 'about 12 s', 'about 3 min 20 s': an estimate in words."""
    return f"{'about ' if round(seconds) >= 1 else ''}{_seconds(seconds)}"


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
