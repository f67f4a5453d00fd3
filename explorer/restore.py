"""A backup in the place of the present workspace file, or of one workspace in it."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from explorer.backups import NAME, TIME, copy_file, folder_lock, verify_copy
from explorer.database import Database
from explorer.disk import sync_folder, write_synced
from explorer.errors import StoreError, Where
from explorer.workspace import reseal
from explorer.workspace_file import FILE_NAME, in_words, open_file, raise_format, remove_file

_SKIPPED = 1000
"""Brought-back workspaces go on at a version so far up: a tab from before then has a conflict."""


def restore(home: Path, name: str, workspace: str | None = None) -> Path:
    """Bring back the copy `name`, or of it only one workspace; returns the folder with what was
    there before. Other processes may have the file open.

    Raises StoreError NO_BACKUP, NO_WORKSPACE, DAMAGED, NEWER_VERSION (the copy).
    """
    source = home / "backups" / name
    if not NAME.fullmatch(name) or not source.is_file():
        raise StoreError("NO_BACKUP", f"A backup must be one of those there are, got {name!r}.",
                         Where(file=name), "`explorer backups` lists them.")
    verify_copy(source)
    with _prepared(home) as part:
        write_synced(part, lambda file: file.write(source.read_bytes()))
        with closing(open_file(part, "mode=rw")) as connection:
            raise_format(connection)
            connection.execute("UPDATE workspaces SET version = version + ?", (_SKIPPED,))
            reseal(connection)
        if _is_whole(home):
            return _exchange_rows(home, part, workspace)
        return _exchange_files(home, part)


def start_empty(home: Path) -> Path:
    """An empty workspace file in the place of a damaged one; the folder where that lies now."""
    with _prepared(home) as part:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        with closing(open_file(part, "mode=rw")) as connection:
            raise_format(connection)
        return _exchange_files(home, part)


def _is_whole(home: Path) -> bool:
    """Whether the structure of the present file is sound, so that its rows can be exchanged."""
    try:
        Database(home).verify()
    except StoreError as error:
        if error.code != "DAMAGED":
            raise
        return False
    return True


def _exchange_rows(home: Path, part: Path, workspace: str | None) -> Path:
    """In one transaction, jobs and their engine untouched: it may be running."""
    database = Database(home)
    aside = _aside(home)
    with database.reading() as connection:
        copy_file(connection, aside / FILE_NAME)
    with closing(open_file(database.path, "mode=rw")) as connection, in_words(database.path):
        connection.execute("ATTACH ? AS kept", (f"file:{part}?mode=ro",))
        only = "" if workspace is None else " WHERE {} = :id"
        given = {"id": workspace}
        found = connection.execute("SELECT 1 FROM kept.workspaces" + only.format("id"),  # noqa: S608
                                   given).fetchone()
        if workspace is not None and found is None:
            raise StoreError("NO_WORKSPACE", "This backup has no such workspace.",
                             hint="Take another one.")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        for table, column in (("operations", "workspace"), ("workspaces", "id")):
            connection.execute(f"DELETE FROM {table}" + only.format(column), given)  # noqa: S608
        for table, column in (("workspaces", "id"), ("operations", "workspace")):
            connection.execute(f"INSERT INTO {table} SELECT * FROM kept.{table}"  # noqa: S608
                               + only.format(column), given)
        connection.execute("COMMIT")
    return aside


def _exchange_files(home: Path, part: Path) -> Path:
    aside, live = _aside(home), home / FILE_NAME
    if live.exists():
        os.link(live, aside / FILE_NAME)
    for ending in ("-wal", "-shm"):
        # Before the new file stands there: SQLite would play an old log into it.
        log = home / f"{FILE_NAME}{ending}"
        if log.exists():
            os.rename(log, aside / log.name)
    os.replace(part, live)
    sync_folder(home)
    return aside


def _aside(home: Path) -> Path:
    stamp = time.strftime(TIME, time.gmtime())
    folder = home / "backups" / f"replaced-{stamp}-{uuid.uuid4().hex[:6]}"
    folder.mkdir(mode=0o700)
    return folder


@contextmanager
def _prepared(home: Path) -> Iterator[Path]:
    """A name for the file that will stand in the place of the present one."""
    part = home / f".{FILE_NAME}.{uuid.uuid4().hex}"
    with folder_lock(home, wait=True):
        try:
            with in_words(part):
                yield part
        finally:
            remove_file(part)
