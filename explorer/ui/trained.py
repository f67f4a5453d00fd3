"""The run's trained network on the pages of the lab, or the way to one."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from explorer.encode import encoders
from explorer.encode.network_file import declared
from explorer.encode.trained import TrainedEncoder
from explorer.escape import esc_md
from explorer.model import Model
from explorer.run import Run
from explorer.ui import state
from explorer.ui.empty import ready
from explorer.values import Embedding

TRAIN_PAGE = "pages/lab/train.py"


@dataclass(frozen=True)
class TrainedRun:
    """A run whose encoder is a network of our own: the network, the declaration that built it, the
    rows as it sees them, and its vectors."""

    run: Run
    model: Model
    method: TrainedEncoder
    read: Embedding
    embedding: Embedding


def trained_run(intro: str, *, rebuilds: bool = False) -> TrainedRun | None:
    """The current run with its network; None where there is none: then the page says what is
    missing and leads there. `rebuilds`: it must have a decoder."""
    current = ready(intro)
    if current is None:
        return None
    model, read, embedding = current.model, current.read, current.embedding
    if model is None or read is None or embedding is None or not _is_trained(model):
        waiting = current.plan.model is not None and model is None
        st.info(f"{intro} " + ("The network of this recipe is not trained yet." if waiting else
                f"The recipe's encoder, {esc_md(current.recipe.encoding.title)}, is not a network "
                "trained here."), icon=":material/model_training:")
        st.button("Train an encoder", type="primary", on_click=state.go_to, args=(TRAIN_PAGE,),
                  key="lead.train")
        return None
    method = declared(model)
    if rebuilds and not method.rebuilds:
        st.info(f"{method.title} rebuilds nothing: it has no decoder, so there is nothing to show "
                "here. Autoencoders have one.", icon=":material/info:")
        st.button("Train an autoencoder", type="primary", on_click=state.go_to, args=(TRAIN_PAGE,),
                  key="lead.train")
        return None
    return TrainedRun(current, model, method, read, embedding)


def _is_trained(model: Model) -> bool:
    """PCA has a model too, in closed form, and is no network."""
    return issubclass(encoders().get(model.method["method"]), TrainedEncoder)
