"""The models on this machine: which can be used, for what, and why the others cannot."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from explorer.disk import size_in_words
from explorer.encode.hub import download_folder, downloads_refused, host
from explorer.encode.image_kinds import listed_kinds
from explorer.encode.image_model import ImageModel, image_models
from explorer.encode.minilm import MiniLM, minilm_folder
from explorer.encode.model_card import read_card
from explorer.encode.model_folder import LocalModel, read_model
from explorer.encode.models import Surveyed, model_roots, survey_models
from explorer.encode.network_file import find_network, list_networks, reader_of
from explorer.encode.saved_model import SavedModel
from explorer.encode.sentence_transformer import SentenceTransformerModel
from explorer.errors import ExplorerError
from explorer.escape import esc_md, shown
from explorer.ui import state

_READS = {"text": "texts", "image": "images", "multimodal": "images and texts"}
_HELP = {
    "usable": "Why not: below the table, in the words that choosing it in a recipe would give.",
    "memory": "What a worker needs to hold it, in single precision and with the libraries; the "
              "rows and a batch come on top.",
    "dimension": "Numbers in a vector, as the configuration says; empty where it does not.",
    "tokens": "Of a text; what is longer is cut off, and the map says how many texts were.",
    "licence": "As the header of its README says; empty: look at its page before you use it.",
}


def show_models() -> None:
    """The table, and how to get another without this program."""
    rows = [*_on_board(), *(_row(one) for one in survey_models()), *_networks()]
    reasons = {row["model"]: row.pop("reason") for row in rows}
    refused = {name: reason for name, reason in reasons.items() if reason}
    good = len(rows) - len(refused)
    st.markdown(f"**{good} of {len(rows)} can be used.** Choose a text model in the recipe under "
                f"'{esc_md(SentenceTransformerModel.title)}', an image model under "
                f"'{esc_md(ImageModel.title)}', a network of yours under "
                f"'{esc_md(SavedModel.title)}'; MiniLM is an encoder of its own.")
    st.dataframe(rows, hide_index=True, key="models.table", column_config={
        "usable": st.column_config.TextColumn("usable", help=_HELP["usable"]),
        "dimension": st.column_config.TextColumn("dimension", help=_HELP["dimension"],
                                                 alignment="right"),
        "tokens": st.column_config.TextColumn("tokens read", help=_HELP["tokens"],
                                              alignment="right"),
        "memory": st.column_config.TextColumn("needs in memory", help=_HELP["memory"]),
        "licence": st.column_config.TextColumn("licence", help=_HELP["licence"]),
    })
    if refused:
        with st.expander(f"Why {len(refused)} cannot be used", expanded=len(refused) < 4):
            for name, reason in refused.items():
                st.markdown(f"**{esc_md(name)}**: {esc_md(reason)}")
    st.button("Open the recipe", icon=":material/tune:", on_click=state.go_to,
              args=("pages/explore/recipe.py",), key="models.recipe")


def show_network_state() -> None:
    """Whether this server may fetch anything, and what there is without."""
    refused = downloads_refused()
    if refused:
        st.info(f"{esc_md(refused)} Everything in the table works without a network, and so do "
                "TF-IDF, pixels, features, and the networks you train yourself.",
                icon=":material/cloud_off:")
    else:
        st.caption(f":material/cloud_off: Nothing is fetched by itself. {esc_md(host())} is asked "
                   "only when you press a button below that names it; texts and images of yours "
                   "never leave this machine.")


def show_by_hand() -> None:
    """The way for machines without a network."""
    with st.expander("Without a network: copy a folder"):
        st.markdown("On a machine with a network, fetch the model's files (config.json, the "
                    "tokeniser or image processor, model.safetensors), then copy the folder into "
                    "one of these; it is in the table at the next look:")
        st.code("\n".join(shown(str(root)) for root in model_roots()), language=None)
        st.markdown("With the hub's own command that is, for example:")
        st.code("hf download sentence-transformers/all-mpnet-base-v2 --local-dir "
                f"{shown(str(download_folder()))}/sentence-transformers/all-mpnet-base-v2",
                language=None, wrap_lines=True)


def _on_board() -> list[dict[str, str]]:
    """MiniLM, which comes with the program."""
    try:
        folder = minilm_folder()
        model = read_model("all-MiniLM-L6-v2", folder, folder)
    except ExplorerError as error:
        return [_refused(MiniLM.title, None, error.message)]
    return [_usable(model, "on board") | {"model": "all-MiniLM-L6-v2", "licence": "apache-2.0"}]


def _row(one: Surveyed) -> dict[str, str]:
    if one.model is None:
        said = one.refused.message if one.refused is not None else ""
        return _refused(one.name, one.path, said)
    return _usable(one.model, f"{'hub cache: ' if one.cached else ''}{one.path}")


def _usable(model: LocalModel, lies: str) -> dict[str, str]:
    card = read_card(model)
    known = model.kind != "image" or model.name in {one.name for one in image_models()}
    said = "" if known else (f"An image model must be {listed_kinds()}, got "
                             f"{card.architecture or 'none that names its architecture'}.")
    tokens = card.tokens if model.kind != "image" else None
    return _cells(model=model.name, reads=_READS[model.kind], reason=said,
                  dimension=_number(model.dimensions), tokens=_number(tokens),
                  size=size_in_words(model.bytes), memory=size_in_words(card.memory),
                  licence=card.licence, architecture=card.architecture, lies=lies)


def _refused(name: str, path: Path | None, said: str) -> dict[str, str]:
    return _cells(model=name, reason=said, lies=str(path or ""))


def _networks() -> list[dict[str, str]]:
    """Networks trained here and kept: single files in the folders for models."""
    rows = []
    for name in list_networks():
        try:
            path = find_network(name)
            reader = reader_of(path)
        except ExplorerError as error:
            rows.append(_refused(name, None, error.message))
            continue
        rows.append(_cells(model=name, reads=f"what {reader.title} reads", lies=str(path),
                           size=size_in_words(path.stat().st_size),
                           architecture="network trained here", licence="yours"))
    return rows


def _cells(*, model: str, reads: str = "", reason: str = "", dimension: str = "",
           tokens: str = "", size: str = "", memory: str = "", licence: str = "",
           architecture: str = "", lies: str = "") -> dict[str, str]:
    """One row of the table; `reason`: why it cannot be used, shown below."""
    return {"model": shown(model), "reads": reads, "usable": "no" if reason else "yes",
            "dimension": dimension, "tokens": tokens, "size": size, "memory": memory,
            "licence": shown(licence), "architecture": shown(architecture),
            "lies in": shown(lies), "reason": reason}


def _number(number: int | None) -> str:
    return "" if number is None else f"{number:,}"
