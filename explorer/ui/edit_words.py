"""What people say about a cluster: its name, a note, and that it stays as it is."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explorer.escape import shown
from explorer.run import Run, name_of
from explorer.ui import edits


def show_words(current: Run, names: dict[int, str], likely: Sequence[int]) -> None:
    """Name, note and lock of one cluster; `likely` are the ones a person probably means."""
    assert current.clustering is not None
    sizes = current.clustering.sizes
    if not sizes:
        st.caption("There are no clusters: every row is noise.")
        return
    first = [cluster for cluster in likely if cluster in sizes]
    cluster = st.selectbox("Cluster", [*first, *(other for other in sizes if other not in first)],
                           key=f"edit.words.{first[:1]}", format_func=lambda label:
                           f"{shown(name_of(label, names))} ({sizes[label]:,})")
    found = edits.worked()
    key = f"edit.words.{found.base}.{cluster}.{found.trail.last}"
    left, right = st.columns([2, 3])
    left.text_input("Name", found.changes.names.get(cluster, ""), key=f"{key}.name",
                    max_chars=edits.LONGEST_NAME, placeholder=f"Cluster {cluster}",
                    help="Empty takes the name back.")
    right.text_area("Note", found.changes.notes.get(cluster, ""), key=f"{key}.note", height=68,
                    max_chars=edits.LONGEST_NOTE,
                    placeholder="What is in it, what is still to be done; goes into the manifest "
                                "of an export")
    save, hold, _ = st.columns([2, 1, 3])
    save.button("Save name and note", type="primary", icon=":material/save:", width="stretch",
                key="edit_save", on_click=_save, args=(cluster, key, found.trail.last))
    locked = cluster in found.changes.locked
    hold.button("Unlock" if locked else "Lock", width="stretch", key="edit_lock",
                icon=":material/lock_open:" if locked else ":material/lock:",
                help="A locked cluster keeps its rows: edits that would change them are refused.",
                on_click=edits.attempt, args=(edits.lock, cluster, not locked, found.trail.last))


def _save(cluster: int, key: str, after: int) -> None:
    changes = edits.worked().changes
    name = str(st.session_state.get(f"{key}.name", "")).strip()
    note = str(st.session_state.get(f"{key}.note", "")).strip()
    if name != changes.names.get(cluster, ""):
        edits.attempt(edits.rename, cluster, name, after)
        after = edits.worked().trail.last
    if note != changes.notes.get(cluster, "") and edits.problem() is None:
        edits.attempt(edits.annotate, cluster, note, after)
