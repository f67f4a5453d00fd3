"""The stability of clusters on a page: which were found again, what broke the others."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from explorer.escape import esc_md
from explorer.plot.kinds import draw_kinds
from explorer.plot.stability import MOST_DRAWN, Bar, draw_stability
from explorer.run import Run, name_of
from explorer.study.stability import Stability
from explorer.study.stability_report import DISSOLVED, GRADES, MEANINGS, RECOVERED
from explorer.ui import state
from explorer.ui.basis import show_basis
from explorer.ui.cells import shown_cell
from explorer.ui.clicks import clicked
from explorer.ui.kept import Kept
from explorer.ui.study_view import ask, show_said, show_scores
from explorer.values import Finding

_figures: Kept[Any] = Kept(32)
_CONFIG = {"displayModeBar": False}
_ORIGIN = "stability"
MAP = "pages/explore/map.py"


def show_clusters(current: Run, names: dict[int, str]) -> None:
    """The study, its headline, bars, heat map, one-click selections and tables."""
    answer = ask(Stability, current)
    if answer is None:
        return
    study, found = answer
    if current.plan.edited:
        st.info("Edits by hand cannot be repeated: these are the clusters as the method gave them, "
                "before the edits, under their numbers of then.", icon=":material/edit_off:")
        names = {}
    records = found.tables.get("clusters", [])
    repeats = found.tables.get("repeats", [])
    if not records or not repeats:
        st.info("There is no cluster to look for, or no repeat could be made.")
        show_scores(found)
        return
    _show_headline(records, max(record["tried"] for record in records), study)
    most = max(record["rows"] for record in repeats)
    show_basis(found.scores[-1], "" if most == found.scores[-1].total
               else f"at most {most:,} rows in a repeat")
    show_said(found)
    _show_figures(current, study, found, records, names)
    _offer_rows(current, found, records)
    with st.expander("Numbers and their basis"):
        show_scores(found)
    with st.expander("Every cluster, every kind of change, every repeat"):
        _show_tables(found, records, names)


def _show_headline(records: list[dict[str, Any]], repeats: int, study: Stability) -> None:
    counts = {word: sum(record["grade"] == word for record in records) for word in MEANINGS}
    said = ", ".join(f"**{count:d}** {esc_md(word)}" for word, count in counts.items() if count)
    words = "  \n".join(f"- **{esc_md(word)}**{esc_md(_from(word))}: {esc_md(meaning)}"
                        for word, meaning in MEANINGS.items() if counts.get(word))
    st.markdown(
        f"Of {len(records):,} clusters, over {repeats:,} repeats: {said}.", help=(
            "The grade of a cluster is its mean overlap (Jaccard) under the kind of change that "
            "harms it most: one that breaks it is not made good by others that never touch it. "
            "Repeats with another number of clusters are shown on the right, but not counted: they "
            "must join or cut some.\n\n"
            f"{words}\n\nThe steps are those C. Hennig gives for resampled rows (2007; R package "
            "fpc); they are a guide, not a law. Each cluster is compared with the most similar "
            "cluster of the repeat (the maximum; no one-to-one assignment), among the rows that "
            "are in the repeat; noise is never a partner.\n\n'Found' means an overlap of at least "
            f"{study.found_from:g}; 'dissolved' at most {DISSOLVED:g}, 'recovered' at least "
            f"{RECOVERED:g}."))


def _from(word: str) -> str:
    low = next((low for low, name in GRADES if name == word), None)
    if low is None:
        return ""
    return f" (from {low:g})" if low else f" (below {GRADES[-2][0]:g})"


def _show_figures(current: Run, study: Stability, found: Finding,
                  records: list[dict[str, Any]], names: dict[int, str]) -> None:
    ordered = sorted(records, key=lambda record: (_or_zero(record["weakest"]), record["cluster"]))
    bars = [Bar(record["cluster"], name_of(record["cluster"], names), record["jaccard"],
                record["weakest"], record["found"], record["tried"], record["grade"])
            for record in ordered]
    kinds = [record["change"] for record in found.tables["kinds"]]
    by_kind = np.asarray(found.extras["by_kind"])[:, [bar.cluster for bar in bars]].T
    key = (current.plan.original, tuple(sorted(study.values().items())),
           tuple(sorted(names.items())))
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.markdown("**How much of each cluster comes out again** :small[:gray[weakest first; bar: "
                    "mean of all repeats, tick: under the worst kind of change]]")
        st.plotly_chart(_figures.get(("bars", *key), lambda: draw_stability(
            bars, [low for low, _ in GRADES if low])), key="stability.bars", config=_CONFIG,
            on_select=partial(_choose, current, "stability.bars"), selection_mode="points")
    with right:
        st.markdown("**What breaks them** :small[:gray[mean overlap by kind of change]]")
        st.plotly_chart(_figures.get(("kinds", *key), lambda: draw_kinds(
            by_kind, kinds, [bar.name for bar in bars])), key="stability.kinds", config=_CONFIG)
    if len(bars) > MOST_DRAWN:
        st.caption(f"The {MOST_DRAWN:d} weakest of {len(bars):,} clusters are drawn; the table "
                   "below has all of them.")


def _choose(current: Run, chart: str) -> None:
    _select(current, [int(numbers[0]) for numbers in clicked(chart)])


def _select(current: Run, clusters: list[int]) -> None:
    """Select the rows of these clusters of the method."""
    if current.original is not None and clusters:
        inside = np.isin(np.asarray(current.original.labels), clusters)
        state.select(current.rows[np.flatnonzero(inside)], _ORIGIN)


def _offer_rows(current: Run, found: Finding, records: list[dict[str, Any]]) -> None:
    again = np.asarray(found.per_row["again"])
    weak = [record["cluster"] for record in records if record["grade"] in ("doubtful", "unstable")]
    loose = np.flatnonzero(again < 0.5)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(f"Select the {len(weak):,} doubtful and unstable clusters",
                  icon=":material/select_all:", disabled=not weak, on_click=_select,
                  args=(current, weak), key="stability.weak")
        st.button(f"Select the {len(loose):,} rows that mostly leave their cluster",
                  icon=":material/move_up:", disabled=not len(loose), key="stability.loose",
                  help="Rows that fewer than half of the repeats put with their cluster again.",
                  on_click=state.select, args=(current.rows[loose], _ORIGIN))
        if st.button("Colour the map by this", icon=":material/palette:",
                     help="How often each row was put with its cluster again."):
            show_on_map(Stability.key, "again")
    chosen = state.selection()
    if len(chosen.rows) and chosen.origin == _ORIGIN:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{len(chosen.rows):,}** rows selected")
            if st.button("Show them on the map", icon=":material/scatter_plot:", type="primary",
                         key="stability.show"):
                show_on_map(Stability.key, "again")
    else:
        st.caption("A click on a bar selects its cluster.")


def show_on_map(study: str, name: str) -> None:
    """Go to the map, coloured by these numbers per row of a study."""
    st.session_state["coloring"] = f"study:{study}:{name}"
    st.session_state.pop("color_by", None)
    state.go_to(MAP)


def _show_tables(found: Finding, records: list[dict[str, Any]], names: dict[int, str]) -> None:
    column = st.column_config
    number = column.NumberColumn(format="%.3f")
    st.dataframe(
        [{**record, "cluster": shown_cell(name_of(record["cluster"], names)),
          "found": f"{record['found']} of {record['tried']}"} for record in records],
        hide_index=True, column_order=["cluster", "rows", "grade", "found", "jaccard", "weakest",
                                       "under", "lowest", "dissolved", "recovered"],
        column_config={"jaccard": column.NumberColumn("mean overlap", format="%.3f"),
                       "weakest": column.NumberColumn("worst kind", format="%.3f"),
                       "under": column.TextColumn("which kind"), "lowest": number})
    st.dataframe(found.tables["kinds"], hide_index=True, column_config={
        "mean jaccard": column.NumberColumn("mean overlap", format="%.3f"),
        "clusters found": column.NumberColumn("clusters found", format="percent"),
        "adjusted Rand index": number})
    st.dataframe([{**record, "what": shown_cell(record["what"])}
                  for record in found.tables["repeats"]], hide_index=True, height=280,
                 column_config={"adjusted Rand index": number})


def _or_zero(value: float | None) -> float:
    return -1.0 if value is None else value
