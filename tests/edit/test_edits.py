"""Each edit against the slow obvious way to do it by hand, one row after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.edit import Edit, Labelled, edits
from explorer.errors import DataError, ParameterError, ResultError
from explorer.row_sets import pack_rows

TOTAL = 14
ROWS = [0, 1, 2, 4, 5, 7, 8, 9, 11, 13]
LABELS = [0, 1, 1, -1, 0, 2, 2, -1, 0, 4]


def start() -> Labelled:
    return Labelled(np.array(LABELS, dtype=np.int32), np.array(ROWS, dtype=np.int64), TOTAL, 6)


def make(key: str, **parameters: Any) -> Edit:
    return edits().create(key, parameters)


def packed(rows: list[int]) -> dict[str, Any]:
    return {"rows": pack_rows(np.array(sorted(rows)), TOTAL), "total": TOTAL}


KMEANS = {"method": "kmeans", "parameters": {"clusters": 2}}


def test_every_edit_has_a_file_and_words() -> None:
    assert edits().keys() == ("merge", "assign", "separate", "split")
    for edit in edits():
        assert edit.describe()
        assert edit.done


def test_merge() -> None:
    after = make("merge", clusters=[2, 0], into=2).apply(start())
    assert after.labels.tolist() == [2 if label in (0, 2) else label for label in LABELS]
    assert after.next == 6
    touched = make("merge", clusters=[2, 0], into=2).touches(start())
    assert touched.rows.tolist() == [label == 0 for label in LABELS]
    assert touched.into == (2,)


@pytest.mark.parametrize("to", [-1, 0, 4])
def test_assign(to: int) -> None:
    chosen = [1, 3, 4, 5, 13]  # 3 has no vector
    after = make("assign", **packed(chosen), to=to).apply(start())
    assert after.labels.tolist() == [to if row in chosen else label
                                     for row, label in zip(ROWS, LABELS, strict=True)]


def test_a_new_cluster_has_a_number_nothing_had_before() -> None:
    after = make("separate", **packed([0, 4])).apply(start())
    assert after.labels.tolist() == [6 if row in (0, 4) else label
                                     for row, label in zip(ROWS, LABELS, strict=True)]
    # Also when the highest number is gone again.
    gone = make("merge", clusters=[6, 0], into=0).apply(after)
    assert 6 not in gone.labels
    assert make("separate", **packed([13])).apply(gone).labels[-1] == 7


def test_split_of_a_cluster_and_of_rows() -> None:
    split = make("split", cluster=0, clusterer=KMEANS)
    assert split.apply(start(), np.array([1, -1, 0], dtype=np.int32)).labels.tolist() == [
        7, 1, 1, -1, -1, 2, 2, -1, 6, 4]
    rows = make("split", **packed([1, 2, 4, 3]), clusterer=KMEANS)
    after = rows.apply(start(), np.array([0, 1, 0], dtype=np.int32))
    assert after.labels.tolist() == [0, 6, 7, 6, 0, 2, 2, -1, 0, 4]
    assert after.next == 8
    noise = make("split", cluster=-1, clusterer=KMEANS)
    assert noise.apply(start(), np.array([0, 1], dtype=np.int32)).labels.tolist() == [
        0, 1, 1, 6, 0, 2, 2, 7, 0, 4]


@pytest.mark.parametrize("parts", [[0, 0, 0], [-1, -1, -1], [0, -1, 0]])
def test_a_split_into_one_group_is_none(parts: list[int]) -> None:
    with pytest.raises(DataError) as refused:
        make("split", cluster=0, clusterer=KMEANS).apply(start(), np.array(parts, dtype=np.int32))
    assert refused.value.code == "ONE_GROUP"


@pytest.mark.parametrize("parts", [None, np.zeros(2, dtype=np.int32)])
def test_a_split_needs_a_part_for_every_row(parts: Any) -> None:
    with pytest.raises(ResultError) as refused:
        make("split", cluster=0, clusterer=KMEANS).apply(start(), parts)
    assert refused.value.code == "ROW_COUNT"


@pytest.mark.parametrize(("key", "parameters", "code"), [
    ("merge", {"clusters": [0, 3], "into": 0}, "NO_CLUSTER"),
    ("assign", {**packed([0]), "to": 3}, "NO_CLUSTER"),
    ("assign", {**packed([0]), "to": 0}, "NO_CHANGE"),
    ("assign", {**packed([4]), "to": -1}, "NO_CHANGE"),
    ("assign", {**packed([3, 6]), "to": 0}, "NO_ROWS"),
    ("assign", {"rows": "not packed", "total": TOTAL, "to": 0}, "BAD_ROWS"),
    ("assign", {"rows": packed([0])["rows"], "total": 15, "to": 1}, "ROW_COUNT"),
    ("assign", {"rows": pack_rows(np.arange(99), 99), "total": TOTAL, "to": 1}, "BAD_ROWS"),
    ("separate", packed([3]), "NO_ROWS"),
    ("separate", {"rows": pack_rows(np.arange(0), TOTAL), "total": TOTAL}, "NO_ROWS"),
    ("split", {"cluster": 3, "clusterer": KMEANS}, "NO_CLUSTER"),
    ("split", {"cluster": 2**31 - 2, "clusterer": KMEANS}, "NO_CLUSTER"),
])
def test_what_does_not_fit_the_clustering_is_named(key: str, parameters: dict[str, Any],
                                                   code: str) -> None:
    edit = make(key, **parameters)
    for ask in (edit.touches, edit.apply):
        with pytest.raises(DataError) as refused:
            ask(start())
        assert refused.value.code == code


@pytest.mark.parametrize(("key", "parameters"), [
    ("merge", {}), ("merge", {"clusters": [0], "into": 0}), ("merge", {"clusters": 5, "into": 5}),
    ("merge", {"clusters": [0, 1], "into": 2}), ("merge", {"clusters": [1, 1], "into": 1}),
    ("merge", {"clusters": [-1, 1], "into": 1}), ("merge", {"clusters": [0, True], "into": 0}),
    ("merge", {"clusters": ["0", 1], "into": 1}), ("merge", {"clusters": [0.5, 1], "into": 1}),
    ("merge", {"clusters": list(range(501)), "into": 1}),
    ("merge", {"clusters": [0, 10**40], "into": 0}),
    ("assign", {"rows": "", "total": 1, "to": 0}), ("assign", {"rows": 5, "total": 1, "to": 0}),
    ("assign", {"rows": "x", "total": 0, "to": 0}), ("assign", {"rows": "x", "total": 1, "to": -2}),
    ("assign", {"rows": "x", "total": 1, "to": 2**31}),
    ("assign", {"rows": "x", "total": 1, "to": 0, "more": 1}),
    ("separate", {"rows": ["x"], "total": 1}), ("separate", {"rows": "x", "total": None}),
    ("split", {}), ("split", {"cluster": 0}), ("split", {"clusterer": KMEANS}),
    ("split", {"cluster": 0, "rows": "x", "total": 3, "clusterer": KMEANS}),
    ("split", {"rows": "x", "clusterer": KMEANS}),
    ("split", {"cluster": 0, "total": 3, "clusterer": KMEANS}),
    ("split", {"cluster": -2, "clusterer": KMEANS}),
    ("split", {"cluster": 0, "clusterer": "kmeans"}),
    ("split", {"cluster": 0, "clusterer": {"method": "kmeans", "code": "x"}}),
    ("dissolve", {}),
])
def test_what_is_no_edit_is_named(key: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(ParameterError) as refused:
        make(key, **parameters)
    assert len(str(refused.value)) < 500


@st.composite
def _sequences(draw: st.DrawFn) -> list[tuple[str, float, float, float]]:
    return draw(st.lists(st.tuples(st.sampled_from(["merge", "assign", "separate", "split"]),
                                   st.floats(0, 0.999), st.floats(0, 0.999), st.floats(0, 0.999)),
                         max_size=8))


def _edit_of(now: Labelled, kind: str, a: float, b: float, c: float) -> Edit | None:
    """Some edit that is possible now, chosen by three numbers."""
    there = list(now.clusters)
    rows = [row for row in range(TOTAL) if (row * 7 + int(a * 50)) % 5 < 1 + int(b * 3)]
    if kind == "merge" and len(there) > 1:
        first = there[int(a * len(there))]
        other = [cluster for cluster in there if cluster != first][int(b * (len(there) - 1))]
        return make("merge", clusters=[first, other], into=first if c < 0.5 else other)
    if kind == "assign":
        return make("assign", **packed(rows), to=[-1, *there][int(c * (len(there) + 1))])
    if kind == "separate":
        return make("separate", **packed(rows))
    if kind == "split" and there:
        return make("split", cluster=there[int(a * len(there))], clusterer=KMEANS)
    return None


@settings(max_examples=150, deadline=None)
@given(_sequences())
def test_any_edits_keep_numbers_and_replay(steps: list[tuple[str, float, float, float]]) -> None:
    now, done = start(), []
    ever = set(now.clusters)
    for step in steps:
        edit = _edit_of(now, *step)
        if edit is None:
            continue
        try:
            touched = edit.touches(now)
        except DataError:
            continue
        parts = np.arange(int(touched.rows.sum()), dtype=np.int32) % 2 if edit.divides else None
        if edit.divides and len(parts) < 2:
            continue
        before = now.labels.copy()
        after = edit.apply(now, parts)
        assert np.array_equal(now.labels, before)  # the original stays
        assert np.array_equal(after.labels[~touched.rows], before[~touched.rows])
        assert (after.labels[touched.rows] != before[touched.rows]).all()
        untouched = set(now.clusters) - set(before[touched.rows].tolist()) - set(touched.into)
        for cluster in untouched:
            assert np.array_equal(after.labels == cluster, before == cluster)
        new = set(after.clusters) - set(now.clusters)
        assert not new & ever  # a number is never given twice
        ever |= new
        assert after.next > max(ever)
        done.append((type(edit).key, edit.values(), parts))
        now = after
    again = start()
    for key, parameters, parts in done:  # as plain data: that is what a recipe holds
        again = make(key, **parameters).apply(again, parts)
    assert np.array_equal(again.labels, now.labels)
    assert again.next == now.next
