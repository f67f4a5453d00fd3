"""The engine: a process beside the server that computes what is in the queue.

Of its own because multiprocessing, which Dask's workers need, runs the starting script again in
every child (PLATFORM 7). `start` is called by a server, the CLI or a test; `main` is the process.
It ends when the pipe on its standard input does, that is with whoever started it, however that
one died. One engine works per home; a second server uses it and starts its own when it is gone.
"""

from __future__ import annotations

import argparse
import faulthandler
import fcntl
import logging
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from explorer.clean_logs import keep_logs_clean
from explorer.engine_log import Log, catch_output
from explorer.engine_process import HOME_MARK, kill_leftovers
from explorer.errors import ExplorerError, StoreError
from explorer.jobs import Jobs
from explorer.store import Store

_log = logging.getLogger(__name__)

_TAKEN = 75  # exit status: another engine holds the lock (EX_TEMPFAIL)
_LOCK_SECONDS = 2.0
_LEAVE_SECONDS = 5.0
_SILENT_SECONDS = 120.0
_HUNG_SECONDS = 30.0
_LOG = "engine.log"
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


class Engine:
    """Keeps an engine alive for a home as long as this process lives."""

    def __init__(self, home: Path, warm: Sequence[str]) -> None:
        self.home = home
        self._warm = tuple(warm)
        self._jobs = Jobs(home)
        self._leaving = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._hung: float | None = None
        self._backoff = 0.5
        self._thread = threading.Thread(target=self._watch, name="explorer-engine", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int | None:
        """The engine process this one started; None while another server's does the work."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def wait_ready(self, seconds: float = 30.0) -> bool:
        """Whether an engine is ready to work, waiting for it at most so long."""
        limit = time.monotonic() + seconds
        while not self._jobs.engine_ready():
            if time.monotonic() > limit:
                return False
            time.sleep(0.05)
        return True

    def stop(self) -> None:
        """End the engine if it is ours; what ran becomes 'interrupted'. Takes a second or two."""
        self._leaving.set()
        self._thread.join()
        process = self._process
        if process is not None:
            if process.stdin is not None:
                process.stdin.close()
            try:
                process.wait(_LEAVE_SECONDS + 3)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        with _guard:
            if _engines.get(self.home) is self:
                del _engines[self.home]

    def _watch(self) -> None:
        pause = 0.0
        while not self._leaving.wait(pause):
            pause = self._look()

    def _look(self) -> float:
        """Start the engine when there is none; returns how long to wait before looking again."""
        try:
            if self._process is not None and (code := self._process.poll()) is not None:
                if self._process.stdin is not None:
                    self._process.stdin.close()
                lived = time.monotonic() - self._started
                self._process = None
                if code == _TAKEN:
                    return 1.0
                _log.warning("the engine ended with status %s; see engine.log", code)
                self._backoff = min(30.0, 2 * self._backoff) if lived < 10 and code > 0 else 0.5
                if code > 0:
                    return self._backoff
            if self._process is not None and self._hangs(self._process.pid):
                _log.error("the engine does nothing any more and is replaced")
                self._process.kill()
            if self._process is None and not self._jobs.engine_alive():
                self._process = _spawn(self.home, self._warm)
                self._started = time.monotonic()
        except (OSError, StoreError):
            _log.exception("the engine cannot be started; trying again")
            return 5.0
        return 0.2

    def _hangs(self, pid: int) -> bool:
        """Whether it has been silent for long and then, though nobody stopped it, stays so."""
        import psutil

        beat = self._jobs.heartbeat()
        silent = (beat is not None and beat.pid == pid and beat.beat > 0
                  and beat.age > _SILENT_SECONDS)
        if not silent or psutil.Process(pid).status() == psutil.STATUS_STOPPED:
            self._hung = None
            return False
        self._hung = self._hung or time.monotonic()
        return time.monotonic() - self._hung > _HUNG_SECONDS


_engines: dict[Path, Engine] = {}
_guard = threading.Lock()


def start(home: Path, warm: Sequence[str] = ()) -> Engine:
    """The engine of that home, started unless one is alive; returns at once (`wait_ready` waits).

    `warm` are 'module:function' without arguments, run in every idle worker before its first jobs;
    EXPLORER_WARM (comma-separated, may be empty) takes their place. Raises StoreError (the
    database).
    """
    home = Path(home).resolve()
    with _guard:
        if home not in _engines:
            _engines[home] = Engine(home, warm)
        return _engines[home]


def main(arguments: Sequence[str] | None = None) -> int:
    """The engine process: takes the lock, serves the queue, ends with its standard input."""
    parser = argparse.ArgumentParser(prog="python -m explorer.engine", description=main.__doc__)
    parser.add_argument("--home", required=True, type=Path)
    parser.add_argument("--warm", action="append", default=[], metavar="MODULE:FUNCTION")
    options = parser.parse_args(arguments)
    home = options.home.resolve()
    lock = _take_lock(home)
    if lock is None:
        return _TAKEN
    _log_into(Log(home / _LOG))
    given = os.environ.get("EXPLORER_WARM")
    warm = options.warm if given is None else filter(None, given.split(","))
    return _serve(home, tuple(warm), _leaving())


def _serve(home: Path, warm: tuple[str, ...], leaving: threading.Event) -> int:
    from explorer.engine_queue import Queue

    kill_leftovers(home)
    shutil.rmtree(home / "engine", ignore_errors=True)
    jobs = Queue(home)
    jobs.boot()
    jobs.beat(ready=False)
    cluster: Any = None
    note = ""
    try:
        from explorer.engine_cluster import Cluster
        from explorer.engine_loop import Event, Loop
        from explorer.engine_settings import Settings

        settings = Settings.from_environment()
        _prepare_environment(home, settings.threads, settings.cores)
        events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        cluster = Cluster(settings, home, events.put)
        jobs.beat(ready=True)
        store = Store(home)
        store.sweep()
        Loop(jobs, cluster, events, warm, store.sweep).run(leaving.is_set)
    except ExplorerError as error:
        note = str(error)
        _log.exception("the engine stops")
    except Exception as error:
        note = f"The engine stopped: {type(error).__name__}: {error}"[:500]
        _log.exception("the engine stops")
    jobs.leave(note)
    if cluster is not None:
        cluster.close()
    return 1 if note else 0


def _log_into(log: Log) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s",
                        handlers=[logging.StreamHandler(log)])
    keep_logs_clean()
    faulthandler.enable(log.fileno)
    faulthandler.register(signal.SIGUSR1, log.fileno)  # kill -USR1: what every thread does
    catch_output(log)


def _leaving() -> threading.Event:
    """An event set by the end of standard input, by SIGTERM, or by a new parent."""
    event = threading.Event()
    parent = os.getppid()

    def watch_input() -> None:
        while os.read(0, 4096):
            continue
        event.set()

    def watch_parent() -> None:
        # Should a forked child of the server hold the pipe's other end, this still notices.
        while not event.wait(0.5):
            if os.getppid() != parent:
                event.set()
        time.sleep(_LEAVE_SECONDS)
        _exit(1)

    for watch in (watch_input, watch_parent):
        threading.Thread(target=watch, name=watch.__name__, daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: event.set())
    return event


def _exit(code: int) -> None:
    """End at once, with every process below: a busy worker would take its time otherwise."""
    import psutil

    for child in psutil.Process().children(recursive=True):
        try:
            child.kill()
        except psutil.NoSuchProcess:
            continue
    home = os.environ.get(HOME_MARK)
    if home:
        shutil.rmtree(Path(home) / "engine", ignore_errors=True)
    os._exit(code)


def _take_lock(home: Path) -> int | None:
    # The server made the folder; one that is gone meanwhile is not made again in its place.
    lock = os.open(home / "engine.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    limit = time.monotonic() + _LOCK_SECONDS  # one that is just leaving needs a moment
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except BlockingIOError:
            if time.monotonic() > limit:
                os.close(lock)
                return None
            time.sleep(0.05)


def _prepare_environment(home: Path, threads: int, cores: int) -> None:
    """What the workers inherit. Before they start: BLAS and OpenMP look once."""
    os.environ[HOME_MARK] = str(home)
    os.environ.update(dict.fromkeys(_THREADS, str(threads)))
    os.environ["EXPLORER_THREADS"] = str(cores)  # for the encoders, see encode/sentences.py
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"  # 2 threads on busy cores: 1.7 times the CPU without
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"


def _spawn(home: Path, warm: Sequence[str]) -> subprocess.Popen[bytes]:
    root = str(Path(__file__).resolve().parent.parent)
    paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    # -P: no module of the folder somebody happens to stand in.
    command = [sys.executable, "-P", "-m", "explorer.engine", "--home", str(home)]
    for call in warm:
        command += ["--warm", call]
    # For what it says before it takes its log itself: that it cannot even be imported.
    log = os.open(home / _LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log,
                                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
                                start_new_session=True)
    finally:
        os.close(log)


if __name__ == "__main__":
    _exit(main())
