"""What clusterers show of themselves: soft memberships, the k-distance curve, eigenvalues."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from explorer.escape import esc_md
from explorer.plot.eigenvalues import draw_eigenvalues, widest_gap
from explorer.plot.k_distances import draw_k_distances
from explorer.plot.memberships import draw_memberships
from explorer.run import Run, name_of
from explorer.ui import state
from explorer.ui.clicks import clicked
from explorer.ui.kept import Kept

_MOST = 40
_SURE = "method.sure"
_figures: Kept[Any] = Kept(24)
_shares: Kept[np.ndarray] = Kept(16)
_CONFIG = {"displaylogo": False, "displayModeBar": False}


def show_memberships(current: Run, names: dict[int, str]) -> None:
    """Which clusters run into each other, and the rows that are least sure."""
    extras, labels = _extras(current), _labels(current)
    memberships = extras["memberships"]
    k = memberships.shape[1]
    shown = min(k, _MOST)
    # Names belong to the clusters as edited; the mixture speaks of those before.
    called = [name_of(label, {} if current.plan.edited else names) for label in range(shown)]
    shares = _shares.get(("shares", current.plan.original), lambda: _mean_shares(
        memberships, labels))
    left, right = st.columns([3, 2], gap="medium")
    with left:
        figure = _figures.get(("memberships", current.plan.original, tuple(called)),
                              lambda: draw_memberships(shares[:shown, :shown], called))
        st.plotly_chart(figure, key="method.memberships", width="content", config=_CONFIG,
                        on_select=lambda: _select_leaning(current), selection_mode="points")
    with right:
        _offer_unsure(current)
    cut = "" if shown == k else f" Shown: the {shown:,} largest of {k:,} clusters."
    st.caption(f"{len(labels):,} rows, memberships in {esc_md(current.space)}.{cut} In many "
               "columns they come out near 0 or 1 even where clusters overlap."
               + (" The clusters are those before your edits." if current.plan.edited else ""))


def _offer_unsure(current: Run) -> None:
    strengths = _strengths(current)
    kept = st.session_state.get("method.sure_kept", 80)
    below = st.slider("Rows less sure than", 1, 100, kept, format="%d %%", key=_SURE,
                      help="The membership of a row in its own cluster, which is the largest one.")
    st.session_state["method.sure_kept"] = below
    unsure = np.flatnonzero(strengths < below / 100)
    share = len(unsure) / max(len(strengths), 1)
    st.button(f"Select these {len(unsure):,} rows", icon=":material/select_all:",
              disabled=not len(unsure), on_click=state.select,
              args=(current.rows[unsure], "method"))
    st.caption(f"{share:.1%} of the rows. Half of all rows are surer than "
               f"{float(np.median(strengths)):.1%}. The map's colour 'Membership strength' shows "
               "where they lie.")


def _select_leaning(current: Run) -> None:
    labels, memberships = _labels(current), _extras(current)["memberships"]
    inside = np.zeros(len(labels), dtype=bool)
    for numbers in clicked("method.memberships"):
        line, column = map(int, numbers[:2])
        rows = np.flatnonzero(labels == line)
        others = np.array(memberships[rows])
        if line != column:  # of the other clusters this one is the likeliest
            others[:, line] = -1
            inside[rows[np.argmax(others, axis=1) == column]] = True
        else:
            inside[rows] = True
    state.select(current.rows[inside], "method")


def _mean_shares(memberships: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """k x k float64: the mean memberships of the rows of each cluster; NaN without rows."""
    k = memberships.shape[1]
    found = np.full((k, k), np.nan)
    for label in range(k):
        rows = labels == label
        if rows.any():
            found[label] = memberships[rows].mean(axis=0, dtype=np.float64)
    return found


def show_k_distances(current: Run, names: dict[int, str]) -> None:
    """The curve, and what another eps would do."""
    extras = _extras(current)
    distances, eps = extras["k_distances"], float(extras["eps"][0])
    method = current.recipe.clustering
    neighbors = int(getattr(method, "min_samples", 1))
    figure = _figures.get(("k_distances", current.plan.original),
                          lambda: draw_k_distances(distances, eps, neighbors))
    st.plotly_chart(figure, key="method.k_distances", on_select="rerun", config=_CONFIG,
                    selection_mode="points")
    points = clicked("method.k_distances")
    tried = points[0][0] if points else eps
    core = int(np.searchsorted(distances, tried, side="right"))
    st.markdown(f"eps **{tried:.4g}**{' (used now)' if not points else ''}: {core:,} of "
                f"{len(distances):,} rows ({core / len(distances):.1%}) have {neighbors} rows, "
                "themselves counted, within it and stand inside a cluster; of the others those "
                "near such a row join it, the rest is noise.")
    if points and tried > 0:
        st.button(f"Put eps {tried:.4g} into the recipe", icon=":material/tune:",
                  on_click=_put_into_recipe, args=(current, tried))
    st.caption(f"{len(distances):,} rows in {esc_md(current.space)}, {esc_md(method.distance)} "
               "distance; the curve is drawn at up to 800 places.")


def _put_into_recipe(current: Run, eps: float) -> None:
    method = current.recipe.clustering
    changed = current.recipe.using(clusterer=method.create(**{**method.values(),
                                                              "eps": float(f"{eps:.6g}")}))
    state.forget_form()
    state.change(recipe=changed.to_data())
    st.toast("The recipe has the new eps: run it on the page Recipe.")


def show_eigenvalues(current: Run, names: dict[int, str]) -> None:
    """How many parts the net of neighbours has."""
    values = np.asarray(_extras(current)["eigenvalues"])
    figure = _figures.get(("eigenvalues", current.plan.original), lambda: draw_eigenvalues(values))
    st.plotly_chart(figure, key="method.eigenvalues", config=_CONFIG)
    count = widest_gap(values)
    st.caption(f"The widest gap lies after the first {count} of the {len(values)} smallest values "
               f"of the normalised Laplacian ({len(current.rows):,} rows in "
               f"{esc_md(current.space)}). Only as many are known as clusters were asked for: ask "
               "for more to see further.")


def _extras(current: Run) -> dict[str, np.ndarray]:
    assert current.original is not None
    return current.original.extras


def _labels(current: Run) -> np.ndarray:
    assert current.original is not None
    return np.asarray(current.original.labels)


def _strengths(current: Run) -> np.ndarray:
    assert current.original is not None
    assert current.original.strengths is not None
    return np.asarray(current.original.strengths)
