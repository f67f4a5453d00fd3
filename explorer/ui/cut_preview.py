"""Another cut of the tree, tried on the map before it is used: a colouring, nothing is computed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from explorer.cluster.agglomerative import count_at, cut
from explorer.colorings import Coloring
from explorer.plot.palette import CategoryColors, cluster_colors
from explorer.run import Run
from explorer.ui.kept import Kept

KEY = "cut"
"""The colouring's key among those of the map."""
_HELD = "cut.preview"
_labels: Kept[np.ndarray] = Kept(32 * 2**20, lambda labels: int(labels.nbytes))


@dataclass(frozen=True)
class Cut:
    """A tree (by its key) cut into `count` clusters; `height` is the distance asked for, None: the
    number was."""

    tree: str
    count: int
    height: float | None = None


def tried_cut(current: Run) -> Cut | None:
    """The cut that is tried on this run's tree, if any."""
    held: Cut | None = st.session_state.get(_HELD)
    return held if held is not None and held.tree == current.plan.tree else None


def try_count(current: Run, count: int) -> None:
    """Show on the map what `count` clusters would be."""
    assert current.plan.tree is not None
    _hold(Cut(current.plan.tree, count))


def try_height(current: Run, height: float) -> None:
    """Show on the map what a cut at this distance gives."""
    assert current.plan.tree is not None
    assert current.tree is not None
    _hold(Cut(current.plan.tree, count_at(current.tree.merges, height), height))


def drop_cut() -> None:
    """Back to the clusters there are."""
    st.session_state.pop(_HELD, None)
    if st.session_state.get("coloring") == KEY:
        st.session_state.pop("coloring")
    if st.session_state.get("color_by") == KEY:
        st.session_state.pop("color_by")


def labels_at(current: Run, count: int) -> np.ndarray:
    """n int32 labels of the tree cut into `count` clusters, as the clusterer numbers them."""
    tree = current.tree
    assert tree is not None
    return _labels.get((current.plan.tree, count), lambda: cut(tree.merges, count))


def cut_coloring(current: Run) -> Coloring | None:
    """The colours of the cut that is tried, if any."""
    tried = tried_cut(current)
    if tried is None or current.tree is None:
        return None
    heading = f"tried: {tried.count:,} clusters"
    return Coloring(f"Tried cut, {tried.count:,} clusters", heading,
                    (KEY, current.plan.embedding, tried.tree, tried.count),
                    lambda: _colored(labels_at(current, tried.count), heading))


def _colored(labels: np.ndarray, heading: str) -> CategoryColors:
    # Not 'Cluster 3': the map still has the names of the clusters in use on it.
    return cluster_colors(labels, {label: f"Tried {label}" for label in range(labels.max() + 1)},
                          title=heading)


def _hold(tried: Cut) -> None:
    st.session_state[_HELD] = tried
    st.session_state["coloring"] = st.session_state["color_by"] = KEY
