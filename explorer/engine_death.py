"""How a worker ended, and how that is said to people."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from explorer.errors import JobError


@dataclass(frozen=True)
class Death:
    """How a worker ended: its signal or exit status where known, its bytes when it was ended for
    exceeding its memory limit, and the most bytes it was seen to hold."""

    exitcode: int | None = None
    memory: int | None = None
    peak: int | None = None


def explain(title: str, death: Death, limit: int) -> JobError:
    """The error of the step `title` whose worker died so; `limit` is the memory it might use."""
    if death.memory is not None:
        return JobError(
            "OUT_OF_MEMORY",
            f"{title} needed more memory than a worker may use: "
            f"{max(death.memory, death.peak or 0) / 1e6:,.0f} MB of {limit / 1e6:,.0f} MB.",
            hint="Use fewer rows or columns, or raise EXPLORER_WORKER_MEMORY.")
    code = death.exitcode
    again = "Run it again; if it happens again, use fewer rows or other parameters."
    if code is None:
        return JobError("WORKER_KILLED", f"{title}: its worker process was lost.", hint=again)
    if code >= 0:
        return JobError("WORKER_KILLED", f"{title}: its worker process ended by itself "
                                         f"(exit status {code}).", hint=again)
    name = {number.value: number.name for number in signal.Signals}.get(-code, "unnamed")
    held = f"; it held up to {death.peak / 1e6:,.0f} MB" if death.peak else ""
    if -code in (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL):
        # Native code that is refused memory mostly aborts.
        why = ", perhaps because it was refused memory" if -code == signal.SIGABRT else ""
        return JobError("WORKER_KILLED", f"{title} crashed in native code (signal {-code}, "
                                         f"{name}){why}{held}.", hint=again)
    why = ", perhaps because the machine ran out of memory" if -code == signal.SIGKILL else ""
    return JobError("WORKER_KILLED", f"{title} was killed (signal {-code}, {name}){why}{held}.",
                    hint=again)


def stalled(title: str, seconds: float) -> JobError:
    """The error of a step that neither computed nor said anything for so long."""
    return JobError("STEP_HANGS", f"{title} stood still for {in_words(seconds)} and was ended.",
                    hint="Run it again; if it happens again, use other parameters. "
                         "EXPLORER_STALL_SECONDS is the limit.")


def endless(title: str, seconds: float) -> JobError:
    """The error of a step that took longer than any may."""
    return JobError("STEP_TOO_LONG", f"{title} must end within {in_words(seconds)}, and was ended.",
                    hint="Use fewer rows, or raise EXPLORER_STEP_SECONDS.")


def in_words(seconds: float) -> str:
    """'90 s', '10 min', '24 h'."""
    if seconds < 120:
        return f"{seconds:g} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
