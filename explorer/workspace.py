"""What people make: a document per workspace, and the log of what was done to it.

A save names the version it started from; another's save in between is a conflict, shown and never
overwritten. Undo and redo move over the log, one operation at a time.
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


class Workspaces:
    """All workspaces of a home. Safe for several processes and threads at once."""

    def __init__(self, home: Path) -> None:
        self._database = Database(home)

    def create(self, name: str) -> str:
        """A new, empty workspace (version 0); its id cannot be guessed: who has it may open it."""
        id = secrets.token_urlsafe(18)
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO workspaces (id, name, document, version, updated)"
                " VALUES (?, ?, '{}', 0, ?)", (id, name, time.time()))
        return id

    def open(self, id: str) -> Workspace:
        """The workspace as it is now. Raises StoreError NO_WORKSPACE."""
        with self._database.reading() as connection:
            row = _workspace_row(connection, id)
        return Workspace(row["id"], row["name"], json.loads(row["document"]), row["version"],
                         row["updated"])

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
        return stored + 1

    def log(self, id: str, operation: str, payload: dict[str, Any]) -> int:
        """Append one operation; returns its number. What had been undone can no longer be redone.

        Raises StoreError NO_WORKSPACE, NOT_JSON.
        """
        text = _to_json(payload)
        with self._database.transaction() as connection:
            seq = int(_workspace_row(connection, id)["last_seq"]) + 1
            connection.execute("DELETE FROM operations WHERE workspace = ? AND undone", (id,))
            connection.execute(
                "INSERT INTO operations (workspace, seq, operation, payload, at)"
                " VALUES (?, ?, ?, ?, ?)", (id, seq, operation, text, time.time()))
            connection.execute("UPDATE workspaces SET last_seq = ? WHERE id = ?", (seq, id))
        return seq

    def undo(self, id: str) -> Operation | None:
        """Take back the newest active operation and return it; None when there is none."""
        return self._turn(id, "undone = 0 ORDER BY seq DESC", undone=1)

    def redo(self, id: str) -> Operation | None:
        """Bring back the operation undone last and return it; None when there is none."""
        return self._turn(id, "undone = 1 ORDER BY seq", undone=0)

    def operations(self, id: str) -> list[Operation]:
        """The active operations, oldest first. Raises StoreError NO_WORKSPACE."""
        with self._database.reading() as connection:
            _workspace_row(connection, id)
            rows = connection.execute(
                "SELECT * FROM operations WHERE workspace = ? AND undone = 0 ORDER BY seq",
                (id,)).fetchall()
        return [_operation(row) for row in rows]

    def _turn(self, id: str, which: str, undone: int) -> Operation | None:
        with self._database.transaction() as connection:
            _workspace_row(connection, id)
            row = connection.execute(
                f"SELECT * FROM operations WHERE workspace = ? AND {which} LIMIT 1",  # noqa: S608 - `which` is one of two constants above
                (id,)).fetchone()
            if row is None:
                return None
            connection.execute("UPDATE operations SET undone = ? WHERE workspace = ? AND seq = ?",
                               (undone, id, row["seq"]))
        return _operation(row)


def _workspace_row(connection: sqlite3.Connection, id: str) -> sqlite3.Row:
    row: sqlite3.Row | None = connection.execute("SELECT * FROM workspaces WHERE id = ?",
                                                 (id,)).fetchone()
    if row is None:
        raise StoreError("NO_WORKSPACE", "There is no workspace of that name here.",
                         hint="Check the link, or start a new workspace.")
    return row


def _operation(row: sqlite3.Row) -> Operation:
    return Operation(row["seq"], row["operation"], json.loads(row["payload"]), row["at"])


def _to_json(document: dict[str, Any]) -> str:
    try:
        return json.dumps(document, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise StoreError("NOT_JSON", f"What is saved must be plain JSON, got: {error}.") from error
