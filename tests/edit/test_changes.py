"""The log of a workspace as edits, names, notes and locks of one clustering."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.changes import KINDS, Changes, changes_of, refuse_locked
from explorer.edit import Labelled, edits
from explorer.errors import DataError
from explorer.row_sets import pack_rows
from explorer.workspace import Family, Workspaces


def about(**payload):
    return {"clustering": "a", **payload}


def test_only_what_is_about_the_clustering_counts_and_the_last_word_holds():
    found = changes_of([
        ("rename", about(cluster=0, name="old")),
        ("rename", {"clustering": "b", "cluster": 0, "name": "other"}),
        ("selection", {"clustering": "a", "rows": "x"}),
        ("rename", about(cluster=0, name="new")),
        ("rename", about(cluster=1, name="gone")),
        ("rename", about(cluster=1, name="")),
        ("note", about(cluster=2, note="look again")),
        ("lock", about(cluster=2, locked=True)), ("lock", about(cluster=3, locked=True)),
        ("lock", about(cluster=3, locked=False)),
        ("edit", about(edit={"method": "merge"}, names={"7": "part"})),
    ], "a")
    assert found == Changes(({"method": "merge"},), {0: "new", 7: "part"}, {2: "look again"},
                            frozenset({2}))


def test_back_to_the_original_forgets_what_was_said_of_clusters_that_are_gone():
    found = changes_of([
        ("edit", about(edit={"method": "split"}, names={"5": "part"})),
        ("rename", about(cluster=4, name="kept")), ("note", about(cluster=6, note="x")),
        ("lock", about(cluster=5, locked=True)),
        ("edit", about(edit=None, first=5)),
        ("edit", about(edit={"method": "merge"})),
    ], "a")
    assert found == Changes(({"method": "merge"},), {4: "kept"})


def test_undoing_everything_is_the_original_and_redoing_it_is_the_end(tmp_path):
    shelf = Workspaces(tmp_path)
    id = shelf.create("w")
    family = Family(KINDS, "clustering", "a")
    steps = [("edit", about(edit={"method": "split"}, names={"5": "part"})),
             ("rename", about(cluster=5, name="better")), ("lock", about(cluster=5, locked=True)),
             ("edit", about(edit={"method": "merge"}))]
    states = [Changes()]
    for kind, payload in steps:
        shelf.log(id, kind, payload, family)
        shelf.log(id, "selection", {"name": "somebody else's"})
        states.append(read(shelf, id))
    for state in reversed(states[:-1]):
        shelf.undo(id, family)
        assert read(shelf, id) == state
    for state in states[1:]:
        shelf.redo(id, family)
        assert read(Workspaces(tmp_path), id) == state  # as after a restart
    assert len(shelf.operations(id)) == 8


def read(shelf, id):
    return changes_of(((step.operation, step.payload) for step in shelf.operations(id)), "a")


@pytest.mark.parametrize(("key", "parameters", "refused"), [
    ("merge", {"clusters": [0, 1], "into": 0}, True),
    ("merge", {"clusters": [0, 1], "into": 1}, True),
    ("merge", {"clusters": [0, 2], "into": 0}, False),
    ("assign", {"rows": pack_rows(np.array([2]), 6), "total": 6, "to": 0}, True),
    ("assign", {"rows": pack_rows(np.array([0]), 6), "total": 6, "to": 1}, True),
    ("assign", {"rows": pack_rows(np.array([0]), 6), "total": 6, "to": -1}, False),
    ("separate", {"rows": pack_rows(np.array([0, 3]), 6), "total": 6}, True),
    ("split", {"cluster": 1, "clusterer": {"method": "kmeans"}}, True),
    ("split", {"cluster": 0, "clusterer": {"method": "kmeans"}}, False),
])
def test_a_locked_cluster_keeps_its_rows(key, parameters, refused):
    labels = np.array([0, 0, 1, 1, 2, 2], dtype=np.int32)
    before = Labelled(labels, np.arange(6), 6, 3)
    edit = edits().create(key, parameters)
    refuse_locked(edit, before, (), {})
    if not refused:
        refuse_locked(edit, before, {1, 9}, {})
        return
    with pytest.raises(DataError) as found:
        refuse_locked(edit, before, {1}, {1: "Eggs"})
    assert found.value.code == "LOCKED"
    assert "Eggs" in found.value.message
