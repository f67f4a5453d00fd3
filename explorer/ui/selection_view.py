"""The selected rows: how many, where they are, and the rows themselves."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.escape import esc_md
from explorer.run import Run, name_of
from explorer.ui import state
from explorer.ui.rows_view import counted, show_rows

_NAMED = 3


def show_selection(current: Run, names: dict[int, str]) -> None:
    """What is selected on any view, with quick choices when nothing is."""
    rows = state.selection().rows
    if not len(rows):
        _offer_choices(current)
        return
    places = current.positions(rows)
    left, middle, right = st.columns([6, 1, 1], vertical_alignment="center")
    left.markdown(f"**{counted(len(rows))} selected** {_summary(current, places, names)}")
    if middle.button("Export", icon=":material/download:", width="stretch"):
        state.go_to("pages/take/export.py")
    # By callbacks, here and below: the figures above are then drawn once, not before and after.
    right.button("Clear", icon=":material/close:", width="stretch",
                 on_click=state.forget_selection)
    show_rows(current, rows, names, "selection")


def _offer_choices(current: Run) -> None:
    left, right = st.columns([3, 1], vertical_alignment="center")
    left.caption("Nothing selected. Click a point or a silhouette bar to see its row; with Lasso "
                 "or Box, above the map, draw around many.")
    judged = current.silhouette
    if judged is None or judged.scores[0].value is None:
        return
    negative = current.rows[np.asarray(judged.per_row["silhouette"]) < 0]
    if len(negative):
        right.button(_negatives(len(negative)), width="stretch", on_click=state.select,
                     args=(negative, "negatives"))


def _summary(current: Run, places: np.ndarray, names: dict[int, str]) -> str:
    if current.clustering is None or len(places) < 2:  # one row says it all itself
        return ""
    labels, counts = np.unique(current.clustering.labels[places], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    parts = [f"{esc_md(name_of(int(labels[i]), names))}: {counts[i]:,}" for i in order[:_NAMED]]
    more = f" and {len(order) - _NAMED} more clusters" if len(order) > _NAMED else ""
    words = f"· {', '.join(parts)}{more}"
    if current.silhouette is not None:
        values = np.asarray(current.silhouette.per_row["silhouette"])[places]
        if np.isfinite(values).any():
            words += f" · mean silhouette {np.nanmean(values):.3f}"
    return words


def _negatives(count: int) -> str:
    return "The negative silhouette" if count == 1 else f"All {count:,} negative silhouettes"
