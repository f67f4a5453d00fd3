"""Dask, and nothing else: workers, tasks, deaths. The queue is ours (PLATFORM 6: a task waiting on
a worker is blamed for that worker's death), so each worker is handed one task at a time.

Embedded: a LocalCluster in this process' care. With EXPLORER_SCHEDULER: a client of a real one.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.engine_death import Death
from explorer.engine_queue import Order
from explorer.engine_settings import Settings
from explorer.engine_worker import (
    OUTCOME_TOPIC,
    PROGRESS_TOPIC,
    Outcome,
    run_in_worker,
    stop,
    stop_all,
    warm_in_worker,
)

_log = logging.getLogger(__name__)
_MEMORY_TOPIC = "worker-restart-memory"  # what a nanny says before it ends its worker


@dataclass(frozen=True)
class Reported:
    """Progress of an attempt."""

    token: str
    fraction: float
    text: str


@dataclass(frozen=True)
class Ended:
    """An attempt is over: with an outcome, or by the death of its worker."""

    token: str
    outcome: Outcome | None


class Cluster:
    """What the engine's loop needs of Dask. `tell` receives Reported and Ended, from any thread."""

    def __init__(self, settings: Settings, home: Path, tell: Callable[[Reported | Ended], None],
                 ) -> None:
        self.settings = settings
        self._tell = tell
        self._futures: dict[str, Any] = {}
        self._outcomes: dict[str, Outcome] = {}
        self._exits: dict[str, int] = {}
        self._memory: dict[str, int] = {}
        self._side = ThreadPoolExecutor(8, thread_name_prefix="explorer-engine-side")
        self._local: Any = None
        _configure()
        if settings.scheduler is None:
            self._local = _local_cluster(settings, home, self._exits)
        self._client = _client(settings, self._local)
        self._client.subscribe_topic(PROGRESS_TOPIC, self._on_progress)
        self._client.subscribe_topic(OUTCOME_TOPIC, self._on_outcome)
        self._client.subscribe_topic(_MEMORY_TOPIC, self._on_memory)
        if settings.scheduler is not None:
            self._client.run(stop_all, str(home), on_error="ignore")

    def workers(self) -> set[str]:
        """Addresses of the living workers. Raises OSError when the scheduler is gone."""
        listed = set(self._client.nthreads())
        # One that dies before its nanny has heard of its address would die without a name.
        return listed if self._local is None else listed & self.pids().keys()

    def run(self, order: Order, worker: str) -> None:
        """Start an attempt on that worker; an Ended follows, whatever happens there."""
        self._submit(order.token, worker, run_in_worker, order)

    def warm(self, token: str, call: str, worker: str) -> None:
        """Start a warm-up on that worker; an Ended follows."""
        self._submit(token, worker, warm_in_worker, token, call)

    def stop(self, token: str, worker: str) -> None:
        """Ask an attempt to stop at its next progress report; does not wait."""
        self._aside(lambda: self._client.run(stop, token, workers=[worker], on_error="ignore"))

    def kill(self, worker: str) -> None:
        """Replace a worker. Here: SIGKILL, and its nanny starts another. Elsewhere: by its nanny,
        which takes seconds; does not wait."""
        if self._local is None:
            self._aside(lambda: self._client.restart_workers([worker], raise_for_error=False))
            return
        if (pid := self.pids().get(worker)) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def pids(self) -> dict[str, int]:
        """The processes of our own workers, by their addresses; of a real cluster's, nothing."""
        nannies = list(self._local.workers.values()) if self._local is not None else []
        pids = {nanny.worker_address: _pid_of(nanny) for nanny in nannies}
        return {worker: pid for worker, pid in pids.items() if worker and pid is not None}

    def forget(self, token: str) -> None:
        """Let go of an attempt: its Ended, should it still come, means nothing."""
        future = self._futures.pop(token, None)
        self._outcomes.pop(token, None)
        if future is not None:
            self._aside(future.cancel)

    def death(self, worker: str) -> Death | None:
        """How that worker ended; None while the news is still on its way."""
        code, memory = self._exits.get(worker), self._memory.get(worker)
        if self._local is None:
            return Death()
        # SIGTERM is the nanny's: the reason is a message on its way.
        if code is None or (code == -signal.SIGTERM and memory is None):
            return None
        return Death(code, memory)

    def bury(self, worker: str) -> None:
        """Forget a worker that is gone."""
        self._exits.pop(worker, None)
        self._memory.pop(worker, None)

    def close(self) -> None:
        """Leave a real scheduler in order; the embedded one ends with this process."""
        if self._local is None:
            self._client.close(timeout=2)

    def _submit(self, token: str, worker: str, function: Callable[..., Any], *given: Any) -> None:
        self._futures[token] = None  # a short task's outcome may be here before its future
        future = self._client.submit(function, *given, key=token, pure=False, retries=0,
                                     workers=[worker], allow_other_workers=False)
        self._futures[token] = future  # letting go of it would cancel the task
        future.add_done_callback(lambda done: self._on_end(token, worker, done))

    def _on_end(self, token: str, worker: str, future: Any) -> None:
        # Never future.result(): had the worker just died, that would wait for ever. The outcome
        # travelled before the end of the task, on the same wire.
        if token not in self._futures:
            return  # forgotten
        del self._futures[token]
        outcome = self._outcomes.pop(token, None)
        if outcome is not None:
            self._tell(Ended(token, outcome))
            return
        _log.warning("attempt %s on %s lost: %s", token, worker, future.status)
        self._tell(Ended(token, None))

    def _on_progress(self, event: tuple[float, dict[str, Any]]) -> None:
        said = event[1]
        self._tell(Reported(said["token"], said["fraction"], said["text"]))

    def _on_outcome(self, event: tuple[float, dict[str, Any]]) -> None:
        said = event[1]
        if said["token"] in self._futures:
            self._outcomes[said["token"]] = Outcome(**said["outcome"])

    def _on_memory(self, event: tuple[float, dict[str, Any]]) -> None:
        self._memory[event[1]["worker"]] = int(event[1]["rss"])

    def _aside(self, action: Callable[[], object]) -> None:
        def run() -> None:
            try:
                action()
            except Exception:  # the worker may just have died; the loop notices that by itself
                _log.exception("a message to a worker did not arrive")

        self._side.submit(run)


def _pid_of(nanny: Any) -> int | None:
    """The process of a nanny's worker; None unless it runs."""
    worker = nanny.process
    # While a nanny starts a worker, it still has the address of the one before.
    if worker is None or worker.status.name != "running":
        return None
    child = worker.process  # its own thread sets it to None at any moment
    return None if child is None else int(child.pid)


def _configure() -> None:
    import dask
    import distributed

    logging.getLogger(distributed.__name__).setLevel(logging.WARNING)
    dask.config.set({
        "distributed.scheduler.allowed-failures": 0,
        # A step may hold the GIL for minutes (numba), a laptop may sleep: silence is not death.
        "distributed.scheduler.worker-ttl": None,
        "distributed.scheduler.work-stealing": False,
        "distributed.scheduler.http.routes": [],
        "distributed.worker.http.routes": [],
        "distributed.worker.profile.enabled": False,
        # No data stays in workers: pausing one or writing it to disk would only look like a hang.
        "distributed.worker.memory.target": False,
        "distributed.worker.memory.spill": False,
        "distributed.worker.memory.pause": False,
        "distributed.worker.memory.terminate": 0.95,
        # A worker that takes longer than this to come back (15 s) would lose its nanny for good.
        "distributed.deploy.lost-worker-timeout": "365 days",
        "distributed.diagnostics.nvml": False,
        "distributed.comm.timeouts.connect": "10s",
    })


def _local_cluster(settings: Settings, home: Path, exits: dict[str, int]) -> Any:
    from distributed import LocalCluster, Nanny
    from distributed.security import Security

    class WatchedNanny(Nanny):
        """A nanny that keeps how its worker ended: Dask only logs it."""

        def _on_worker_exit_sync(self, exitcode: int) -> None:
            if self.worker_address is not None:
                exits[self.worker_address] = exitcode
            super()._on_worker_exit_sync(exitcode)  # type: ignore[no-untyped-call]

    return LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=settings.workers, threads_per_worker=1, processes=True, host="127.0.0.1",
        memory_limit=settings.memory, worker_class=WatchedNanny,
        security=Security.temporary(),  # type: ignore[no-untyped-call]
        dashboard_address=None, silence_logs=logging.WARNING,
        local_directory=str(home / "engine"),
        scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"})


def _client(settings: Settings, local: Any) -> Any:
    from distributed import Client
    from distributed.security import Security

    if local is not None:
        return Client(local, set_as_default=False)  # type: ignore[no-untyped-call]
    security = None
    if str(settings.scheduler).startswith("tls://"):
        security = Security(  # type: ignore[no-untyped-call]
            tls_ca_file=os.environ.get("EXPLORER_SCHEDULER_CA"),
            tls_client_cert=os.environ.get("EXPLORER_SCHEDULER_CERT"),
            tls_client_key=os.environ.get("EXPLORER_SCHEDULER_KEY"), require_encryption=True)
    return Client(  # type: ignore[no-untyped-call]
        settings.scheduler, security=security, set_as_default=False, timeout=10)
