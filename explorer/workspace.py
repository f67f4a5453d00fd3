"""What people make: a document per workspace, and the log of what was done to it.

A save names the version it started from; another's save in between is a conflict, shown and never
overwritten. Undo and redo move over the log, one operation at a time. Every row carries its
checksum (`seal`), looked at whenever it is read.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.database import Database
from explorer.errors import StoreError
from explorer.workspace_file import FILE_NAME, damaged

_SEAL = "seal_row(id, name, document, version, updated, last_seq)"
_STEP_SEAL = "seal_row(workspace, seq, operation, payload, at, undone)"


@dataclass(frozen=True)
class Workspace:
    """A workspace as it was read. `version` goes back into `Workspaces.save`."""

    id: str
    name: str
    document: dict[str, Any]
    version: int
    updated: float


@dataclass(frozen=True)
class Operation:
    """One thing a person did. `seq` grows inside a workspace and is never used twice."""

    seq: int
    operation: str
    payload: dict[str, Any]
    at: float


@dataclass(frozen=True)
class Family:
    """The operations that are undone in one line: those of `kinds`, and where `about` is given only
    those whose payload has that text under `field`. What other families do stays out of it."""

    kinds: tuple[str, ...]
    field: str = ""
    about: str = ""

    def where(self) -> tuple[str, list[str]]:
        """The condition in SQL and its values."""
        kinds = f"operation IN ({', '.join('?' * len(self.kinds))})"
        if not self.field:
            return kinds, [*self.kinds]
        return (f"{kinds} AND json_extract(payload, '$.' || ?) = ?",
                [*self.kinds, self.field, self.about])


@dataclass(frozen=True)
class Trail:
    """The operations of a family, oldest first: those in force, and those undone."""

    active: tuple[Operation, ...] = ()
    undone: tuple[Operation, ...] = ()

    @property
    def last(self) -> int:
        """The number of the newest one in force; 0 when there is none."""
        return self.active[-1].seq if self.active else 0


class Workspaces:
    """All workspaces of a home. Safe for several processes and threads at once."""

    def __init__(self, home: Path) -> None:
        self._database = Database(home)

    @property
    def read_only(self) -> bool:
        """Whether what is there can be opened but nothing saved. Raises StoreError HOME_GONE."""
        return self._database.look()[2]

    def verify(self, *, rows: bool = True) -> None:
        """Read the whole file and check it. Raises StoreError DAMAGED; `rows`: also every value,
        and `where.entry` names the workspace where only one is damaged."""
        self._database.verify()
        if rows:
            with self._database.reading() as connection:
                verify_rows(connection)

    def all(self) -> list[Workspace]:
        """Every workspace, the one changed last first."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT id FROM workspaces ORDER BY updated DESC, id"
                                      ).fetchall()
            return [_workspace(_workspace_row(connection, row["id"])) for row in rows]

    def texts(self) -> list[str]:
        """Every document and every logged payload, undone ones too, as JSON text; and what waits
        to be computed: all that may name a result."""
        with self._database.reading() as connection:
            return [row[0] for row in connection.execute(
                "SELECT document FROM workspaces UNION ALL SELECT payload FROM operations"
                " UNION ALL SELECT key || payload FROM jobs WHERE state IN ('queued', 'running')")]

    def create(self, name: str) -> str:
        """A new, empty workspace (version 0); its id cannot be guessed: who has it may open it."""
        id = secrets.token_urlsafe(18)
        name = name.encode("utf-8", "replace").decode()  # lone surrogates have no place in SQLite
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO workspaces (id, name, document, version, updated)"
                " VALUES (?, ?, '{}', 0, ?)", (id, name, time.time()))
            _seal(connection, id)
        return id

    def open(self, id: str) -> Workspace:
        """The workspace as it is now. Raises StoreError NO_WORKSPACE, DAMAGED."""
        with self._database.reading() as connection:
            return _workspace(_workspace_row(connection, id))

    def save(self, id: str, document: dict[str, Any], version: int) -> int:
        """Replace the document; returns its new version.

        Raises StoreError CONFLICT when `version` is not the stored one (nothing is written),
        NO_WORKSPACE, NOT_JSON.
        """
        text = _to_json(document)
        with self._database.transaction() as connection:
            stored = int(_workspace_row(connection, id)["version"])
            if stored != version:
                raise StoreError(
                    "CONFLICT",
                    f"This workspace was changed elsewhere: version {stored} is saved, this "
                    f"change started from version {version}.",
                    hint="Nothing was overwritten. Reload to see the other change, then repeat "
                         "yours, or save yours as a new workspace.")
            connection.execute(
                "UPDATE workspaces SET document = ?, version = ?, updated = ? WHERE id = ?",
                (text, stored + 1, time.time(), id))
            _seal(connection, id)
        return stored + 1

    def log(self, id: str, operation: str, payload: dict[str, Any], family: Family | None = None,
            after: int | None = None) -> int:
        """Append one operation; returns its number. What of its `family` (without one: of its own
        kind) had been undone can no longer be redone.

        `after`: the newest operation of the family in force that the person saw (0: none). Raises
        StoreError EDITED_ELSEWHERE when there is another (nothing is written), NO_WORKSPACE,
        NOT_JSON.
        """
        text = _to_json(payload)
        kin, values = (family or Family((operation,))).where()
        with self._database.transaction() as connection:
            seq = int(_workspace_row(connection, id)["last_seq"]) + 1
            _refuse_other(connection, id, kin, values, after)
            connection.execute(
                f"DELETE FROM operations WHERE workspace = ? AND undone AND {kin}",  # noqa: S608 - constants
                (id, *values))
            connection.execute(
                "INSERT INTO operations (workspace, seq, operation, payload, at)"
                " VALUES (?, ?, ?, ?, ?)", (id, seq, operation, text, time.time()))
            _seal_step(connection, id, seq)
            connection.execute("UPDATE workspaces SET last_seq = ? WHERE id = ?", (seq, id))
            _seal(connection, id)
        return seq

    def undo(self, id: str, family: Family | None = None,
             after: int | None = None) -> Operation | None:
        """Take back the newest active operation (of the family) and return it; None when there is
        none. `after` as for `log`."""
        return self._turn(id, "undone = 0", "seq DESC", 1, family, after)

    def redo(self, id: str, family: Family | None = None,
             after: int | None = None) -> Operation | None:
        """Bring back the operation (of the family) undone last and return it; None when there is
        none. `after` as for `log`."""
        return self._turn(id, "undone = 1", "seq", 0, family, after)

    def stamp(self, id: str) -> tuple[int, str]:
        """What is another whenever the log is another. Raises StoreError NO_WORKSPACE."""
        with self._database.reading() as connection:
            last = int(_workspace_row(connection, id)["last_seq"])
            undone = connection.execute(
                "SELECT group_concat(seq) FROM operations WHERE workspace = ? AND undone",
                (id,)).fetchone()
        return last, str(undone[0] or "")

    def trail(self, id: str, family: Family) -> Trail:
        """The operations of a family. Raises StoreError NO_WORKSPACE, DAMAGED."""
        kin, values = family.where()
        with self._database.reading() as connection:
            _workspace_row(connection, id)
            rows = connection.execute(
                f"SELECT *, seal IS {_STEP_SEAL} AS whole FROM operations"  # noqa: S608 - constants
                f" WHERE workspace = ? AND {kin} ORDER BY seq", (id, *values)).fetchall()
        return Trail(tuple(_operation(row) for row in rows if not row["undone"]),
                     tuple(_operation(row) for row in rows if row["undone"]))

    def operations(self, id: str) -> list[Operation]:
        """The active operations, oldest first. Raises StoreError NO_WORKSPACE."""
        with self._database.reading() as connection:
            _workspace_row(connection, id)
            rows = connection.execute(
                f"SELECT *, seal IS {_STEP_SEAL} AS whole FROM operations"  # noqa: S608 - constant
                " WHERE workspace = ? AND undone = 0 ORDER BY seq", (id,)).fetchall()
        return [_operation(row) for row in rows]

    def _turn(self, id: str, which: str, order: str, undone: int, family: Family | None,
              after: int | None) -> Operation | None:
        kin, values = family.where() if family else ("1", [])
        with self._database.transaction() as connection:
            _workspace_row(connection, id)
            _refuse_other(connection, id, kin, values, after)
            row = connection.execute(
                f"SELECT *, seal IS {_STEP_SEAL} AS whole FROM operations"  # noqa: S608 - constants
                f" WHERE workspace = ? AND {which} AND {kin} ORDER BY {order} LIMIT 1",
                (id, *values)).fetchone()
            if row is None:
                return None
            found = _operation(row)
            connection.execute("UPDATE operations SET undone = ? WHERE workspace = ? AND seq = ?",
                               (undone, id, row["seq"]))
            _seal_step(connection, id, row["seq"])
        return found


def _refuse_other(connection: sqlite3.Connection, id: str, kin: str, values: list[str],
                  after: int | None) -> None:
    """Raise StoreError EDITED_ELSEWHERE when the newest operation in force is not `after`."""
    if after is None:
        return
    newest = connection.execute(
        f"SELECT max(seq) FROM operations WHERE workspace = ? AND NOT undone AND {kin}",  # noqa: S608 - constants
        (id, *values)).fetchone()[0] or 0
    if newest != after:
        raise StoreError(
            "EDITED_ELSEWHERE", "This was changed elsewhere meanwhile: what you saw is not the "
                                "newest state, so your step was not done.",
            hint="Nothing was lost. Look at the newest state, now shown, and repeat your step if "
                 "it still makes sense.")


def verify_rows(connection: sqlite3.Connection) -> None:
    """Every row of what people made. Raises StoreError DAMAGED naming the workspace."""
    row = connection.execute(
        f"SELECT id FROM workspaces WHERE seal IS NOT {_SEAL} UNION ALL"  # noqa: S608 - constants
        f" SELECT workspace FROM operations WHERE seal IS NOT {_STEP_SEAL} LIMIT 1").fetchone()
    if row is not None:
        raise damaged(FILE_NAME, str(row["id"]))


def reseal(connection: sqlite3.Connection) -> None:
    """Write the checksums of all workspaces anew, after all of them were changed on purpose."""
    connection.execute(f"UPDATE workspaces SET seal = {_SEAL}")  # noqa: S608 - constant


def _workspace_row(connection: sqlite3.Connection, id: str) -> sqlite3.Row:
    row: sqlite3.Row | None = connection.execute(
        f"SELECT *, seal IS {_SEAL} AS whole FROM workspaces WHERE id = ?", (id,)).fetchone()  # noqa: S608 - constant
    if row is None:
        raise StoreError("NO_WORKSPACE", "There is no workspace of that name here.",
                         hint="Check the link, or start a new workspace.")
    if not row["whole"]:
        raise damaged(FILE_NAME, id)
    return row


def _workspace(row: sqlite3.Row) -> Workspace:
    return Workspace(row["id"], row["name"], json.loads(row["document"]), row["version"],
                     row["updated"])


def _operation(row: sqlite3.Row) -> Operation:
    if not row["whole"]:
        raise damaged(FILE_NAME, str(row["workspace"]))
    return Operation(row["seq"], row["operation"], json.loads(row["payload"]), row["at"])


def _seal(connection: sqlite3.Connection, id: str) -> None:
    connection.execute(f"UPDATE workspaces SET seal = {_SEAL} WHERE id = ?", (id,))  # noqa: S608 - constant


def _seal_step(connection: sqlite3.Connection, id: str, seq: int) -> None:
    connection.execute(f"UPDATE operations SET seal = {_STEP_SEAL}"  # noqa: S608 - constant
                       " WHERE workspace = ? AND seq = ?", (id, seq))


def _to_json(document: dict[str, Any]) -> str:
    try:
        return json.dumps(document, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise StoreError("NOT_JSON", f"What is saved must be plain JSON, got: {error}.") from error
