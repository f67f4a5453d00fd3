"""Jobs as every process sees them: asked for, watched and cancelled through the database.

The engine process (engine.py) does the work; nothing here knows how.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Literal

from explorer.database import Database
from explorer.errors import ExplorerError, JobError, Where, error_from_dict
from explorer.heartbeat import Heartbeat, last_beat

State = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
ACTIVE: tuple[State, ...] = ("queued", "running")

_CALIBRATION_RUNS = 20


@dataclass(frozen=True)
class Step:
    """One piece of work. `key` is the result key and the job's identity: asked for twice, it is
    computed once.

    `call` is 'module:function' with the signature f(payload: dict, home: str, progress) -> None.
    `after` are keys that must be done first. `seconds` is what it is expected to take. The lane
    'host' runs in a thread of the engine process itself: for work that only starts and watches a
    child process, and calls `progress` at least every second (a thread cannot be killed).
    `payload["size"] = {"method", "n", "d", "expected"}`, where present, feeds `calibration`;
    `expected` are the seconds the method itself estimates, before any calibration.
    """

    key: str
    kind: str
    title: str
    call: str
    payload: dict[str, Any]
    after: tuple[str, ...] = ()
    seconds: float = 0.0
    lane: Literal["worker", "host"] = "worker"


@dataclass(frozen=True)
class JobView:
    """A job at the moment of asking. Times in seconds; `submitted` since the epoch.

    `fraction` 0..1 never goes backwards within an attempt. `remaining` is None where nothing is
    known. `ahead` counts the queued jobs that come before it in its lane.
    """

    key: str
    kind: str
    title: str
    state: State
    fraction: float
    text: str
    expected: float
    elapsed: float
    remaining: float | None
    error: ExplorerError | None
    ahead: int
    attempts: int
    submitted: float


@dataclass(frozen=True)
class Waiting:
    """A queued job as the queue's order sees it; `owners` are those who still want it."""

    key: str
    seq: int
    lane: str
    owners: tuple[str, ...] = field(default=())


def queue_order(waiting: Iterable[Waiting], served: dict[str, float]) -> list[Waiting]:
    """Round robin over owners, oldest first inside an owner.

    `served` says when each owner's job was last started: who waits longest comes first. A job
    several people want takes the best of their places.
    """
    queues: dict[str, list[Waiting]] = defaultdict(list)
    for job in sorted(waiting, key=lambda job: job.seq):
        for owner in job.owners or ("",):
            queues[owner].append(job)
    places: dict[str, tuple[int, float, int]] = {}
    jobs: dict[str, Waiting] = {}
    for owner, queue in queues.items():
        for rank, job in enumerate(queue):
            place = (rank, served.get(owner, 0.0), job.seq)
            places[job.key] = min(place, places.get(job.key, place))
            jobs[job.key] = job
    return sorted(jobs.values(), key=lambda job: places[job.key])


class Jobs:
    """Submit, watch and cancel. Cheap enough to ask twice a second from every open page.

    Raises StoreError where the database cannot be used.
    """

    def __init__(self, home: Path) -> None:
        self._database = Database(home, durable=False)

    def submit(self, steps: Sequence[Step], owner: str) -> None:
        """Queue what is not yet queued or running, and note that `owner` wants all of it.

        A finished job (whatever its end) is queued anew: the caller has looked into the store.
        Raises JobError UNKNOWN_STEP_BEFORE when a step waits for a key nobody ever submitted.
        """
        now = time.time()
        with self._database.transaction() as connection:
            seq = connection.execute("SELECT coalesce(max(seq), 0) FROM jobs").fetchone()[0]
            # A number in line, no time: a clock that was set back would turn the list around.
            last = connection.execute("SELECT coalesce(max(at), 0) FROM owners WHERE owner = ?",
                                      (owner,)).fetchone()[0]
            for number, step in enumerate(steps, start=1):
                _enqueue(connection, step, seq + number, now)
                connection.execute(
                    "INSERT INTO owners (key, owner, wants, at) VALUES (?, ?, 1, ?)"
                    " ON CONFLICT (key, owner) DO UPDATE SET wants = 1, at = excluded.at",
                    (step.key, owner, last + 1))
            _refuse_unknown(connection, steps)

    def cancel(self, keys: Sequence[str], owner: str) -> None:
        """`owner` no longer wants these. What nobody wants any more is stopped: a queued job at
        once, a running one within a few seconds. Finished jobs stay as they are."""
        now = time.time()
        with self._database.transaction() as connection:
            for key in keys:
                connection.execute(
                    "UPDATE owners SET wants = -1 WHERE key = ? AND owner = ? AND wants = 1",
                    (key, owner))
                unwanted = ("key = ? AND NOT EXISTS (SELECT 1 FROM owners"
                            " WHERE owners.key = jobs.key AND wants = 1)")
                connection.execute(
                    "UPDATE jobs SET state = 'cancelled', ended = ?"  # noqa: S608 - constant
                    f" WHERE state = 'queued' AND {unwanted}", (now, key))
                connection.execute(
                    f"UPDATE jobs SET stop = 1 WHERE state = 'running' AND {unwanted}",  # noqa: S608 - constant
                    (key,))

    def view(self, key: str) -> JobView | None:
        """The job of that key; None when it was never submitted."""
        return self.views([key]).get(key)

    def views(self, keys: Sequence[str]) -> dict[str, JobView]:
        """The jobs of those keys that exist, from one snapshot."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM jobs WHERE key IN (SELECT value FROM json_each(?))",
                (json.dumps(list(keys)),)).fetchall()
            return {view.key: view for view in _views(connection, rows)}

    def owned(self, owner: str, limit: int = 50) -> list[JobView]:
        """What `owner` asked for, newest first, without what they gave up and others kept."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT jobs.* FROM jobs JOIN owners USING (key) WHERE owner = ?"
                " AND (wants >= 0 OR state NOT IN ('queued', 'running', 'done'))"
                " ORDER BY owners.at DESC, seq DESC LIMIT ?", (owner, limit)).fetchall()
            return _views(connection, rows)

    def engine_alive(self) -> bool:
        """Whether an engine works on this home's queue (it may still be starting)."""
        beat = self.heartbeat()
        return beat is not None and beat.alive

    def engine_ready(self) -> bool:
        """Whether the engine is alive and its workers have been started."""
        beat = self.heartbeat()
        return beat is not None and beat.ready and beat.alive

    def engine_note(self) -> str:
        """Why the engine could not start, in words; empty when it could."""
        beat = self.heartbeat()
        return beat.note if beat is not None else ""

    def heartbeat(self) -> Heartbeat | None:
        """What the engine of this home last said; None before the first one."""
        with self._database.reading() as connection:
            return last_beat(connection)

    def calibration(self, method: str) -> float | None:
        """Median of seconds taken / seconds expected over the last 20 runs of `method`; None
        before the first. Less than a second counts as one: it is start-up, not pace."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT max(seconds, 1.0) / max(expected, 1.0) AS ratio FROM timings"
                " WHERE method = ? AND expected > 0"
                " ORDER BY id DESC LIMIT ?", (method, _CALIBRATION_RUNS)).fetchall()
        return median(row["ratio"] for row in rows) if rows else None


def waiting_jobs(connection: sqlite3.Connection,
                 only: Collection[str] | None = None) -> list[Waiting]:
    """The queued jobs in the order they will start, whether or not they can start yet; or that
    order among `only` these, as if there were no others."""
    rows = connection.execute(
        "SELECT key, seq, lane, owner FROM jobs LEFT JOIN owners USING (key)"
        " WHERE state = 'queued' AND coalesce(wants, 1) = 1").fetchall()
    owners: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        owners[row["key"]].append(row["owner"])
    jobs = {row["key"]: row for row in rows if only is None or row["key"] in only}
    served = {row["owner"]: row["served"] for row in connection.execute("SELECT * FROM turns")}
    return queue_order((Waiting(key, row["seq"], row["lane"], tuple(sorted(owners[key])))
                        for key, row in jobs.items()), served)


def _enqueue(connection: sqlite3.Connection, step: Step, seq: int, now: float) -> None:
    row = connection.execute("SELECT state FROM jobs WHERE key = ?", (step.key,)).fetchone()
    if row is not None and row["state"] in ACTIVE:
        # A stop asked for by others is off; if it already went out, the engine queues it anew.
        connection.execute("UPDATE jobs SET stop = 0 WHERE key = ?", (step.key,))
        return
    # Not REPLACE: that deletes the row, and the cascade would take its owners with it.
    connection.execute(
        "INSERT INTO jobs (key, kind, title, call, payload, lane, seconds, state, seq, submitted)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, 'queued', ?, ?)"
        " ON CONFLICT (key) DO UPDATE SET kind = excluded.kind, title = excluded.title,"
        " call = excluded.call, payload = excluded.payload, lane = excluded.lane,"
        " seconds = excluded.seconds, state = 'queued', seq = excluded.seq, fraction = 0,"
        " text = '', error = NULL, attempts = 0, stop = 0, submitted = excluded.submitted,"
        " started = NULL, ended = NULL, began = NULL, took = NULL",
        (step.key, step.kind, step.title, step.call, json.dumps(step.payload, allow_nan=False),
         step.lane, step.seconds, seq, now))
    connection.execute("DELETE FROM needs WHERE key = ?", (step.key,))
    connection.executemany("INSERT OR IGNORE INTO needs (key, needed) VALUES (?, ?)",
                           [(step.key, needed) for needed in step.after])


def _refuse_unknown(connection: sqlite3.Connection, steps: Sequence[Step]) -> None:
    for step in steps:
        for needed in step.after:
            if not connection.execute("SELECT 1 FROM jobs WHERE key = ?", (needed,)).fetchone():
                raise JobError("UNKNOWN_STEP_BEFORE",
                               f"{step.title} must wait for steps that were submitted, "
                               f"got {needed!r}.", Where(entry=step.key))


def _views(connection: sqlite3.Connection, rows: Sequence[sqlite3.Row]) -> list[JobView]:
    places: dict[str, int] = {}
    if any(row["state"] == "queued" for row in rows):
        before: dict[str, int] = defaultdict(int)
        for job in waiting_jobs(connection):
            places[job.key] = before[job.lane]
            before[job.lane] += 1
    now = time.monotonic()
    return [_view(row, places.get(row["key"], 0), now) for row in rows]


def _view(row: sqlite3.Row, ahead: int, now: float) -> JobView:
    elapsed = row["took"] or 0.0
    if row["state"] == "running" and row["began"] is not None:
        elapsed = max(0.0, now - row["began"])
    error = error_from_dict(json.loads(row["error"])) if row["error"] else None
    return JobView(key=row["key"], kind=row["kind"], title=row["title"], state=row["state"],
                   fraction=row["fraction"], text=row["text"], expected=row["seconds"],
                   elapsed=elapsed, remaining=_remaining(row, elapsed), error=error, ahead=ahead,
                   attempts=row["attempts"], submitted=row["submitted"])


def _remaining(row: sqlite3.Row, elapsed: float) -> float | None:
    if row["state"] not in ACTIVE:
        return 0.0
    fraction = row["fraction"]
    # Before that, start-up costs would be taken for the pace of the whole.
    if fraction >= 0.05 and elapsed >= 0.5:
        return float(elapsed * (1 - fraction) / fraction)
    return max(0.0, row["seconds"] - elapsed) if row["seconds"] > 0 else None
