"""Copies of the workspace file: made, verified, rotated, brought back; the original never lost."""

import os
import sqlite3
import stat
import threading
import time

import pytest

from explorer import backups, restore
from explorer.backups import KEPT, Keeper, back_up, list_backups
from explorer.errors import StoreError
from explorer.jobs import Jobs, Step
from explorer.schema import MIGRATIONS
from explorer.workspace import Workspaces
from explorer.workspace_file import FILE_NAME


def saved(home, **document):
    """A workspace with that document, and its shelf."""
    shelf = Workspaces(home)
    identifier = shelf.create("one")
    shelf.save(identifier, document, 0)
    return shelf, identifier


def code_of(call, *words):
    with pytest.raises(StoreError) as caught:
        call(*words)
    return caught.value.code


def destroy(home):
    """Random bytes in the middle of every page: no longer a database."""
    file = home / FILE_NAME
    Workspaces(home)._database.close()
    for ending in ("-wal", "-shm"):
        (home / f"{FILE_NAME}{ending}").unlink(missing_ok=True)
    data = bytearray(file.read_bytes())
    for place in range(100, len(data), 512):
        data[place:place + 64] = os.urandom(64)
    file.write_bytes(data)
    return bytes(data)


def test_a_backup_is_made_when_something_changed(tmp_path):
    shelf, identifier = saved(tmp_path, a=1)
    first = back_up(tmp_path)
    assert back_up(tmp_path) is None
    Jobs(tmp_path).submit([Step("k", "test", "t", "x:y", {})], "ann")  # nothing people make
    assert back_up(tmp_path) is None
    for change in (lambda: shelf.save(identifier, {"a": 2}, 1), lambda: shelf.create("two"),
                   lambda: shelf.log(identifier, "rename", {}), lambda: shelf.undo(identifier),
                   lambda: shelf.redo(identifier)):
        change()
        assert back_up(tmp_path) is not None
    found = list_backups(tmp_path)
    assert len(found) == 6
    assert found[-1].name == first
    assert [copy.workspaces for copy in found] == [2, 2, 2, 2, 1, 1]
    for path in (tmp_path / "backups").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "backups").stat().st_mode) == 0o700


def test_the_last_nine_are_kept_in_order_of_making(tmp_path, monkeypatch):
    shelf, identifier = saved(tmp_path, a=0)
    names = []
    for version in range(1, 15):
        shelf.save(identifier, {"a": version}, version)
        # A clock that is set back does not change which is the newest.
        monkeypatch.setattr(time, "gmtime", lambda v=version: time.localtime(2e9 - v * 1e6))
        names.append(back_up(tmp_path))
    assert [copy.name for copy in list_backups(tmp_path)] == names[::-1][:KEPT]


def test_a_damaged_file_is_not_copied_over_good_backups(tmp_path):
    shelf, identifier = saved(tmp_path, secret="0123456789")
    for version in range(1, KEPT + 1):
        shelf.save(identifier, {"secret": "0123456789", "v": version}, version)
        back_up(tmp_path)
    before = [copy.name for copy in list_backups(tmp_path)]
    with shelf._database.transaction() as connection:
        connection.execute("UPDATE workspaces SET document = replace(document, '345', '354')")
    shelf.create("a change")
    assert code_of(back_up, tmp_path) == "DAMAGED"
    assert [copy.name for copy in list_backups(tmp_path)] == before
    assert not list((tmp_path / "backups").glob(".*part*"))


def test_w05_a_destroyed_file_is_refused_and_a_backup_brought_back(tmp_path):
    shelf, identifier = saved(tmp_path, a=1)
    name = back_up(tmp_path)
    shelf._database.close()
    content = destroy(tmp_path)
    assert code_of(lambda: Workspaces(tmp_path).verify()) == "DAMAGED"
    aside = restore.restore(tmp_path, name)
    assert (aside / FILE_NAME).read_bytes() == content
    fresh = Workspaces(tmp_path)
    fresh.verify()
    assert fresh.open(identifier).document == {"a": 1}
    # A tab from before cannot save over it by chance.
    assert fresh.open(identifier).version > 1000
    # An object that was open all the time goes on with the new file.
    version = shelf.open(identifier).version
    shelf.save(identifier, {"a": 3}, version)
    assert Workspaces(tmp_path).open(identifier).document == {"a": 3}


def test_restoring_a_whole_file_keeps_what_was_there_and_the_jobs(tmp_path):
    shelf, identifier = saved(tmp_path, a=1)
    shelf.log(identifier, "rename", {"to": "old"})
    name = back_up(tmp_path)
    shelf.save(identifier, {"a": 2}, 1)
    later = shelf.create("later")
    Jobs(tmp_path).submit([Step("k", "test", "t", "x:y", {})], "ann")
    aside = restore.restore(tmp_path, name)
    assert shelf.open(identifier).document == {"a": 1}
    assert [step.payload for step in shelf.operations(identifier)] == [{"to": "old"}]
    assert code_of(shelf.open, later) == "NO_WORKSPACE"
    assert Jobs(tmp_path).view("k").state == "queued"
    shelf.verify()
    kept = sqlite3.connect(aside / FILE_NAME)
    assert kept.execute("SELECT count(*) FROM workspaces").fetchone()[0] == 2


def test_one_damaged_workspace_is_brought_back_alone(tmp_path):
    shelf, identifier = saved(tmp_path, a=1)
    other = shelf.create("other")
    shelf.log(identifier, "rename", {"to": "old"})
    name = back_up(tmp_path)
    shelf.save(other, {"b": "newer"}, 0)
    with shelf._database.transaction() as connection:
        connection.execute("UPDATE operations SET payload = '{\"to\": \"bld\"}'")
    with pytest.raises(StoreError) as caught:
        shelf.verify()
    assert caught.value.where.entry == identifier
    assert code_of(shelf.operations, identifier) == "DAMAGED"
    restore.restore(tmp_path, name, identifier)
    shelf.verify()
    assert [step.payload for step in shelf.operations(identifier)] == [{"to": "old"}]
    assert shelf.open(other).document == {"b": "newer"}
    assert code_of(restore.restore, tmp_path, name, "not-there") == "NO_WORKSPACE"


def test_what_is_no_backup_is_refused(tmp_path):
    shelf, identifier = saved(tmp_path, a=1)
    name = back_up(tmp_path)
    for bad in ("", "..", f"../{FILE_NAME}", "000009-20260101T000000Z.sqlite3", name + "\n"):
        assert code_of(restore.restore, tmp_path, bad) == "NO_BACKUP"
    path = tmp_path / "backups" / name
    data = path.read_bytes()
    for content in (data[:-100], data[:100], b"", b"x" * 9000):
        path.write_bytes(content)
        assert code_of(restore.restore, tmp_path, name) == "DAMAGED"
        assert list_backups(tmp_path)[0].workspaces is None
    path.write_bytes(data)
    newer = sqlite3.connect(path)
    newer.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    newer.close()
    assert code_of(restore.restore, tmp_path, name) == "NEWER_VERSION"
    assert shelf.open(identifier).document == {"a": 1}
    assert not list(tmp_path.glob(f".{FILE_NAME}*"))


def test_an_empty_file_can_be_started_and_nothing_is_deleted(tmp_path):
    saved(tmp_path, a=1)[0]._database.close()
    content = destroy(tmp_path)
    aside = restore.start_empty(tmp_path)
    assert (aside / FILE_NAME).read_bytes() == content
    fresh = Workspaces(tmp_path)
    fresh.verify()
    assert fresh.all() == []
    assert fresh.open(fresh.create("new")).version == 0


def test_the_keeper_works_by_itself_and_stops(tmp_path):
    shelf, identifier = saved(tmp_path, a=1)
    others = set(threading.enumerate())
    keeper = Keeper(tmp_path, seconds=0.05)
    until = time.monotonic() + 10
    while not list_backups(tmp_path) and time.monotonic() < until:
        time.sleep(0.02)
    shelf.save(identifier, {"a": 2}, 1)
    while len(list_backups(tmp_path)) < 2 and time.monotonic() < until:
        time.sleep(0.02)
    keeper.stop()
    assert len(list_backups(tmp_path)) == 2
    assert set(threading.enumerate()) <= others


def test_two_processes_do_not_make_one_backup_twice(tmp_path):
    saved(tmp_path, a=1)
    with backups.folder_lock(tmp_path):
        assert back_up(tmp_path) is None
    assert back_up(tmp_path) is not None


def test_writers_and_readers_go_on_while_a_backup_is_made(tmp_path):
    shelf, _ = saved(tmp_path, text="x" * 60_000_000)
    spans, done = [], threading.Event()

    def work():
        small = shelf.create("small")
        version = 0
        while not done.is_set():
            before = time.monotonic()
            version = shelf.save(small, {"v": version}, version)
            assert shelf.open(small).document == {"v": version - 1}
            spans.append((before, time.monotonic()))

    worker = threading.Thread(target=work)
    worker.start()
    begun = time.monotonic()
    assert back_up(tmp_path) is not None
    ended = time.monotonic()
    done.set()
    worker.join()
    # Who had to wait for the copy would have waited for all of it.
    assert not [span for span in spans if span[0] <= begun and span[1] >= ended]
    assert any(start < ended and end > begun for start, end in spans)
