"""A training under way: its curves, its reconstructions, and the buttons that end it."""

from __future__ import annotations

import time
from dataclasses import dataclass

import streamlit as st

from explorer.encode.trained import TrainedEncoder
from explorer.escape import esc_md
from explorer.jobs import JobView, Step
from explorer.run import Run
from explorer.train.files import Live
from explorer.ui import train_ask
from explorer.ui.backend import backend
from explorer.ui.job_panel import about, seconds_in_words
from explorer.ui.problem import problems_shown
from explorer.ui.train_ask import files_of
from explorer.ui.train_course import Course, course_of_live, held_back, live_of
from explorer.ui.train_figures import show_course

_MOVING = ("queued", "running")
_DRAWN, _CALM_SECONDS = "train_drawn", 3.0


@dataclass(frozen=True)
class Training:
    """The network of a run that is being trained, and the steps the run still lacks."""

    method: TrainedEncoder
    run: Run
    missing: tuple[Step, ...]

    @property
    def model(self) -> str:
        """The key of the network."""
        return str(self.run.plan.model)

    @property
    def step(self) -> Step | None:
        """The training, where it is missing."""
        return next((step for step in self.missing if step.key == self.model), None)


def is_moving(training: Training) -> bool:
    """Whether the network waits or is being trained."""
    view = backend().jobs.view(training.model)
    return training.step is not None and view is not None and view.state in _MOVING


@st.fragment(run_every=1.0)
def watch_training(training: Training) -> None:
    """All there is to see of it; looks again every second, and the page reruns when it is over."""
    with problems_shown():
        _show(training)


def _show(training: Training) -> None:
    views = backend().jobs.views([step.key for step in training.missing])
    view = views.get(training.model)
    if view is None or view.state not in _MOVING:
        st.rerun()
        return
    method = training.method
    live = live_of(files_of(method))
    with st.container(border=True, key="train_panel"):
        _show_head(training, live)
        if view.state == "queued" or live is None:
            _show_waiting(training, views, view)
        if live is not None:
            _show_numbers(training, live, view)
            course = course_of_live(files_of(method), live, _names(training.run))
            show_course(course, f"live.{training.model}", calm=_calm(course), follow=True)
        if not backend().jobs.engine_alive():
            st.warning("The engine is starting. The training begins as soon as it is up.")


def _show_head(training: Training, live: Live | None) -> None:
    method = training.method
    left, right = st.columns([3, 2], vertical_alignment="center")
    title = f"**{esc_md(method.title)}** is being trained"
    if method.stop_after is not None and method.stop_after < method.epochs:
        title += f", up to epoch {method.stop_after:,}; the best epoch is kept"
    left.markdown(title)
    stopping = st.session_state.get("stopping") == [step.key for step in training.missing]
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        after = (live.epoch if live is not None else 0) + 1
        st.button("Stop and keep the best", key="train_stop", type="primary",
                  icon=":material/front_hand:", on_click=train_ask.stop_and_keep,
                  args=(method, after, training.missing),
                  disabled=live is None or after >= (method.stop_after or method.epochs),
                  help=f"Ends the training after epoch {after:,}, the one under way, and keeps the "
                       "network of the best epoch so far. The recipe notes where it was stopped, "
                       "so that it gives the same network again.")
        st.button("Stopping" if stopping else "Cancel", key="train_cancel", disabled=stopping,
                  icon=":material/stop_circle:", on_click=train_ask.cancel,
                  args=(training.missing,),
                  help="Leaves the training as it stands, without a network: it can go on later "
                       "from where it was saved last (every few seconds).")


def _show_waiting(training: Training, views: dict[str, JobView], view: JobView) -> None:
    """Before the first epoch is over: what it waits for."""
    reading = views.get(str(training.run.plan.read))
    if reading is not None and reading.state == "running":
        st.progress(min(max(reading.fraction, 0.01), 1.0),
                    text=f"Reading the rows first: {esc_md(reading.text or 'started')}")
    elif view.state == "queued":
        ahead = f"Other jobs come first: {view.ahead:,}." if view.ahead else "It begins next."
        st.caption(f":material/schedule: Waiting. {ahead} {esc_md(view.text)}")
    else:
        st.progress(min(max(view.fraction, 0.01), 1.0),
                    text=f"{esc_md(view.text or 'building the network')} · "
                         f"{seconds_in_words(view.elapsed)}. Curves appear after the first epoch.")


def _show_numbers(training: Training, live: Live, view: JobView) -> None:
    method = training.method
    last = min(method.stop_after or live.epochs, live.epochs)
    course = course_of_live(files_of(method), live, ())
    pace = live.seconds / max(live.epoch, 1)
    left = pace * max(0, last - live.epoch)
    rows = training.run.read.vectors.shape[0] if training.run.read is not None else 0
    st.progress(min(live.epoch / max(last, 1), 1.0),
                text=f"Epoch **{live.epoch:,}** of {last:,}"
                     + (f" · {about(left)} left, less if it stops improving"
                        if left and view.state == "running" else "" if left
                        else " · keeping the best one"))
    held = held_back(method, rows)
    whose = f"{held:,} rows held back" if held else "the rows learned from"
    best = course.best_loss
    said = [f"Best epoch **{live.best_epoch:,}**" + (
                f" (loss {best:.4g} on {whose})" if best is not None else ""),
            f"{_pace(pace)} an epoch", f"batches of {live.batch:,} rows"]
    usual = min(method.batch_for(rows), rows - held)
    if 0 < live.batch < usual:
        said[-1] += f" (memory did not suffice for {usual:,})"
    if method.patience:
        from_epoch = max(live.best_epoch, int(method.rising * method.epochs))
        without = max(0, live.epoch - from_epoch)
        said.append(f"{without:,} of {method.patience:,} epochs without a better one before it "
                    "stops by itself")
    st.caption(" · ".join(said))


def _calm(course: Course) -> Course:
    """As it was up to three seconds ago: Plotly draws a changed figure from nothing, which at every
    epoch of a quick training would be a flicker."""
    before: tuple[float, Course] | None = st.session_state.get(_DRAWN)
    now = time.monotonic()
    if (before is not None and now - before[0] < _CALM_SECONDS
            and before[1].folder == course.folder and before[1].epoch <= course.epoch):
        return before[1]
    st.session_state[_DRAWN] = (now, course)
    return course


def _pace(seconds: float) -> str:
    return f"{seconds:.2g} s" if seconds < 10 else seconds_in_words(seconds)


def _names(run: Run) -> tuple[str, ...]:
    return run.read.features if run.read is not None else ()


def unfinished(training: Training) -> Course | None:
    """What there was to see of a training that was cut off."""
    live = live_of(files_of(training.method))
    return None if live is None else course_of_live(
        files_of(training.method), live, _names(training.run))


def reached_by(method: TrainedEncoder) -> int:
    """The epoch a training that was cut off goes on from; 0 where it begins anew."""
    return files_of(method).reached()
