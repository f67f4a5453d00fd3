"""What the studies of cluster numbers say beside the indices, where they were asked."""

from __future__ import annotations

import streamlit as st

from explorer.escape import esc_md
from explorer.run import Run
from explorer.study import Study
from explorer.study.gap import GapStatistic
from explorer.study.stability_by_k import StabilityByK
from explorer.ui import state

_ASKED: dict[type[Study], str] = {
    GapStatistic: "the gap statistic speaks for",
    StabilityByK: "both halves of the rows agree on up to"}


def say_studies(current: Run) -> None:
    """A line with their numbers for the recipe's method, or where to ask them."""
    method = current.recipe.clustering
    if not method.sweeps:
        return
    parts, lacking = [], []
    for kind, words in _ASKED.items():
        made = next((call for call in state.document().studies if call["method"] == kind.key), None)
        found = None if made is None else current.finding(kind.create(**made["parameters"]))
        if found is None:
            lacking.append(kind.title)
        elif found.scores[0].value is None:
            parts.append(f"{words} no number ({found.scores[0].why})")
        else:
            score = found.scores[0]
            parts.append(f"{words} {int(score.value or 0)} ({score.sample:,} of "
                         f"{score.total:,} rows, seed {score.seed})")
    if parts:
        st.markdown(esc_md(f"For {method.title}, {'; '.join(parts)}."))
    if lacking:
        st.caption(f"Not asked yet: {esc_md(' and '.join(lacking))}, the other parts of this page.")
