"""What a person does with trainings: ask for one, stop it, throw it away, go back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import streamlit as st

from explorer.dataset import Dataset
from explorer.encode import Encoder, encoders
from explorer.encode.trained import TrainedEncoder
from explorer.errors import ExplorerError
from explorer.jobs import Step
from explorer.keys import ReadingKeys, reading_keys
from explorer.propose import propose
from explorer.recipe import Call, Recipe, open_recipe
from explorer.train.files import TrainingFiles
from explorer.ui import state
from explorer.ui.backend import backend
from explorer.ui.job_panel import submit

MOST = 40
"""So many networks are remembered in a workspace."""
_PROBLEM = "train_problem"
_OPEN = "train_open"


def learners() -> tuple[type[TrainedEncoder], ...]:
    """Every encoder that is trained on the rows it encodes."""
    return tuple(method for method in encoders() if issubclass(method, TrainedEncoder))


def drafted(data: Dataset) -> Recipe:
    """The recipe on the form, or the proposal where there is none yet."""
    return state.draft() or propose(data).recipe


def keys_of(method: TrainedEncoder) -> ReadingKeys:
    """The names of a network and of what stands before it, for the open dataset."""
    data = state.dataset()
    assert data is not None, "asked on pages that have a dataset"
    return reading_keys(method, data)


def files_of(method: TrainedEncoder) -> TrainingFiles:
    """The files of its training while that is not over."""
    return TrainingFiles(backend().store.root, keys_of(method).training)


def learner_of_call(call: dict[str, Any]) -> TrainedEncoder | None:
    """The declaration of a remembered call; None where this version has none such."""
    try:
        method = encoders().create(call["method"], call["parameters"])
    except ExplorerError:
        return None
    return method if isinstance(method, TrainedEncoder) else None


def train(method: TrainedEncoder) -> None:
    """Put it into the recipe and queue what that lacks."""
    with _minding():
        _ask_for(method)


def use(encoder: Encoder) -> None:
    """Put another encoder into the recipe, PCA for one, and queue what that lacks."""
    with _minding():
        data = state.dataset()
        assert data is not None
        _run(drafted(data).using(encoder=encoder))


def start_again(method: TrainedEncoder) -> None:
    """Throw an unfinished training away and train from the first epoch."""
    with _minding():
        files_of(method).remove()
        _ask_for(method)


def stop_and_keep(method: TrainedEncoder, after: int, waiting: Sequence[Step]) -> None:
    """End the training under way after that epoch: the recipe then says so and gives the same
    network again. `waiting`: the steps of the plan that is let go."""
    with _minding():
        stopped = type(method).create(**{**method.values(), "stop_after": after})
        backend().jobs.cancel([step.key for step in waiting], state.open_workspace().id)
        _ask_for(stopped)


def cancel(waiting: Sequence[Step]) -> None:
    """Stop the steps; what the training has reached is kept."""
    with _minding():
        backend().jobs.cancel([step.key for step in waiting], state.open_workspace().id)
        st.session_state["stopping"] = [step.key for step in waiting]


def throw_away(method: TrainedEncoder) -> None:
    """Forget an unfinished training."""
    with _minding():
        files_of(method).remove()


def go_back() -> None:
    """The recipe that was computed before a network was asked for."""
    with _minding():
        before = state.document().ran_before
        if before is not None:
            state.forget_form()
            state.change(recipe=before, ran=before, ran_before=None)


def forget(call: dict[str, Any]) -> None:
    """Take a network off the list; what is stored of it stays until the store is tidied."""
    with _minding():
        state.change(trained=tuple(kept for kept in state.document().trained if kept != call))


def remember(method: TrainedEncoder) -> None:
    """Note a network that the recipe asks for, wherever that was done."""
    call = _call(method)
    if call not in state.document().trained:
        state.change(trained=_with(method))


def set_form(method: TrainedEncoder) -> None:
    """Open the form with these settings."""
    _forget_widgets("train.")
    st.session_state.setdefault("kept_values", {})[f"train.{method.key}"] = method.values()
    st.session_state[_OPEN] = method.key


def open_form() -> str | None:
    """The encoder whose form was opened by `set_form`; None where none was."""
    found: str | None = st.session_state.get(_OPEN)
    return found


def close_form() -> None:
    """The form follows the recipe again."""
    st.session_state.pop(_OPEN, None)


def problem() -> ExplorerError | None:
    """Why the last step was not done, until the next one."""
    found: ExplorerError | None = st.session_state.get(_PROBLEM)
    return found


def _ask_for(method: TrainedEncoder) -> None:
    data = state.dataset()
    assert data is not None
    _run(drafted(data).using(encoder=method), trained=_with(method))


def _run(recipe: Recipe, **noted: Any) -> None:
    missing = state.plan_of(recipe).missing(backend().store)
    close_form()
    _forget_widgets("train.", "encoder.")
    state.change(recipe=recipe.to_data(), ran=recipe.to_data(),
                 ran_before=_whole_before(recipe), **noted)
    submit(missing)


def _whole_before(recipe: Recipe) -> dict[str, Any] | None:
    """The recipe to go back to: the one shown, where it is computed whole, else the one before."""
    document = state.document()
    if document.ran is None:
        return None
    try:
        ran = open_recipe(document.ran).recipe
        whole = not state.plan_of(ran).missing(backend().store)
    except ExplorerError:
        return document.ran_before
    if whole and ran.encoder != recipe.encoder:
        return document.ran
    return document.ran_before


def _forget_widgets(*prefixes: str) -> None:
    """Let the forms show what is saved, not what their widgets held."""
    for key in [key for key in st.session_state if str(key).startswith(prefixes)]:
        del st.session_state[key]


def _with(method: TrainedEncoder) -> tuple[dict[str, Any], ...]:
    """The list with this network first, and without what it takes the place of: itself, and an
    unfinished training that it goes on with."""
    call, training = _call(method), keys_of(method).training
    kept = [made for made in state.document().trained
            if made != call and not _replaced(made, training)]
    return (call, *kept[:MOST - 1])


def _replaced(call: dict[str, Any], training: str) -> bool:
    method = learner_of_call(call)
    if method is None:
        return False
    keys = keys_of(method)
    return keys.training == training and backend().store.find(keys.model) is None


def _call(method: TrainedEncoder) -> dict[str, Any]:
    found: dict[str, Any] = Call.of(method).model_dump(mode="json")
    return found


@contextmanager
def _minding() -> Iterator[None]:
    """A callback has no place on the page to say what went wrong."""
    st.session_state.pop(_PROBLEM, None)
    try:
        yield
    except ExplorerError as error:
        st.session_state[_PROBLEM] = error


