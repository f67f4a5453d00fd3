"""Which rows, in which form; seen before they are taken away."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.escape import safe_filename
from explorer.exports import FORMATS, Format, export_step
from explorer.jobs import Step
from explorer.run import Run, name_of, rows_of_clusters
from explorer.ui import state
from explorer.ui.backend import backend
from explorer.ui.job_panel import submit, watch
from explorer.ui.rows_view import show_rows
from explorer.values import NOISE

_PICKED, _CHOSEN, _ALL = "Clusters", "Selected rows", "All rows"


def choose_rows(current: Run, names: dict[int, str]) -> np.ndarray:
    """The dataset rows to take: picked clusters, the selection, or everything."""
    assert current.clustering is not None
    chosen = state.selection().rows
    sources = [_PICKED, _ALL] if not len(chosen) else [_PICKED, _CHOSEN, _ALL]
    ticked = st.session_state.get("ticked", [])
    default = _CHOSEN if len(chosen) and not ticked else _PICKED
    source = st.segmented_control("Rows", sources, default=default, key="export_rows",
                                  required=True)
    if source == _CHOSEN:
        st.caption(f"The {len(chosen):,} rows selected on the map or the silhouette plot.")
        return chosen
    if source == _ALL:
        st.caption(f"All {current.dataset.n:,} rows of the data set; rows without a vector have "
                   "empty cells in our columns.")
        return np.arange(current.dataset.n, dtype=np.int64)
    labels = [*range(current.clustering.count), *([NOISE] if current.clustering.noise else [])]
    sizes = {label: int(np.count_nonzero(current.clustering.labels == label)) for label in labels}
    picked = st.multiselect(
        "Clusters", labels, default=[label for label in ticked if label in labels],
        format_func=lambda label: f"{name_of(label, names)} ({sizes[label]:,})",
        placeholder="Choose clusters")
    return rows_of_clusters(current, set(picked))


def choose_format(current: Run) -> Format:
    """The file format; images only where there are some."""
    offered = [form for form in FORMATS.values()
               if current.dataset.has_images or not form.images]
    return st.radio("Format", offered, format_func=lambda form: form.title, horizontal=True,
                    key="export_format")


def take_away(current: Run, rows: np.ndarray, form: Format, names: dict[int, str]) -> None:
    """Prepare the file as a job, then offer it."""
    step = export_step(current, rows, names, form.key)
    entry = backend().store.find(step.key)
    if entry is None:
        _prepare(step, len(rows))
        return
    stem = safe_filename(current.dataset.name.rsplit(".", 1)[0]) or "rows"
    left, right, _ = st.columns([2, 2, 3])
    with open(entry.path("export.zip"), "rb") as file:
        left.download_button("Download with manifest and recipe", file, f"{stem}.zip",
                             "application/zip", type="primary", icon=":material/download:",
                             width="stretch", on_click="ignore")
    with open(entry.path(form.file), "rb") as file:
        right.download_button(f"Only the {form.file}", file, f"{stem}-{form.file}", form.mime,
                              icon=":material/download:", width="stretch", on_click="ignore")
    st.caption(f"{len(rows):,} rows; result {step.key[:12]}. The manifest names recipe, seeds, "
               "versions, the sha256 of the data and what each added column means.")


def preview(current: Run, rows: np.ndarray, names: dict[int, str]) -> None:
    """The rows as they will be taken."""
    st.subheader(f"These {len(rows):,} rows", anchor=False)
    show_rows(current, rows, names, "export")


def _prepare(step: Step, count: int) -> None:
    if watch([step], f"Preparing {count:,} rows"):
        return
    if st.button(f"Prepare {count:,} rows", type="primary", icon=":material/inventory_2:"):
        submit([step])
        st.rerun()
