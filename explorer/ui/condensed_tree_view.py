"""The condensed tree of a run by HDBSCAN: which clusters there are, and which there could be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from explorer.cluster.condense import rows_under
from explorer.escape import esc_md, shown
from explorer.plot.condensed_tree import MOST, Icicle, draw_condensed_tree, lay_out
from explorer.run import Run, name_of
from explorer.ui import state
from explorer.ui.clicks import clicked
from explorer.ui.kept import Kept

_CHART = "condensed_tree"
_CONFIG = {"displaylogo": False, "displayModeBar": False}


@dataclass(frozen=True)
class _Drawn:
    """A figure and what it was made of."""

    icicle: Icicle
    figure: Any


_drawn: Kept[_Drawn] = Kept(24)


def show_condensed_tree(current: Run, names: dict[int, str]) -> None:
    """The icicle; a click chooses the rows of a branch. Beside it the clusters and how long each
    lasts."""
    found = current.original
    if found is None or "branches" not in found.extras:
        st.info("The condensed tree of this run is not computed yet: make the map again on the "
                "page Recipe.", icon=":material/info:")
        return
    called = {label: name_of(label, {} if current.plan.edited else names)
              for label in found.clusters}
    branches, last = np.asarray(found.extras["branches"]), np.asarray(found.extras["last"])
    drawn = _drawn.get((current.plan.original, tuple(sorted(called.items()))), lambda: _draw(
        branches, last, np.asarray(found.extras["left"]), called, _unit(current)))
    left, right = st.columns([7, 4], gap="medium")
    with left:
        st.plotly_chart(drawn.figure, key=_CHART, config=_CONFIG, selection_mode="points",
                        on_select=lambda: _choose(current, branches, last))
    with right:
        _show_clusters(called, branches, np.asarray(found.extras["persistence"]))
    many = len(branches) > MOST
    drawn_ones = f"the {MOST} with most rows of {len(branches):,} branches" if many else "all"
    edited = " Your edits of the clusters are not in it." if current.plan.edited else ""
    st.caption(f"{len(last):,} rows in {esc_md(current.space)}; {int(found.noise):,} of them are "
               "noise: they are in none of the chosen branches. Drawn branches: "
               f"{esc_md(drawn_ones)}. Click a branch to select its rows.{edited}")


def _draw(branches: np.ndarray, last: np.ndarray, left: np.ndarray, called: dict[int, str],
          unit: str) -> _Drawn:
    icicle = lay_out(branches, last, left)
    return _Drawn(icicle, draw_condensed_tree(icicle, called, _texts(icicle, branches, called),
                                              unit=unit))


def _texts(icicle: Icicle, branches: np.ndarray, called: dict[int, str]) -> list[str]:
    """What every branch is, in words."""
    holder = icicle.holder()
    within: list[set[int]] = [set() for _ in holder]
    for branch in range(len(holder) - 1, 0, -1):
        own = {int(icicle.cluster[branch])} - {-1}
        within[icicle.parent[branch]] |= within[branch] | own
    texts = []
    for branch, label in enumerate(holder.tolist()):
        span = f"{icicle.rows[branch]:,} rows, together from distance {icicle.top[branch]:.4g} " \
               f"down to {icicle.bottom[branch]:.4g}"
        if icicle.cluster[branch] >= 0:
            what = called.get(label, "")
        elif label >= 0:
            what = f"A part of {called.get(label, '')} that would be a cluster of its own"
        elif within[branch]:
            inside = ", ".join(called.get(one, "") for one in sorted(within[branch])[:6])
            more = " and more" if len(within[branch]) > 6 else ""
            what = f"{'All rows' if not branch else 'A cluster that would be'}: holds " \
                   f"{inside}{more}"
        else:
            what = "A branch that was not chosen"
        stability = float(branches[branch, 5])
        said = (f"stability {stability:.4g}" if stability >= 0
                else "stability not defined: it holds copies of a row")
        texts.append(f"{what}\n{span}\n{said}\nclick: select its rows")
    return texts


def _choose(current: Run, branches: np.ndarray, last: np.ndarray) -> None:
    for branch, *_ in clicked(_CHART)[:1]:
        state.select(current.rows[rows_under(branches, last, int(branch))], _CHART)


def _show_clusters(called: dict[int, str], branches: np.ndarray,
                   persistence: np.ndarray) -> None:
    """One line per cluster, the most lasting first."""
    import pandas as pd

    if not called:
        st.markdown("**No cluster was chosen: all rows are noise.** Grey branches are clusters "
                    "that would be: hover them to see their sizes.")
        return
    rows = {int(line[4]): line for line in branches if line[4] >= 0}
    order = [label for label in np.argsort(-persistence, kind="stable").tolist() if label in rows]
    st.dataframe(pd.DataFrame({
        "cluster": [shown(called.get(label, "")) for label in order],
        "rows": [int(rows[label][3]) for label in order],
        "persistence": [float(persistence[label]) for label in order],
        "from": [float(rows[label][1]) for label in order],
        "to": [float(rows[label][2]) for label in order]}),
        hide_index=True, height=330, width="stretch", column_config={
            "cluster": "Cluster", "rows": st.column_config.NumberColumn("Rows", format="localized"),
            "persistence": st.column_config.ProgressColumn(
                "Persistence", min_value=0, max_value=1, format="%.3f",
                help="Stability over the most it could be for its rows: near 0 the cluster is gone "
                     "as soon as it is there, near 1 it is there at all densities."),
            "from": st.column_config.NumberColumn(
                "From", format="%.4g", help="The distance at which it splits off."),
            "to": st.column_config.NumberColumn(
                "To", format="%.4g", help="The distance at which it splits or its last row "
                                          "leaves.")})


def _unit(current: Run) -> str:
    return f"distance ({current.recipe.clustering.distance}, mutual reachability)"
