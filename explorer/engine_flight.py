"""An attempt on its way, and when to end it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from explorer import engine_process
from explorer.engine_death import endless, stalled
from explorer.engine_queue import Order
from explorer.engine_settings import Settings
from explorer.errors import ExplorerError

_IDLE_SHARE = 0.05
"""Of a core: a worker that does nothing uses a third of that."""


@dataclass
class Flight:
    """`worker` is None in the lane 'host'. Times on the monotonic clock, None until they come:
    `asked`, when it was asked to stop; `killed`, when its worker was last sent a SIGKILL;
    `missing`, since when its worker is not seen any more; `lost`, since when its worker is known
    to be dead and how it died is not. `reason` is why we ended it; `peak` the most bytes its worker
    was seen to hold."""

    order: Order
    worker: str | None
    begun: float = field(default_factory=time.monotonic)
    asked: float | None = None
    killed: float | None = None
    missing: float | None = None
    lost: float | None = None
    reason: ExplorerError | None = None
    peak: int = 0
    _moved: float | None = None
    _cpu: float = 0.0

    def reported(self) -> None:
        """A sign of life."""
        self._moved = None

    def weigh(self, pid: int | None) -> None:
        """Remember how much memory its worker holds."""
        if pid is not None:
            self.peak = max(self.peak, engine_process.peak_bytes(pid) or 0)

    def overdue(self, pid: int | None, settings: Settings) -> ExplorerError | None:
        """Why it should be ended, if it should: it takes too long, or nothing happens any more."""
        now = time.monotonic()
        if now - self.begun > settings.longest:
            return endless(self.order.title, settings.longest)
        use = engine_process.use_of(pid) if pid is not None else None
        if use is None:
            return None
        busy = self._moved is None or use.cpu - self._cpu > _IDLE_SHARE * (now - self._moved)
        if busy or use.stopped:
            # Stopped by a signal is no hang: whoever did that will let it go on.
            self._moved, self._cpu = now, use.cpu
            return None
        if self._moved is not None and now - self._moved > settings.stall:
            return stalled(self.order.title, settings.stall)
        return None
