"""The models on this machine: which can be used, for what, and why the others cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from explorer.disk import size_in_words
from explorer.encode.hub import download_folder, downloads_refused, host
from explorer.encode.image_kinds import listed_kinds
from explorer.encode.image_model import ImageModel, image_models
from explorer.encode.minilm import MiniLM, minilm_folder
from explorer.encode.model_card import read_card
from explorer.encode.model_folder import LocalModel, read_model
from explorer.encode.models import Surveyed, model_roots, survey_models
from explorer.encode.sentence_transformer import SentenceTransformerModel
from explorer.errors import ExplorerError
from explorer.escape import esc_md, shown
from explorer.ui import state

_READS = {"text": "texts", "image": "images", "multimodal": "images and texts"}
_NETWORKS = "*.safetensors"
_HELP = {
    "usable": "What stands in the way is the sentence that choosing it in a recipe would give.",
    "memory": "What a worker needs to hold it, in single precision and with the libraries; the "
              "rows and a batch come on top.",
    "dimension": "Numbers in a vector, as the configuration says; empty where it does not.",
    "tokens": "Of a text; what is longer is cut off, and the map says how many texts were.",
    "licence": "As the header of its README says; empty: look at its page before you use it.",
}


def show_models() -> None:
    """The table, and how to get another without this program."""
    rows = [*_on_board(), *(_row(one) for one in survey_models()), *_networks()]
    good = sum(row["usable"] == "yes" for row in rows)
    st.markdown(f"**{good} of {len(rows)} can be used.** Choose a text model in the recipe under "
                f"'{esc_md(SentenceTransformerModel.title)}', an image model under "
                f"'{esc_md(ImageModel.title)}'; MiniLM is an encoder of its own.")
    st.dataframe(rows, hide_index=True, key="models.table", column_config={
        "usable": st.column_config.TextColumn("usable", help=_HELP["usable"], width="medium"),
        "dimension": st.column_config.NumberColumn("dimension", help=_HELP["dimension"],
                                                   width="small"),
        "tokens": st.column_config.NumberColumn("tokens read", help=_HELP["tokens"],
                                                width="small"),
        "memory": st.column_config.TextColumn("needs in memory", help=_HELP["memory"]),
        "licence": st.column_config.TextColumn("licence", help=_HELP["licence"]),
    })
    refused = [row for row in rows if row["usable"] != "yes"]
    if refused:
        with st.expander(f"Why {len(refused)} cannot be used"):
            for row in refused:
                st.markdown(f"**{esc_md(row['model'])}**: {esc_md(row['usable'])}")
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


def _on_board() -> list[dict[str, Any]]:
    """MiniLM, which comes with the program."""
    try:
        folder = minilm_folder()
        model = read_model("all-MiniLM-L6-v2", folder, folder)
    except ExplorerError as error:
        return [_refused(MiniLM.title, None, error.message)]
    return [_usable(model, "on board") | {"model": "all-MiniLM-L6-v2", "licence": "apache-2.0"}]


def _row(one: Surveyed) -> dict[str, Any]:
    lies = "hub cache" if one.cached else "folder"
    if one.model is None:
        said = one.refused.message if one.refused is not None else ""
        return _refused(one.name, one.path, said) | {"lies in": f"{lies}: {one.path}"}
    return _usable(one.model, f"{lies}: {one.path}")


def _usable(model: LocalModel, lies: str) -> dict[str, Any]:
    card = read_card(model)
    known = model.kind != "image" or model.name in {one.name for one in image_models()}
    said = "yes" if known else (f"The model must be one of {listed_kinds()}, got "
                                f"{card.architecture or 'another one'}.")
    return {"model": shown(model.name), "reads": _READS[model.kind], "usable": shown(said),
            "dimension": model.dimensions, "tokens": card.tokens if model.kind != "image" else None,
            "size": size_in_words(model.bytes), "memory": size_in_words(card.memory),
            "licence": shown(card.licence), "architecture": shown(card.architecture),
            "lies in": shown(lies)}


def _refused(name: str, path: Path | None, said: str) -> dict[str, Any]:
    return {"model": shown(name), "reads": "", "usable": shown(said), "dimension": None,
            "tokens": None, "size": "", "memory": "", "licence": "", "architecture": "",
            "lies in": shown(str(path or ""))}


def _networks() -> list[dict[str, Any]]:
    """Networks trained here and saved: single files in a folder for models."""
    return [{"model": shown(file.stem), "reads": "rows like those it learned from",
             "usable": "yes", "dimension": None, "tokens": None,
             "size": size_in_words(file.stat().st_size), "memory": "", "licence": "yours",
             "architecture": "network trained here", "lies in": shown(str(file))}
            for root in model_roots() for file in sorted(root.glob(_NETWORKS))]
