"""Who works on a home's queue, and since when: the engine's row in the database.

Wall clocks jump (time zones, NTP, people). What runs on one machine shares its monotonic clock,
which counts from the start of that machine and never goes back, so leases and durations use that.
"""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass

from explorer.temporary import machine

LEASE_SECONDS = 15.0
"""An engine that has not written its heartbeat for so long is taken for dead."""


@dataclass(frozen=True)
class Heartbeat:
    """What the engine last said. `beat` is its monotonic clock in seconds, 0 when it has left;
    `machine` tells whose clock that is; `note` is why it could not start, in words."""

    pid: int
    machine: str
    beat: float
    ready: bool
    note: str

    @property
    def here(self) -> bool:
        """Whether it was written since this machine was started, by a process of it."""
        return self.machine == machine()

    @property
    def age(self) -> float:
        """Seconds since the last beat; infinite when it left, or speaks of another clock."""
        if not self.here or self.beat <= 0:
            return float("inf")
        return time.monotonic() - self.beat

    @property
    def alive(self) -> bool:
        return 0 <= self.age <= LEASE_SECONDS and _process_lives(self.pid)


def last_beat(connection: sqlite3.Connection) -> Heartbeat | None:
    """What the engine last said; None before the first one."""
    row = connection.execute("SELECT pid, host, beat, ready, note FROM engine").fetchone()
    if row is None:
        return None
    return Heartbeat(row["pid"], row["host"], row["beat"], bool(row["ready"]), row["note"])


def write_beat(connection: sqlite3.Connection, pid: int, ready: bool) -> None:
    """Say that this engine lives. What the one before said stays until this one is ready."""
    connection.execute(
        "INSERT INTO engine (id, pid, host, beat, ready, note) VALUES (1, ?, ?, ?, ?, '')"
        " ON CONFLICT (id) DO UPDATE SET pid = excluded.pid, host = excluded.host,"
        " beat = excluded.beat, ready = excluded.ready,"
        " note = CASE WHEN excluded.ready THEN '' ELSE note END",
        (pid, machine(), time.monotonic(), ready))


def end_beat(connection: sqlite3.Connection, note: str) -> None:
    """Say that the engine left, and why; nobody waits for its heartbeat then."""
    connection.execute("UPDATE engine SET beat = 0, ready = 0, note = ?", (note,))


def _process_lives(pid: int) -> bool:
    import psutil

    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
