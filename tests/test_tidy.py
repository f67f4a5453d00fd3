"""Room in the store: the longest unused goes first, and never what somebody's work refers to."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from explorer.cli import main
from explorer.encode import encoders
from explorer.errors import ParameterError, StoreError
from explorer.load import load_sample
from explorer.plan import make_plan
from explorer.propose import propose
from explorer.recipe import Call, Recipe
from explorer.run import run
from explorer.spec import silent
from explorer.store import Store
from explorer.sweep_step import sweep_step
from explorer.tidy import execute, store_quota, tidy
from explorer.train.files import TrainingFiles
from explorer.train.state import State
from explorer.workspace import Workspaces


def age(store: Store, days: float, *keys: str) -> None:
    """Say that these results (none: all) were last used so long ago."""
    when = time.time() - days * 86_400
    for seal in (store.root / "entries").glob("*/*/entry.json"):
        if not keys or seal.parent.name in keys:
            os.utime(seal, (when, when))


def keys_of(store: Store) -> set[str]:
    return {path.name for path in (store.root / "entries").glob("*/*")}


def made(store: Store, number: int, kind: str = "Test") -> str:
    key = f"{number:032x}"
    store.put(key, {"x": np.zeros(1000)}, {"type": kind})
    return key


@pytest.fixture
def worked(store: Store) -> tuple[Store, Recipe, str]:
    """A store with the wine sample computed, and a workspace that shows it; all of it old."""
    data = load_sample("wine", store, silent)
    recipe = propose(data).recipe
    run(recipe, data, store)
    shelf = Workspaces(store.root)
    identifier = shelf.create("wine")
    shelf.save(identifier, {"dataset": data.id, "recipe": recipe.to_data(), "roles": {},
                            "ran": recipe.to_data(), "sweep": [2, 3]}, 0)
    age(store, 40)
    return store, recipe, identifier


def test_the_longest_unused_goes_first_and_only_as_much_as_needed(store: Store) -> None:
    keys = [made(store, number) for number in range(6)]
    for number, key in enumerate(keys):
        age(store, 10 + number, key)
    said = tidy(store.root, 3 * 8_128, trial=True)
    assert (said.removed, len(keys_of(store))) == (3, 6)
    done = tidy(store.root, 3 * 8_128)
    assert (done.removed, done.freed, done.left) == (3, 3 * 8_128, 3 * 8_128)
    assert keys_of(store) == set(keys[:3])
    assert not list((store.root / "tmp").iterdir())
    Store(store.root).get(keys[2])  # used now
    assert tidy(store.root, 0).removed == 2
    assert keys_of(store) == {keys[2]}


def test_without_a_limit_nothing_goes(store: Store) -> None:
    made(store, 1)
    age(store, 1000)
    assert tidy(store.root).removed == 0


def test_exports_go_before_results(store: Store) -> None:
    result, export = made(store, 1), made(store, 2, "Export")
    age(store, 30, result)
    age(store, 5, export)
    assert tidy(store.root, 8_128).removed == 1
    assert keys_of(store) == {result}


def test_what_a_workspace_refers_to_is_never_removed(worked: tuple[Store, Recipe, str]) -> None:
    store, recipe, _ = worked
    before = keys_of(store)
    loose = made(store, 7)
    age(store, 60, loose)
    assert tidy(store.root, 0).removed == 1
    assert keys_of(store) == before
    other = recipe.to_data()
    data = load_sample("wine", store, silent)
    varied = recipe.using(clusterer={"method": "kmeans", "parameters": {"clusters": 7}}) \
        if other["clusterer"]["method"] == "kmeans" else recipe
    run(varied, data, store)
    age(store, 40)
    tidy(store.root, 0)
    assert keys_of(store) == before  # the other try went, what is on the form stayed


def test_the_sweep_and_named_clusterings_stay_with_all_they_were_made_of(
        worked: tuple[Store, Recipe, str]) -> None:
    store, recipe, identifier = worked
    data = load_sample("wine", store, silent)
    plan = make_plan(recipe, data, store)
    step = sweep_step(plan, (2, 3))
    kept = {store.put(step.key, {}, {"type": "Sweep"}).key}
    for variant in step.payload["variants"]:
        kept.add(store.put(variant["clustering"], {}, {"type": "Clustering"}).key)
    root, named = made(store, 1), f"{2:032x}"
    store.put(named, {}, {"type": "Clustering", "provenance": {"inputs": {"vectors": root}}})
    Workspaces(store.root).log(identifier, "rename", {"clustering": named, "cluster": 0})
    age(store, 40)
    tidy(store.root, 0)
    assert kept | {root, named} <= keys_of(store)


def test_edited_clusterings_stay_with_their_scores(worked: tuple[Store, Recipe, str]) -> None:
    store, recipe, identifier = worked
    data = load_sample("wine", store, silent)
    base = make_plan(recipe, data, store).clustering
    call = {"method": "merge", "parameters": {"clusters": [0, 1], "into": 0}}
    Workspaces(store.root).log(identifier, "edit", {"clustering": base, "edit": call})
    edited = run(recipe.using(edits=[call]), data, store)
    unused = run(recipe.using(edits=[call, {"method": "merge", "parameters": {
        "clusters": [0, 2], "into": 0}}]), data, store)
    age(store, 40)
    tidy(store.root, 0)
    assert {step.key for step in edited.plan.steps} <= keys_of(store)
    assert unused.plan.clustering not in keys_of(store)


def test_in_doubt_everything_of_that_data_set_is_kept(worked: tuple[Store, Recipe, str]) -> None:
    store, recipe, identifier = worked
    before = keys_of(store)
    shelf = Workspaces(store.root)
    document = shelf.open(identifier).document
    broken = {**recipe.to_data(), "clusterer": {"method": "of a later version", "parameters": {}}}
    shelf.save(identifier, {**document, "recipe": broken, "ran": None}, 1)
    tidy(store.root, 0)
    assert keys_of(store) == before


def test_what_waits_to_be_computed_keeps_its_inputs(store: Store) -> None:
    from explorer.jobs import Jobs, Step

    key = made(store, 1)
    age(store, 40)
    Jobs(store.root).submit([Step("a" * 32, "t", "t", "x:y", {"inputs": {"vectors": key}})], "ann")
    tidy(store.root, 0)
    assert keys_of(store) == {key}


def test_a_damaged_workspace_file_removes_nothing(worked: tuple[Store, Recipe, str]) -> None:
    store, _, _ = worked
    before = keys_of(store)
    shelf = Workspaces(store.root)
    with shelf._database.transaction() as connection:
        connection.execute("UPDATE workspaces SET document = '{}'")
    with pytest.raises(StoreError) as caught:
        tidy(store.root, 0)
    assert caught.value.code == "DAMAGED"
    assert keys_of(store) == before


def test_old_quarantine_goes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = store.root / "quarantine" / "x"
    folder.mkdir()
    (folder / "f").write_bytes(b"12345")
    assert tidy(store.root).removed == 0
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 31 * 86_400)
    assert tidy(store.root).removed == 1
    assert not folder.exists()


def test_reading_what_was_just_removed_is_said(store: Store) -> None:
    entry = store.get(made(store, 1))
    shutil.rmtree(entry.folder)
    with pytest.raises(StoreError) as caught:
        entry.array("x")
    assert caught.value.code == "NOT_STORED"


def test_commands(store: Store, own_home: Path, capsys: pytest.CaptureFixture[str],
                  monkeypatch: pytest.MonkeyPatch) -> None:
    made(store, 1)
    age(store, 3)
    shelf = Workspaces(own_home)
    identifier = shelf.create("x")
    shelf.save(identifier, {"a": 1}, 0)
    assert main(["backups", "make"]) == 0
    name = capsys.readouterr().out.split()[1].rstrip(".")
    assert main(["backups"]) == 0
    assert name + ".sqlite3" in capsys.readouterr().out or name.endswith("sqlite3")
    shelf.save(identifier, {"a": 2}, 1)
    listed = next(path.name for path in (own_home / "backups").glob("*.sqlite3"))
    assert main(["backups", "restore", listed]) == 0
    assert "What was there before lies in" in capsys.readouterr().out
    assert shelf.open(identifier).document == {"a": 1}
    assert main(["backups", "restore", "nothing"]) == 2
    assert "NO_BACKUP" in capsys.readouterr().err
    assert main(["tidy", "--limit", "1K", "--trial"]) == 0
    assert "Would remove 1" in capsys.readouterr().out
    monkeypatch.setenv("EXPLORER_STORE_BYTES", "1K")
    execute({}, str(own_home), silent)
    assert keys_of(store) == set()
    monkeypatch.setenv("EXPLORER_STORE_BYTES", "much")
    with pytest.raises(ParameterError):
        store_quota()


def unfinished(store: Store, name: str, days: float) -> Path:
    """A training that was cut off so long ago."""
    files = TrainingFiles(store.root, name)
    files.save(State(1, 8, {"train.loss": [1.0]}, {"w": np.zeros(1000, np.float32)}, {}, {}))
    when = time.time() - days * 86_400
    for path in (*files.folder.iterdir(), files.folder):
        os.utime(path, (when, when))
    return files.folder


def test_unfinished_trainings_go_after_a_month_or_when_room_is_short(store: Store) -> None:
    old, waiting, fresh = (unfinished(store, f"{number:032x}", days)
                           for number, days in enumerate((31, 5, 0.1)))
    key = made(store, 9)
    age(store, 3)
    assert tidy(store.root, trial=True).removed == 1
    assert old.exists()
    done = tidy(store.root)
    assert (done.removed, done.freed > 4000) == (1, True)
    assert [old.exists(), waiting.exists(), fresh.exists()] == [False, True, True]
    held = tidy(store.root, 10**9).left
    assert held > 8000 + 8000, "they count as used room"
    tidy(store.root, held - 1)
    assert [waiting.exists(), key in keys_of(store), fresh.exists()] == [False, True, True]


def test_the_training_of_a_workspace_stays(store: Store) -> None:
    data = load_sample("wine", store, silent)
    recipe = propose(data).recipe.using(encoder=Call.of(encoders().create("autoencoder")))
    plan = make_plan(recipe, data, store)
    name = next(step.payload["training"] for step in plan.steps if step.kind == "model")
    folder = unfinished(store, name, 5)
    shelf = Workspaces(store.root)
    shelf.save(shelf.create("wine"), {"dataset": data.id, "recipe": recipe.to_data(), "roles": {},
                                      "ran": recipe.to_data()}, 0)
    tidy(store.root, 0)
    assert folder.exists()
