"""The page 'Anomalies': how odd each row is to the network, a line through it, the rows beyond."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.encode.material import in_shape
from explorer.escape import esc_md
from explorer.measures import Measure, measures
from explorer.plot.histogram import draw_histogram
from explorer.plot.rebuilt import draw_rebuilt
from explorer.run import Run
from explorer.study.outliers import Outliers
from explorer.study.reconstruction import Reconstruction
from explorer.ui import state
from explorer.ui.anomalies_choice import choose_line, choose_score, said_line
from explorer.ui.anomalies_labels import show_against_labels
from explorer.ui.lead_to_map import lead_to_map
from explorer.ui.pictures import data_url
from explorer.ui.rebuild_view import said_network
from explorer.ui.rebuild_walk import PAGE as REBUILD
from explorer.ui.rows_view import counted, show_rows
from explorer.ui.study_view import ask
from explorer.ui.trained import TrainedRun
from explorer.values import Finding

_ODD_BY = ("error", "scaled", "bound", "bound_error", "bound_kl", "linear", "center", "denoised")
_STRIP = 12


def show_anomalies(trained: TrainedRun, names: dict[int, str]) -> None:
    """Scores of the reconstruction, and of the other studies of odd rows that are computed."""
    st.caption(f":material/model_training: {said_network(trained)}.")
    got = ask(Reconstruction, trained.run, asks=False)
    if got is None:
        return
    current, found = trained.run, got[1]
    offered = _offered(current)
    if not offered:  # asked for a moment ago: the next run of the page has them
        return
    head, _ = st.columns([5, 7])
    with head:
        measure = choose_score(offered)
    about = measure.said.about
    other = "" if measure.key.startswith(f"study:{Reconstruction.key}:") else \
        f" Made by: {esc_md(measure.made_by)}."
    st.caption(f"{esc_md(about[:1].upper() + about[1:])}.{other}")
    values = measure.numbers()
    known = values[np.isfinite(values)]
    if not len(known) or known.min() == known.max():
        st.info("This score tells no row from another here.", icon=":material/info:")
        return
    line = _show_line(current, found, measure, values)
    beyond = np.flatnonzero(values >= line)
    show_against_labels(current, measure, offered, line)
    if trained.model.pictures:
        _show_strips(trained, found, measure, values)
    st.markdown(f"**The rows beyond the line** :gray[{len(beyond):,} of {len(values):,}; "
                f"{said_line(measure, line)}]")
    order = f"{measure.key}:down"
    if st.session_state.get("anomalies_ordered") != measure.key:
        st.session_state["anomalies_ordered"] = measure.key
        st.session_state["odd_rows.order"] = order
    show_rows(current, np.sort(current.rows[beyond]), names, "odd_rows", height=360)


def _offered(current: Run) -> dict[str, Measure]:
    every = measures(current)
    wanted = [f"study:{Reconstruction.key}:{name}" for name in _ODD_BY]
    wanted += [f"study:{Outliers.key}:{name}" for name in Outliers.rows_say]
    return {key: every[key] for key in [*wanted, "outlier"] if key in every}


def _show_line(current: Run, found: Finding, measure: Measure, values: np.ndarray) -> float:
    left, right = st.columns([7, 5], gap="medium", vertical_alignment="center")
    with right:
        line = choose_line(measure, values[np.isfinite(values)])
        beyond = np.flatnonzero(values >= line)
        rows = np.sort(current.rows[beyond])
        known = int(np.count_nonzero(np.isfinite(values)))
        lacking = len(values) - known
        st.markdown(f"**{len(rows):,}** of {counted(len(values))} are at or above the line "
                    f"({len(rows) / len(values):.1%})"
                    + (f"; not defined for {lacking:,}." if lacking else "."))
        if st.button(f"Select these {counted(len(rows))}", icon=":material/select_all:",
                     key="anomalies.select", type="primary", width="stretch"):
            lead_to_map(rows, "anomalies", measure.key, f"{measure.key}:down")
        one, other = st.columns(2)
        if one.button("On the map, coloured", icon=":material/palette:", key="anomalies.color",
                      width="stretch", help="Shows the map coloured by this score."):
            lead_to_map(coloring=measure.key)
        if other.button("One by one", icon=":material/image_search:", key="anomalies.rebuild",
                        width="stretch", help="Selects these rows and shows what the network made "
                                              "of each, on the page Reconstruction."):
            state.select(rows, "anomalies")
            state.go_to(REBUILD)
    with left:
        st.plotly_chart(draw_histogram(values, what=measure.title, line=line,
                                       line_name="at or above the line", height=280),
                        key=f"anomalies.figure.{measure.key}")
    _show_held(found, beyond)
    return line


def _show_held(found: Finding, beyond: np.ndarray) -> None:
    """Rows the network was trained on look less odd: how many of each are beyond."""
    if "held" not in found.per_row:
        st.caption(":material/info: Which of the rows the network was trained on is not known, or "
                   "all were: rows trained on look less odd than new ones.")
        return
    held = np.asarray(found.per_row["held"]) == 1
    inside = np.zeros(len(held), dtype=bool)
    inside[beyond] = True
    new, old = int(np.count_nonzero(inside & held)), int(np.count_nonzero(inside & ~held))
    st.caption(f":material/info: Beyond the line are {new:,} of {int(held.sum()):,} rows held back "
               f"from training ({new / max(1, int(held.sum())):.1%}) and {old:,} of "
               f"{int((~held).sum()):,} rows trained on ({old / max(1, int((~held).sum())):.1%}). "
               "Rows the network was trained on tend to look less odd to it; new rows compare "
               "with those held back.")


def _show_strips(trained: TrainedRun, found: Finding, measure: Measure,
                 values: np.ndarray) -> None:
    """The oddest and the least odd rows as pictures, what the network made of them below."""
    kept = np.asarray(found.extras["kept"])
    ranked = kept[np.isfinite(values[kept])]
    ranked = ranked[np.argsort(-values[ranked], kind="stable")]
    known = int(np.count_nonzero(np.isfinite(values)))
    fewer = "" if len(ranked) == known else f", of the {len(ranked):,} rows kept as rebuilt"
    for title, places in (("The oddest", ranked[:_STRIP]),
                          ("The least odd", ranked[::-1][:_STRIP])):
        st.markdown(f"**{esc_md(title)}** :gray[above: the row, below: rebuilt; from the left by "
                    f"{esc_md(measure.title)}{esc_md(fewer)}]")
        st.image(data_url(draw_rebuilt(_originals(trained, places), np.asarray(
            found.extras["rebuilt"][np.searchsorted(kept, places)], dtype=np.float32)),
            "image/png"), width="content")
        rows = ", ".join(trained.run.dataset.row_ids[int(row)]
                         for row in trained.run.rows[places])
        st.caption(f"Rows {esc_md(rows)}")


def _originals(trained: TrainedRun, places: np.ndarray) -> np.ndarray:
    channels, height, width = trained.model.shape
    at = np.searchsorted(trained.read.rows, trained.embedding.rows[places])
    return in_shape(np.asarray(trained.read.vectors[at]), (height, width, channels))
