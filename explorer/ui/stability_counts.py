"""Stability and gap by number of clusters on a page."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from explorer.escape import esc_md
from explorer.plot.gap import draw_gap
from explorer.plot.replication import draw_replication
from explorer.run import Run
from explorer.study.gap import GapStatistic
from explorer.study.stability_by_k import StabilityByK
from explorer.ui import state
from explorer.ui.basis import show_basis
from explorer.ui.kept import Kept
from explorer.ui.study_view import ask, show_scores

_figures: Kept[Any] = Kept(16)
_CONFIG = {"displayModeBar": False}


def show_stability_by_k(current: Run, *, leads: bool = True) -> None:
    """The study, its answer in a sentence, its curve."""
    if not _sweeps(current, StabilityByK.question):
        return
    answer = ask(StabilityByK, current)
    if answer is None:
        return
    study, found = answer
    score = found.scores[0]
    if score.value is None:
        st.info(esc_md(score.why), icon=":material/info:")
        return
    best = int(score.value)
    if best > 1:
        st.markdown(f"**{best} clusters** is the largest number for which both halves of the rows "
                    "agree well enough.")
    else:
        st.markdown("For **no number of clusters** above one do both halves agree well enough: "
                    "clusters of these sizes depend on which rows happen to be there.")
    show_basis(score)
    extras = found.extras
    st.plotly_chart(_figures.get((StabilityByK.key, current.plan.clustered, _values(study),
                                  _method(current), _now(current)), lambda: draw_replication(
        np.asarray(extras["counts"]), np.asarray(extras["strength"]), np.asarray(extras["error"]),
        np.asarray(extras["rand"]), study.enough, current=_now(current))),
        key="stability.by_k", config=_CONFIG)
    st.caption("Prediction strength: in the worst cluster of one half, the share of pairs of rows "
               "that the other half puts together, too. Adjusted Rand index: how much both halves "
               "agree over all rows, corrected for chance. Peaks matter more than the line: one "
               "unclear cluster pulls the prediction strength down for all.")
    if leads:
        _offer_numbers()
    with st.expander("Numbers and their basis"):
        show_scores(found)
        st.dataframe(found.tables["by_k"], hide_index=True)


def show_gap(current: Run, *, leads: bool = True) -> None:
    """The gap statistic, its answer in a sentence, its curve."""
    if not _sweeps(current, GapStatistic.question):
        return
    answer = ask(GapStatistic, current)
    if answer is None:
        return
    study, found = answer
    score = found.scores[0]
    chosen = None if score.value is None else int(score.value)
    if "gap" not in found.extras:
        st.info(esc_md(score.why), icon=":material/info:")
        return
    if chosen is None:
        st.markdown(f"No number is chosen: {esc_md(score.why.removeprefix('Not defined: '))}")
    elif chosen == 1:
        st.markdown("The gap statistic chooses **one cluster**: splitting makes the rows no "
                    "tighter than splitting evenly spread rows does.")
    else:
        st.markdown(f"The gap statistic chooses **{chosen} clusters**: more make the rows tighter "
                    "by no more than they do with evenly spread rows.")
    show_basis(score)
    extras = found.extras
    st.plotly_chart(_figures.get((GapStatistic.key, current.plan.clustered, _values(study),
                                  _method(current), _now(current)), lambda: draw_gap(
        np.asarray(extras["counts"]), np.asarray(extras["gap"]), np.asarray(extras["error"]),
        chosen, current=_now(current))), key="structure.gap", config=_CONFIG)
    st.caption("Gap: log of the squared distances inside clusters, evenly spread rows minus yours. "
               "Chosen is the first number whose gap reaches that of the next less one standard "
               "error (Tibshirani, Walther and Hastie 2001). Bars are that error.")
    if leads:
        _offer_numbers()
    with st.expander("Numbers and their basis"):
        show_scores(found)
        st.dataframe(found.tables["gap"], hide_index=True)


def _sweeps(current: Run, question: str) -> bool:
    if current.recipe.clustering.sweeps:
        return True
    st.markdown(f"**{esc_md(question)}**")
    st.info(f"{esc_md(current.recipe.clustering.title)} finds the number of clusters itself: there "
            "is no number to try. K-means and other methods that take one can be asked.",
            icon=":material/info:")
    return False


def _offer_numbers() -> None:
    if st.button("To the number of clusters", icon=":material/query_stats:"):
        state.go_to("pages/judge/number.py")


def _now(current: Run) -> int | None:
    method = current.recipe.clustering
    value = method.values().get(method.sweeps)
    return int(value) if value is not None else None


def _values(study: Any) -> tuple[Any, ...]:
    return tuple(sorted(study.values().items()))


def _method(current: Run) -> str:
    call = current.recipe.clusterer
    return f"{call.method} {sorted(call.parameters.items())}"
