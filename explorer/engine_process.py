"""What the engine asks the operating system: limits for workers, what they use, who is an orphan.

Linux knows all of it. Elsewhere a question nobody can answer is None, a limit there is not set,
and what Dask's nanny does remains.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

HOME_MARK = "EXPLORER_ENGINE_HOME"
"""The variable that names the home of the engine a process belongs to."""
_SLACK_BYTES = 512 * 2**20
"""Reserved and not used: allocator arenas and thread stacks took 200 MB with all libraries."""
_MARK = "EXPLORER_WORKER_PID"
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER
_DEAD_SECONDS = 10.0
_CGROUP = Path("/sys/fs/cgroup")


def limit_worker(memory: int) -> None:
    """Let this process have `memory` bytes of data and some slack, then refuse it more.

    The nanny looks ten times a second, which an allocation of many gigabytes does not wait for.
    RLIMIT_DATA and not RLIMIT_AS: mapped files and shared libraries cost no memory of their own.
    It bounds threads as well, whose stacks are data. No core dumps: writing one takes minutes.
    """
    try:
        import resource
    except ImportError:  # Windows
        return
    for kind, value in ((resource.RLIMIT_DATA, memory + _SLACK_BYTES), (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(kind)[1]
        if hard == resource.RLIM_INFINITY or value < hard:
            with contextlib.suppress(ValueError, OSError):  # macOS
                resource.setrlimit(kind, (value, hard))


def mark_worker() -> None:
    """Whatever this process starts from now on says whose child it is."""
    os.environ[_MARK] = str(os.getpid())


def forget_peak() -> None:
    """Let the peak memory of this process begin anew."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_bytes(pid: int | str = "self") -> int | None:
    """The most memory the process held (bytes) since its start or `forget_peak`."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return 1024 * int(line.split()[1])
    except (OSError, ValueError):
        return None
    return None


@dataclass(frozen=True)
class Use:
    """CPU seconds of a process so far, and whether it was stopped by a signal."""

    cpu: float
    stopped: bool


def use_of(pid: int) -> Use | None:
    """None when the process is gone."""
    import psutil

    try:
        process = psutil.Process(pid)
        with process.oneshot():
            times = process.cpu_times()
            return Use(times.user + times.system, process.status() == psutil.STATUS_STOPPED)
    except psutil.Error:
        return None


def free_bytes() -> int:
    """Memory new work could have: of the machine, or of the container where that is less."""
    import psutil

    free = int(psutil.virtual_memory().available)
    try:
        limit = (_CGROUP / "memory.max").read_text().strip()
        if limit != "max":
            used = int((_CGROUP / "memory.current").read_text())
            lines = (_CGROUP / "memory.stat").read_text().splitlines()
            cache = sum(int(line.split()[1]) for line in lines if line.startswith("inactive_file "))
            free = min(free, int(limit) - used + cache)
    except (OSError, ValueError):
        return free  # no cgroup of version 2
    return max(0, free)


def end_children() -> int:
    """End what a step started and left running below this process; returns how many."""
    import psutil

    if sys.platform == "linux" and not _own_children():
        return 0  # the long way reads the whole process table
    ended = 0
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if any("resource_tracker" in word for word in child.cmdline()):
                continue  # multiprocessing's own, ends by itself
            child.kill()
            ended += 1
    return ended


def kill_leftovers(home: Path) -> None:
    """End the processes of an engine that was killed: one deep in native code may not notice."""
    import psutil

    for process in psutil.process_iter():
        try:
            if process.environ().get(HOME_MARK) == str(home) and process.pid != os.getpid():
                process.kill()
        except (psutil.Error, OSError):
            continue  # gone meanwhile, or somebody else's


@dataclass
class Orphans:
    """Children of dead workers: adopted by this process, ended and buried by `sweep`."""

    _dead_since: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if sys.platform == "linux":
            import ctypes

            ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)

    def sweep(self, workers: Collection[int]) -> None:
        """End the children of workers that are not in `workers`."""
        now = time.monotonic()
        children = _own_children()
        self._dead_since = {pid: at for pid, at in self._dead_since.items() if pid in children}
        for pid in children:
            state, worker = _state(pid), _marked(pid)
            if state == "Z":
                # One of ours is waited for within moments by whoever started it.
                if now - self._dead_since.setdefault(pid, now) > _DEAD_SECONDS:
                    with contextlib.suppress(ChildProcessError):
                        os.waitpid(pid, os.WNOHANG)
            elif worker is not None and worker not in workers:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, 9)


def _own_children() -> set[int]:
    found: set[int] = set()
    for path in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError, ValueError):  # the thread is gone
            found.update(map(int, path.read_text().split()))
    return found


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""


def _marked(pid: int) -> int | None:
    try:
        for word in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            if word.startswith(f"{_MARK}=".encode()):
                return int(word.partition(b"=")[2])
    except (OSError, ValueError):
        return None
    return None
