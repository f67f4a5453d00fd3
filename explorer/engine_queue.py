"""The engine's side of the job table: what runs next, and what became of it.

Used by one thread, the engine's main loop, so `changed` means something (database.data_version).
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from explorer.database import Database
from explorer.errors import ExplorerError, JobError
from explorer.heartbeat import end_beat, last_beat, write_beat
from explorer.jobs import waiting_jobs

_KEPT_JOBS = 5_000
_KEPT_TURNS = 1_000
_KEPT_TIMINGS = 5_000

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

    def too_large_for(self, memory: int) -> str:
        """What to say when it is expected to need more than `memory` bytes; empty when not. An
        estimate refuses nothing: what asks for too much is refused that at once."""
        needed = (self.payload.get("size") or {}).get("bytes") or 0
        if needed <= memory:
            return ""
        return (f"Expected to need {needed / 1e9:,.1f} GB of memory; "
                f"a worker may use {memory / 1e9:,.1f} GB.")


class Queue:
    """Reads and writes job records for the one living engine of a home."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._database = Database(home, durable=False)
        self._seen = -1
        self._held = ""

    def boot(self) -> None:
        """Take over: what ran under an engine that is gone is 'interrupted'; old records go."""
        with self._database.transaction() as connection:
            before = last_beat(connection)
            _interrupt(connection, same_clock=before is not None and before.here)
        self.forget_old()

    def forget_old(self, jobs: int = _KEPT_JOBS) -> None:
        """Keep the newest records: of `jobs` ended jobs, and of who was served when.

        Counted, not dated: a clock that is a year ahead would take all of them.
        """
        with self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM jobs WHERE key IN (SELECT key FROM jobs WHERE state NOT IN"
                " ('queued', 'running') ORDER BY seq DESC LIMIT -1 OFFSET ?)", (jobs,))
            connection.execute(
                "DELETE FROM turns WHERE owner IN (SELECT owner FROM turns"
                " ORDER BY served DESC LIMIT -1 OFFSET ?)", (_KEPT_TURNS,))
            connection.execute("DELETE FROM timings WHERE id <= (SELECT max(id) FROM timings) - ?",
                               (_KEPT_TIMINGS,))

    def beat(self, ready: bool) -> None:
        """Say that this engine lives. What the one before said stays until this one is ready."""
        with self._database.transaction() as connection:
            write_beat(connection, os.getpid(), ready)

    def leave(self, note: str) -> None:
        """The engine ends, for the reason `note` (for people; empty: it was told to). Nothing
        stays 'running', nobody waits for its heartbeat."""
        with self._database.transaction() as connection:
            _interrupt(connection, same_clock=True)
            end_beat(connection, note)

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

    def hold(self, text: str) -> None:
        """Say on every waiting job of the worker lane why none starts; empty: they do again."""
        if not text and not self._held:
            return
        with self._database.transaction() as connection:
            connection.execute("UPDATE jobs SET text = ? WHERE state = 'queued'"
                               " AND lane = 'worker' AND text IN ('', ?)", (text, self._held))
        self._held = text

    def take(self, free: Mapping[Lane, int], besides: Collection[str] = ()) -> list[Order]:
        """Mark the next jobs as running, at most `free[lane]` of each lane, fair between owners.

        Not those in `besides`: an attempt of them is on its way that could not be stopped.
        """
        if not any(free.values()):
            return []
        with self._database.reading() as connection:
            if not any(free.get(lane) for lane in _ready(connection).values()):
                return []
        left = dict(free)
        orders: list[Order] = []
        with self._database.transaction() as connection:
            while True:
                # Asked again each time: every start moves its owners to the end of the round. Of
                # those that can start only: a job that waits for another holds nobody's turn.
                ready = {key: lane for key, lane in _ready(connection).items()
                         if key not in besides and left.get(lane, 0) > 0}
                job = next(iter(waiting_jobs(connection, ready)), None)
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
            _end(connection, key, state, error)
            if state == "done":
                _note_timing(connection, key, seconds)

    def again(self, key: str, text: str) -> None:
        """Queue a running job for another attempt, at its old place in line, if it is wanted."""
        with self._database.transaction() as connection:
            if _wanted(connection, key):
                _queue_again(connection, key, text)
            else:
                _end(connection, key, "cancelled", None)

    def _start(self, connection: sqlite3.Connection, key: str, owners: Sequence[str]) -> Order:
        row = connection.execute(
            "UPDATE jobs SET state = 'running', stop = 0, started = ?, began = ?, took = NULL,"
            " attempts = attempts + 1 WHERE key = ? RETURNING *",
            (time.time(), time.monotonic(), key)).fetchone()
        last = connection.execute("SELECT coalesce(max(served), 0) FROM turns").fetchone()[0]
        for owner in owners:
            connection.execute("INSERT OR REPLACE INTO turns (owner, served) VALUES (?, ?)",
                               (owner, last + 1))
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
    _end(connection, row["key"], row["state"], error)


def _end(connection: sqlite3.Connection, key: str, state: End, error: ExplorerError | None,
         same_clock: bool = True) -> None:
    # Of a job that ran before this machine was started, nobody knows how long.
    now = time.monotonic() if same_clock else None
    connection.execute(
        "UPDATE jobs SET state = ?, ended = ?, took = max(0.0, ? - began), stop = 0, error = ?,"
        " fraction = CASE WHEN ? = 'done' THEN 1 ELSE fraction END WHERE key = ?",
        (state, time.time(), now, json.dumps(error.to_dict(), default=str) if error else None,
         state, key))
    connection.execute("UPDATE owners SET wants = 0 WHERE key = ? AND wants = 1", (key,))


def _wanted(connection: sqlite3.Connection, key: str) -> bool:
    return connection.execute("SELECT 1 FROM owners WHERE key = ? AND wants = 1",
                              (key,)).fetchone() is not None


def _queue_again(connection: sqlite3.Connection, key: str, text: str,
                 attempts: int | None = None) -> None:
    connection.execute(
        "UPDATE jobs SET state = 'queued', stop = 0, started = NULL, began = NULL, fraction = 0,"
        " text = ?, attempts = coalesce(?, attempts) WHERE key = ? AND state = 'running'",
        (text, attempts, key))


def _interrupt(connection: sqlite3.Connection, same_clock: bool) -> None:
    for row in connection.execute("SELECT key FROM jobs WHERE state = 'running'").fetchall():
        _end(connection, row["key"], "interrupted", _interruption(), same_clock)


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
