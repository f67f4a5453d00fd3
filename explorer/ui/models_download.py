"""Another model from the hub: look it up, see what would be fetched, fetch it as a job."""

from __future__ import annotations

import streamlit as st

from explorer.disk import free_bytes, size_in_words
from explorer.encode.fetch import SPARE, remove_unfinished, unfinished_folder
from explorer.encode.hub import (
    Offer,
    check_id,
    download_folder,
    downloads_refused,
    host,
    look_up,
    offer_from,
)
from explorer.escape import esc_md, shown
from explorer.jobs import Step
from explorer.spec import result_key
from explorer.ui.backend import backend
from explorer.ui.job_panel import about, submit, watch
from explorer.ui.problem import problems_shown
from explorer.ui.state import open_workspace

_OFFER = "models.offer"
_KIND = "download"
_BYTES_A_SECOND = 5e6
_FORMATS = ("Fetched are weights as safetensors, configuration, tokeniser and the page with the "
            "licence, each held against the checksum the hub names. Files that can run code "
            "(.bin, .py, pickles) are never fetched.")


def download_step(offer: Offer) -> Step:
    """The job that fetches an offer."""
    folder = str(download_folder())
    key = result_key("download", 1, offer.name, offer.revision, folder)
    return Step(key=key, kind=_KIND, title=f"Fetch {offer.name}",
                call="explorer.encode.fetch:execute",
                payload={"offer": offer.plain(), "folder": folder},
                seconds=1 + offer.bytes / _BYTES_A_SECOND)


def show_download() -> None:
    """The form, what was found, and the downloads under way."""
    st.subheader("Get another model", anchor=False)
    offer = _offer()
    _show_moving(offer)
    if downloads_refused():
        st.caption("Downloads are switched off here; copy a folder instead.")
        return
    with st.form("models.ask", border=False):
        left, right = st.columns([4, 1], vertical_alignment="bottom")
        name = left.text_input(f"Its id at {esc_md(host())}", key="models.id", max_chars=200,
                               placeholder="sentence-transformers/all-mpnet-base-v2",
                               help="owner/name, as on the model's page. Texts: any "
                                    "sentence-transformers or transformers model. Images: CLIP, "
                                    "SigLIP, DINOv2, ViT, ResNet, ConvNeXt.")
        pressed = right.form_submit_button("Look it up", icon=":material/search:",
                                           width="stretch",
                                           help=f"Asks {esc_md(host())} which files it has. One "
                                                "request with the id, nothing else.")
    if pressed:
        st.session_state.pop(_OFFER, None)
        with problems_shown():
            check_id(name.strip())
            with st.spinner(f"Asking {esc_md(host())}"):
                st.session_state[_OFFER] = look_up(name.strip()).plain()
        offer = _offer()
    if offer is not None:
        with problems_shown():
            _show_offer(offer)


def _offer() -> Offer | None:
    plain = st.session_state.get(_OFFER)
    return None if plain is None else offer_from(plain)


def _show_offer(offer: Offer) -> None:
    folder = download_folder()
    step = download_step(offer)
    count = f"{len(offer.files)} files"
    st.markdown(f"**{esc_md(offer.name)}**: {size_in_words(offer.bytes)} in {count} from "
                f"{esc_md(offer.host)}, revision {esc_md(offer.revision[:12])}. Licence: "
                f"{esc_md(offer.licence or 'its page names none')}. Made for: "
                f"{esc_md(offer.task or 'its page does not say')}.")
    st.markdown(f"It will lie in {esc_md(str(folder / offer.name))}.")
    with st.expander(f"The {count}"):
        st.dataframe([{"file": shown(file.path), "size": size_in_words(file.bytes),
                       "checksum": file.checksum[:16]} for file in offer.files], hide_index=True)
        st.caption(_FORMATS)
    if (folder / offer.name).exists():
        st.success("It is on this machine; it stands in the table above.",
                   icon=":material/check_circle:")
        return
    if watch([step], f"Fetching {offer.name}", place="fetch"):
        return
    part = unfinished_folder(offer, folder)
    there = sum(file.stat().st_size for file in part.rglob("*") if file.is_file())
    free, needed = free_bytes(folder), offer.bytes - there + SPARE
    if free < needed:
        st.warning(f"The disk has {size_in_words(free)} free; {size_in_words(needed)} are needed, "
                   f"{size_in_words(SPARE)} of them as a reserve.", icon=":material/hard_drive:")
    left, right, _ = st.columns([2, 2, 2])
    said = f"Download {size_in_words(offer.bytes)} from {esc_md(offer.host)}" if not there else \
        f"Go on ({size_in_words(there)} of {size_in_words(offer.bytes)} are there)"
    left.button(said, type="primary", icon=":material/download:", width="stretch",
                disabled=free < needed, on_click=submit, args=([step],), key="models.fetch")
    if there:
        right.button("Remove what was fetched", icon=":material/delete:", width="stretch",
                     on_click=remove_unfinished, args=(offer, folder), key="models.drop")
    st.caption(f"{about(step.seconds).capitalize()} at {_BYTES_A_SECOND / 1e6:.0f} MB a second. "
               "You can stop it and go on later; until all of it is there and verified it cannot "
               "be chosen.")


def _show_moving(offer: Offer | None) -> None:
    """Downloads of this workspace under way, for a page that was reloaded meanwhile."""
    own = download_step(offer).key if offer is not None else ""
    for view in backend().jobs.owned(open_workspace().id):
        if view.kind == _KIND and view.state in ("queued", "running") and view.key != own:
            # To watch a job its key and title are enough.
            step = Step(key=view.key, kind=_KIND, title=view.title, call="", payload={})
            watch([step], view.title, place=f"fetch{view.key[:8]}")
