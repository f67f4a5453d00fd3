"""What runs inside a worker process: one step, its progress, its end as plain data.

No exception object ever travels: whatever a step raises comes back as text, so nothing has to be
picklable and nothing a step made is unpickled in the engine.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import json
import math
import os
import re
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from explorer import engine_process
from explorer.engine_queue import Order
from explorer.errors import Cancelled, ExplorerError, JobError

PROGRESS_TOPIC = "explorer-progress"
OUTCOME_TOPIC = "explorer-outcome"
_REPORT_SECONDS = 0.2
_MESSAGE_LENGTH = 500
_TRACE_LINES = 40
_PATH = re.compile(r"(?<![\w:/.])(?:[A-Za-z]:)?[/\\](?:[^\s/\\'\":]+[/\\])+(?=[^\s/\\'\":]*)")

_stopped: set[str] = set()
_active: dict[str, str] = {}
_thread = threading.local()

Send = Callable[[str, float, str], None]


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended. `error` is `ExplorerError.to_dict`; `trace` is for the log only;
    `memory` is what the process holds afterwards, in bytes; `spent` is why it should not be used
    again, empty when it can be."""

    state: Literal["done", "failed", "cancelled"]
    seconds: float = 0.0
    memory: int = 0
    error: dict[str, Any] | None = None
    trace: str = ""
    spent: str = ""


def stop(token: str) -> None:
    """From now on the progress function of that attempt raises Cancelled."""
    _stopped.add(token)


def stop_all(home: str) -> None:
    """Stop what an engine of that home, which is gone, left running in this process."""
    _stopped.update(token for token, owner in list(_active.items()) if owner == home)


def run_in_worker(order: Order) -> None:
    """The Dask task: run the step; progress and Outcome go out as events.

    Nothing is returned: a worker that dies holding a result makes Dask wait for that result again.
    """
    from distributed import get_worker

    worker = get_worker()
    memory = _prepare(worker)

    def send(token: str, fraction: float, text: str) -> None:
        worker.log_event(PROGRESS_TOPIC, {"token": token, "fraction": fraction, "text": text})

    before = set(threading.enumerate())
    outcome = execute(order, send, memory)
    outcome = replace(outcome, spent=outcome.spent or _left_behind(before))
    worker.log_event(OUTCOME_TOPIC, {"token": order.token, "outcome": asdict(outcome)})


def warm_in_worker(token: str, call: str) -> None:
    """The Dask task of a warm-up: a function without arguments, whose failure harms nobody."""
    from distributed import get_worker

    worker = get_worker()
    _prepare(worker)
    outcome = Outcome("done")
    try:
        resolve(call)()
    except Exception as error:
        outcome = Outcome("failed", error=_as_data(error, "The warm-up"), trace=_as_trace(error))
    worker.log_event(OUTCOME_TOPIC, {"token": token, "outcome": asdict(outcome)})


def execute(order: Order, send: Send, limit: int | None = None) -> Outcome:
    """Run one attempt to its end, whatever that is; never raises. `limit` is the memory (bytes)
    this process may have, None for no limit."""
    reporter = Reporter(order.token, send)
    _active[order.token] = order.home
    started = time.monotonic()
    state, error, trace, spent = "done", None, "", ""
    try:
        resolve(order.call)(order.payload, order.home, reporter)
    except BaseException as raised:  # SystemExit too: it would take the worker with it
        # A library may have wrapped our Cancelled in an exception of its own.
        if isinstance(raised, Cancelled) or order.token in _stopped:
            state = "cancelled"
        else:
            state, error, trace = "failed", _as_data(raised, order.title, limit), _as_trace(raised)
            # Whatever was refused its memory may be half made: a library, a module.
            spent = "out of memory" if error["code"] == "OUT_OF_MEMORY" else ""
    finally:
        reporter.close()
        _active.pop(order.token, None)
        _stopped.discard(order.token)
    return Outcome(state, time.monotonic() - started,  # type: ignore[arg-type]
                   _memory(), error, trace, spent)


class Reporter:
    """The progress function of one attempt: cheap, never backwards, at most five sends a second.

    The newest report always arrives: one held back is sent by a timer.
    """

    def __init__(self, token: str, send: Send) -> None:
        self._token = token
        self._send = send
        self._guard = threading.Lock()
        self._sent_at = -math.inf
        self._sent = (-1.0, "")
        self._latest = (0.0, "")
        self._timer: threading.Timer | None = None
        self._closed = False

    def __call__(self, fraction: float, text: str) -> None:
        if self._token in _stopped:
            raise Cancelled()
        # Not a number stays where it was: max() keeps its first argument then.
        fraction = min(1.0, max(self._latest[0], float(fraction)))
        with self._guard:
            self._latest = (fraction, str(text)[:200].encode("utf-8", "replace").decode())
            wait = self._sent_at + _REPORT_SECONDS - time.monotonic()
            if wait <= 0:
                self._flush()
            elif self._timer is None:
                self._timer = threading.Timer(wait, self._late)
                self._timer.daemon = True
                self._timer.start()

    def close(self) -> None:
        """Nothing is sent any more: the end of the attempt says the rest."""
        with self._guard:
            self._closed = True
            if self._timer is not None:
                self._timer.cancel()

    def _late(self) -> None:
        with self._guard:
            self._timer = None
            self._flush()

    def _flush(self) -> None:
        if self._closed or self._latest == self._sent:
            return
        self._sent, self._sent_at = self._latest, time.monotonic()
        self._send(self._token, *self._latest)


def resolve(call: str) -> Callable[..., None]:
    """The function named 'module:function'. Raises JobError UNKNOWN_CALL."""
    module, _, name = call.partition(":")
    try:
        function: Callable[..., None] = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise JobError("UNKNOWN_CALL", f"The engine cannot load {call!r}: {error}.",
                       hint="Is the same version installed where the workers run?") from error
    return function


def _as_data(raised: BaseException, title: str, limit: int | None = None) -> dict[str, Any]:
    try:
        if isinstance(raised, ExplorerError):
            # Through JSON: a number of numpy's in `where` would not survive the way to the
            # database.
            return dict(json.loads(json.dumps(_cut(raised.to_dict()), default=str)))
        if _is_memory(raised):
            return _cut(_out_of_memory(raised, title, limit).to_dict())
        said = _words(raised)
    except Exception as error:
        said = f"(its message cannot be read: {type(error).__name__})"
    said = f": {said}" if said else ""
    return _cut(JobError("STEP_FAILED", f"{title} failed with {type(raised).__name__}{said}",
                         hint="Other parameters may work; the details are in the engine's log."
                         ).to_dict())


def _words(raised: BaseException) -> str:
    message = str(raised)[:100 * _MESSAGE_LENGTH]
    return _PATH.sub("", message)[:_MESSAGE_LENGTH].strip()


def _cut(data: Any, length: int = 4 * _MESSAGE_LENGTH) -> Any:
    """Plain data of a size that can be shown, in characters that can be sent."""
    if isinstance(data, dict):
        return {key: _cut(value, length) for key, value in data.items()}
    if isinstance(data, str):
        text = data if len(data) <= length else data[:length] + "..."
        return text.encode("utf-8", "replace").decode()
    return data


def _is_memory(raised: BaseException) -> bool:
    if isinstance(raised, MemoryError):
        return True
    if isinstance(raised, OSError):
        return raised.errno == errno.ENOMEM
    # torch's allocator, and C++ behind pybind or Cython.
    return isinstance(raised, RuntimeError) and any(
        words in str(raised)[:1000] for words in ("can't allocate memory", "bad_alloc"))


def _out_of_memory(raised: BaseException, title: str, limit: int | None) -> JobError:
    if limit is None:
        return JobError("OUT_OF_MEMORY", f"{title} asked for more memory than there is.",
                        hint="Use fewer rows or columns.")
    peak = engine_process.peak_bytes()
    held = f"it held up to {peak / 1e6:,.0f} MB" if peak else "all it held"
    asked = f" ({words})" if (words := _words(raised)) else ""
    return JobError("OUT_OF_MEMORY",
                    f"{title} needed more memory than a worker may use: {held} of "
                    f"{limit / 1e6:,.0f} MB and asked for more{asked}.",
                    hint="Use fewer rows or columns, or raise EXPLORER_WORKER_MEMORY.")


def _as_trace(raised: BaseException) -> str:
    # The places only: a message may be of any length and fail to print.
    if isinstance(raised, ExplorerError):
        return ""
    lines: list[str] = []
    link: BaseException | None = raised
    while link is not None and len(lines) < _TRACE_LINES:
        lines.append(f"{type(link).__name__} at\n")
        lines += traceback.format_tb(link.__traceback__, limit=-_TRACE_LINES)
        link = link.__cause__ or link.__context__
    return "".join(lines)


def _prepare(worker: Any) -> int | None:
    """Give way to the server, and keep to the memory this worker may use: that many bytes, None
    where it is not ours to say (a real cluster)."""
    embedded = engine_process.HOME_MARK in os.environ
    memory = worker.memory_manager.memory_limit if embedded else None
    engine_process.forget_peak()
    if not getattr(_thread, "polite", False):
        # On Linux niceness belongs to a thread: the one that computes.
        _thread.polite = True
        os.nice(10)
        # When the machine runs out of memory, this process goes and not the server. Where the file
        # is missing (not Linux) or read-only (some containers), the kernel chooses as ever.
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("900")
        if memory:
            engine_process.mark_worker()
            engine_process.limit_worker(memory)
    return memory


def _left_behind(before: set[threading.Thread]) -> str:
    """What a step did not clean up after itself; child processes are ended."""
    if engine_process.end_children():
        return "child processes left"
    # A thread of a daemon is one too, so that tells nothing. tqdm's monitor only wakes up to look.
    left = [thread for thread in threading.enumerate()
            if thread not in before and not isinstance(thread, threading.Timer)
            and not thread.name.startswith("Dask") and type(thread).__name__ != "TMonitor"]
    return f"threads left: {left[0].name}" if left else ""


def _memory() -> int:
    import psutil

    return int(psutil.Process().memory_info().rss)
