"""The strange rows: a score, a line through it, and the rows beyond."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.escape import esc_md
from explorer.measures import measures
from explorer.plot.histogram import draw_histogram
from explorer.run import Run
from explorer.study.outliers import Outliers
from explorer.ui.lead_to_map import lead_to_map
from explorer.ui.rows_view import counted, show_rows
from explorer.ui.study_view import ask, show_said

_STRANGEST = 20
_STEPS = 200


def show_outliers(current: Run, names: dict[int, str]) -> None:
    """Scores of the study, and the clusterer's own where it has one."""
    got = ask(Outliers, current)
    if got is None:
        return
    show_said(got[1])
    every = measures(current)
    offered = {key: one for key, one in every.items()
               if key.startswith(f"study:{Outliers.key}:") or key == "outlier"}
    key = str(st.segmented_control(
        "Score", list(offered), key="odd.score", required=True, default=next(iter(offered)),
        label_visibility="collapsed", format_func=lambda one: esc_md(offered[one].title)))
    measure = offered[key]
    about = measure.said.about
    st.markdown(f"{esc_md(about[:1].upper() + about[1:])}.")
    values = measure.numbers()
    known = values[np.isfinite(values)]
    if not len(known) or known.min() == known.max():
        st.info("This score tells no row from another here.", icon=":material/info:")
        return
    score = next(iter(got[1].scores))
    left, right = st.columns([7, 5], gap="medium", vertical_alignment="center")
    with right:
        line = _choose_line(key, known)
    beyond = np.flatnonzero(values >= line)
    with left:
        st.plotly_chart(draw_histogram(values, what=measure.title, line=line,
                                       line_name="at or above the line"), key=f"odd.figure.{key}")
    with right:
        rows = np.sort(current.rows[beyond])
        if st.button(f"Select {counted(len(rows))} at or above the line", key="odd.select",
                     icon=":material/select_all:", type="primary", width="stretch"):
            lead_to_map(rows, "outliers", measure.key, f"{measure.key}:down")
        few = min(_STRANGEST, len(known))
        if st.button(f"Select the {few:d} strangest rows", key="odd.few", icon=":material/star:",
                     width="stretch"):
            lead_to_map(np.sort(strangest(current, values, few)), "outliers", measure.key,
                        f"{measure.key}:down")
        if st.button("Colour the map by this score", key="odd.color", icon=":material/palette:",
                     width="stretch"):
            lead_to_map(coloring=measure.key)
        lacking = len(values) - len(known)
        missing = f"; not defined for {counted(lacking)}" if lacking else ""
        basis = f"{score.metric} distance in {score.space}" if key != "outlier" else \
            measure.made_by
        st.caption(f"{esc_md(basis)}, {len(known):,} of {counted(len(values))}{missing}.")
    st.markdown(f"**The {few:d} strangest rows**")
    st.session_state["odd.rows.order"] = f"{measure.key}:down"
    show_rows(current, np.sort(strangest(current, values, few)), names, "odd.rows", height=330)


def strangest(current: Run, values: np.ndarray, count: int) -> np.ndarray:
    """The dataset rows of the `count` highest values, highest first; none without a value."""
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(-values[known], kind="stable")[:count]]
    found: np.ndarray = current.rows[order]
    return found


def _choose_line(key: str, known: np.ndarray) -> float:
    """The threshold: at first so that about the strangest rows are beyond it."""
    low, high = float(known.min()), float(known.max())
    at = max(0, len(known) - _STRANGEST)
    start = float(np.partition(known, at)[at])
    step = (high - low) / _STEPS
    held = f"odd.line.{key}"
    return float(st.slider("Line", low, high, start, step, key=held, format="%.4g",
                           help="Rows at or above it are selected by the button below."))
