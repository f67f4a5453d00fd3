"""Edit clusters by hand: merge, split, move rows, name, note, lock; each step can be undone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from explorer.cluster import clusterers
from explorer.edit import Edit, Labelled, Touched
from explorer.edit.assign import Assign
from explorer.edit.merge import Merge
from explorer.edit.separate import Separate
from explorer.edit.split import Divider, Split
from explorer.errors import ExplorerError
from explorer.escape import esc_md, shown
from explorer.recipe import Call
from explorer.row_sets import pack_rows
from explorer.run import Run, name_of
from explorer.spec import Facts
from explorer.ui import edits, state
from explorer.ui.edit_history import show_steps
from explorer.ui.edit_words import show_words
from explorer.ui.form import choose_method
from explorer.ui.job_panel import about
from explorer.ui.rows_view import counted
from explorer.values import NOISE

_MERGE, _SPLIT, _MOVE, _WORDS = "Merge", "Split", "Move rows", "Name, note, lock"
_NEW = -2
"""Stands in the list of targets for a cluster that is not there yet."""
_NAMED = 4
_AT_START = Call(method="kmeans", parameters={"clusters": 2})


def show_edits(current: Run, names: dict[int, str]) -> None:
    """The panel: what was done, what is selected, one form for what to do next."""
    if current.clustering is None:
        return
    show_steps(current, names)
    before = edits.labelled(current)
    told = _selected(current, before, names)
    if told:
        st.markdown(told)
    chosen = st.segmented_control("What to do", [_MERGE, _SPLIT, _MOVE, _WORDS], key="edit_what",
                                  default=_MERGE, required=True, label_visibility="collapsed")
    if chosen == _MERGE:
        show_merge(current, before, names)
    elif chosen == _SPLIT:
        show_split(current, before, names)
    elif chosen == _MOVE:
        _show_move(current, before, names)
    else:
        show_words(current, names, _touched_clusters(before) or _made_last(current))


def show_merge(current: Run, before: Labelled, names: dict[int, str]) -> None:
    """Which clusters become one, and which of them it is."""
    assert current.clustering is not None
    sizes = current.clustering.sizes
    key = _key("merge")
    if key not in st.session_state:
        st.session_state[key] = [cluster for cluster in _touched_clusters(before)
                                 if cluster in sizes]
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    picked = left.multiselect("Clusters to merge", list(sizes), key=key,
                              placeholder="Choose two or more clusters",
                              format_func=_listed(sizes, names))
    biggest = sorted(picked, key=lambda cluster: (-sizes[cluster], cluster))
    if len(picked) < 2:
        st.caption("Choose at least two clusters; those of the selection are filled in.")
        return
    into = right.selectbox("Keeps its number and name", biggest, key=f"{key}.into.{biggest}",
                           format_func=lambda cluster: shown(name_of(cluster, names)))
    edit = Merge(clusters=tuple(sorted(picked)), into=into)
    others = ", ".join(name_of(cluster, names) for cluster in biggest if cluster != into)
    _offer(before, edit, names, f"Merge {len(picked)} clusters", ":material/merge:",
           f"merge of {others} into {name_of(into, names)}")


def show_split(current: Run, before: Labelled, names: dict[int, str],
               only: int | None = None) -> None:
    """Which rows fall into parts (`only`: those of this cluster), and by which clusterer."""
    assert current.clustering is not None
    sizes = current.clustering.sizes
    places = current.positions(state.selection().rows)
    noise = current.clustering.noise
    counts = {**({_NEW: len(places)} if len(places) > 1 else {}), **sizes,
              **({NOISE: noise} if noise else {})}
    key = _key("split")
    touched = [cluster for cluster in _touched_clusters(before) if cluster in counts]
    listed = _listed(counts, {**names, _NEW: "The selected rows"})
    if not counts:
        return
    if key not in st.session_state:
        st.session_state[key] = next(iter([*([_NEW] if _NEW in counts else touched), *counts]))
    top = st.container()
    with top:
        what = only if only is not None and only in counts else st.selectbox(
            "Split", list(counts), key=key, format_func=listed)
    facts = Facts(n=counts[what], d=_width(current))
    with st.container(border=True):
        method = choose_method("split", clusterers(), _AT_START, facts)
    if method is None:
        return
    divider = Divider(method=method.key, parameters=method.values())
    if what == _NEW:
        edit = Split(clusterer=divider, rows=pack_rows(current.rows[places], before.total),
                     total=before.total)
        told = f"split of {counted(len(places))} by {method.title}"
    else:
        edit = Split(clusterer=divider, cluster=what)
        told = f"split of {name_of(what, names)} by {method.title}"
    with top:  # above the form: a long one would push the button off the screen
        _offer(before, edit, names, f"Split {counted(counts[what])}", ":material/call_split:", told)
        st.caption(f"The rows are clustered in {esc_md(current.space)}; it takes "
                   f"{about(method.estimate(facts.n, facts.d).seconds)}. Each part becomes a new "
                   f"cluster, the largest first; what {esc_md(method.title)} calls noise becomes "
                   "noise.")


def _width(current: Run) -> int:
    """Dimensions of the space that is clustered."""
    assert current.projection is not None
    assert current.embedding is not None
    in_picture = current.recipe.cluster_in == "projection"
    return (current.projection.points if in_picture else current.embedding.vectors).shape[1]


def _show_move(current: Run, before: Labelled, names: dict[int, str]) -> None:
    assert current.clustering is not None
    rows = current.rows[current.positions(state.selection().rows)]
    if not len(rows):
        st.caption("Nothing is selected: choose rows on the map, the bars or the table, then come "
                   "back here to move them to another cluster, to noise, or to a new one.")
        return
    sizes = {_NEW: 0, **current.clustering.sizes, NOISE: current.clustering.noise}
    key = _key("move")
    left, right = st.columns(2, vertical_alignment="bottom")
    to = left.selectbox("Move the selection to", list(sizes), key=key, format_func=lambda label:
                        "A new cluster" if label == _NEW else _listed(sizes, names)(label))
    packed = pack_rows(rows, before.total)
    if to != _NEW:
        edit: Edit = Assign(rows=packed, total=before.total, to=to)
        _offer(before, edit, names, f"Move to {name_of(to, names)}",
               ":material/drive_file_move:", f"move of {counted(len(rows))} to "
                                             f"{name_of(to, names)}")
        return
    called = right.text_input("Its name", key=f"{key}.name", max_chars=edits.LONGEST_NAME,
                              placeholder=f"Cluster {before.next}").strip()
    _offer(before, Separate(rows=packed, total=before.total), names, "Make the new cluster",
           ":material/add_circle:", f"new cluster of {counted(len(rows))}",
           {before.next: called} if called else None)


def _offer(before: Labelled, edit: Edit, names: dict[int, str], label: str, icon: str, told: str,
           named: dict[int, str] | None = None) -> None:
    """What the edit will do, and the button; the reason instead where it cannot."""
    found = edits.worked()
    try:
        touched = edit.touches(before)
        edits.refuse_locked(edit, before, found.changes.locked,
                            {cluster: name_of(cluster, names) for cluster in before.clusters})
    except ExplorerError as error:
        st.caption(f":material/info: {esc_md(str(error))}")
        return
    left, right = st.columns([3, 1], vertical_alignment="center")
    left.markdown(_consequence(before, touched, names))
    right.button(esc_md(_cut(label, 40)), type="primary", icon=icon, width="stretch",
                 key=f"edit_do.{edit.key}", on_click=edits.apply, disabled=bool(found.waiting),
                 args=(edit, found.trail.last, told, named))


def _consequence(before: Labelled, touched: Touched, names: dict[int, str]) -> str:
    """'65 rows change: 40 of Cluster 1 (all), 25 of Cluster 2.'"""
    labels, counts = np.unique(before.labels[touched.rows], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    parts = []
    for place in order[:_NAMED]:
        label, count = int(labels[place]), int(counts[place])
        every = count == int(np.count_nonzero(before.labels == label))
        parts.append(f"{'all ' if every else ''}{count:,} of {esc_md(name_of(label, names))}")
    more = f" and of {len(order) - _NAMED} more clusters" if len(order) > _NAMED else ""
    total = int(counts.sum())
    verb = "changes" if total == 1 else "change"
    return f"**{counted(total)} {verb} cluster:** {', '.join(parts)}{more}."


def _selected(current: Run, before: Labelled, names: dict[int, str]) -> str:
    places = current.positions(state.selection().rows)
    if not len(places):
        return ""
    labels, counts = np.unique(before.labels[places], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    parts = [f"{counts[place]:,} in {esc_md(name_of(int(labels[place]), names))}"
             for place in order[:_NAMED]]
    more = f" and {len(order) - _NAMED} more clusters" if len(order) > _NAMED else ""
    return f"**{counted(len(places))} selected:** {', '.join(parts)}{more}."


def _touched_clusters(before: Labelled) -> list[int]:
    """The clusters of the selection, else those ticked on the Clusters page; without noise."""
    rows = state.selection().rows
    if len(rows):
        inside = np.isin(before.rows, rows)
        return [cluster for cluster in np.unique(before.labels[inside]).tolist() if cluster >= 0]
    return [cluster for cluster in st.session_state.get("ticked", ()) if cluster >= 0]


def _made_last(current: Run) -> list[int]:
    """The clusters the last edit made."""
    assert current.clustering is not None
    made = [step for step in edits.worked().trail.active if step.operation == "edit"]
    first = made[-1].payload.get("first", 0) if made else current.clustering.next
    return [cluster for cluster in current.clustering.sizes if cluster >= first]


def _key(form: str) -> str:
    """A form starts anew with another selection, other ticks and after every step."""
    told = (edits.worked().trail.last, tuple(st.session_state.get("ticked", ())))
    digest = hashlib.blake2b(state.selection().rows.tobytes() + str(told).encode(), digest_size=8)
    return f"edit.{form}.{digest.hexdigest()}"


def _listed(sizes: dict[int, int], names: dict[int, str]) -> Callable[[int], str]:
    locked = edits.worked().changes.locked

    def called(label: int) -> str:
        name = names[_NEW] if label == _NEW else name_of(label, names)
        return f"{shown(name)} ({sizes[label]:,}{', locked' if label in locked else ''})"
    return called


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest - 1]}…"


def offer_merge(current: Run, names: dict[int, str], picked: Sequence[int]) -> None:
    """A button that merges these clusters into the largest of them, where there are two."""
    assert current.clustering is not None
    sizes = current.clustering.sizes
    real = sorted((cluster for cluster in picked if cluster in sizes),
                  key=lambda cluster: (-sizes[cluster], cluster))
    if len(real) > 1:
        edit = Merge(clusters=tuple(sorted(real)), into=real[0])
        others = ", ".join(name_of(cluster, names) for cluster in real[1:])
        _offer(edits.labelled(current), edit, names, f"Merge {len(real)} clusters",
               ":material/merge:", f"merge of {others} into {name_of(real[0], names)}")


def offer_split(current: Run, names: dict[int, str], picked: Sequence[int]) -> None:
    """The form that splits the one cluster (or noise) picked, folded."""
    if len(picked) == 1:
        with st.expander(f"Split {esc_md(_cut(name_of(picked[0], names), 60))}"):
            show_split(current, edits.labelled(current), names, picked[0])
