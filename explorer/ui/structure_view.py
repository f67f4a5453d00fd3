"""'Real structure?' on a page: your score against data without groups; the Hopkins statistic."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from explorer.escape import esc_md
from explorer.plot.nulls import draw_nulls
from explorer.run import Run
from explorer.study.hopkins import Hopkins
from explorer.study.null_models import NullModels
from explorer.study.nulls import MEANINGS
from explorer.ui.basis import show_basis
from explorer.ui.kept import Kept
from explorer.ui.study_view import ask, show_said, show_scores
from explorer.values import Finding

_figures: Kept[Any] = Kept(32)
_CONFIG = {"displayModeBar": False}
_UNUSUAL = 0.05


def show_nulls(current: Run) -> None:
    """The study of null models: an answer in words, the strips, the numbers."""
    answer = ask(NullModels, current)
    if answer is None:
        return
    study, found = answer
    records = found.tables["nulls"]
    titles = list(dict.fromkeys(record["score"] for record in records))
    name = st.segmented_control("Score", titles, default=titles[0], key="structure.score",
                                label_visibility="collapsed",
                                format_func=lambda title: esc_md(title)) or titles[0]
    here = [record for record in records if record["score"] == name]
    _show_answer(here, name)
    show_basis(next(score for score in found.scores if score.name.startswith(name)))
    values = np.asarray(found.extras["values"])[:, :, titles.index(name)]
    kinds = [record["data"] for record in here]
    st.plotly_chart(_figures.get((current.plan.original, _values(study), name), lambda: draw_nulls(
        kinds, values, here[0]["yours"], _axis(here[0]))), key="structure.nulls", config=_CONFIG)
    _show_kinds(here, found)
    show_said(found)
    with st.expander("Numbers and their basis"):
        show_scores(found)
        st.dataframe(records, hide_index=True)


def _show_answer(records: list[dict[str, Any]], name: str) -> None:
    yours = records[0]["yours"]
    if yours is None:
        st.warning(f"{esc_md(name)} is not defined for your clusters, so there is nothing to "
                   "compare.", icon=":material/info:")
        return
    beaten = [record for record in records if record["as good"] == 0]
    reached = [record for record in records if record["as good"]]
    runs = sum(record["runs"] for record in beaten)
    if not reached:
        sure = max(record["p"] for record in records) <= _UNUSUAL
        st.success(f"**{'Yes' if sure else 'It looks so'}:** in none of {runs:,} data sets without "
                   f"groups did the same method reach a score as good as yours ({esc_md(name)})."
                   + ("" if sure else " These are too few data sets to be sure: ask for more "
                                      "runs."), icon=":material/check_circle:")
        return
    said = "; ".join(f"{record['as good']} of {record['runs']} with {record['data']}"
                     for record in reached)
    if all(record["p"] <= _UNUSUAL for record in reached):
        st.info(f"**Probably:** few data sets without groups score as well as yours "
                f"({esc_md(said)}).",
                icon=":material/help:")
    else:
        st.warning("**Do not rely on it:** data without groups gives the same method scores as "
                   f"good as yours ({esc_md(said)}).", icon=":material/warning:")


def _show_kinds(records: list[dict[str, Any]], found: Finding) -> None:
    """One line per kind of null data: what it is, how often it was as good, p and z in words."""
    counts = {record["data"]: record for record in found.tables.get("clusters", [])}
    yours = counts.get("yours", {})
    for record in records:
        if record["p"] is None:
            continue
        good, runs = record["as good"], record["runs"]
        share = (f"As good as yours: **{good:d} of {runs:d}**. If your data were like this, with "
                 "no groups, a score as good as yours would come up in at most about "
                 f"{record['p']:.1%} of cases (p = {record['p']:.3f}, one-sided)")
        if record["z"] is not None:
            share += (f"; yours lies {abs(record['z']):.1f} of their standard deviations "
                      f"{'beyond' if record['z'] > 0 else 'short of'} their mean "
                      f"{record['null mean']:.4g}")
        nothing = runs - record["defined"]
        if nothing:
            share += (f". In {nothing:d} of {runs:d} the method found no two clusters, so there "
                      "was nothing to score")
        there, mine = counts.get(record["data"]), yours.get("clusters")
        if there and mine is not None and there["clusters"] is not None \
                and (there["fewest"], there["most"]) != (mine, mine):
            share += (f". The method found {there['fewest']:d} to {there['most']:d} clusters "
                      f"there, {mine:d} in yours")
        st.markdown(f"**{esc_md(record['data'][:1].upper() + record['data'][1:])}** "
                    f":small[:gray[{esc_md(MEANINGS[record['data']])}]]  \n{share}.")


def show_hopkins(current: Run) -> None:
    """The Hopkins statistic beside its nulls."""
    answer = ask(Hopkins, current)
    if answer is None:
        return
    study, found = answer
    score = found.scores[0]
    if score.value is None:
        st.info(esc_md(score.why), icon=":material/info:")
        return
    records = found.tables["nulls"]
    even, cloud = (record["p"] for record in records)
    if even > _UNUSUAL:
        said = "the rows lie no more in clumps than rows spread evenly would."
    elif cloud > _UNUSUAL:
        said = ("the rows lie in clumps compared with evenly spread ones, but no more than one "
                "single cloud of the same shape: this does not speak for groups.")
    else:
        said = "the rows clump more than evenly spread ones, and more than one single cloud does."
    st.markdown(f"Hopkins statistic **{score.value:.3f}**: {said}")
    show_basis(score)
    values = np.asarray(found.extras["values"])[:, :, 0]
    st.plotly_chart(_figures.get((Hopkins.key, current.plan.clustered, _values(study)),
                                 lambda: draw_nulls([record["data"] for record in records], values,
                                                    score.value, "Hopkins statistic")),
                    key="structure.hopkins", config=_CONFIG)
    _show_kinds(records, found)
    show_said(found)
    with st.expander("Numbers and their basis"):
        show_scores(found)


def _axis(record: dict[str, Any]) -> str:
    return f"{record['score']} ({record['better']} is better)"


def _values(study: Any) -> tuple[Any, ...]:
    return tuple(sorted(study.values().items()))
