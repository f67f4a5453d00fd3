"""The panel Method: what the projector and the clusterer of a run can show of themselves.

A method names its drawings in `draws`; here each name has its title, how to read it, and what
draws it. Nothing here asks which method it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from explorer.cluster import clusterers
from explorer.escape import esc_md
from explorer.project import projectors
from explorer.run import Run
from explorer.spec import Method
from explorer.ui.condensed_tree_view import show_condensed_tree
from explorer.ui.dendrogram_view import show_dendrogram
from explorer.ui.method_axes import show_loadings, show_scree
from explorer.ui.method_clusters import show_eigenvalues, show_k_distances, show_memberships
from explorer.ui.method_grid import show_component_planes, show_hit_map, show_u_matrix

Show = Callable[[Run, dict[int, str]], None]
_KEY, _KEPT = "method.drawing", "method.kept"


@dataclass(frozen=True)
class Drawing:
    """One thing to show: its `title` in the list, `reads` how to read it, in a sentence or two."""

    title: str
    reads: str
    show: Show


DRAWINGS: dict[str, Drawing] = {
    "hit_map": Drawing(
        "Hit map", "Each cell is a neuron of the grid: its colour is the cluster of its rows, its "
        "size how many they are (without pictures or words). Cells that touch hold rows that are "
        "alike. Click a cell to select its rows, with Shift more cells.", show_hit_map),
    "u_matrix": Drawing(
        "U-matrix", "How far each neuron is from those it touches, in the space that was "
        "clustered: dark valleys are rows that are alike, bright ridges the borders between "
        "groups. A border between clusters without a ridge is a weak one. Click a cell to select "
        "its rows.", show_u_matrix),
    "component_planes": Drawing(
        "Component planes", "The same grid once for every column, coloured by what the neurons "
        "stand for there. Columns whose planes look alike rise and fall together; compare them "
        "with the clusters of the hit map. Click a cell to select its rows.",
        show_component_planes),
    "scree": Drawing(
        "Scree plot", "How much of the rows' variation each component holds. Components above the "
        "dashed line hold more than chance would give; what the map does not show (the bars of the "
        "other colour) it hides. Click a bar to see what the component is made of.", show_scree),
    "loadings": Drawing(
        "Loadings", "Which columns make an axis: a row far out on the side of a long bar has much "
        "of that column, on the other side little.", show_loadings),
    "memberships": Drawing(
        "Memberships", "How surely rows belong to their cluster: bright squares off the diagonal "
        "are clusters that run into each other and may be one. Click a square to select the rows "
        "that lean that way.", show_memberships),
    "k_distances": Drawing(
        "k-distance curve", "For every row how far its neighbours reach, from the closest rows to "
        "the loneliest. A good eps lies where the curve bends upwards: below it rows are dense, "
        "above it they become noise. Click the curve to see what another eps would do.",
        show_k_distances),
    "dendrogram": Drawing(
        "Dendrogram", "How groups join, from many small ones below to one above; a long stretch "
        "without a join is a good place to cut. The dashed line is the cut, each colour a cluster. "
        "Click at any height to try another cut: the map shows it at once.", show_dendrogram),
    "condensed_tree": Drawing(
        "Condensed tree", "From top to bottom rows must lie closer and closer to stay together: "
        "thin wide pieces fall apart at once, long ones last. Coloured branches are the clusters; "
        "grey ones above them are clusters that would be at a coarser view, pale ones inside at a "
        "finer one (leaf). What leaves a branch sideways is its edge.", show_condensed_tree),
    "eigenvalues": Drawing(
        "Eigenvalues", "As many values near 0 as the net of neighbours has loosely tied parts: "
        "the widest gap after the first values suggests that many clusters.", show_eigenvalues),
}

_NUMBERS = {
    "inertia": ("inertia", "sum of the squared distances of the rows to their centres; falls with "
                           "every cluster more"),
    "bic": ("BIC", "lower is better; compare it for the same rows and columns only"),
    "log_likelihood": ("log-likelihood", "mean per row"),
    "kl_divergence": ("KL divergence", "what t-SNE minimises; compare it for the same perplexity "
                                       "and rows only"),
    "quantization_error": ("quantization error", "mean distance of a row to its neuron"),
    "topographic_error": ("topographic error", "share of rows whose two nearest neurons do not "
                                               "touch"),
}
"""Single numbers among the extras of a result, and what they mean."""


_SHARES = ("topographic error",)


def show_method(current: Run, names: dict[int, str]) -> None:
    """The drawings of this run's methods, one at a time, and their numbers."""
    projector, clusterer = current.recipe.projecting, current.recipe.clustering
    offered = [name for name in (*projector.draws, *clusterer.draws) if name in DRAWINGS]
    if not offered:
        _say_nothing_more(projector, clusterer)
        _show_numbers(current)
        return
    if st.session_state.get(_KEY) not in offered:
        kept = st.session_state.get(_KEPT)
        st.session_state[_KEY] = kept if kept in offered else offered[0]
    chosen = st.segmented_control(
        "What to show", offered, key=_KEY, required=True, label_visibility="collapsed",
        format_func=lambda name: esc_md(DRAWINGS[name].title)) or offered[0]
    st.session_state[_KEPT] = chosen
    st.caption(f"**{esc_md(_whose(chosen, projector, clusterer))}** · "
               f"{esc_md(DRAWINGS[chosen].reads)}")
    DRAWINGS[chosen].show(current, names)
    _show_numbers(current)


def open_drawing(name: str) -> None:
    """Show another drawing from the next run of the page on; for callbacks."""
    st.session_state[_KEY] = st.session_state[_KEPT] = name


def _whose(name: str, projector: Method, clusterer: Method) -> str:
    return projector.title if name in projector.draws else clusterer.title


def _say_nothing_more(projector: Method, clusterer: Method) -> None:
    having = [method.title for registry in (projectors(), clusterers()) for method in registry
              if any(name in DRAWINGS for name in method.draws)]
    st.caption(f"{esc_md(projector.title)} and {esc_md(clusterer.title)} have no pictures of their "
               "own: all they found is the map and the clusters. Methods that have some: "
               f"{esc_md(', '.join(dict.fromkeys(having)))}.")


def _show_numbers(current: Run) -> None:
    """Inertia, BIC and the like, with what they mean."""
    groups: dict[tuple[tuple[str, str, str], ...], list[str]] = {}
    for method, result in ((current.recipe.projecting, current.projection),
                           (current.recipe.clustering, current.original)):
        extras = {} if result is None else result.extras
        told = tuple((title, _number(float(extras[name][0]), title), meaning)
                     for name, (title, meaning) in _NUMBERS.items()
                     if name in extras and extras[name].size == 1)
        if told:  # one grid drawn and clustered has the same numbers twice
            groups.setdefault(told, []).append(method.title)
    if groups:
        st.caption("  \n".join(_line(titles, told) for told, titles in groups.items()))


def _line(titles: Sequence[str], told: Sequence[tuple[str, str, str]]) -> str:
    numbers = " · ".join(f"{esc_md(title)} **{esc_md(value)}** ({esc_md(meaning)})"
                         for title, value, meaning in told)
    return f"{esc_md(', '.join(titles))}: {numbers}"


def _number(value: float, title: str) -> str:
    if title in _SHARES:
        return f"{value:.1%}"
    return f"{value:,.0f}" if abs(value) >= 1e5 else f"{value:,.5g}"
