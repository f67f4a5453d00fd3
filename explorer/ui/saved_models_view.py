"""Networks kept as files: keep the one of this run, take it along, add one, use one on these rows.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import streamlit as st

from explorer.disk import size_in_words
from explorer.encode import encoders
from explorer.encode.network_file import (
    LARGEST_FILE,
    SUFFIX,
    find_network,
    keep_model,
    list_networks,
    told_by,
    write_model,
)
from explorer.encode.saved_model import SavedModel
from explorer.errors import ExplorerError
from explorer.escape import esc_md, safe_filename
from explorer.model import Model
from explorer.ui import state, train_ask
from explorer.ui.access import Access
from explorer.ui.backend import backend
from explorer.ui.problem import show_problem

_PROBLEM, _KEPT = "kept_problem", "kept_name"
_NAME, _FILE, _FILE_NAME = "keep_as", "kept_file", "kept_file_name"
_MOST_MEGABYTES = 200
_LISTED = 30


def show_keep(model: Model, key: str) -> None:
    """Under a trained network: keep it as an encoder for other rows, or download it. `key` is its
    result's."""
    with st.expander("Use this network on other rows", icon=":material/save:"):
        st.caption("A kept network is an encoder like any other, **Kept network** in every recipe: "
                   "new rows find their places among these. Its file holds the weights, the "
                   "settings and the names of columns, but no row of your data."
                   + _whose("can then use it under that name"))
        left, middle, right = st.columns([3, 2, 2], vertical_alignment="bottom")
        left.text_input("Name", _proposed(model), max_chars=100, key=f"{_NAME}.{key}")
        middle.button("Keep as an encoder", key="keep_network", icon=":material/save:",
                      type="primary", width="stretch", on_click=_keep, args=(model, key))
        right.download_button("Download (.safetensors)", lambda: write_model(model),
                              f"{safe_filename(_proposed(model))}{SUFFIX}",
                              "application/octet-stream", icon=":material/download:",
                              width="stretch", on_click="ignore", key="download_network",
                              help="For `explorer encode saved_model`, or to be added as a file "
                                   "on another machine. Nothing in it is ever run.")
        _show_outcome("keep")


def show_kept() -> None:
    """The kept networks, each a click from the recipe, and a way to add one from a file."""
    names = list_networks()
    if not names and Access.from_environment().demo:
        return
    # One title whatever it holds: under another one it would close when a network is added.
    with st.expander("Kept networks, and networks from files", icon=":material/inventory_2:"):
        if not names:
            st.caption("No network is kept here yet.")
        for place, name in enumerate(names[:_LISTED]):
            _show_one(place, name)
        if len(names) > _LISTED:
            st.caption(f"The first {_LISTED:d} of {len(names):,} by name; the encoder 'Kept "
                       "network' on the Recipe page offers all.")
        if not Access.from_environment().demo:
            _offer_upload()
        _show_outcome("add")


def _show_one(place: int, name: str) -> None:
    left, right = st.columns([4, 1], vertical_alignment="center")
    try:
        path = find_network(name)
        told, status = told_by(path), path.stat()
        method = encoders().get(str(told["method"]["method"])).title
        when = f"{datetime.fromtimestamp(status.st_mtime, UTC):%Y-%m-%d %H:%M}"
        size = size_in_words(status.st_size)
        left.markdown(f"**{esc_md(name)}**  \n:small[{esc_md(method)} of "
                      f"{esc_md(str(told['title']))} · {esc_md(size)} · kept {esc_md(when)} UTC]")
    except (ExplorerError, OSError, KeyError, TypeError) as error:
        left.markdown(f"**{esc_md(name)}** cannot be used: {esc_md(str(error))}")
        return
    current = state.draft()
    used = current is not None and current.encoding == SavedModel(network=name)
    right.button("In the recipe" if used else "Use in the recipe", key=f"kept_use.{place}",
                 icon=":material/check:", disabled=used, width="stretch", on_click=train_ask.use,
                 args=(SavedModel(network=name),),
                 help="Encodes the rows of this workspace with it; nothing is trained.")


def _offer_upload() -> None:
    file = st.file_uploader("Add a network (.safetensors, as downloaded here or written by "
                            "`explorer train`)", type=[SUFFIX.removeprefix(".")],
                            max_upload_size=_MOST_MEGABYTES, key=_FILE)
    if file is None:
        return
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    proposed = safe_filename(file.name.removesuffix(SUFFIX))[:100]
    left.text_input("Keep it under the name", proposed, max_chars=100,
                    key=f"{_FILE_NAME}.{file.file_id}")
    right.button("Add this network", key="add_network", icon=":material/add:", type="primary",
                 width="stretch", on_click=_add, args=(f"{_FILE_NAME}.{file.file_id}",))
    st.caption(f"The file is checked before it is kept; up to {_MOST_MEGABYTES:d} MB here, "
               f"{esc_md(size_in_words(LARGEST_FILE))} in the folder for models."
               + _whose("can then use it under that name"))


def _keep(model: Model, key: str) -> None:
    _try("keep", str(st.session_state.get(f"{_NAME}.{key}", "")), lambda: write_model(model))


def _add(name_key: str) -> None:
    file = st.session_state.get(_FILE)
    if file is not None:
        _try("add", str(st.session_state.get(name_key, "")), file.getvalue)


def _try(where: str, name: str, content: Callable[[], bytes]) -> None:
    """A callback has no place on the page: what came of it is shown at `where` afterwards."""
    st.session_state.pop(_PROBLEM, None)
    st.session_state.pop(_KEPT, None)
    try:
        st.session_state[_KEPT] = (where, keep_model(backend().store.root, name, content()))
    except ExplorerError as error:
        st.session_state[_PROBLEM] = (where, error)


def _show_outcome(where: str) -> None:
    problem, kept = st.session_state.get(_PROBLEM), st.session_state.get(_KEPT)
    if problem is not None and problem[0] == where:
        show_problem(problem[1])
    if kept is not None and kept[0] == where:
        st.success(f"Kept as **{esc_md(kept[1])}**. Open other rows in a workspace and choose the "
                   "encoder **Kept network** there, or use it from the list of kept networks on "
                   "this page.", icon=":material/check_circle:")


def _proposed(model: Model) -> str:
    """A name people recognise: what it is, and the epoch it is of."""
    method = train_ask.learner_of_call(model.method)
    title = method.title if method is not None else "Network"
    width = "" if method is None else f" {method.latent(tuple(model.shape))}-d"
    return safe_filename(f"{title}{width} seed {model.method['parameters'].get('seed', 0)}")


def _whose(can: str) -> str:
    return f" Everybody who works on this server {can}." if Access.from_environment().public else ""
