"""Warm-ups: what an idle worker does before its first jobs, so that they find it ready."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from explorer.engine_cluster import Cluster, Ended

_log = logging.getLogger(__name__)
_ATTEMPTS = 3


@dataclass(frozen=True)
class Warming:
    """The one warm-up on its way."""

    token: str
    call: str
    worker: str


@dataclass
class Warmups:
    """Runs `calls` ('module:function' without arguments) in every new worker, one at a time."""

    cluster: Cluster
    calls: tuple[str, ...]
    current: Warming | None = None
    _cold: dict[str, list[str]] = field(default_factory=dict)
    _chilled: dict[str, int] = field(default_factory=dict)

    def meet(self, workers: Collection[str], listed: Collection[str]) -> None:
        """Take note of who is there: `workers` are those that may work, of all `listed`."""
        for worker in set(workers) - self._cold.keys():
            self._cold[worker] = list(self.calls)
        for worker in self._cold.keys() - set(workers):
            del self._cold[worker]
        if self.current is not None and self.current.worker not in listed:
            self.cluster.forget(self.current.token)
            self.current = None

    def start(self, free: Iterable[str]) -> None:
        """Begin one on a free worker, unless one is on its way."""
        if self.current is not None:
            return
        for worker in free:
            calls = [call for call in self._cold.get(worker, ()) if call in self.calls]
            if calls:
                call, self._cold[worker] = calls[0], calls[1:]
                token = f"warm:{call}:{time.monotonic_ns()}"
                self.current = Warming(token, call, worker)
                self.cluster.warm(token, call, worker)
                return

    def give_way(self) -> str | None:
        """Let go of the one on its way, which starts over later: the worker to be replaced."""
        warming, self.current = self.current, None
        if warming is None:
            return None
        self._chilled[warming.call] = self._chilled.get(warming.call, 0) + 1
        if self._chilled[warming.call] >= _ATTEMPTS:
            self._leave_out(warming.call)
        self.cluster.forget(warming.token)
        return warming.worker

    def end(self, end: Ended) -> str | None:
        """The one on its way is over: the worker it killed, if it did."""
        warming, self.current = self.current, None
        if end.outcome is not None and end.outcome.trace:
            _log.warning("a warm-up failed: %s\n%s", end.outcome.error, end.outcome.trace)
        if end.outcome is not None or warming is None:
            return None
        _log.warning("warm-up %s killed its worker and is left out", warming.call)
        self._leave_out(warming.call)
        return warming.worker

    def _leave_out(self, call: str) -> None:
        self.calls = tuple(other for other in self.calls if other != call)
