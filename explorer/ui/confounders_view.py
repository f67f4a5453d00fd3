"""What the clusters follow besides their meaning, and the map coloured by it."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.escape import esc_md, shown
from explorer.judge.contrast import compare_numbers
from explorer.judge.phrases import two_numbers
from explorer.measures import Measure, measures
from explorer.run import Run, name_of
from explorer.study.confounders import Confounders
from explorer.ui.lead_to_map import lead_to_map
from explorer.ui.study_view import ask


def show_confounders(current: Run, label: int, names: dict[int, str]) -> None:
    """The study for all clusters, and how the rows of `label` differ."""
    got = ask(Confounders, current)
    if got is None:
        return
    found = got[1]
    assert current.clustering is not None
    inside = np.asarray(current.clustering.labels) == label
    known = {one.title: one for key, one in measures(current).items()
             if key.startswith(f"study:{Confounders.key}:")}
    if found.notes:
        st.warning("  \n".join(esc_md(note) for note in found.notes), icon=":material/warning:")
    beside = shown(f"{name_of(label, names)}, mean against the rest")
    lines = [{"": shown(record["what"]), "effect": record["effect"],
              "measured by": record["measure"], "in a word": record["size"], "p": record["p"],
              "rows": record["rows"],
              beside: _differs(known.get(record["what"]), inside)}
             for record in found.tables["confounders"]]
    st.dataframe(lines, hide_index=True, key="confounders.table", column_config={
        "effect": st.column_config.ProgressColumn(
            "effect", min_value=0, max_value=1, format="%.3f",
            help="Eta squared: the share of a number's variance that lies between the clusters. "
                 "Cramér's V: 0 where categories and clusters have nothing to do with each other, "
                 "1 where one says the other."),
        "in a word": st.column_config.TextColumn("in a word", width="medium"),
        "p": st.column_config.NumberColumn("p", format="%.3g", help=(
            f"How often values dealt out at random reach such an effect, of {got[0].shuffles:,} "
            "deals and the data itself."))})
    noise = current.clustering.noise
    left_out = f"{noise:,} noise rows left out" if noise else "no noise rows"
    st.caption(f"All clusters together; {left_out}; seed {got[0].seed:d}. Large: eta squared from "
               "0.14 on (Cohen 1988).")
    with st.container(horizontal=True, gap="small"):
        for record in found.tables["confounders"]:
            one = known.get(record["what"])
            if one is not None and record["effect"] is not None and st.button(
                    f"Colour by {esc_md(one.title)}", key=f"confounders.{one.key}",
                    icon=":material/palette:"):
                lead_to_map(coloring=one.key)


def _differs(measure: Measure | None, inside: np.ndarray) -> str:
    if measure is None:
        return ""
    one = compare_numbers(measure.title, measure.numbers(), inside)
    return "" if one is None else f"{two_numbers(one.here, one.rest)} (d {one.effect:+.2f})"
