"""Copies of the workspace file: made while it is used, verified, the last nine kept.

`<home>/backups/<number>-<UTC time>.sqlite3` are the copies, in the order of their numbers;
`<home>/backups/replaced-.../` is what a restored copy took the place of. Nothing of that is
deleted by us but the tenth copy.
"""

from __future__ import annotations

import datetime
import fcntl
import logging
import os
import re
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from explorer.database import Database
from explorer.disk import check_space, disk_error, sync_folder
from explorer.errors import StoreError
from explorer.workspace import verify_rows
from explorer.workspace_file import (
    check_format,
    check_pages,
    in_words,
    open_file,
    remove_file,
)

_log = logging.getLogger(__name__)

KEPT = 9
_HOUR = 3600.0
NAME = re.compile(r"(\d{6})-(\d{8}T\d{6}Z)\.sqlite3")
TIME = "%Y%m%dT%H%M%SZ"
_STATE = ("SELECT (SELECT count(*) FROM workspaces), (SELECT total(version) FROM workspaces),"
          " (SELECT max(updated) FROM workspaces), (SELECT count(*) FROM operations),"
          " (SELECT max(at) FROM operations), (SELECT total(seq * undone) FROM operations)")


@dataclass(frozen=True)
class Backup:
    """One copy. `at` in seconds since the epoch; `workspaces` is None where the copy itself cannot
    be used (damaged, or of a newer version)."""

    name: str
    at: float
    bytes: int
    workspaces: int | None


def list_backups(home: Path) -> list[Backup]:
    """The copies there are, newest first. Reads each of them."""
    return [_told(path) for path in reversed(_copies(home))]


def back_up(home: Path) -> str | None:
    """Copy the workspace file; the name of the copy, or None when nothing people make has changed
    since the newest one (or another process is at it).

    Readers and writers go on meanwhile. Raises StoreError: DAMAGED (no copy is made or removed),
    DISK_FULL and the like.
    """
    with folder_lock(home) as folder:
        if folder is None:
            return None
        for left in folder.glob(".*.part"):
            remove_file(left)
        copies = _copies(home)
        path = folder / _next_name(copies)
        part = folder / f".{uuid.uuid4().hex}.part"
        try:
            with in_words(path), Database(home).reading() as source:
                state = _state(source)
                if copies and state == _state_of(copies[-1]):
                    return None
                copy_file(source, part)
            verify_copy(part)
            os.replace(part, path)
            sync_folder(folder)
        except OSError as error:
            raise disk_error("make a backup", path, error) from error
        finally:
            remove_file(part)
        for old in copies[:max(0, len(copies) + 1 - KEPT)]:
            remove_file(old)
        return path.name


class Keeper:
    """A thread that makes a backup at once and then every hour, where something has changed."""

    def __init__(self, home: Path, seconds: float = _HOUR) -> None:
        self.home = home
        self.seconds = seconds
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._run, name="explorer-backups", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread, after the copy it may be making."""
        self._leaving.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                back_up(self.home)
            except StoreError as error:
                _log.warning("no backup was made: %s", error)
            if self._leaving.wait(self.seconds):
                return


def verify_copy(path: Path) -> None:
    """Raises StoreError DAMAGED or NEWER_VERSION where the closed file `path` cannot be used."""
    with in_words(path), closing(open_file(path, "immutable=1")) as connection:
        check_pages(connection, path)
        check_format(connection, path.name)
        if _has_seals(connection):
            verify_rows(connection)


def _copies(home: Path) -> list[Path]:
    folder = home / "backups"
    return sorted(path for path in folder.glob("*.sqlite3") if NAME.fullmatch(path.name))


def _next_name(copies: list[Path]) -> str:
    number = int(copies[-1].name[:6]) + 1 if copies else 1
    return f"{number:06}-{time.strftime(TIME, time.gmtime())}.sqlite3"


def _told(path: Path) -> Backup:
    made = datetime.datetime.strptime(path.name[7:-8], TIME).replace(tzinfo=datetime.UTC)
    count = None
    try:
        verify_copy(path)
        with closing(open_file(path, "immutable=1")) as connection:
            count = int(connection.execute("SELECT count(*) FROM workspaces").fetchone()[0])
    except StoreError as error:
        _log.warning("backup %s cannot be used: %s", path.name, error)
    return Backup(path.name, made.timestamp(), path.stat().st_size, count)


def _state(connection: sqlite3.Connection) -> tuple[object, ...]:
    return tuple(connection.execute(_STATE).fetchone())


def _state_of(path: Path) -> tuple[object, ...] | None:
    try:
        verify_copy(path)
        with closing(open_file(path, "immutable=1")) as connection:
            return _state(connection)
    except StoreError:
        return None  # damaged meanwhile: reason enough to make a new one


def copy_file(source: sqlite3.Connection, part: Path) -> None:
    """An open workspace file as the file `part` (0600; there must be none), on the disk."""
    size = int(source.execute("PRAGMA page_count").fetchone()[0]
               * source.execute("PRAGMA page_size").fetchone()[0])
    check_space("make a backup", part.parent, size)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    with closing(open_file(part, "mode=rw")) as target:
        # All pages in one go: in pieces, every write meanwhile would start it over. Neither the
        # writers nor other threads of this process wait for it.
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")
    with open(part, "rb+") as file:
        os.fsync(file.fileno())


def _has_seals(connection: sqlite3.Connection) -> bool:
    return any(row["name"] == "seal" for row in
               connection.execute("PRAGMA table_info(workspaces)"))


@contextmanager
def folder_lock(home: Path, wait: bool = False) -> Iterator[Path | None]:
    """The folder of the copies, to ourselves; None while another process has it."""
    folder = home / "backups"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise disk_error("make a backup", folder, error) from error
    try:
        yield folder if _locked(lock, wait) else None
    finally:
        os.close(lock)


def _locked(lock: int, wait: bool) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
