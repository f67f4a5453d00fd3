"""The networks asked for in this workspace, each a click away."""

from __future__ import annotations

from typing import Any

import streamlit as st

from explorer.encode.trained import TrainedEncoder
from explorer.errors import ExplorerError
from explorer.escape import esc_md
from explorer.ui import state, train_ask
from explorer.ui.backend import backend
from explorer.ui.form import label_of
from explorer.ui.job_panel import seconds_in_words
from explorer.ui.train_ask import files_of, keys_of, learner_of_call
from explorer.ui.train_course import Summary, summary_of

_TOLD_APART = ("reads", "stop_after", "dimensions", "epochs")
"""Parameters that have a place of their own in a line."""


def show_networks() -> None:
    """Every remembered network with what it is and how it went."""
    calls = state.document().trained
    if not calls:
        return
    st.subheader("Networks of this workspace", anchor=False)
    st.caption("Every network asked for here. What was trained is stored: using it again takes a "
               "moment, with its map and clusters where they were made before.")
    current = state.document().ran
    for place, call in enumerate(calls):
        method = learner_of_call(call)
        with st.container(border=True):
            used = current is not None and current.get("encoder") == call
            if method is None:
                _show_gone(place, call)
                continue
            try:
                _show_network(place, call, method, used)
            except ExplorerError as error:
                st.caption(f"**{esc_md(method.title)}** cannot be used with the columns as they "
                           f"are now: {esc_md(error.message)}")
                _offer_forgetting(place, call, used)


def _show_network(place: int, call: dict[str, Any], method: TrainedEncoder, used: bool) -> None:
    summary = summary_of(method)
    left, right = st.columns([4, 2], vertical_alignment="center")
    mark = " · :material/check: in the recipe" if used else ""
    left.markdown(f"**{esc_md(method.title)}**{mark}  \n:small[{_said(method, summary)}]")
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        st.button("Use in the recipe" if summary is not None else "Show it",
                  key=f"train_use.{place}",
                  icon=":material/check:" if summary else ":material/visibility:",
                  disabled=used, on_click=train_ask.train, args=(method,),
                  help="Makes it the encoder of the recipe, with its map and clusters."
                  if summary is not None else "Makes it the encoder of the recipe and goes on "
                                              "training it.")
        _offer_forgetting(place, call, used)


def _said(method: TrainedEncoder, summary: Summary | None) -> str:
    settings = {name: value for name, value in method.changed().items()
                if name not in _TOLD_APART}
    apart = "".join(f" · {esc_md(label_of(name).lower())} {esc_md(str(value))}"
                    for name, value in settings.items())
    if summary is None:
        wide = "" if method.dimensions is None else f" · {method.dimensions:,} dimensions"
        return f"{_state(method)}{wide} · up to {method.epochs:,} epochs{apart}"
    loss = "" if summary.best_loss is None else (
        f" · loss {summary.best_loss:.4g} on "
        + (f"{summary.held:,} rows held back" if summary.held else "the rows it learned from"))
    return (f"of {esc_md(summary.title)} · {summary.dimensions:,} dimensions · epoch "
            f"{summary.best_epoch:,} the best of {summary.epochs:,}"
            + (" (stopped by hand)" if summary.ended == "stopped" else "")
            + f"{loss} · trained in {seconds_in_words(summary.seconds)}{apart}")


def _state(method: TrainedEncoder) -> str:
    view = backend().jobs.view(keys_of(method).model)
    if view is not None and view.state in ("queued", "running"):
        return f"in training ({view.fraction:.0%})" if view.fraction else "in training"
    reached = files_of(method).reached()
    if reached:
        return f"unfinished, stands at epoch {reached:,}"
    if view is not None and view.state == "failed" and view.error is not None:
        return f"failed: {esc_md(view.error.message)}"
    return "not trained, or no longer stored"


def _show_gone(place: int, call: dict[str, Any]) -> None:
    st.caption(f"{esc_md(str(call.get('method', 'A network'))[:80])} of an earlier version, which "
               "no longer exists.")
    _offer_forgetting(place, call, used=False)


def _offer_forgetting(place: int, call: dict[str, Any], used: bool) -> None:
    st.button("Forget", key=f"train_forget.{place}", icon=":material/close:", disabled=used,
              on_click=train_ask.forget, args=(call,), type="tertiary",
              help="The recipe uses this one." if used else
              "Takes it off this list. The same settings bring it back, from the store as long as "
              "it is kept there.")
