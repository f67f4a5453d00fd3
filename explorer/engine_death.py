"""How a worker ended, and how that is said to people."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from explorer.errors import JobError


@dataclass(frozen=True)
class Death:
    """How a worker ended: its signal or exit status where known, and its bytes when it was ended
    for exceeding its memory limit."""

    exitcode: int | None = None
    memory: int | None = None


def explain(title: str, death: Death, limit: int) -> JobError:
    """The error of the step `title` whose worker died so; `limit` is the memory it might use."""
    if death.memory is not None:
        return JobError(
            "OUT_OF_MEMORY",
            f"{title} needed more memory than a worker may use: {death.memory / 1e6:,.0f} MB of "
            f"{limit / 1e6:,.0f} MB.",
            hint="Use fewer rows or columns, or raise EXPLORER_WORKER_MEMORY.")
    code = death.exitcode
    again = "Run it again; if it happens again, use fewer rows or other parameters."
    if code is None:
        return JobError("WORKER_KILLED", f"{title}: its worker process was lost.", hint=again)
    if code >= 0:
        return JobError("WORKER_KILLED", f"{title}: its worker process ended by itself "
                                         f"(exit status {code}).", hint=again)
    name = {number.value: number.name for number in signal.Signals}.get(-code, "unnamed")
    if -code in (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL):
        return JobError("WORKER_KILLED", f"{title} crashed in native code (signal {-code}, "
                                         f"{name}).", hint=again)
    return JobError("WORKER_KILLED", f"{title} was killed (signal {-code}, {name}), perhaps "
                                     "because the machine ran out of memory.", hint=again)
