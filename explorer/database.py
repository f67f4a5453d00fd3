"""One SQLite file per home: job records and what people make. Every process sees the same truth.

WAL: readers never wait for the writer. Writers queue at BEGIN IMMEDIATE, for at most
`_BUSY_SECONDS`. A connection is used by one thread at a time and never crosses a fork.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from explorer.errors import StoreError, Where

FILE_NAME = "workspace.sqlite3"
_BUSY_SECONDS = 20.0
_KEPT_OPEN = 4

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE jobs (
        key TEXT PRIMARY KEY, kind TEXT NOT NULL, title TEXT NOT NULL, call TEXT NOT NULL,
        payload TEXT NOT NULL, lane TEXT NOT NULL, seconds REAL NOT NULL, state TEXT NOT NULL,
        fraction REAL NOT NULL DEFAULT 0, text TEXT NOT NULL DEFAULT '', error TEXT,
        attempts INTEGER NOT NULL DEFAULT 0, stop INTEGER NOT NULL DEFAULT 0,
        seq INTEGER NOT NULL, submitted REAL NOT NULL, started REAL, ended REAL);
    CREATE INDEX jobs_state ON jobs (state, seq);
    -- wants: 1 waiting for it, 0 it ended, -1 withdrawn
    CREATE TABLE owners (
        key TEXT NOT NULL REFERENCES jobs ON DELETE CASCADE, owner TEXT NOT NULL,
        wants INTEGER NOT NULL, at REAL NOT NULL, PRIMARY KEY (key, owner)) WITHOUT ROWID;
    CREATE INDEX owners_owner ON owners (owner, at);
    CREATE TABLE needs (
        key TEXT NOT NULL REFERENCES jobs ON DELETE CASCADE, needed TEXT NOT NULL,
        PRIMARY KEY (key, needed)) WITHOUT ROWID;
    CREATE TABLE turns (owner TEXT PRIMARY KEY, served REAL NOT NULL) WITHOUT ROWID;
    CREATE TABLE timings (
        id INTEGER PRIMARY KEY, kind TEXT NOT NULL, method TEXT NOT NULL, n INTEGER NOT NULL,
        d INTEGER NOT NULL, seconds REAL NOT NULL, expected REAL NOT NULL, at REAL NOT NULL);
    CREATE INDEX timings_method ON timings (method, id);
    CREATE TABLE engine (
        id INTEGER PRIMARY KEY CHECK (id = 1), pid INTEGER NOT NULL, host TEXT NOT NULL,
        beat REAL NOT NULL, ready INTEGER NOT NULL, note TEXT NOT NULL);
    CREATE TABLE workspaces (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, document TEXT NOT NULL, version INTEGER NOT NULL,
        updated REAL NOT NULL, last_seq INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
    CREATE TABLE operations (
        workspace TEXT NOT NULL REFERENCES workspaces ON DELETE CASCADE, seq INTEGER NOT NULL,
        operation TEXT NOT NULL, payload TEXT NOT NULL, at REAL NOT NULL,
        undone INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (workspace, seq)) WITHOUT ROWID;
    """,
)
"""Step i brings a file from `user_version` i to i + 1. Steps are only ever added."""


class Database:
    """The file `<home>/workspace.sqlite3`, made (0600, its folder 0700) when absent.

    `durable` writes are on the disk before they return; others may lose the last moments in a
    power cut, never the file: enough for progress, too little for what people make.

    Raises StoreError: NEWER_VERSION (the file is left as it was), DAMAGED, DISK_FULL, READ_ONLY,
    BUSY, DISK.
    """

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        self.path = Path(home) / FILE_NAME
        self._synchronous = "FULL" if durable else "NORMAL"
        self._idle: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        self._pid = os.getpid()
        with _in_words(self.path):
            if not self.path.parent.exists():
                self.path.parent.mkdir(parents=True, mode=0o700)
            # Never open an existing file by hand: closing it drops SQLite's locks in this process.
            with suppress(FileExistsError):
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            self._migrate()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One consistent view over all statements inside."""
        with _in_words(self.path), self._borrowed() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                _roll_back(connection)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All statements inside or none. Do not nest: the inner one would wait for the outer."""
        with _in_words(self.path), self._borrowed() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                _roll_back(connection)

    def data_version(self) -> int:
        """A number that changes when another connection has written. Means something only for an
        object used by one thread, which therefore always has the same connection."""
        with _in_words(self.path), self._borrowed() as connection:
            return int(connection.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Close the idle connections; the object stays usable."""
        with self._guard:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextmanager
    def _borrowed(self) -> Iterator[sqlite3.Connection]:
        connection = self._take()
        try:
            yield connection
        except sqlite3.Error:
            connection.close()
            raise
        except BaseException:
            self._give_back(connection)
            raise
        else:
            self._give_back(connection)

    def _take(self) -> sqlite3.Connection:
        with self._guard:
            if self._pid != os.getpid():
                # Using or closing a connection made before a fork breaks the parent's locks.
                self._idle, self._pid = [], os.getpid()
            if self._idle:
                return self._idle.pop()
        connection = self._connect()
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {self._synchronous}")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._guard:
            if self._pid == os.getpid() and len(self._idle) < _KEPT_OPEN:
                self._idle.append(connection)
                return
        connection.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None,
                                     check_same_thread=False)
        connection.row_factory = sqlite3.Row
        return connection

    def _migrate(self) -> None:
        # Looked at before anything else, WAL included, so that a newer file stays as it is.
        connection = self._connect()
        try:
            known = len(MIGRATIONS)
            found = _file_version(connection)
            if found > known:
                raise StoreError(
                    "NEWER_VERSION",
                    f"The workspace file was made by a newer version (format {found}, this one "
                    f"reads up to {known}).", Where(file=self.path.name),
                    "Update the program, or choose another folder by EXPLORER_HOME; "
                    "the file was not touched.")
            if found == known:
                return
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            if mode != "wal":
                raise StoreError(
                    "DISK", f"The workspace folder must allow SQLite's WAL mode, got {mode!r}.",
                    Where(file=self.path.name),
                    "Choose a folder on a local disk by EXPLORER_HOME.")
            connection.execute("BEGIN IMMEDIATE")
            for step in range(_file_version(connection), known):
                for statement in MIGRATIONS[step].split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {step + 1}")
            connection.execute("COMMIT")
        finally:
            connection.close()


def _file_version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.IntegrityError:
        raise  # our own mistake, not the disk's
    except sqlite3.DatabaseError as error:
        raise _store_error(path, error) from error
    except OSError as error:
        raise StoreError("DISK", f"Could not open the workspace: {error.strerror or error}.",
                         Where(file=path.name),
                         "Check the folder's permissions or choose another by EXPLORER_HOME."
                         ) from error


def _store_error(path: Path, error: sqlite3.DatabaseError) -> StoreError:
    # The low byte is the primary code; the rest refines it.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    where = Where(file=path.name)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreError("BUSY", f"The workspace was locked for over {_BUSY_SECONDS:g} seconds.",
                          where, "Nothing was changed. Try again in a moment.")
    if code == sqlite3.SQLITE_FULL:
        return StoreError("DISK_FULL", "The disk is full: the change was not saved.", where,
                          "Free some space and try again; what was saved before is intact.")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN):
        return StoreError("READ_ONLY", f"The workspace file cannot be written: {error}.", where,
                          "Check the folder's permissions or choose another by EXPLORER_HOME.")
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return StoreError("DAMAGED", "The workspace file is damaged or not a workspace file.",
                          where, "Move it away (do not delete it) and start again; "
                          "results in the store are not affected.")
    return StoreError("DISK", f"The workspace could not be read or written: {error}.", where,
                      "If the folder is on a network drive, choose a local one by EXPLORER_HOME.")
