"""A training that is over, or was cut off: what came of it, and the ways on."""

from __future__ import annotations

import streamlit as st

from explorer.escape import esc_md
from explorer.model import Model
from explorer.recipe import open_recipe
from explorer.run import Run
from explorer.study.reconstruction import Reconstruction
from explorer.ui import state, train_ask
from explorer.ui.backend import backend
from explorer.ui.job_panel import seconds_in_words, watch
from explorer.ui.problem import show_notes
from explorer.ui.saved_models_view import show_keep
from explorer.ui.train_course import course_of_model
from explorer.ui.train_figures import show_course
from explorer.ui.train_watch import Training, reached_by, unfinished
from explorer.values import Score

_WAYS = (("Map", "pages/explore/map.py", ":material/scatter_plot:", False),
         ("Reconstruction", "pages/lab/rebuild.py", ":material/image_search:", True),
         ("Latent space", "pages/lab/latent.py", ":material/bubble_chart:", True),
         ("Anomalies", "pages/lab/anomalies.py", ":material/crisis_alert:", True),
         ("Compare encoders", "pages/lab/compare.py", ":material/balance:", False),
         ("Export", "pages/take/export.py", ":material/download:", False))
"""Title, page, icon, whether it needs a decoder."""
_ENDS = {"all epochs": "all epochs were trained",
         "no progress": "it stopped by itself: no better epoch came",
         "stopped": "it was stopped by hand",
         "not finite": "its loss was no longer a finite number: it ended there, and the best "
                       "weights before are kept"}


def show_result(training: Training, model: Model) -> None:
    """The network of the run: how it learned, what it rebuilds, where to go on."""
    method = training.method
    course = course_of_model(training.model, model, method.epochs)
    whose = (f"{len(model.held):,} rows held back" if len(model.held)
             else "the rows it learned from: too few to hold any back")
    best = "" if course.best_loss is None else (
        f" with a loss of {course.best_loss:.4g} on {whose}")
    ended = _ENDS.get(model.ended, esc_md(model.ended))
    with st.container(border=True, key="train_result"):
        icon = ":material/warning:" if model.ended == "not finite" else ":material/check_circle:"
        st.markdown(f"{icon} **{esc_md(method.title)}** of {esc_md(model.title)} is trained: "
                    f"{model.epochs:,} of {method.epochs:,} epochs in "
                    f"{seconds_in_words(model.seconds)}, {ended}. The network kept is that of "
                    f"epoch **{model.best_epoch:,}**{best}. A row becomes "
                    f"{method.latent(tuple(model.shape)):,} numbers. Seed {method.seed:d}.")
        _show_ways(training)
        show_course(course, f"done.{training.model}")
        if method.rebuilds:
            _show_beside_pca(training.run)
        show_keep(model, training.model)
        with st.expander("Notes of this training", icon=":material/info:",
                         expanded=model.ended == "not finite"):
            show_notes(model.notes)
        _offer_again(training, model)


def _show_beside_pca(current: Run) -> None:
    """The network's reconstructions against those of PCA, where that was asked for."""
    for found in current.findings:
        if isinstance(found.study, Reconstruction):
            said = [_in_a_line(score) for score in found.finding.scores if "PCA" in score.name]
            st.caption(f":material/straighten: Beside PCA: {' · '.join(map(esc_md, said))}")
            return
    st.caption(":material/straighten: How far this network gets beyond PCA with as many numbers "
               "is measured on the page Reconstruction, on rows it never learned from.")


def _in_a_line(score: Score) -> str:
    value = "not defined" if score.value is None else f"{score.value:.3g}"
    return (f"{score.name} {value} ({score.metric}; {score.sample:,} of {score.total:,} rows"
            + (f", seed {score.seed})" if score.seed is not None else ")"))


def _show_ways(training: Training) -> None:
    waiting = tuple(step for step in training.missing if step.key != training.model)
    if waiting and not watch(waiting, "Making the map and the clusters of its vectors", "_after"):
        st.button("Make the map and the clusters", key="train_rest", type="primary",
                  icon=":material/play_arrow:", on_click=train_ask.train, args=(training.method,))
    with st.container(horizontal=True):
        for place, (title, page, icon, rebuilds) in enumerate(_WAYS):
            if rebuilds and not training.method.rebuilds:
                continue
            st.button(esc_md(title), key=f"train_to.{place}", icon=icon, on_click=state.go_to,
                      args=(page,), disabled=bool(waiting),
                      type="primary" if place == 0 else "secondary")


def _offer_again(training: Training, model: Model) -> None:
    method = training.method
    with st.container(horizontal=True):
        if model.ended == "stopped":
            whole = type(method).create(**{**method.values(), "stop_after": None})
            st.button("Train it to the end", key="train_whole", icon=":material/fast_forward:",
                      on_click=train_ask.train, args=(whole,),
                      help="The same training without the stop, from the first epoch on: the "
                           "epochs up to the stop come out the same.")
        longer = type(method).create(**{**method.values(), "stop_after": None,
                                        "epochs": min(10_000, 2 * method.epochs)})
        st.button("Train it longer", key="train_longer", icon=":material/more_time:",
                  on_click=train_ask.set_form, args=(longer,),
                  help="Opens the form with twice the epochs. The rate falls over all "
                       "epochs, so this is a new training from the first epoch.")
        st.button("Other settings", key="train_other", icon=":material/tune:",
                  on_click=train_ask.set_form,
                  args=(type(method).create(**{**method.values(), "stop_after": None}),),
                  help="Opens the form with the settings of this network.")
        _offer_back()


def _offer_back() -> None:
    """The recipe that was computed whole before: nothing that was there is lost by a training."""
    before = state.document().ran_before
    if before is None:
        return
    title = open_recipe(before).recipe.encoding.title
    st.button(f"Back to {esc_md(title)}", key="train_back", icon=":material/undo:",
              on_click=train_ask.go_back,
              help="Shows the map again that was there before, as the recipe was then. What was "
                   "trained stays in the list.")


def show_unfinished(training: Training) -> None:
    """A network that was asked for and is not there: why, and the ways on. The run before stays."""
    method = training.method
    reached = reached_by(method)
    view = backend().jobs.view(training.model)
    if view is not None and view.state in ("failed", "interrupted"):
        watch(training.missing, "Training", "_train")  # says why
    if reached:
        st.info(f"An unfinished training of the {esc_md(method.title)} stands at epoch "
                f"{reached:,} of {method.epochs:,}. It goes on from there, and ends as if it had "
                "never been interrupted.", icon=":material/pause_circle:")
    elif view is None or view.state in ("done", "cancelled"):
        st.info(f"The recipe's encoder, {esc_md(method.title)}, is not trained yet.",
                icon=":material/model_training:")
    with st.container(horizontal=True):
        st.button(f"Go on from epoch {reached + 1:,}" if reached else "Try it again" if view
                  is not None and view.state == "failed" else "Train it", key="train_on",
                  type="primary", icon=":material/play_arrow:", on_click=train_ask.train,
                  args=(method,))
        _offer_back()
        if reached:
            st.button("Throw it away", key="train_away", icon=":material/delete:",
                      on_click=train_ask.throw_away, args=(method,))
    course = unfinished(training)
    if course is not None and course.epoch:
        with st.expander("How it went so far"):
            show_course(course, f"cut.{training.model}")
