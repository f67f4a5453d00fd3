"""The rule of one cluster, what it is worth, and the rows that meet it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from explorer.escape import esc_md
from explorer.filters import Condition, Filter
from explorer.run import Run
from explorer.ui import state
from explorer.ui.filter_state import ask, clear_filter, passed
from explorer.ui.rows_view import counted
from explorer.ui.study_view import show_said
from explorer.values import Finding


def show_rule(current: Run, found: Finding, label: int, names: dict[int, str]) -> None:
    """What `explorer.study.rules` found out about this cluster."""
    records = [record for record in found.tables["rules"] if record["cluster"] == label]
    if not records:
        st.caption("There is no rule for noise, nor beyond the largest clusters.")
    for record in records:
        if record["rule"]:
            _show(current, record)
        else:
            st.markdown(f":material/block: {esc_md(record['why'])}")
    show_said(found)


def _show(current: Run, record: dict[str, Any]) -> None:
    st.markdown("  \n:gray[and] ".join(_term(term) for term in record["terms"]))
    own = f"precision **{_said(record['precision'])}**, recall **{_said(record['recall'])}**"
    others = (f"precision **{_said(record['precision on others'])}**, recall "
              f"**{_said(record['recall on others'])}**")
    st.markdown(f"On rows it was not learned from: {others}  \n:small[:gray[On all it was learned "
                f"from: {own}. Precision: the share of the rows found that are in the cluster; "
                f"recall: the share of the cluster that is found; cross-validated in "
                f"{record['parts']:d} parts.]]")
    rule = Filter(conditions=conditions(record["terms"]))
    rows = np.flatnonzero(passed(current, rule).rows)
    with st.container(horizontal=True, gap="small"):
        st.button(f"Select the {counted(len(rows))} it finds", key="rule.select",
                  icon=":material/select_all:", on_click=state.select, args=(rows, "rule"),
                  disabled=not len(rows))
        if st.button("Filter the map by it", key="rule.filter", icon=":material/filter_alt:"):
            clear_filter()
            ask(rule)
            state.go_to("pages/explore/map.py")


def conditions(terms: Sequence[dict[str, Any]]) -> tuple[Condition, ...]:
    """A rule's terms as conditions of a filter: the same rows pass."""
    found = []
    for term in terms:
        subject = f"column:{term['column']}"
        if term["text"] is None:
            low, high = (term["number"], None) if term["test"] == "at least" \
                else (None, term["number"])
            found.append(Condition(subject=subject, test="between", numbers=(low, high)))
        else:
            found.append(Condition(subject=subject, test=term["test"], texts=(term["text"],)))
    return tuple(found)


def _term(term: dict[str, Any]) -> str:
    value = f"{term['number']:.12g}" if term["text"] is None else f"“{term['text']}”"
    return f"{esc_md(term['column'])} {esc_md(term['test'])} **{esc_md(value)}**"


def _said(share: float | None) -> str:
    return "not defined" if share is None else f"{share:.2f}"
