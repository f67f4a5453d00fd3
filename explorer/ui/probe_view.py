"""How well the vectors predict a column: numbers, the confusions, the rows predicted otherwise."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from explorer.dataset import Dataset
from explorer.escape import esc_md, shown
from explorer.known_groups import group_columns
from explorer.plot.overlap import Table, draw_overlap, in_order
from explorer.run import Run
from explorer.study.probe import LEFT_OUT, Probe
from explorer.study.step import study_key, study_step
from explorer.ui import state
from explorer.ui.clicks import clicked
from explorer.ui.form import edit_method
from explorer.ui.job_panel import about, watch
from explorer.ui.kept import Kept
from explorer.ui.rows_view import counted, show_rows
from explorer.ui.selection_bar import show_selection_bar
from explorer.ui.shared import calibration
from explorer.ui.study_view import compute, remember, show_said
from explorer.values import Finding

_figures: Kept[Any] = Kept(16)
_MEANS = {
    "accuracy": "Share of right predictions, mean over all folds and runs; its 95 % interval is "
                "the corrected resampled t of Nadeau & Bengio 2003.",
    "balanced accuracy": "Mean over the classes of the share of right predictions: large classes "
                         "count no more than small ones.",
    "macro F1": "Mean over the classes of F1 (harmonic mean of precision and recall).",
    "R2": "1: every number predicted exactly; 0: no better than always naming the mean; below 0: "
          "worse.",
}


def choose_probe(current: Run) -> Probe | None:
    """The form: the column to predict, and the settings folded away."""
    offers = probe_columns(current.dataset)
    if not offers:
        st.info("There is no column to predict: one with the role label, category or number would "
                "do. Roles are set on the Bring data page.", icon=":material/info:")
        return None
    saved: dict[str, Any] = next((made["parameters"] for made in state.document().studies
                                  if made["method"] == Probe.key), {})
    with st.container(border=True):
        if st.session_state.get("probe.column") not in offers:
            st.session_state["probe.column"] = (saved["column"] if saved.get("column") in offers
                                                else offers[0])
        column = str(st.selectbox("Column to predict", offers, key="probe.column",
                                  format_func=shown,
                                  help="Labels and categories are classes, numbers are predicted "
                                       "as numbers; labels come first."))
        with st.expander("Settings"):
            return edit_method("study", Probe, saved, None, fixed={"column": column})


def probe_columns(data: Dataset) -> list[str]:
    """The columns a probe can predict: what sorts the rows into groups, then other numbers."""
    groups = [offer.name for offer in group_columns(data) if not offer.why]
    numbers = [column.name for column in data.with_role("number")
               if column.place == "table" and not column.dimensions
               and (column.distinct is None or column.distinct > 1)]
    return list(dict.fromkeys([*groups, *numbers]))


def show_probe(current: Run, study: Probe, names: dict[int, str]) -> None:
    """What the probe of the run's own embedding found; a button while it is not computed."""
    found = current.finding(study)
    if found is None:
        step = study_step(current.plan, study, calibration((study.key,)))
        if not watch([step], study.title, "_probe"):
            st.button(f"Probe the vectors ({about(step.seconds)})", type="primary",
                      icon=":material/play_arrow:", key="probe.compute",
                      on_click=compute, args=(current, study))
        return
    remember(study)
    first = found.scores[0]
    st.markdown(f"**{esc_md(first.space)}** predicts **{esc_md(study.column)}**  \n:small[:gray["
                f"{first.sample:,} of {first.total:,} rows · {study.folds:d} folds, {study.runs:d} "
                f"runs · seed {study.seed:d} · {esc_md(first.noise)}]]")
    _show_measures(found)
    show_said(found)
    if "confusion" in found.extras:
        _show_confusions(current, study, found)
    else:
        _offer_errors(current, found)
    show_selection_bar(current)
    rows = state.selection().rows
    if len(rows) and state.selection().origin == "probe":
        show_rows(current, rows, names, "probe.rows", choosing=False)


def _show_measures(found: Finding) -> None:
    lines = []
    for line in found.tables["measures"]:
        low, high = line["low"], line["high"]
        lines.append({"probe": line["probe"], "measure": line["measure"], "value": line["value"],
                      "95 % interval": "" if low is None else f"{low:.3f} to {high:.3f}",
                      "without vectors": line["baseline"]})
    number = st.column_config.NumberColumn
    measures = {line["measure"] for line in lines}
    st.dataframe(lines, hide_index=True, column_config={
        "measure": st.column_config.TextColumn("measure", help="  \n".join(
            esc_md(f"{name}: {meaning}") for name, meaning in _MEANS.items()
            if name in measures)),
        "value": number("value", format="%.3f", help="Empty: not defined."),
        "95 % interval": st.column_config.TextColumn(
            "95 % interval", help="Corrected resampled t (Nadeau & Bengio 2003) over folds and "
            "runs; none where every fold has the same score."),
        "without vectors": number("without vectors", format="%.3f", help="What always naming the "
                                  "commonest class (or the mean) comes to: the vectors must beat "
                                  "it.")})


def _show_confusions(current: Run, study: Probe, found: Finding) -> None:
    wrong = np.flatnonzero(np.asarray(found.per_row["correct"]) == 0)
    own = np.asarray(found.per_row["own"])
    sure = wrong[own[wrong] < 0.1]
    with st.container(horizontal=True, vertical_alignment="center"):
        _select("Select the {} predicted otherwise", current.rows[wrong], "wrong", "The linear "
                "probe, trained on other rows, names another class than the row has: candidates "
                "for wrong labels, or rows that are hard.")
        _select("Only the {} it is sure of", current.rows[sure], "sure", "Of these, the rows "
                "whose own label gets a chance below 10 %.")
        if st.button("Show on map", icon=":material/scatter_plot:", key="probe.map",
                     disabled=not len(state.selection().rows)):
            state.go_to("pages/explore/map.py")
    st.caption("Own class against the class predicted by the linear probe, each row by a model "
               "that has not seen it. A click on a cell selects its rows. On the map, colour by "
               "'Probe is right' or 'Chance of the own label'.")
    key = study_key(current.plan, study)
    figure = _figures.get(key, partial(_draw, found))
    chart = f"probe.confusion.{key[:10]}"
    st.plotly_chart(figure, key=chart, selection_mode="points", config={"displayModeBar": False},
                    on_select=partial(_choose, current.rows, found, chart))


def _draw(found: Finding) -> Any:
    counts = np.asarray(found.extras["confusion"])
    names = [str(line["name"]) for line in found.tables["classes"]]
    every = np.arange(len(names))
    return draw_overlap(in_order(Table(counts, every, every, names, names, every, counts.sum(1))),
                        ours="own class", theirs="predicted class")


def _offer_errors(current: Run, found: Finding) -> None:
    error = np.asarray(found.per_row["error"])
    known = error[np.isfinite(error)]
    far = np.flatnonzero(error > np.quantile(known, 0.95)) if len(known) else np.empty(0, np.int64)
    with st.container(horizontal=True, vertical_alignment="center"):
        _select("Select the {} predicted worst", current.rows[far], "worst",
                "The 5 % of rows whose number is farthest from the prediction.")
        st.caption(f"Half of the rows are predicted to within {np.median(known):.3g}. On the map, "
                   "colour by 'Prediction error'.")


def _select(words: str, rows: np.ndarray, name: str, about_them: str) -> None:
    st.button(esc_md(words.replace("{}", counted(len(rows)))), key=f"probe.{name}", help=about_them,
              disabled=not len(rows), on_click=state.select, args=(rows, "probe"),
              icon=":material/highlight_alt:")


def _choose(rows: np.ndarray, found: Finding, chart: str) -> None:
    cells = {tuple(map(int, numbers[:2])) for numbers in clicked(chart)}
    own, predicted = found.extras["own"], found.extras["predicted"]
    chosen = np.zeros(len(rows), dtype=bool)
    for code, answer in cells:
        chosen |= (own == code) & (predicted == answer) & (own != LEFT_OUT)
    if cells:
        state.select(rows[chosen], "probe")
