"""What people make is never lost, never overwritten, and refused in words."""

import multiprocessing
import os
import re
import sqlite3
import stat

import pytest

from explorer.database import Database
from explorer.errors import StoreError
from explorer.schema import MIGRATIONS
from explorer.workspace import Family, Trail, Workspaces
from explorer.workspace_file import FILE_NAME

PROCESSES, TIMES = 4, 200


def test_a_document_comes_back_whole(tmp_path):
    workspaces = Workspaces(tmp_path / "home")
    id = workspaces.create("Wörter 👋 'quoted'; --")
    document = {"recipe": [1, 2.5, None, True], "lone surrogate": "\ud800", "nul": "a\0b"}
    assert workspaces.open(id).version == 0
    assert workspaces.save(id, document, 0) == 1
    again = Workspaces(tmp_path / "home").open(id)
    assert (again.document, again.version, again.name) == (document, 1, "Wörter 👋 'quoted'; --")
    assert len(id) >= 20
    assert workspaces.create("x") != workspaces.create("x")


def test_a_conflict_is_shown_and_nothing_overwritten(tmp_path):
    first, second = Workspaces(tmp_path), Workspaces(tmp_path)
    id = first.create("shared")
    assert first.save(id, {"by": "first"}, 0) == 1
    with pytest.raises(StoreError) as caught:
        second.save(id, {"by": "second"}, 0)
    assert caught.value.code == "CONFLICT"
    assert second.open(id).document == {"by": "first"}
    assert second.save(id, {"by": "second"}, 1) == 2


def test_unknown_workspaces_and_unsaveable_values_are_refused(tmp_path):
    workspaces = Workspaces(tmp_path)
    id = workspaces.create("one")
    for call in (lambda: workspaces.open("no"), lambda: workspaces.save("no", {}, 0),
                 lambda: workspaces.log("no", "x", {}), lambda: workspaces.undo("no"),
                 lambda: workspaces.redo("no"), lambda: workspaces.operations("no")):
        with pytest.raises(StoreError) as caught:
            call()
        assert caught.value.code == "NO_WORKSPACE"
    for value in (float("nan"), {1, 2}, object()):
        with pytest.raises(StoreError) as caught:
            workspaces.save(id, {"value": value}, 0)
        assert caught.value.code == "NOT_JSON"
    assert workspaces.open(id).version == 0


def test_undo_and_redo_walk_the_log(tmp_path):
    workspaces = Workspaces(tmp_path)
    id = workspaces.create("log")
    other = workspaces.create("other")
    assert workspaces.undo(id) is None
    assert workspaces.redo(id) is None
    assert [workspaces.log(id, "rename", {"to": name}) for name in "abc"] == [1, 2, 3]
    workspaces.log(other, "rename", {"to": "z"})
    assert workspaces.undo(id).payload == {"to": "c"}
    assert workspaces.undo(id).payload == {"to": "b"}
    assert [entry.seq for entry in workspaces.operations(id)] == [1]
    assert workspaces.redo(id).payload == {"to": "b"}
    assert [entry.seq for entry in workspaces.operations(id)] == [1, 2]
    assert workspaces.log(id, "rename", {"to": "d"}) == 4
    assert workspaces.redo(id) is None
    assert [(entry.seq, entry.operation) for entry in workspaces.operations(id)] == [
        (1, "rename"), (2, "rename"), (4, "rename")]
    assert [entry.payload["to"] for entry in workspaces.operations(other)] == ["z"]
    for _ in range(3):
        workspaces.undo(id)
    assert workspaces.undo(id) is None
    assert workspaces.operations(id) == []


def test_families_are_undone_apart(tmp_path):
    workspaces = Workspaces(tmp_path)
    id = workspaces.create("two families")
    first = Family(("edit", "rename"), "clustering", "one")
    second = Family(("edit", "rename"), "clustering", "two")
    for number, family in enumerate((first, second, first), 1):
        assert workspaces.log(id, "edit", {"clustering": family.about}, family) == number
    stamps = [workspaces.stamp(id)]
    assert workspaces.undo(id, first).seq == 3
    stamps.append(workspaces.stamp(id))
    assert workspaces.log(id, "selection", {}) == 4  # another kind: takes nothing away
    assert workspaces.log(id, "rename", {"clustering": "two"}, second) == 5
    stamps.append(workspaces.stamp(id))
    trail = workspaces.trail(id, first)
    assert [step.seq for step in trail.active] == [1]
    assert [step.seq for step in trail.undone] == [3]
    assert trail.last == 1
    assert workspaces.redo(id, first).seq == 3
    assert workspaces.redo(id, first) is None
    assert [workspaces.undo(id, second).seq for _ in range(2)] == [5, 2]
    assert workspaces.undo(id, second) is None
    assert [step.seq for step in workspaces.operations(id)] == [1, 3, 4]
    assert workspaces.trail(id, Family(("selection",))).last == 4
    assert workspaces.trail(id, Family(("note",))) == Trail()
    assert len({*stamps, workspaces.stamp(id)}) == 4


def test_a_step_on_what_another_tab_changed_is_refused(tmp_path):
    workspaces = Workspaces(tmp_path)
    id = workspaces.create("two tabs")
    family = Family(("edit",))
    seen = workspaces.log(id, "edit", {"by": "both saw this"}, family, after=0)
    workspaces.log(id, "edit", {"by": "one"}, family, after=seen)
    for step in (lambda: workspaces.log(id, "edit", {"by": "other"}, family, after=seen),
                 lambda: workspaces.undo(id, family, after=seen),
                 lambda: workspaces.redo(id, family, after=seen)):
        with pytest.raises(StoreError) as caught:
            step()
        assert caught.value.code == "EDITED_ELSEWHERE"
    assert [step.payload["by"] for step in workspaces.operations(id)] == ["both saw this", "one"]
    workspaces.log(id, "selection", {})  # of another family: nobody's way
    assert workspaces.undo(id, family, after=seen + 1).payload["by"] == "one"


def write_much(home, id, number):
    workspaces = Workspaces(home)
    for i in range(TIMES):
        workspaces.log(id, "add", {"by": number, "i": i})
        while True:
            found = workspaces.open(id)
            count = found.document.get("count", 0) + 1
            try:
                workspaces.save(id, {"count": count}, found.version)
                break
            except StoreError as error:
                if error.code != "CONFLICT":
                    raise


def test_w03_four_processes_times_200_saves_lose_nothing(tmp_path):
    workspaces = Workspaces(tmp_path)
    id = workspaces.create("busy")
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=write_much, args=(tmp_path, id, number))
                 for number in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * PROCESSES
    found = workspaces.open(id)
    assert found.document == {"count": PROCESSES * TIMES}
    assert found.version == PROCESSES * TIMES
    entries = workspaces.operations(id)
    assert [entry.seq for entry in entries] == list(range(1, PROCESSES * TIMES + 1))
    for number in range(PROCESSES):
        mine = [entry.payload["i"] for entry in entries if entry.payload["by"] == number]
        assert mine == list(range(TIMES))


def create_and_end(home):
    Workspaces(home).create("from elsewhere")
    os._exit(0)


def test_a_second_object_does_not_cut_the_first_off(tmp_path):
    """Opening and closing the file by hand drops this process' SQLite locks: another process then
    takes itself for the last user and removes the log under an open connection."""
    first = Workspaces(tmp_path)
    id = first.create("here")
    Workspaces(tmp_path)
    spawn = multiprocessing.get_context("spawn")
    for _ in range(2):
        process = spawn.Process(target=create_and_end, args=(tmp_path,))
        process.start()
        process.join()
    with first._database.reading() as connection:
        assert connection.execute("SELECT count(*) FROM workspaces").fetchone()[0] == 3
    first.save(id, {"kept": True}, 0)
    assert Workspaces(tmp_path).open(id).document == {"kept": True}


def test_a_newer_file_is_left_alone(tmp_path):
    file = tmp_path / FILE_NAME
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE theirs (x)")
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    before = file.read_bytes()
    with pytest.raises(StoreError) as caught:
        Workspaces(tmp_path)
    assert caught.value.code == "NEWER_VERSION"
    assert "made by a newer version" in caught.value.message
    assert file.read_bytes() == before


def test_files_are_private(tmp_path):
    home = tmp_path / "home"
    Workspaces(home).create("secret")
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    for file in home.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name


@pytest.mark.parametrize("content", [b"not a database" * 1000,
                                     b"SQLite format 3\0" + b"\xff" * 8000])
def test_a_damaged_file_is_said_to_be_damaged(tmp_path, content):
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(StoreError) as caught:
        Workspaces(tmp_path)
    assert caught.value.code == "DAMAGED"
    assert (tmp_path / FILE_NAME).read_bytes() == content


def test_a_home_that_cannot_be_made_is_said_so(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError) as caught:
        Workspaces(tmp_path / "file" / "home")
    assert caught.value.code == "DISK"


def test_a_full_disk_loses_the_change_only(tmp_path):
    workspaces = Workspaces(tmp_path)
    id = workspaces.create("full")
    workspaces.save(id, {"kept": 1}, 0)
    with workspaces._database.reading() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError) as caught:
        workspaces.save(id, {"big": "x" * 1_000_000}, 1)
    assert caught.value.code == "DISK_FULL"
    assert Workspaces(tmp_path).open(id).document == {"kept": 1}


def test_a_lock_held_too_long_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("explorer.workspace_file.BUSY_SECONDS", 0.1)
    workspaces = Workspaces(tmp_path)
    id = workspaces.create("locked")
    with Database(tmp_path).transaction(), pytest.raises(StoreError) as caught:
        workspaces.save(id, {}, 0)
    assert caught.value.code == "BUSY"
    assert re.search(r"locked for over 0\.1 seconds", caught.value.message)
    assert workspaces.save(id, {}, 0) == 1


def test_a_failing_block_changes_nothing(tmp_path):
    database = Database(tmp_path)

    def fail_halfway():
        with database.transaction() as connection:
            connection.execute("INSERT INTO turns VALUES ('ann', 1)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_halfway()
    with database.reading() as connection:
        assert connection.execute("SELECT count(*) FROM turns").fetchone()[0] == 0


def test_a_fork_opens_its_own_connections(tmp_path):
    workspaces = Workspaces(tmp_path)
    id = workspaces.create("forked")
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if workspaces.save(id, {"by": "child"}, 0) == 1 else 1
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert workspaces.open(id).document == {"by": "child"}
    assert workspaces.save(id, {"by": "parent"}, 1) == 2
