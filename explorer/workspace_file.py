"""The one file people's work is in: opened, checked, brought to today's format; what SQLite and
the system refuse, in words."""

from __future__ import annotations

import errno
import os
import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from explorer.disk import LEAST_FREE, disk_error, free_bytes
from explorer.errors import StoreError, Where
from explorer.schema import MIGRATIONS
from explorer.seal import seal_row

FILE_NAME = "workspace.sqlite3"
BUSY_SECONDS = 20.0
_LEFT_SECONDS = 60.0
_TABLES = {"workspaces", "operations", "jobs"}


def damaged(name: str, entry: str | None = None) -> StoreError:
    """The file, or one workspace in it, is not what was written."""
    what = "A workspace in the workspace file" if entry else "The workspace file"
    return StoreError("DAMAGED", f"{what} is damaged or not one of ours.", Where(file=name,
                                                                                 entry=entry),
                      "Bring back a backup (`explorer backups`): what is there now is moved aside, "
                      "never deleted. Results in the store are not affected.")


def check_format(connection: sqlite3.Connection, name: str) -> int:
    """The format of an open file, at most ours. Raises StoreError NEWER_VERSION, DAMAGED (not one
    of ours)."""
    known, found = len(MIGRATIONS), file_version(connection)
    if found > known:
        raise StoreError("NEWER_VERSION", f"The workspace file was made by a newer version (format "
                                          f"{found}, this one reads up to {known}).",
                         Where(file=name), "Update the program, or choose another folder by "
                                           "EXPLORER_HOME; the file was not touched.")
    names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    if not found or not names >= _TABLES:
        raise damaged(name)
    return found


def check_pages(connection: sqlite3.Connection, path: Path) -> None:
    """Read the whole of an open file. Raises StoreError DAMAGED where it is broken or cut."""
    found = [row[0] for row in connection.execute("PRAGMA quick_check(1)")]
    size = (connection.execute("PRAGMA page_count").fetchone()[0]
            * connection.execute("PRAGMA page_size").fetchone()[0])
    # A cut last page reads as zeros, which may even be right; pages in the log are not yet here.
    cut = not log_bytes(path) and path.stat().st_size < size
    if found != ["ok"] or cut:
        raise damaged(path.name)


def log_bytes(path: Path) -> int:
    """The size of the log beside the file: changes not yet folded into it."""
    log = path.with_name(f"{path.name}-wal")
    return log.stat().st_size if log.exists() else 0


def open_file(path: Path, mode: str) -> sqlite3.Connection:
    """A connection to a workspace file in a mode of SQLite's addresses ('mode=rw')."""
    connection = sqlite3.connect(f"file:{quote(str(path))}?{mode}", uri=True,
                                 timeout=BUSY_SECONDS, isolation_level=None,
                                 check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.create_function("seal_row", -1, seal_row, deterministic=True)
    return connection


def make_file(path: Path) -> None:
    """A new file appears under its name whole: an empty one there is a damaged one."""
    if not path.parent.exists():
        path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    for left in path.parent.glob(f".{FILE_NAME}.*"):
        with suppress(FileNotFoundError):  # another process is starting too
            if time.time() - left.stat().st_mtime > _LEFT_SECONDS:
                left.unlink()
    part = path.with_name(f".{FILE_NAME}.{uuid.uuid4().hex}")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        with closing(open_file(part, "mode=rw")) as connection:
            require_log(connection, path.name)
            # Without a log, which would be left behind when the file gets its name.
            connection.execute("PRAGMA journal_mode = DELETE")
            raise_format(connection)
        with suppress(FileExistsError):  # another process was faster
            os.link(part, path)
    finally:
        remove_file(part)


def remove_file(path: Path) -> None:
    """A file nobody has open, and what SQLite may have left beside it. What cannot be removed is
    in nobody's way: it has a name of its own, and whoever makes the next such file tries again."""
    for ending in ("", "-wal", "-shm", "-journal"):
        with suppress(OSError):
            Path(f"{path}{ending}").unlink(missing_ok=True)


def require_log(connection: sqlite3.Connection, name: str) -> None:
    """Switch an open file to SQLite's WAL mode. Raises StoreError DISK where that cannot be."""
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise StoreError("DISK", "The workspace folder must allow SQLite's WAL mode, got "
                                 f"{mode!r}.", Where(file=name),
                         "Choose a folder on a local disk by EXPLORER_HOME.")


def raise_format(connection: sqlite3.Connection) -> None:
    """Bring an open file of an older version to today's format; all of it or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    for step in range(file_version(connection), len(MIGRATIONS)):
        for statement in MIGRATIONS[step].split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {step + 1}")
    connection.execute("COMMIT")


def file_version(connection: sqlite3.Connection) -> int:
    """The format an open file says it has."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Inside, what SQLite and the system say of the file `path` becomes a StoreError."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise  # our own mistake, not the disk's
    except sqlite3.DatabaseError as error:
        raise _store_error(path, error) from error
    except UnicodeDecodeError as error:  # a changed byte in a text
        raise damaged(path.name) from error
    except OSError as error:
        raise disk_error("open the workspaces", path, error) from error


def _store_error(path: Path, error: sqlite3.DatabaseError) -> StoreError:
    # The low byte is the primary code; the rest refines it.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    where = Where(file=path.name)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreError("BUSY", f"The workspace was locked for over {BUSY_SECONDS:g} seconds.",
                          where, "Nothing was changed. Try again in a moment.")
    # ERROR: our statements are fixed; one that does not fit means a table is not what it was.
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR):
        return damaged(path.name)
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR
                                       and free_bytes(path) < LEAST_FREE):
        return disk_error("save the change", path, OSError(errno.ENOSPC, "full"))
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return disk_error("save the change", path, OSError(errno.EROFS, "read-only"))
    if code == sqlite3.SQLITE_CANTOPEN:
        return disk_error("open the workspaces", path, _why_not_opened(path))
    return StoreError("DISK", f"The workspace could not be read or written: {error}.", where,
                      "If the folder is on a network drive, choose a local one by EXPLORER_HOME.")


def _why_not_opened(path: Path) -> OSError:
    """The system's own reason, which SQLite does not pass on."""
    try:
        os.stat(path)
        # Not the file itself: closing it would drop SQLite's locks in this process.
        os.close(os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        return error
    return OSError(errno.EACCES, "cannot be opened")
