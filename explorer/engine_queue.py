"""The engine's side of the job table: what runs next, and what became of it.

Used by one thread, the engine's main loop, so `changed` means something (database.data_version).
"""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from explorer.database import Database
from explorer.errors import ExplorerError, JobError
from explorer.jobs import waiting_jobs

_KEPT_SECONDS = 30 * 24 * 3600

Lane = Literal["worker", "host"]
End = Literal["done", "failed", "cancelled", "interrupted"]


@dataclass(frozen=True)
class Order:
    """One attempt at a step, as it is handed out. `token` names the attempt."""

    key: str
    token: str
    title: str
    call: str
    payload: dict[str, Any]
    home: str
    lane: Lane
    attempt: int


class Queue:
    """Reads and writes job records for the one living engine of a home."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._database = Database(home, durable=False)
        self._seen = -1

    def boot(self) -> None:
        """Take over: what ran under an engine that is gone is 'interrupted'; old records go."""
        now = time.time()
        with self._database.transaction() as connection:
            _interrupt(connection, now)
            connection.execute("DELETE FROM jobs WHERE ended < ? AND state != 'running'",
                               (now - _KEPT_SECONDS,))
            connection.execute("DELETE FROM turns WHERE served < ?", (now - _KEPT_SECONDS,))

    def beat(self, ready: bool) -> None:
        """Say that this engine lives. What the one before said stays until this one is ready."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO engine (id, pid, host, beat, ready, note) VALUES (1, ?, ?, ?, ?, '')"
                " ON CONFLICT (id) DO UPDATE SET pid = excluded.pid, host = excluded.host,"
                " beat = excluded.beat, ready = excluded.ready,"
                " note = CASE WHEN excluded.ready THEN '' ELSE note END",
                (os.getpid(), socket.gethostname(), time.time(), ready))

    def leave(self, note: str) -> None:
        """The engine ends, for the reason `note` (for people; empty: it was told to). Nothing
        stays 'running', nobody waits for its heartbeat."""
        with self._database.transaction() as connection:
            _interrupt(connection, time.time())
            connection.execute("UPDATE engine SET beat = 0, ready = 0, note = ?", (note,))

    def changed(self) -> bool:
        """Whether another process has written since the last call."""
        version = self._database.data_version()
        changed, self._seen = version != self._seen, version
        return changed

    def settle(self) -> None:
        """End the queued jobs whose earlier step failed, was cancelled or interrupted."""
        with self._database.reading() as connection:
            if not _blocked(connection):
                return
        with self._database.transaction() as connection:
            while rows := _blocked(connection):
                for row in rows:
                    _end_blocked(connection, row)

    def waiting(self) -> bool:
        """Whether a queued job of the worker lane could start now."""
        with self._database.reading() as connection:
            return any(lane == "worker" for lane in _ready(connection).values())

    def take(self, free: Mapping[Lane, int]) -> list[Order]:
        """Mark the next jobs as running, at most `free[lane]` of each lane, fair between owners."""
        if not any(free.values()):
            return []
        with self._database.reading() as connection:
            if not any(free.get(lane) for lane in _ready(connection).values()):
                return []
        left = dict(free)
        orders: list[Order] = []
        with self._database.transaction() as connection:
            while True:
                # Asked again each time: every start moves its owners to the end of the round.
                ready = _ready(connection)
                job = next((job for job in waiting_jobs(connection)
                            if job.key in ready and left.get(ready[job.key], 0) > 0), None)
                if job is None:
                    return orders
                left[ready[job.key]] -= 1
                orders.append(self._start(connection, job.key, job.owners))

    def stops(self) -> set[str]:
        """Keys of running jobs that nobody wants any more."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT key FROM jobs WHERE state = 'running' AND stop = 1")
            return {row["key"] for row in rows}

    def report(self, reports: Mapping[str, tuple[float, str]]) -> None:
        """Write the newest fraction and text of several running jobs."""
        with self._database.transaction() as connection:
            connection.executemany(
                "UPDATE jobs SET fraction = max(fraction, ?), text = ?"
                " WHERE key = ? AND state = 'running'",
                [(fraction, text, key) for key, (fraction, text) in reports.items()])

    def end(self, key: str, state: End, error: ExplorerError | None, seconds: float) -> None:
        """Write how a running job ended. Cancelled while somebody wants it again: back in line."""
        with self._database.transaction() as connection:
            if state == "cancelled" and _wanted(connection, key):
                _queue_again(connection, key, "", attempts=0)
                return
            _end(connection, key, state, error, time.time())
            if state == "done":
                _note_timing(connection, key, seconds)

    def again(self, key: str, text: str) -> None:
        """Queue a running job for another attempt, at its old place in line, if it is wanted."""
        with self._database.transaction() as connection:
            if _wanted(connection, key):
                _queue_again(connection, key, text)
            else:
                _end(connection, key, "cancelled", None, time.time())

    def _start(self, connection: sqlite3.Connection, key: str, owners: Sequence[str]) -> Order:
        now = time.time()
        row = connection.execute(
            "UPDATE jobs SET state = 'running', stop = 0, started = ?, attempts = attempts + 1"
            " WHERE key = ? RETURNING *", (now, key)).fetchone()
        last = connection.execute("SELECT coalesce(max(served), 0) FROM turns").fetchone()[0]
        for owner in owners:
            connection.execute("INSERT OR REPLACE INTO turns (owner, served) VALUES (?, ?)",
                               (owner, max(now, last + 1e-6)))
        return Order(key=key, token=f"{key}:{os.urandom(6).hex()}", title=row["title"],
                     call=row["call"], payload=json.loads(row["payload"]), home=str(self._home),
                     lane=row["lane"], attempt=row["attempts"])


def _ready(connection: sqlite3.Connection) -> dict[str, Lane]:
    rows = connection.execute(
        "SELECT key, lane FROM jobs WHERE state = 'queued' AND NOT EXISTS ("
        " SELECT 1 FROM needs JOIN jobs AS earlier ON earlier.key = needs.needed"
        " WHERE needs.key = jobs.key AND earlier.state != 'done')")
    return {row["key"]: row["lane"] for row in rows}


def _blocked(connection: sqlite3.Connection) -> list[sqlite3.Row]:
    return connection.execute(
        "SELECT jobs.key, earlier.title, earlier.state FROM jobs JOIN needs ON needs.key = jobs.key"
        " JOIN jobs AS earlier ON earlier.key = needs.needed WHERE jobs.state = 'queued'"
        " AND earlier.state IN ('failed', 'cancelled', 'interrupted')").fetchall()


def _end_blocked(connection: sqlite3.Connection, row: sqlite3.Row) -> None:
    error = None
    if row["state"] == "failed":
        error = JobError("STEP_BEFORE_FAILED", f"The step before, {row['title']}, failed.",
                         hint="See what is wrong there; this one then runs by itself.")
    elif row["state"] == "interrupted":
        error = _interruption()
    _end(connection, row["key"], row["state"], error, time.time())


def _end(connection: sqlite3.Connection, key: str, state: End, error: ExplorerError | None,
         now: float) -> None:
    connection.execute(
        "UPDATE jobs SET state = ?, ended = ?, stop = 0, error = ?,"
        " fraction = CASE WHEN ? = 'done' THEN 1 ELSE fraction END WHERE key = ?",
        (state, now, json.dumps(error.to_dict(), default=str) if error else None, state, key))
    connection.execute("UPDATE owners SET wants = 0 WHERE key = ? AND wants = 1", (key,))


def _wanted(connection: sqlite3.Connection, key: str) -> bool:
    return connection.execute("SELECT 1 FROM owners WHERE key = ? AND wants = 1",
                              (key,)).fetchone() is not None


def _queue_again(connection: sqlite3.Connection, key: str, text: str,
                 attempts: int | None = None) -> None:
    connection.execute(
        "UPDATE jobs SET state = 'queued', stop = 0, started = NULL, fraction = 0, text = ?,"
        " attempts = coalesce(?, attempts) WHERE key = ? AND state = 'running'",
        (text, attempts, key))


def _interrupt(connection: sqlite3.Connection, now: float) -> None:
    for row in connection.execute("SELECT key FROM jobs WHERE state = 'running'").fetchall():
        _end(connection, row["key"], "interrupted", _interruption(), now)


def _interruption() -> JobError:
    return JobError("JOB_INTERRUPTED", "The server was restarted while this ran. Run it again.")


def _note_timing(connection: sqlite3.Connection, key: str, seconds: float) -> None:
    row = connection.execute("SELECT kind, payload FROM jobs WHERE key = ?",
                             (key,)).fetchone()
    size = json.loads(row["payload"]).get("size")
    if not size or "expected" not in size:
        return
    connection.execute(
        "INSERT INTO timings (kind, method, n, d, seconds, expected, at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (row["kind"], str(size["method"]), int(size["n"]), int(size["d"]), seconds,
         float(size["expected"]), time.time()))
