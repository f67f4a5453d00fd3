"""Whose neighbours are asked for, and the answer: at once, or by a job that is watched."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from explorer import values
from explorer.errors import ExplorerError
from explorer.neighbors.nearest_to import MOST
from explorer.queries import Answer, at_once, default_metric, find_nearest, nearest_step
from explorer.run import Run
from explorer.ui import state
from explorer.ui.backend import backend
from explorer.ui.job_panel import submit, watch
from explorer.ui.kept import Kept
from explorer.ui.marks import Lines, set_lines

ORIGIN, GALLERY = "neighbours", "neighbours.gallery"
LEAST, USUAL = 5, 15
_TRAIL = 20
_ASKED, _COUNT, _METRIC = "neighbors.asked", "neighbors.count", "neighbors.metric"
_DRAWN = "neighbors.lines"
_answers: Kept[Answer] = Kept(1_000)


@dataclass(frozen=True)
class Asked:
    """The dataset rows asked about (int64, ascending), the rows gone through before (the last one
    last), and the selection the panel itself made, which does not change the question."""

    dataset: str
    rows: np.ndarray
    trail: tuple[int, ...]
    ours: np.ndarray


@dataclass(frozen=True)
class Question:
    """What is asked now: `places` of the rows in the embedding (int64, ascending), how many
    neighbours, by which metric."""

    places: np.ndarray
    count: int
    metric: str


def follow(current: Run) -> Asked:
    """The rows asked about: the selection, unless this panel made it."""
    selected = state.selection()
    chosen = selected.rows
    held: Asked | None = st.session_state.get(_ASKED)
    if held is None or held.dataset != current.dataset.id \
            or not np.array_equal(chosen, held.ours):
        # A click in the panel's own gallery goes on from where one was.
        gone_on = held is not None and selected.origin == GALLERY and len(chosen) == 1
        held = Asked(current.dataset.id, chosen, _with(held) if held and gone_on else (), chosen)
        st.session_state[_ASKED] = held
    return held


def go_to(row: int, back_to: int | None = None) -> None:
    """Ask about this dataset row and select it; `back_to`: how much of the trail stays."""
    held: Asked = st.session_state[_ASKED]
    trail = held.trail if back_to is None else held.trail[:back_to]
    if back_to is None:
        trail = _with(held)
    rows = np.array([row], dtype=np.int64)
    st.session_state[_ASKED] = Asked(held.dataset, rows, trail, rows)
    state.select(rows, ORIGIN)


def _with(held: Asked) -> tuple[int, ...]:
    """The trail and the row one comes from."""
    return (*held.trail, *held.rows[:1].tolist())[-_TRAIL:] if len(held.rows) == 1 else held.trail


def select_these(rows: np.ndarray) -> None:
    """Select these dataset rows and go on showing the same neighbours."""
    held: Asked = st.session_state[_ASKED]
    rows = np.unique(rows)
    st.session_state[_ASKED] = replace(held, ours=rows)
    state.select(rows, ORIGIN)


def question(current: Run, asked: Asked) -> Question:
    """The question with the number and metric on the form."""
    # Widgets forget what they hold while another panel is open.
    count = st.session_state.get(_COUNT) or st.session_state.get(f"{_COUNT}.kept") or USUAL
    metric = (st.session_state.get(_METRIC) or st.session_state.get(f"{_METRIC}.kept")
              or default_metric(current))
    return Question(current.positions(asked.rows), int(min(max(count, 1), MOST)), str(metric))


def find_answer(current: Run, asked: Question) -> Answer | None:
    """The answer, where it is there or quickly found. Raises DataError ZERO_VECTORS."""
    assert current.embedding is not None
    step = nearest_step(current, asked.places, asked.metric)
    vectors = current.embedding.vectors
    if at_once(current):
        return _answers.get((str(current.store.root), step.key),
                            lambda: find_nearest(vectors, asked.places, asked.metric))
    entry = backend().store.find(step.key)
    return None if entry is None else values.read(Answer, entry)


def wait_for_answer(current: Run, asked: Question) -> None:
    """Ask for what `find_answer` has not: a job, watched. A failed one says why."""
    step = nearest_step(current, asked.places, asked.metric)
    if backend().jobs.view(step.key) is None:
        submit([step])
    if not watch([step], "Finding the nearest rows"):
        st.button("Find the nearest rows", icon=":material/play_arrow:", on_click=submit,
                  args=([step],))


def mark_neighbors(current: Run) -> None:
    """Draw lines to the neighbours on the maps; to be called before those are drawn, while the
    panel is open. No lines where there is no answer yet."""
    set_lines(_lines(current))


def _lines(current: Run) -> Lines | None:
    if not st.session_state.get(_DRAWN, st.session_state.get(f"{_DRAWN}.kept", True)):
        return None
    asked = question(current, follow(current))
    if not len(asked.places) or current.embedding is None:
        return None
    try:
        answer = find_answer(current, asked)
    except ExplorerError:
        return None  # the panel below says why
    if answer is None or not len(answer.places):
        return None
    source = asked.places[0]
    if len(asked.places) > 1:  # a centre is no row: the lines start at the row nearest to it
        source = _nearest_of(current, asked)
    rows = current.rows
    return Lines(int(rows[source]), rows[answer.places[:asked.count]])


def _nearest_of(current: Run, asked: Question) -> int:
    from explorer.neighbors.nearest_to import centre_of, nearest_to

    assert current.embedding is not None
    vectors = current.embedding.vectors

    def find() -> Answer:
        centre = centre_of(vectors, asked.places, asked.metric)
        without = np.setdiff1d(np.arange(len(vectors)), asked.places, assume_unique=True)
        found = nearest_to(vectors, centre, 1, asked.metric, without=without)
        return Answer(found.places, found.distances, found.metric, found.compared)

    if not at_once(current):
        return int(asked.places[0])
    key = nearest_step(current, asked.places, asked.metric).key
    return int(_answers.get((str(current.store.root), key, "own"), find).places[0])
