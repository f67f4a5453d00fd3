"""Which row the page 'Reconstruction' shows: an order to go through, and the place in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from explorer.run import Run
from explorer.ui import state
from explorer.ui.rows_view import counted
from explorer.values import Finding

PAGE = "pages/lab/rebuild.py"
_WAY, _WAY_KEPT, _PLACE, _PLACE_KEPT = ("rebuild.way", "rebuild_way_kept", "rebuild.place",
                                        "rebuild_place_kept")
_SEED = 0
WORST, BEST, TYPICAL, RANDOM, DATA, SELECTED = (
    "Worst first", "Best first", "Typical first", "Random order", "Order of the data", "Selected")


@dataclass(frozen=True)
class Walk:
    """The `places` (int64) of the run's rows in the order chosen, and where in it we are."""

    places: np.ndarray
    at: int

    @property
    def place(self) -> int:
        """The row shown: its place among the run's rows."""
        return int(self.places[self.at])


def choose_row(current: Run, found: Finding) -> Walk:
    """The order, previous and next, and the place by its number; all kept between pages."""
    chosen = current.positions(state.selection().rows)
    ways = [WORST, BEST, TYPICAL, RANDOM, DATA]
    if len(chosen):
        ways = [SELECTED, *ways]
    errors = np.asarray(found.per_row["error"], dtype=np.float64)
    _restore(ways, len(chosen))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        way = str(st.selectbox("Go through the rows", ways, key=_WAY, width=210,
                               on_change=_begin, help=(
                                   "Worst and best by the reconstruction error; typical: errors "
                                   "nearest to the median of all rows; random with seed "
                                   f"{_SEED:d}; selected: the rows selected on the map or "
                                   "anywhere, the worst first.")))
        places = _ordered(way, errors, chosen)
        count = len(places)
        st.session_state[_PLACE] = min(max(1, int(st.session_state[_PLACE])), count)
        st.button("Previous", icon=":material/chevron_left:", key="rebuild.back", on_click=_step,
                  args=(-1,), disabled=st.session_state[_PLACE] <= 1)
        at = int(st.number_input(f"Row, 1 to {count:,}", 1, count, key=_PLACE, width=140,
                                 help="Its place in this order; in the order of the data it is "
                                      "the number of the row."))
        st.button("Next", icon=":material/chevron_right:", key="rebuild.next", on_click=_step,
                  args=(1,), disabled=at >= count)
        with st.container(width="content"):
            st.caption(f"{at:,} of {counted(count)}")
    st.session_state[_WAY_KEPT], st.session_state[_PLACE_KEPT] = way, at
    return Walk(places, at - 1)


def _ordered(way: str, errors: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    if way == SELECTED:
        found: np.ndarray = chosen[np.argsort(-errors[chosen], kind="stable")]
        return found
    if way == RANDOM:
        return np.random.default_rng(_SEED).permutation(len(errors))
    if way == DATA:
        return np.arange(len(errors))
    keys = {WORST: -errors, BEST: errors, TYPICAL: np.abs(errors - np.median(errors))}[way]
    return np.argsort(keys, kind="stable")


def _restore(ways: list[str], selected: int) -> None:
    """What was shown last; a new selection takes its place."""
    rows = state.selection().rows.tobytes()
    fresh = bool(selected) and st.session_state.get("rebuild_seen") != hash(rows)
    st.session_state["rebuild_seen"] = hash(rows)
    kept = st.session_state.get(_WAY_KEPT, WORST)
    if fresh and state.selection().origin != "rebuild":
        _go(SELECTED, 1)
    elif _WAY not in st.session_state or st.session_state[_WAY] not in ways:
        _go(kept if kept in ways else WORST, st.session_state.get(_PLACE_KEPT, 1))
    st.session_state.setdefault(_PLACE, 1)


def _go(way: str, place: int) -> None:
    st.session_state[_WAY] = st.session_state[_WAY_KEPT] = way
    st.session_state[_PLACE] = st.session_state[_PLACE_KEPT] = place


def _begin() -> None:
    st.session_state[_PLACE] = 1


def _step(by: int) -> None:
    st.session_state[_PLACE] = int(st.session_state[_PLACE]) + by
