"""Which rows, in which form; seen before they are taken away."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.escape import esc_md, safe_filename, shown
from explorer.exports import FORMATS, Format, export_step, keep_rows
from explorer.jobs import Step
from explorer.run import Run, name_of, rows_of_clusters
from explorer.ui import state
from explorer.ui.backend import backend
from explorer.ui.downloads import offer
from explorer.ui.edits import worked
from explorer.ui.job_panel import submit, watch
from explorer.ui.rows_view import counted, show_rows
from explorer.values import NOISE

_PICKED, _CHOSEN, _ALL = "Clusters", "Selected rows", "All rows"


def choose_rows(current: Run, names: dict[int, str]) -> np.ndarray:
    """The dataset rows to take: picked clusters, the selection, or everything."""
    assert current.clustering is not None
    chosen = state.selection().rows
    sources = [_PICKED, _CHOSEN, _ALL] if len(chosen) else [_PICKED, _ALL]
    source = st.segmented_control("Rows", sources, default=_likely(chosen), key="export_rows",
                                  required=True)
    if source == _CHOSEN:
        st.caption(f"{counted(len(chosen))} selected on the map or the silhouette plot.")
        return chosen
    if source == _ALL:
        left_out = current.dataset.n - len(current.rows)
        more = (f" {counted(left_out)} had no vector: their cluster, silhouette and coordinates "
                "are empty." if left_out else "")
        st.caption(f"All {counted(current.dataset.n)} of the data set.{more}")
        return np.arange(current.dataset.n, dtype=np.int64)
    return rows_of_clusters(current, set(_choose_clusters(current, names)))


def _likely(chosen: np.ndarray) -> str:
    """What a person who comes here most likely wants."""
    return _CHOSEN if len(chosen) and not st.session_state.get("ticked") else _PICKED


def _choose_clusters(current: Run, names: dict[int, str]) -> list[int]:
    """The ticked clusters of the Clusters page, to be changed here too."""
    assert current.clustering is not None
    noise = current.clustering.noise
    sizes = {**current.clustering.sizes, **({NOISE: noise} if noise else {})}
    labels = list(sizes)
    if "export_clusters" not in st.session_state:
        ticked = st.session_state.get("ticked", ())
        st.session_state["export_clusters"] = [label for label in ticked if label in sizes]
    picked: list[int] = st.multiselect(
        "Clusters", labels, key="export_clusters", placeholder="Choose clusters",
        format_func=lambda label: f"{shown(name_of(label, names))} ({sizes[label]:,})")
    st.session_state["ticked"] = picked
    return picked


def choose_format(current: Run) -> Format:
    """The file format; images only where there are some."""
    offered = [key for key, form in FORMATS.items()
               if current.dataset.has_images or not form.images]
    form = FORMATS[st.radio("Format", offered, format_func=lambda key: FORMATS[key].title,
                            horizontal=True, key="export_format")]
    vectors = [column.original or column.name for column in current.dataset.columns
               if column.place == "matrix"]
    if vectors and not form.vectors:
        st.caption(f"A CSV cell cannot hold a vector: {esc_md(', '.join(vectors))} is left out. "
                   "Parquet and JSONL hold it.")
    return form


def take_away(current: Run, rows: np.ndarray, form: Format, names: dict[int, str]) -> None:
    """Prepare the file as a job, then offer it."""
    step = export_step(current, rows, names, form.key, worked().changes.notes)
    entry = backend().store.find(step.key)
    if entry is None:
        _prepare(current, rows, step)
        return
    # The name tells apart two exports of one data set: it carries the result's id.
    stem = f"{safe_filename(current.dataset.name.rsplit('.', 1)[0])}-{step.key[:8]}"
    left, right, _ = st.columns([2, 2, 3])
    left.link_button("Download with manifest and recipe",
                     offer(entry.path("export.zip"), f"{stem}.zip", "application/zip"),
                     type="primary", icon=":material/download:", width="stretch")
    right.link_button(f"Only {form.file}",
                      offer(entry.path(form.file), f"{stem}-{form.file}", form.mime),
                      icon=":material/download:", width="stretch")
    size = entry.path("export.zip").stat().st_size
    st.caption(f"{counted(len(rows))}, {_bytes(size)}. The manifest names recipe, seeds, versions, "
               "the sha256 of the data and what each added column means.")


def preview(current: Run, rows: np.ndarray, names: dict[int, str]) -> None:
    """The rows as they will be taken."""
    st.subheader(f"What you take: {counted(len(rows))}", anchor=False)
    show_rows(current, rows, names, "export", choosing=False)


def _prepare(current: Run, rows: np.ndarray, step: Step) -> None:
    if watch([step], f"Preparing {counted(len(rows))}"):
        return
    if st.button(f"Prepare {counted(len(rows))}", type="primary", icon=":material/inventory_2:"):
        keep_rows(current, rows)
        submit([step])
        st.rerun()


def _bytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{max(size / 1e3, 0.1):,.1f} kB"
