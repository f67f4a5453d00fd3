"""Finding rows by an image that is no row: placed among them by the encoder that placed them."""

from __future__ import annotations

import streamlit as st

from explorer import values
from explorer.escape import esc_md
from explorer.load.limits import MAX_ENTRY_BYTES
from explorer.queries import Answer, image_step
from explorer.run import Run
from explorer.ui.access import Access
from explorer.ui.backend import backend
from explorer.ui.job_panel import submit, watch
from explorer.ui.pictures import data_url
from explorer.ui.quota import let_go
from explorer.ui.search_hits import show_answer
from explorer.uploads import Kept, keep_upload

TYPES = ["png", "jpg", "jpeg", "gif", "bmp", "webp", "tif", "tiff"]
_KEPT, _TURN = "search.image", "search.image.turn"
_SIDE = 96


def show_image_search(current: Run, names: dict[int, str]) -> None:
    """Ask for an image; the rows nearest to it."""
    title = esc_md(current.recipe.encoding.title)
    if not current.recipe.encoding.places_pictures(current.dataset):
        st.caption(f"These rows were placed by {title}, which does not look at their images. To "
                   "search by an image, use an image encoder in the recipe: a pretrained one, "
                   "scaled pixels, or a network trained on images.")
        return
    if Access.from_environment().demo:
        st.caption("Uploads are switched off on this server. Click a row and open Neighbours: the "
                   "rows most like it.")
        return
    file = st.session_state.get(_KEPT) or _ask(title)
    if file is None:
        return
    step = image_step(current, file)
    entry = backend().store.find(step.key)
    answer = None if entry is None else values.read(Answer, entry)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if answer is not None and answer.asked is not None:
            st.image(_address(answer), width=_SIDE)
        st.markdown(f"Rows nearest to **{esc_md(file.name)}**", width="content")
        st.button("Another image", icon=":material/image_search:", on_click=_forget)
    if answer is not None:
        show_answer(current, answer, names)
        return
    if backend().jobs.view(step.key) is None:
        submit([step])
    if not watch([step], "Searching by an image"):
        st.button("Search", icon=":material/search:", on_click=submit, args=([step],))


def _ask(title: str) -> Kept | None:
    """The image, on disk among the uploads and no longer in the server's memory."""
    place = st.empty()
    turn = st.session_state.get(_TURN, 0)
    file = place.file_uploader(
        "An image to search by", type=TYPES, key=f"search.file.{turn}",
        max_upload_size=MAX_ENTRY_BYTES // 10**6, label_visibility="collapsed")
    if file is None:
        st.caption(f"Bring an image: {title}, which placed the rows, places it among them, and the "
                   "rows nearest to it stand here. It is kept for this search alone, for a day at "
                   "most, and is no row of the data set.")
        return None
    kept = keep_upload(file.name, file.getvalue(), backend().folder)
    let_go([file])
    st.session_state[_KEPT] = kept
    st.session_state[_TURN] = turn + 1
    place.empty()
    return kept


def _forget() -> None:
    st.session_state.pop(_KEPT, None)


def _address(answer: Answer) -> str:
    assert answer.asked is not None
    content = answer.asked.tobytes()
    return data_url(content, "image/png" if content.startswith(b"\x89PNG") else "image/jpeg")
