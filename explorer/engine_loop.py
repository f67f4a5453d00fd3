"""The engine's main loop: queue in, workers out, one task per worker.

Single-threaded: what other threads have to say arrives through one queue of events.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from explorer import engine_worker
from explorer.engine_cluster import Cluster, Ended, Reported
from explorer.engine_death import Death, explain
from explorer.engine_queue import Order, Queue
from explorer.errors import error_from_dict

_log = logging.getLogger(__name__)

_POLL_SECONDS = 0.05
_LOOK_SECONDS = 1.0
_LOOK_SECONDS_SHORT = 0.2
_BEAT_SECONDS = 1.0
_GRACE_SECONDS = 2.0
_HOST_GRACE_SECONDS = 10.0
_LOST_SECONDS = 3.0
_ALONE_SECONDS = 60.0
_ATTEMPTS = 2
_HOST_LANE = 2
_FULL_SHARE = 0.6
_WARM_ATTEMPTS = 3

Event = Reported | Ended


class EngineBroken(Exception):
    """No workers for too long: the process ends, and whoever watches it starts another."""


@dataclass
class Flight:
    """An attempt on its way. `asked` is when it was asked to stop; `missing`, since when its
    worker is not seen any more."""

    order: Order
    worker: str | None
    asked: float | None = None
    killed: bool = False
    missing: float | None = None


@dataclass
class Warming:
    """The one warm-up on its way."""

    token: str
    call: str
    worker: str


@dataclass
class Loop:
    """Runs until `leave()` says so."""

    queue: Queue
    cluster: Cluster
    events: SimpleQueue[Event]
    warm: tuple[str, ...] = ()
    _flights: dict[str, Flight] = field(default_factory=dict)
    _workers: set[str] = field(default_factory=set)
    _condemned: set[str] = field(default_factory=set)
    _warming: Warming | None = None
    _cold: dict[str, list[str]] = field(default_factory=dict)
    _chilled: dict[str, int] = field(default_factory=dict)
    _looked: float = 0.0
    _beaten: float = 0.0
    _peopled: float = field(default_factory=time.monotonic)

    def run(self, leave: Callable[[], bool]) -> None:
        """Raises EngineBroken, StoreError (the database), OSError (the scheduler)."""
        while not leave():
            happened = self._take_in(self._wait())
            now = time.monotonic()
            short = len(self._workers) < self._expected()
            look = now - self._looked > (_LOOK_SECONDS_SHORT if short else _LOOK_SECONDS)
            if look:
                self._looked = now
                self._look_for_workers(now)
            if self.queue.changed() or happened or look:
                self.queue.settle()
                self._ask_to_stop(now)
                self._hand_out()
            self._insist(now)
            if now - self._beaten > _BEAT_SECONDS:
                self._beaten = now
                self.queue.beat(ready=True)

    def _expected(self) -> int:
        """Workers there should be; a real cluster's come and go as they like."""
        settings = self.cluster.settings
        return settings.workers if settings.scheduler is None else 1

    def _wait(self) -> list[Event]:
        try:
            events = [self.events.get(timeout=_POLL_SECONDS)]
        except Empty:
            return []
        while not self.events.empty():
            events.append(self.events.get())
        return events

    def _take_in(self, events: list[Event]) -> bool:
        """Whether an attempt ended: a worker is free then."""
        reports: dict[str, tuple[float, str]] = {}
        for event in events:
            flight = self._flights.get(event.token)
            if isinstance(event, Reported) and flight is not None and not flight.killed:
                reports[flight.order.key] = (event.fraction, event.text)
        if reports:
            self.queue.report(reports)
        ends = [event for event in events if isinstance(event, Ended)]
        for end in ends:
            if self._warming is not None and end.token == self._warming.token:
                self._end_warming(end)
            elif (flight := self._flights.pop(end.token, None)) is not None:
                self._end(flight, end)
        return bool(ends)

    def _end(self, flight: Flight, end: Ended) -> None:
        order, outcome = flight.order, end.outcome
        if outcome is None and flight.worker is not None:
            self._condemn(flight.worker)
        if flight.worker is None and flight.killed:
            return  # its record was closed when patience ended
        if outcome is not None:
            error = error_from_dict(outcome.error) if outcome.error else None
            if outcome.trace:
                _log.warning("%s (%s): %s\n%s", order.title, order.key, error, outcome.trace)
            self.queue.end(order.key, outcome.state, error, outcome.seconds)
            if (flight.worker is not None and self.cluster.settings.scheduler is None
                    and outcome.memory > _FULL_SHARE * self.cluster.settings.memory):
                # What it still holds would count against the next step, which is innocent.
                self._replace(flight.worker)
        elif flight.asked is not None:
            self.queue.end(order.key, "cancelled", None, 0.0)
        else:
            self._end_by_death(order, end.death or Death())

    def _end_by_death(self, order: Order, death: Death) -> None:
        error = explain(order.title, death, self.cluster.settings.memory)
        _log.warning("%s (%s), attempt %d: %s", order.title, order.key, order.attempt, error)
        if death.memory is None and order.attempt < _ATTEMPTS:
            self.queue.again(order.key, f"Second attempt. The first one ended: {error.message}")
        else:
            self.queue.end(order.key, "failed", error, 0.0)

    def _ask_to_stop(self, now: float) -> None:
        stops = self.queue.stops()
        for flight in self._flights.values():
            if flight.order.key in stops and flight.asked is None:
                flight.asked = now
                if flight.worker is None:
                    engine_worker.stop(flight.order.token)
                else:
                    self.cluster.stop(flight.order.token, flight.worker)

    def _insist(self, now: float) -> None:
        for flight in list(self._flights.values()):
            waited = now - flight.asked if flight.asked is not None else 0.0
            if flight.worker is None:
                if waited > _HOST_GRACE_SECONDS and not flight.killed:
                    # A thread cannot be killed: people are told the truth, the lane stays taken.
                    flight.killed = True
                    self.queue.end(flight.order.key, "cancelled", None, 0.0)
                continue
            if waited > _GRACE_SECONDS and not flight.killed:
                flight.killed = True
                self._replace(flight.worker)
            if flight.missing is not None and now - flight.missing > _LOST_SECONDS:
                # Dask keeps a task that is bound to a lost worker waiting for ever.
                self.cluster.forget(flight.order.token)
                del self._flights[flight.order.token]
                self._end(flight, Ended(flight.order.token, None,
                                        self.cluster.death(flight.worker)))

    def _look_for_workers(self, now: float) -> None:
        listed = self.cluster.workers()
        self._condemned &= listed
        self._workers = listed - self._condemned
        for flight in self._flights.values():
            if flight.worker is None or flight.worker in listed:
                flight.missing = None
            elif flight.missing is None:
                flight.missing = now
        for worker in self._workers - self._cold.keys():
            self._cold[worker] = list(self.warm)
        for worker in self._cold.keys() - self._workers:
            del self._cold[worker]
        if self._warming is not None and self._warming.worker not in listed:
            self.cluster.forget(self._warming.token)
            self._warming = None
        if self._workers:
            self._peopled = now
        elif now - self._peopled > _ALONE_SECONDS:
            raise EngineBroken("no workers for a minute")

    def _hand_out(self) -> None:
        busy = {flight.worker for flight in self._flights.values()}
        if self._warming is not None:
            busy.add(self._warming.worker)
        free = sorted(self._workers - busy)
        in_host = sum(flight.worker is None for flight in self._flights.values())
        for order in self.queue.take({"worker": len(free), "host": _HOST_LANE - in_host}):
            if order.lane == "host":
                self._flights[order.token] = Flight(order, None)
                threading.Thread(target=self._run_here, args=(order,), daemon=True,
                                 name=f"explorer-host-{order.key[:8]}").start()
            else:
                worker = free.pop(0)
                self._flights[order.token] = Flight(order, worker)
                self.cluster.run(order, worker)
        if free:
            self._warm_up(free)
        elif (self._warming is not None and self.cluster.settings.scheduler is None
                and self.queue.waiting()):
            self._chill(self._warming)

    def _run_here(self, order: Order) -> None:
        end = Ended(order.token, None)  # should this thread die, its job does not stay 'running'
        try:
            end = Ended(order.token, engine_worker.execute(
                order, lambda *report: self.events.put(Reported(*report))))
        finally:
            self.events.put(end)

    def _replace(self, worker: str) -> None:
        self._condemn(worker)
        self.cluster.kill(worker)

    def _condemn(self, worker: str) -> None:
        """Give it nothing more: Dask may list it for a moment yet."""
        self._workers.discard(worker)
        self._condemned.add(worker)

    def _warm_up(self, free: list[str]) -> None:
        """One warm-up at a time, when nothing waits."""
        if self._warming is not None:
            return
        for worker in free:
            calls = [call for call in self._cold.get(worker, ()) if call in self.warm]
            if calls:
                call, self._cold[worker] = calls[0], calls[1:]
                token = f"warm:{call}:{time.monotonic_ns()}"
                self._warming = Warming(token, call, worker)
                self.cluster.warm(token, call, worker)
                return

    def _chill(self, warming: Warming) -> None:
        """A job needs the last free worker: jobs go first, the warm-up starts over later."""
        self._chilled[warming.call] = self._chilled.get(warming.call, 0) + 1
        if self._chilled[warming.call] >= _WARM_ATTEMPTS:
            self.warm = tuple(call for call in self.warm if call != warming.call)
        self.cluster.forget(warming.token)
        self._warming = None
        self._replace(warming.worker)

    def _end_warming(self, end: Ended) -> None:
        if end.outcome is not None and end.outcome.trace:
            _log.warning("a warm-up failed: %s\n%s", end.outcome.error, end.outcome.trace)
        if end.outcome is None and self._warming is not None:
            self._condemn(self._warming.worker)
            _log.warning("warm-up %s killed its worker and is left out", self._warming.call)
            call = self._warming.call
            self.warm = tuple(other for other in self.warm if other != call)
        self._warming = None
