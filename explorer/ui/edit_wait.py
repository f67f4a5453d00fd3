"""Edited clusters are shown at once; what is still computed about them says so, and comes by
itself."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explorer.escape import esc_md
from explorer.jobs import JobView, Step
from explorer.run import Run
from explorer.ui.backend import backend
from explorer.ui.edits import undo, worked
from explorer.ui.job_panel import about, submit
from explorer.ui.problem import problems_shown, show_problem

_MOVING = ("queued", "running")
_LATER = ("judge", "describe")


def only_scores(current: Run, missing: Sequence[Step]) -> bool:
    """Whether an edited clustering is there and only what is said about it is missing."""
    return bool(current.plan.edited) and all(step.kind in _LATER for step in missing)


def show_edit_jobs(missing: Sequence[Step]) -> None:
    """One line while an edit or the scores after it are computed; the page reruns when they are
    there. `missing`: the scores that are missing of what is shown."""
    found = worked()
    if found.waiting:
        made = [step for step in found.waiting if step.kind == "edit"]
        if not _watched(made, "Splitting; the map shows the clusters before it"):
            st.markdown("**This edit could not be done:** "
                        + esc_md(str(found.trail.active[-1].payload.get("told", ""))))
            _show_reasons(made)
            left, right, _ = st.columns([1, 1, 3])
            left.button("Take it back", type="primary", icon=":material/undo:", key="edit_failed",
                        width="stretch", on_click=undo, args=(found.trail.last,))
            right.button("Try again", icon=":material/refresh:", key="edit_again", width="stretch",
                         on_click=submit, args=(found.waiting,))
    elif missing and not _watched(missing, "Scores and descriptions of the edited clusters"):
        _show_reasons(missing)
        left, right = st.columns([4, 1], vertical_alignment="center")
        left.caption("The scores of the edited clusters are not computed.")
        right.button(f"Compute them ({about(sum(step.seconds for step in missing))})",
                     key="edit_scores", width="stretch", on_click=submit, args=(tuple(missing),))


def _watched(steps: Sequence[Step], what: str) -> bool:
    """Whether these steps wait or run; a line about them then."""
    keys = [step.key for step in steps]
    if not any(view.state in _MOVING for view in backend().jobs.views(keys).values()):
        return False
    _poll(keys, what)
    return True


@st.fragment(run_every=0.5)
def _poll(keys: list[str], what: str) -> None:
    with problems_shown():
        views = backend().jobs.views(keys)
        moving = [view for view in views.values() if view.state in _MOVING]
        if not moving:
            st.rerun()
        running = [view for view in moving if view.state == "running"]
        st.caption(f":material/hourglass_empty: {what}: being computed"
                   + "".join(f" · {_line(view)}" for view in running or moving[:1]))


def _line(view: JobView) -> str:
    return f"{esc_md(view.title)} {view.fraction:.0%}"


def _show_reasons(steps: Sequence[Step]) -> None:
    views = backend().jobs.views([step.key for step in steps])
    for view in views.values():
        if view.error is not None and view.error.code != "STEP_BEFORE_FAILED":
            show_problem(view.error)
