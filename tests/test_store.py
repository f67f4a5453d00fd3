"""Results by content key: whole or not at all, checked, quarantined."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from explorer import values
from explorer.errors import StoreError
from explorer.store import Store, home, store_of
from explorer.values import Clustering, Embedding, Judgement, Projection, Score, by_size, facts_of

KEY = "ab" * 16
ARRAY = np.arange(12, dtype=np.float32).reshape(4, 3)


def test_put_and_get(store: Store) -> None:
    entry = store.put(KEY, {"vectors": ARRAY}, {"a": 1})
    found = Store(store.root).get(KEY)
    np.testing.assert_array_equal(found.array("vectors"), ARRAY)
    assert found.meta == {"a": 1}
    assert found.has("vectors.npy")
    assert not found.array("vectors").flags.writeable
    assert store_of(entry).root == store.root


def test_a_result_never_changes(store: Store) -> None:
    store.put(KEY, {"vectors": ARRAY}, {"a": 1})
    store.put(KEY, {"vectors": ARRAY * 2}, {"a": 2})
    assert store.get(KEY).meta == {"a": 1}
    assert store.get(KEY).array("vectors")[0, 1] == 1


def test_missing_is_none_or_a_named_error(store: Store) -> None:
    assert store.find(KEY) is None
    with pytest.raises(StoreError) as refused:
        store.get(KEY)
    assert refused.value.code == "NOT_STORED"
    with pytest.raises(StoreError):
        store.find("../../etc")


@pytest.mark.parametrize("damage", ["flip", "cut", "remove", "manifest", "manifest list", "empty"])
def test_damage_is_quarantined(store: Store, damage: str) -> None:
    folder = store.put(KEY, {"vectors": ARRAY}, {}).folder
    file, manifest = folder / "vectors.npy", folder / "entry.json"
    data = bytearray(file.read_bytes())
    if damage == "flip":
        data[-3] ^= 4
        file.write_bytes(data)
    elif damage == "cut":
        file.write_bytes(data[:-1])
    elif damage == "remove":
        file.unlink()
    elif damage == "manifest":
        manifest.write_text(manifest.read_text()[:20])
    elif damage == "manifest list":
        manifest.write_text("[]")
    else:
        manifest.write_text(json.dumps({"files": None}))
    fresh = Store(store.root)
    assert fresh.find(KEY) is None
    assert next(path.name for path in (store.root / "quarantine").iterdir()).startswith(KEY)
    fresh.put(KEY, {"vectors": ARRAY}, {"again": True})
    assert Store(store.root).get(KEY).meta == {"again": True}


def test_a_folder_without_manifest_is_no_result(store: Store) -> None:
    folder = store.root / "entries" / KEY[:2] / KEY
    folder.mkdir(parents=True)
    (folder / "vectors.npy").write_bytes(b"half")
    assert not store.has(KEY)
    assert store.find(KEY) is None
    # Looking may not move it: another process may be renaming the whole result into its place.
    assert not list((store.root / "quarantine").iterdir())
    store.put(KEY, {"vectors": ARRAY}, {})
    assert store.has(KEY)


def test_files_are_private(store: Store) -> None:
    folder = store.put(KEY, {"vectors": ARRAY}, {}).folder
    assert folder.stat().st_mode & 0o077 == 0


def test_sweep_removes_old_leftovers_only(store: Store) -> None:
    old, new = store.new_folder(), store.new_folder()
    os.utime(old, (time.time() - 100_000,) * 2)
    assert store.sweep() == 1
    assert not old.exists()
    assert new.exists()


def test_many_writers_of_one_key(store: Store) -> None:
    script = ("import sys, numpy as np; from explorer.store import Store\n"
              "store = Store(sys.argv[1])\n"
              "for i in range(40): store.put(f'{i:032x}', {'a': np.arange(1000)}, {'i': i})\n")
    children = [subprocess.Popen([sys.executable, "-c", script, str(store.root)])
                for _ in range(3)]
    assert [child.wait() for child in children] == [0, 0, 0]
    fresh = Store(store.root)
    assert all(fresh.get(f"{i:032x}").meta == {"i": i} for i in range(40))
    assert not list((store.root / "tmp").iterdir())


def test_a_kill_leaves_all_or_nothing(store: Store) -> None:
    script = ("import sys, numpy as np; from explorer.store import Store\n"
              "store = Store(sys.argv[1]); i = 0\n"
              "while True:\n"
              "    store.put(f'{i:032x}', {'a': np.full(200_000, i)}, {}); i += 1\n")
    for _ in range(3):
        child = subprocess.Popen([sys.executable, "-c", script, str(store.root)])
        time.sleep(0.6)
        child.kill()
        child.wait()
    fresh = Store(store.root)
    keys = [path.name for path in (store.root / "entries").glob("*/*")]
    assert keys
    for key in keys:
        assert (fresh.get(key).array("a") == int(key, 16)).all()
    assert not list((store.root / "quarantine").iterdir())


def test_home_is_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_HOME", str(tmp_path / "there"))
    assert home() == tmp_path / "there"
    assert Store().root == tmp_path / "there"


def test_a_folder_that_cannot_be_is_a_named_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError) as refused:
        Store(tmp_path / "file")
    assert refused.value.code == "DISK"


def test_values_come_back_as_they_were(store: Store) -> None:
    rows = np.array([0, 2, 3, 5])
    score = Score("s", None, "space", "euclidean", 3, 4, "1 row of noise", why="one cluster")
    for index, value in enumerate((
            Embedding(ARRAY, rows, "t", ("a", "b", "c"), ("note",)),
            Projection(ARRAY[:, :2], ("x", "y"), (), {"explained": np.array([0.5, 0.25])}),
            Clustering(np.array([0, 0, 1, -1], dtype=np.int32), "cosine"),
            Judgement((score,), {"silhouette": np.array([0.5, np.nan])}))):
        entry = values.save(store, f"{index:032x}", value, {"step": "test"})
        back = values.read(type(value), entry)
        assert entry.meta["provenance"]["step"] == "test"
        assert values.facts_in(entry) == (facts_of(ARRAY) if index == 0 else None)
        for name, content in vars(value).items():
            np.testing.assert_equal(getattr(back, name), content)


@pytest.mark.parametrize(("labels", "expected"), [
    ([5, 5, 7, 7, 7, -1], [1, 1, 0, 0, 0, -1]), ([2, 1, 0], [0, 1, 2]), ([-1, -2, -3], [-1] * 3),
    ([], []), ([3, 9, 9, 3], [0, 1, 1, 0])])
def test_labels_by_falling_size(labels: list[int], expected: list[int]) -> None:
    assert by_size(np.array(labels, dtype=int)).tolist() == expected


def test_facts_of_vectors() -> None:
    vectors = np.array([[0.0, 1, 5], [-0.0, 1, 5], [0, 0, 0], [0, -9, 5]], dtype=np.float32)
    facts = facts_of(vectors)
    assert (facts.n, facts.d, facts.distinct, facts.zeros, facts.largest, facts.constant) == (
        4, 3, 3, 1, 9.0, 1)
    assert facts_of(np.empty((0, 3), dtype=np.float32)).n == 0
