"""The dendrogram of a run, the line at which it is cut, and what another cut would give."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from explorer.escape import esc_md
from explorer.plot.dendrogram import (
    LEAVES,
    Crown,
    crown_of,
    draw_dendrogram,
    heights_to_cut,
)
from explorer.run import Run
from explorer.ui import state
from explorer.ui.backend import backend
from explorer.ui.clicks import clicked
from explorer.ui.cut_preview import (
    Cut,
    drop_cut,
    labels_at,
    tried_cut,
    try_count,
    try_height,
)
from explorer.ui.job_panel import submit
from explorer.ui.kept import Kept

_MOST = 200
_CHART, _COUNT, _HEIGHT = "dendrogram", "cut.count", "cut.height"
_crowns: Kept[Crown] = Kept(64 * 2**20, lambda crown: int(crown.ends.nbytes))
_figures: Kept[Any] = Kept(32)
_CONFIG = {"displaylogo": False, "displayModeBar": False}


def show_dendrogram(current: Run, names: dict[int, str]) -> None:
    """The last joins of the tree; a click cuts it or chooses rows, the map follows at once."""
    tree = current.tree
    if tree is None or current.original is None:
        st.info("The tree of this run is not computed yet: make the map again on the page Recipe.",
                icon=":material/info:")
        return
    used = _used(current)
    tried = tried_cut(current) or used
    crown = _crown(current, tried.count)
    left, right = st.columns([7, 3], gap="medium")
    with right:
        _show_controls(current, used, tried)
    with left:
        line = _height_of(current, tried)
        figure = _figures.get((current.plan.tree, tried, crown.count), lambda: draw_dendrogram(
            crown, _owners(current, crown, tried.count), line, unit=_unit(current)))
        st.plotly_chart(figure, key=_CHART, config=_CONFIG, selection_mode="points",
                        on_select=lambda: _answer(current, crown))
    _say_what_is_drawn(current, crown)


def _used(current: Run) -> Cut:
    """The cut the clusters were made with."""
    method = current.recipe.clustering
    assert current.plan.tree is not None
    assert current.original is not None
    return Cut(current.plan.tree, current.original.count,
               getattr(method, "distance_threshold", None))


def _crown(current: Run, count: int) -> Crown:
    """More branch ends where the cut has more clusters."""
    tree = current.tree
    assert tree is not None
    leaves = LEAVES if count <= LEAVES else _MOST
    return _crowns.get((current.plan.tree, leaves), lambda: crown_of(tree.merges, leaves))


def _owners(current: Run, crown: Crown, count: int) -> np.ndarray:
    """The cluster of every branch end at that cut; -1 where it holds rows of several."""
    if count > crown.count:
        return np.full(crown.count, -1)
    labels = labels_at(current, count)
    _, first = np.unique(crown.ends, return_index=True)
    owners: np.ndarray = np.asarray(labels)[first].astype(np.int64)
    return owners


def _height_of(current: Run, tried: Cut) -> float:
    """Where the line stands: at the distance asked for, or half way between two joins."""
    assert current.tree is not None
    if tried.height is not None:
        return tried.height
    heights = np.append(0.0, current.tree.merges[:, 2])
    at = len(heights) - tried.count
    return float((heights[at] + heights[min(at + 1, len(heights) - 1)]) / 2)


def _show_controls(current: Run, used: Cut, tried: Cut) -> None:
    assert current.tree is not None
    most = min(_MOST, len(current.rows))
    line = _height_of(current, tried)
    # The fields follow the line, whoever moved it; they exist only while this panel is open.
    st.session_state[_COUNT] = min(max(tried.count, 2), most)
    st.session_state[_HEIGHT] = float(f"{line:.6g}")
    st.number_input("Clusters", 2, most, key=_COUNT,
                    on_change=lambda: try_count(current, st.session_state[_COUNT]),
                    help="Or click the figure at any height.")
    highest = float(current.tree.merges[-1, 2])
    st.number_input(f"Cut at distance ({esc_md(_unit(current))})", 0.0, None, key=_HEIGHT,
                    step=float(f"{highest / 50 or 1.0:.1g}"), format="%.6g",
                    on_change=lambda: _try_height(current))
    sizes = np.bincount(labels_at(current, tried.count))
    st.markdown(f"**{tried.count:,} cluster{'s' * (tried.count != 1)}**, the largest of "
                f"{sizes.max():,} rows, the smallest of {sizes.min():,}."
                + (" These are the clusters in use." if tried == used else
                   " The map shows them as colours; nothing else has changed yet."))
    st.button("Use this cut", type="primary", icon=":material/content_cut:", width="stretch",
              disabled=tried == used, on_click=_use, args=(current, tried))
    if tried != used:
        st.button("Back to the clusters in use", icon=":material/undo:", width="stretch",
                  on_click=drop_cut)


def _try_height(current: Run) -> None:
    height = float(st.session_state[_HEIGHT])
    if height > 0:
        try_height(current, height)


def _answer(current: Run, crown: Crown) -> None:
    """A click: cut there, or choose the rows of a branch."""
    for told, *_ in clicked(_CHART)[:1]:
        if told < 0:
            try_count(current, -int(told))
        else:
            state.select(current.rows[crown.inside(int(told))], _CHART)


def _use(current: Run, tried: Cut) -> None:
    """The recipe with this cut; its tree is there, so that only the cut is computed."""
    given = current.recipe.clustering.values()
    # What a click or the number says stands as a number, a distance as a distance.
    given |= ({"distance_threshold": tried.height} if tried.height is not None
              else {"clusters": tried.count, "distance_threshold": None})
    recipe = current.recipe.using(clusterer=current.recipe.clustering.create(**given)).bare
    submit(state.plan_of(recipe).missing(backend().store))
    drop_cut()
    state.forget_form()
    state.change(recipe=recipe.to_data(), ran=recipe.to_data())


def _unit(current: Run) -> str:
    method = current.recipe.clustering
    linkage = str(getattr(method, "linkage", ""))
    return "Ward distance" if linkage == "ward" else f"{linkage} {method.distance} distance"


def _say_what_is_drawn(current: Run, crown: Crown) -> None:
    tree = current.tree
    assert tree is not None
    n = len(tree.merges) + 1
    hidden = n - crown.count
    cut = ("All joins are drawn." if not hidden else
           f"Drawn are the last {crown.count - 1:,} of {n - 1:,} joins; the other {hidden:,} are "
           f"inside the branch ends, below distance {crown.below:.4g}.")
    if len(heights_to_cut(crown)) < crown.count - 1:
        cut += " Joins of equal height cannot be parted by a line: some numbers are left out."
    edited = " Your edits of the clusters are not in it." if current.plan.edited else ""
    st.caption(f"{n:,} rows in {esc_md(current.space)}. {cut} Click a dot to select the rows "
               f"under it, the space between to cut there.{edited}")
    for note in tree.notes:
        st.caption(f":material/info: {esc_md(note)}")

