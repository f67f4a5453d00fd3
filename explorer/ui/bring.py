"""Bringing data: uploads and samples become an import job; then a proposal and one button."""

from __future__ import annotations

from typing import Any

import streamlit as st

from explorer.dataset import Dataset
from explorer.errors import ExplorerError
from explorer.escape import esc_md
from explorer.imports import imported, keep_upload, kept_step, sample_step
from explorer.jobs import JobView, Step
from explorer.load import SAMPLES, ReadOptions
from explorer.propose import propose
from explorer.ui import state
from explorer.ui.access import Access
from explorer.ui.backend import backend
from explorer.ui.job_panel import seconds_in_words, submit, watch
from explorer.ui.problem import problems_shown, show_problem
from explorer.ui.quota import let_go
from explorer.ui.reading import (
    ask_options,
    has_choices,
    kept_files,
    kept_options,
    offer_retry,
    read_again,
    remember,
    start,
)

_TYPES = ["csv", "tsv", "txt", "jsonl", "json", "ndjson", "parquet", "xlsx", "npy", "npz", "zip",
          "png", "jpg", "jpeg", "gif", "bmp", "webp", "tif", "tiff"]
_ICONS = {"table": ":material/table:", "texts": ":material/article:",
          "images": ":material/image:", "vectors": ":material/data_array:"}


def choose_source() -> None:
    """Upload or sample: what an empty workspace shows."""
    access = Access.from_environment()
    st.markdown("Upload your data, or take a sample. Everything stays on this "
                f"{'server' if access.public else 'machine'}.")
    left, right = st.columns([3, 2], gap="large")
    with left:
        if access.demo:
            st.info("Uploads are switched off on this server: it shows the samples only.",
                    icon=":material/info:")
        else:
            _uploads()
    with right:
        st.subheader("Samples", anchor=False)
        for sample in SAMPLES:
            if st.button(f"{sample.title} · {sample.rows:,} rows", key=f"sample.{sample.key}",
                         icon=_ICONS.get(sample.kind), width="stretch",
                         help=esc_md(sample.description)):
                start(sample_step(sample.key, sample.title), {})


def show_import(step_key: str) -> None:
    """The running or failed import; moves on by itself when it is done."""
    data = imported(backend().store, step_key)
    if data is not None:
        _adopt(data, step_key)
        st.rerun()
    view = backend().jobs.view(step_key)
    if watch([_step(step_key, view)], "Reading your data"):
        return
    if view is not None and view.error is not None:
        offer_retry(view.error)
    else:
        if view is None or view.state != "cancelled":
            st.info("This import has not been finished on this machine.", icon=":material/info:")
        if kept_files() and st.button("Read it again", icon=":material/refresh:", type="primary"):
            read_again(kept_files(), kept_options())
    back = bool(state.document().dataset)
    if st.button("Back to the data as it was" if back else "Choose other data",
                 icon=":material/undo:"):
        state.change(importing="", reading={})
        st.rerun()


def offer_recipe(data: Dataset) -> bool:
    """The proposal in words, what it takes, and the one button that runs it all. False when there
    is none yet (the reason is shown)."""
    st.subheader("Proposed recipe", anchor=False)
    try:
        if state.document().recipe is None:
            proposal = propose(data)
            state.change(recipe=proposal.recipe.to_data(), reasons=proposal.reasons)
        recipe = state.draft()
        assert recipe is not None
        plan = state.plan_of(recipe)
    except ExplorerError as error:
        show_problem(error)
        return False
    reasons = state.document().reasons or ("The recipe as you left it.",)
    st.markdown("  \n".join(f"• {esc_md(reason)}" for reason in reasons))
    missing = plan.missing(backend().store)
    left, right, _ = st.columns([2, 2, 3])
    if left.button("Make the map", type="primary", icon=":material/play_arrow:", width="stretch"):
        submit(missing)
        state.change(ran=recipe.to_data())
        state.go_to("pages/explore/map.py")
    if right.button("Change the steps", icon=":material/tune:", width="stretch"):
        state.go_to("pages/explore/recipe.py")
    seconds = seconds_in_words(sum(step.seconds for step in missing))
    st.caption(f"Takes about {seconds.removeprefix('under ')} on this machine." if missing else
               "Computed before: the result is there at once.")
    return True


def _uploads() -> None:
    st.subheader("Upload", anchor=False)
    turn = st.session_state.setdefault("upload_turn", 0)
    files = st.file_uploader(
        "CSV, TSV, JSONL, Parquet, XLSX, NPY, NPZ, a zip of images, or several images. "
        "A table and a vectors file together are joined.",
        type=_TYPES, accept_multiple_files=True, key=f"files.{turn}")
    if not files:
        return
    names = [file.name for file in files]
    button = st.container()
    options = ReadOptions()
    if has_choices(names):
        with st.expander("How to read it", expanded=False):
            options = ask_options(names, f"upload.{turn}")
    if button.button("Read", type="primary", icon=":material/arrow_forward:"):
        with problems_shown():
            home = backend().folder
            # getbuffer() would copy the bytes first: they are shared with the server's own record.
            kept = [keep_upload(file.name, file.getvalue(), home) for file in files]
            step = kept_step(kept, options, home)
            let_go(files)
            st.session_state["upload_turn"] = turn + 1
            start(step, remember(kept, options))


def _adopt(data: Dataset, step_key: str) -> None:
    """Open what was imported; the same content as before keeps its roles and recipe."""
    opened = state.document()
    told: dict[str, Any] = {"importing": "", "dataset": data.id, "source": step_key,
                            "upload": opened.reading, "reading": {}}
    if data.id != opened.dataset:
        state.drop_selections()
        told |= {"roles": {}, "recipe": None, "ran": None, "reasons": (), "sweep": (),
                 "trained": (), "ran_before": None}
    state.change(**told)


def _step(key: str, view: JobView | None) -> Step:
    """What is watched: after a reload only its key is known."""
    return Step(key=key, kind="import", title=view.title if view else "Reading",
                call="explorer.imports:execute", payload={}, lane="host")
