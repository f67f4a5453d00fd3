"""One-click selections: the rows that do not fit their cluster, in words and with their number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from explorer.escape import esc_md
from explorer.run import Run
from explorer.ui import state
from explorer.ui.map_data import digest
from explorer.ui.scores_data import Bench, Pick, picks_of, read_bench

_SAID = "scores_said"
_ORIGIN = "scores"
_WIDEST = 40


def offer_picks(bench: Bench, names: dict[int, str]) -> None:
    """The buttons over the bars."""
    picks = picks_of(bench, names)
    plain = [one for one in picks if one.kind != "rather"]
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if not any(one.kind == "negative" for one in plain):
            st.markdown(":material/check_circle: No row has a negative silhouette.")
        for one in plain:
            _button(one)
        _rather(picks)
        with st.popover("Below a value", icon=":material/filter_list:"):
            _below(bench)


def offer_on_map(current: Run, names: dict[int, str], key: str) -> None:
    """The same in one small menu beside the map's bars."""
    bench = read_bench(current)
    picks = picks_of(bench, names)
    negative = next((len(one.rows) for one in picks if one.kind == "negative"), 0)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        with st.popover(f"Rows that do not fit ({negative:,})", icon=":material/rule:",
                        key=f"picks.{key}"):
            if not picks:
                st.caption("No row has a negative silhouette.")
            for one in picks:
                _button(one, place=key, stretch=True)
        if st.button("Scores", icon=":material/leaderboard:", type="tertiary",
                     key=f"to_scores.{key}"):
            state.go_to("pages/judge/scores.py")


def say_selection() -> None:
    """A line about what the selected rows were chosen for, where they were chosen here."""
    said = words_of_selection()
    if said:
        st.caption(f":material/ads_click: Selected: {esc_md(said)}.")


def words_of_selection() -> str:
    """What the rows now selected were chosen for, where they were chosen here."""
    rows, words = st.session_state.get(_SAID, ("", ""))
    now = state.selection().rows
    return words if len(now) and rows == digest(now.tobytes()) else ""


def choose(rows: np.ndarray, words: str) -> None:
    """Select these dataset rows and remember in words what they are; for callbacks."""
    state.select(rows, _ORIGIN)
    st.session_state[_SAID] = (digest(state.selection().rows.tobytes()), words)


def _button(one: Pick, *, place: str = "bench", stretch: bool = False) -> None:
    rather = "Would rather be in " if one.kind == "rather" else ""
    label = f"{_short(rather + one.title)} ({len(one.rows):,})"
    st.button(esc_md(label), key=f"pick.{place}.{one.kind}.{one.cluster}", on_click=choose,
              args=(one.rows, one.words), help=esc_md(f"{one.words}."),
              width="stretch" if stretch else "content")


def _rather(picks: Sequence[Pick]) -> None:
    rather = [one for one in picks if one.kind == "rather"]
    if not rather:
        return
    with st.popover("Would rather be in …", icon=":material/move_down:"):
        st.caption("Rows nearer to another cluster than to their own, by that cluster.")
        for one in rather:
            _button(one, stretch=True)


def _below(bench: Bench) -> None:
    known = bench.values[np.isfinite(bench.values)]
    low, high = float(known.min()), float(known.max())
    if high - low < 1e-9:
        st.caption("All rows have the same silhouette.")
        return
    limit = st.slider("Silhouette below", round(low, 2) - 0.01, round(high, 2) + 0.01,
                      min(max(0.0, low), high), 0.01, key="scores_below")
    rows = bench.run.rows[bench.values < limit]
    st.button(f"Select {len(rows):,} rows", key="scores_below_do", type="primary",
              disabled=not len(rows), on_click=choose,
              args=(rows, f"Rows with a silhouette below {limit:g}"))


def _short(words: str) -> str:
    return words if len(words) <= _WIDEST else f"{words[:_WIDEST - 1]}…"
