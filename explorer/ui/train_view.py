"""The page that trains: what there is to see now, the form, the networks there are."""

from __future__ import annotations

import streamlit as st

from explorer.dataset import Dataset
from explorer.encode.trained import TrainedEncoder
from explorer.ui import state, train_ask
from explorer.ui.empty import no_data
from explorer.ui.problem import problems_shown, show_problem
from explorer.ui.saved_models_view import show_kept
from explorer.ui.train_form import show_form
from explorer.ui.train_list import show_networks
from explorer.ui.train_result import show_result, show_unfinished
from explorer.ui.train_watch import Training, is_moving, watch_training

INTRO = ("A network learns from your own rows what they have in common, and describes each by a "
         "few numbers: its place in the **latent space**. These vectors are then mapped, clustered "
         "and exported like any other embedding. Watch it learn: the loss falls and rows are "
         "rebuilt better and better, until it only learns its rows by heart; stop it then.")


def show_training() -> None:
    """Everything between the title and the end of the page."""
    data = state.dataset()
    if data is None:
        no_data(INTRO)
        return
    st.markdown(INTRO)
    refused = train_ask.problem()
    if refused is not None:
        show_problem(refused)
    training = None
    with problems_shown():
        training = _training()
        if training is not None:
            train_ask.remember(training.method)
    opened = train_ask.open_form() is not None
    if opened:
        _form(data, training, opened=True)
    moving = training is not None and is_moving(training)
    if training is not None:
        with problems_shown():
            _show(training, moving)
    if not opened:
        _form(data, training, opened=training is None)
    with problems_shown():
        show_networks()
    with problems_shown():
        show_kept()


def _form(data: Dataset, training: Training | None, *, opened: bool) -> None:
    title = ("Train another one, or with other settings" if training is not None
             else "Choose what to train")
    with st.expander(title, icon=":material/model_training:", expanded=opened), problems_shown():
        if training is not None and training.run.model is None:
            st.caption("What is asked for here takes the place of the present training in the "
                       "recipe; that one stays in the list below, and goes on where it runs.")
        show_form(data)
        if train_ask.open_form() is not None:
            st.button("Leave it as it is", key="train_close", icon=":material/close:",
                      type="tertiary", on_click=train_ask.close_form)


def _show(training: Training, moving: bool) -> None:
    model = training.run.model
    if model is not None:
        show_result(training, model)
    elif moving:
        watch_training(training)
    else:
        show_unfinished(training)


def _training() -> Training | None:
    """The network of the recipe last asked for; None where its encoder is none."""
    current = state.current_run()
    if current is None:
        return None
    method = current.recipe.encoding
    if not isinstance(method, TrainedEncoder):
        return None
    return Training(method, current, state.missing(current))
