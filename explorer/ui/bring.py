"""Bringing data: uploads and samples become an import job; then preview, roles, proposal."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from typing import Any, get_args

import streamlit as st

from explorer.dataset import ROLES, Dataset
from explorer.errors import ExplorerError
from explorer.escape import esc_md, safe_filename
from explorer.imports import imported, sample_step, upload_step
from explorer.load import SAMPLES, ReadOptions, Upload
from explorer.load.options import Delimiter, Header
from explorer.propose import propose
from explorer.ui import state
from explorer.ui.backend import backend
from explorer.ui.job_panel import seconds_in_words, submit, watch
from explorer.ui.problem import show_problem

_TYPES = ["csv", "tsv", "txt", "jsonl", "json", "ndjson", "parquet", "xlsx", "npy", "npz", "zip",
          "png", "jpg", "jpeg", "gif", "bmp", "webp", "tif", "tiff"]
_ICONS = {"table": ":material/table:", "texts": ":material/article:",
          "images": ":material/image:", "vectors": ":material/data_array:"}
_PREVIEW_ROWS = 100


def choose_source() -> None:
    """Upload or sample: what an empty workspace shows."""
    st.markdown("Upload your data, or take a sample. Everything stays on this machine.")
    left, right = st.columns([3, 2], gap="large")
    with left:
        _uploads()
    with right:
        st.subheader("Samples", anchor=False)
        for sample in SAMPLES:
            if st.button(f"{sample.title} · {sample.rows:,} rows", key=f"sample.{sample.key}",
                         icon=_ICONS.get(sample.kind), width="stretch",
                         help=esc_md(sample.description)):
                _start(sample_step(sample.key, sample.title))


def show_import(step_key: str) -> None:
    """The running or failed import; moves on by itself when it is done."""
    data = imported(backend().store, step_key)
    if data is not None:
        _adopt(data)
        st.rerun()
    view = backend().jobs.view(step_key)
    steps = st.session_state.get("import_steps", [])
    waiting = [step for step in steps if step.key == step_key]
    if not waiting and view is not None and view.state in ("queued", "running"):
        waiting = [_placeholder(step_key, view.title)]
    if waiting and watch(waiting, "Reading your data"):
        return
    if not waiting and view is not None and view.error is not None:
        show_problem(view.error)
    if st.session_state.get("upload") is not None and view is not None and view.error is not None:
        _offer_retry(view.error)
    if st.button("Choose other data", icon=":material/undo:", type="primary"):
        state.change(importing="")
        st.rerun()


def show_report(data: Dataset) -> None:
    """What was found in the files: skipped, decoded, odd."""
    warnings = [issue for issue in data.report if issue.level == "warning"]
    notes = [issue for issue in data.report if issue.level != "warning"]
    for issue in warnings:
        st.warning(_issue_text(issue), icon=":material/warning:")
    if notes:
        with st.expander(f"Import report: {len(notes)} notes", expanded=False):
            for issue in notes:
                st.markdown(f"- {_issue_text(issue)}")
    if not data.report:
        st.caption(":material/check: Nothing was skipped or changed on import.")


def show_preview(data: Dataset) -> None:
    """The first rows exactly as uploaded, with pictures where there are some."""
    shown = min(data.n, _PREVIEW_ROWS)
    st.subheader("Preview", anchor=False)
    if data.has_images:
        count = min(data.n, 16)
        st.image([data.thumbnail(row) for row in range(count)], width=56,
                 caption=[data.row_ids[row][:12] for row in range(count)])
    if data.table.num_columns:
        st.dataframe(data.table.slice(0, shown), height=250, hide_index=True)
    st.caption(f"Rows 1 to {shown if data.table.num_columns else min(data.n, 16)} of {data.n:,}.")


def edit_roles(data: Dataset) -> None:
    """What every column is used as; a change is saved at once."""
    st.subheader("Columns", anchor=False)
    records = [{"column": column.original or column.name, "role": column.role,
                "missing": column.missing,
                "different": column.distinct, "found because": column.why}
               for column in data.columns]
    edited = st.data_editor(
        records, hide_index=True, key=f"roles.{data.id}", height=min(38 + 35 * len(records), 420),
        disabled=["column", "missing", "different", "found because"],
        column_config={
            "role": st.column_config.SelectboxColumn(
                "role", options=list(ROLES), required=True,
                help="What this column is used as. 'label' is never encoded, only compared."),
            "missing": st.column_config.NumberColumn("missing", format="localized"),
            "different": st.column_config.NumberColumn("different", format="localized"),
        })
    roles = {column.name: record["role"]
             for column, record in zip(data.columns, edited, strict=True)}
    if roles != data.roles:
        state.change(roles=roles, recipe=None, reasons=())
        st.rerun()


def offer_recipe(data: Dataset) -> None:
    """The proposal in words, what it takes, and the one button that runs it all."""
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
        return
    st.markdown("  \n".join(f"• {esc_md(reason)}" for reason in state.document().reasons))
    seconds = plan.seconds(backend().store)
    left, right, _ = st.columns([2, 2, 3])
    if left.button("Make the map", type="primary", icon=":material/play_arrow:", width="stretch"):
        submit(plan.missing(backend().store))
        state.change(ran=recipe.to_data())
        state.go_to("pages/explore/map.py")
    if right.button("Change the steps", icon=":material/tune:", width="stretch"):
        state.go_to("pages/explore/recipe.py")
    st.caption(f"Takes about {seconds_in_words(seconds)} on this machine." if seconds else
               "Computed before: the result is there at once.")


def _uploads() -> None:
    st.subheader("Upload", anchor=False)
    turn = st.session_state.setdefault("upload_turn", 0)
    files = st.file_uploader(
        "CSV, TSV, JSONL, Parquet, XLSX, NPY, NPZ, a zip of images, or several images. "
        "A table and a vectors file together are joined.",
        type=_TYPES, accept_multiple_files=True, key=f"files.{turn}")
    with st.expander("How to read the file"):
        options = _options()
    if files and st.button("Read", type="primary", icon=":material/arrow_forward:"):
        uploads, digests = _keep(files)
        st.session_state["upload"] = (uploads, digests, options)
        st.session_state["upload_turn"] = turn + 1
        _start(upload_step(uploads, digests, options))


def _options() -> ReadOptions:
    first, second, third = st.columns(3)
    header = first.selectbox("First line is a header", get_args(Header))
    delimiter = second.selectbox("Separator", get_args(Delimiter))
    encoding = third.selectbox("Encoding", ["auto", "utf-8", "utf-16", "cp1252", "latin-1"])
    array = first.text_input("Array or sheet", help="Name of the array in an NPZ file or of the "
                                                    "sheet in an XLSX file; empty: the only one.")
    join = second.text_input("Join vectors by", help="An id column that both files have; empty: "
                                                     "by row order.")
    skip = third.checkbox("Leave out rows that are too long",
                          help="They are listed in the import report.")
    return ReadOptions(header=header, delimiter=delimiter, encoding=encoding,
                       array=array or None, join=join or None, skip_bad_rows=skip)


def _keep(files: Sequence[Any]) -> tuple[list[Upload], list[str]]:
    """Copy uploads to disk at once, so that the server does not hold their bytes."""
    folder = backend().folder / "uploads" / uuid.uuid4().hex
    folder.mkdir(parents=True, mode=0o700)
    uploads, digests = [], []
    for index, file in enumerate(files):
        path = folder / f"{index}-{safe_filename(file.name)}"
        data = file.getbuffer()
        path.write_bytes(data)
        uploads.append(Upload(file.name, path))
        digests.append(hashlib.sha256(data).hexdigest())
    return uploads, digests


def _start(step: Any) -> None:
    st.session_state["import_steps"] = [step]
    if not backend().store.has(step.key):
        submit([step])
    state.change(importing=step.key)
    st.rerun()


def _adopt(data: Dataset) -> None:
    state.forget_selection()
    st.session_state.pop("upload", None)
    state.change(importing="", dataset=data.id, roles={}, recipe=None, ran=None, reasons=(),
                 sweep=())


def _offer_retry(error: ExplorerError) -> None:
    uploads, digests, options = st.session_state["upload"]
    if error.code == "ROW_LENGTH" and st.button("Read again, leaving out rows of another length"):
        _start(upload_step(uploads, digests, _replaced(options, skip_bad_rows=True)))
    with st.expander("Read again in another way", expanded=error.code != "ROW_LENGTH"):
        changed = _options()
        if st.button("Read again", type="primary"):
            _start(upload_step(uploads, digests, changed))


def _replaced(options: ReadOptions, **changes: Any) -> ReadOptions:
    from dataclasses import replace

    return replace(options, **changes)


def _placeholder(key: str, title: str) -> Any:
    from explorer.jobs import Step

    return Step(key=key, kind="import", title=title, call="explorer.imports:execute", payload={},
                lane="host")


def _issue_text(issue: Any) -> str:
    places = ""
    if issue.rows:
        more = " …" if issue.count > len(issue.rows) else ""
        places = f" (lines {', '.join(str(row) for row in issue.rows)}{more})"
    elif issue.entries:
        more = " …" if issue.count > len(issue.entries) else ""
        places = f" ({', '.join(esc_md(entry) for entry in issue.entries[:5])}{more})"
    return f"{esc_md(issue.message)}{places}"
