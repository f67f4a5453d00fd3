"""One SQLite file per home: job records and what people make. Every process sees the same truth.

WAL: readers never wait for the writer. Writers queue at BEGIN IMMEDIATE, for at most
BUSY_SECONDS. A connection is used by one thread at a time and never crosses a fork.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from explorer.disk import disk_error, home_gone, writable
from explorer.schema import MIGRATIONS
from explorer.workspace_file import (
    FILE_NAME,
    check_format,
    check_pages,
    file_version,
    in_words,
    log_bytes,
    make_file,
    open_file,
    raise_format,
    require_log,
)

_KEPT_OPEN = 4


class Database:
    """The file `<home>/workspace.sqlite3`, made (0600, its folder 0700) when absent.

    `durable` writes are on the disk before they return; others may lose the last moments in a
    power cut, never the file: enough for progress, too little for what people make.

    In a folder that cannot be written it can be read. A file that is put in the place of the open
    one (a backup) is taken up at the next statement; none is ever made in its place.

    Raises StoreError: NEWER_VERSION (the file is left as it was), DAMAGED, DISK_FULL, READ_ONLY,
    BUSY, HOME_GONE, TOO_MANY_FILES, DISK.
    """

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        self.path = Path(home) / FILE_NAME
        self._synchronous = "FULL" if durable else "NORMAL"
        self._idle: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        self._pid = os.getpid()
        with in_words(self.path):
            if not self.path.exists():
                make_file(self.path)
            self._seen = self.look()
            self._migrate()

    @property
    def read_only(self) -> bool:
        """Whether nothing can be saved here now."""
        return not (writable(self.path.parent) and os.access(self.path, os.W_OK))

    def verify(self) -> None:
        """Read the whole file. Raises StoreError DAMAGED where its structure is broken."""
        with self.reading() as connection:
            check_pages(connection, self.path)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One consistent view over all statements inside."""
        with in_words(self.path), self._borrowed() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                _roll_back(connection)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All statements inside or none. Do not nest: the inner one would wait for the outer."""
        with in_words(self.path), self._borrowed() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                _roll_back(connection)

    def data_version(self) -> int:
        """A number that changes when another connection has written. Means something only for an
        object used by one thread, which therefore always has the same connection."""
        with in_words(self.path), self._borrowed() as connection:
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
        seen = self.look()
        with self._guard:
            if self._pid != os.getpid():
                # Using or closing a connection made before a fork breaks the parent's locks.
                self._idle, self._pid = [], os.getpid()
            stale: list[sqlite3.Connection] = []
            if seen != self._seen:
                stale, self._idle, self._seen = self._idle, [], seen
            if self._idle:
                return self._idle.pop()
        for old in stale:
            old.close()
        connection = self._connect()
        try:
            if file_version(connection) != len(MIGRATIONS):
                raise home_gone(self.path)
            if not self.read_only:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            connection.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            connection.close()
            raise
        return connection

    def look(self) -> tuple[int, int, bool]:
        """Which file it is and whether it can be written; HOME_GONE when there is none."""
        try:
            found = os.stat(self.path)
        except OSError as error:
            raise disk_error("open the workspaces", self.path, error) from error
        return found.st_dev, found.st_ino, self.read_only

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._guard:
            if self._pid == os.getpid() and len(self._idle) < _KEPT_OPEN:
                self._idle.append(connection)
                return
        connection.close()

    def _connect(self) -> sqlite3.Connection:
        mode = "mode=rw"
        if self.read_only:
            # Without its log's index SQLite reads a read-only file only when told that nobody
            # writes it.
            mode = "mode=ro" if log_bytes(self.path) else "immutable=1"
        return open_file(self.path, mode)

    def _migrate(self) -> None:
        # Looked at before anything else, WAL included, so that a newer file stays as it is.
        with closing(self._connect()) as connection:
            if check_format(connection, self.path.name) < len(MIGRATIONS):
                require_log(connection, self.path.name)
                raise_format(connection)


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")
