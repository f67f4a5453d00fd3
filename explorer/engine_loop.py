"""The engine's main loop: queue in, workers out, one task per worker.

Single-threaded: what other threads have to say arrives through one queue of events.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue

from explorer import engine_worker
from explorer.engine_cluster import Cluster, Ended, Reported
from explorer.engine_death import Death, explain
from explorer.engine_flight import Flight
from explorer.engine_process import Orphans, free_bytes
from explorer.engine_queue import Order, Queue
from explorer.engine_warm import Warmups
from explorer.errors import error_from_dict

_log = logging.getLogger(__name__)

_POLL_SECONDS = 0.05
_LOOK_SECONDS = 1.0
_LOOK_SECONDS_SHORT = 0.2
_BEAT_SECONDS = 1.0
_GRACE_SECONDS = 2.0
_HOST_GRACE_SECONDS = 10.0
_LOST_SECONDS = 3.0
_NEWS_SECONDS = 4.0
_KILL_SECONDS = 1.0
_FORGET_SECONDS = 3600.0
_ALONE_SECONDS = 60.0
_ATTEMPTS = 2
_HOST_LANE = 2
_FULL_SHARE = 0.6

Event = Reported | Ended


class EngineBroken(Exception):
    """No workers for too long: the process ends, and whoever watches it starts another."""


@dataclass
class Loop:
    """Runs until `leave()` says so."""

    queue: Queue
    cluster: Cluster
    events: SimpleQueue[Event]
    warm: tuple[str, ...] = ()
    sweep: Callable[[], object] = lambda: None
    """Removes what a dead worker was writing."""
    _flights: dict[str, Flight] = field(default_factory=dict)
    _workers: set[str] = field(default_factory=set)
    _condemned: set[str] = field(default_factory=set)
    _looked: float = 0.0
    _beaten: float = 0.0
    _forgot: float = field(default_factory=time.monotonic)
    _orphans: Orphans = field(default_factory=Orphans)
    _peopled: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._warmups = Warmups(self.cluster, self.warm)

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
                self._look_at_work(now)
            if self.queue.changed() or happened or look:
                self.queue.settle()
                self._ask_to_stop(now)
                self._hand_out()
            self._insist(now)
            if now - self._beaten > _BEAT_SECONDS:
                self._beaten = now
                self.queue.beat(ready=True)
            if now - self._forgot > _FORGET_SECONDS:
                self._forgot = now
                self.queue.forget_old()

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
                flight.reported()
                reports[flight.order.key] = (event.fraction, event.text)
        if reports:
            self.queue.report(reports)
        ends = [event for event in events if isinstance(event, Ended)]
        for end in ends:
            if self._warmups.current is not None and end.token == self._warmups.current.token:
                if (worker := self._warmups.end(end)) is not None:
                    self._condemn(worker)
            elif (flight := self._flights.get(end.token)) is not None:
                self._land(flight, end)
        return bool(ends)

    def _land(self, flight: Flight, end: Ended) -> None:
        if end.outcome is None and flight.worker is not None:
            # Dead, and how comes later: `_mourn` waits for that, nobody else has to.
            self._condemn(flight.worker)
            flight.lost = flight.lost or time.monotonic()
            self._mourn(flight, flight.lost)
            return
        del self._flights[end.token]
        self._end(flight, end)

    def _end(self, flight: Flight, end: Ended) -> None:
        order, outcome = flight.order, end.outcome
        if flight.worker is None and flight.killed:
            return  # its record was closed when patience ended
        if outcome is None:
            self._end_by_death(flight, Death())
            return
        error = error_from_dict(outcome.error) if outcome.error else None
        if outcome.trace:
            _log.warning("%s (%s): %s\n%s", order.title, order.key, error, outcome.trace)
        self.queue.end(order.key, outcome.state, error, outcome.seconds)
        if flight.worker is not None and self.cluster.settings.scheduler is None and (
                outcome.spent or outcome.memory > _FULL_SHARE * self.cluster.settings.memory):
            # What it still holds would count against the next step, which is innocent.
            _log.info("%s leaves its worker to be replaced: %s", order.title,
                      outcome.spent or "memory held")
            self._replace(flight.worker)

    def _mourn(self, flight: Flight, now: float) -> None:
        """End an attempt whose worker is dead, as soon as it is known how, or too late to know."""
        if flight.lost is None or flight.worker is None:
            return
        death = self.cluster.death(flight.worker)
        told = death is not None or flight.asked is not None or flight.reason is not None
        if not told and now - flight.lost < _NEWS_SECONDS:
            return
        if death is None:
            self.cluster.kill(flight.worker)  # should it live, it must not stay listed
        del self._flights[flight.order.token]
        self._end_by_death(flight, death or Death())

    def _end_by_death(self, flight: Flight, death: Death) -> None:
        order = flight.order
        if flight.asked is not None:
            self.queue.end(order.key, "cancelled", None, 0.0)
            return
        if flight.reason is not None:
            self.queue.end(order.key, "failed", flight.reason, 0.0)
            return
        death = replace(death, peak=flight.peak or None)
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
                    flight.killed = now
                    self.queue.end(flight.order.key, "cancelled", None, 0.0)
                continue
            ended = waited > _GRACE_SECONDS or flight.reason is not None
            if ended and (flight.killed is None or now - flight.killed > _KILL_SECONDS):
                flight.killed = now
                self._replace(flight.worker)
            if flight.missing is not None and now - flight.missing > _LOST_SECONDS:
                # Dask keeps a task that is bound to a lost worker waiting for ever.
                self.cluster.forget(flight.order.token)
                flight.lost = flight.lost or flight.missing
            self._mourn(flight, now)

    def _look_at_work(self, now: float) -> None:
        """What the attempts use, who of them hangs, what dead workers have left running."""
        pids = self.cluster.pids()
        for flight in self._flights.values():
            if flight.worker is not None and flight.lost is None and flight.reason is None:
                pid = pids.get(flight.worker)
                flight.weigh(pid)
                flight.reason = flight.overdue(pid, self.cluster.settings)
        self._orphans.sweep(pids.values())

    def _look_for_workers(self, now: float) -> None:
        listed = self.cluster.workers()
        mourned = {flight.worker for flight in self._flights.values()}
        buried = self._condemned - listed - mourned
        for worker in buried:
            self.cluster.bury(worker)
        if buried:
            self.sweep()
        self._condemned &= listed | mourned
        self._workers = listed - self._condemned
        for flight in self._flights.values():
            if flight.worker is None or flight.worker in listed:
                flight.missing = None
            elif flight.missing is None:
                flight.missing = now
        self._warmups.meet(self._workers, listed)
        if self._workers:
            self._peopled = now
        elif now - self._peopled > _ALONE_SECONDS:
            raise EngineBroken("no workers for a minute")

    def _hand_out(self) -> None:
        busy = {flight.worker for flight in self._flights.values()}
        if self._warmups.current is not None:
            busy.add(self._warmups.current.worker)
        free = sorted(self._workers - busy) if self._room() else []
        in_host = sum(flight.worker is None for flight in self._flights.values())
        for order in self.queue.take({"worker": len(free), "host": _HOST_LANE - in_host},
                                     {flight.order.key for flight in self._flights.values()}):
            if order.lane == "host":
                self._flights[order.token] = Flight(order, None)
                threading.Thread(target=self._run_here, args=(order,), daemon=True,
                                 name=f"explorer-host-{order.key[:8]}").start()
            else:
                worker = free.pop(0)
                self._flights[order.token] = Flight(order, worker)
                if note := order.too_large_for(self.cluster.settings.memory):
                    self.queue.report({order.key: (0.0, note)})
                self.cluster.run(order, worker)
        if free:
            self._warmups.start(free)
        elif (self._warmups.current is not None and self.cluster.settings.scheduler is None
                and self.queue.waiting() and (warming := self._warmups.give_way()) is not None):
            self._replace(warming)  # jobs go first

    def _room(self) -> bool:
        """Whether there is memory enough to start something; the queue says so when there is not.
        """
        settings = self.cluster.settings
        if settings.scheduler is not None:
            return True
        free = free_bytes()
        if free >= settings.floor:
            self.queue.hold("")
            return True
        self.queue.hold(f"Waiting for memory: {free / 1e9:,.1f} GB are free on this machine, "
                        f"{settings.floor / 1e9:,.1f} GB must be.")
        return False

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
