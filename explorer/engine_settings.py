"""What can be set about the engine, each by an environment variable."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from explorer.errors import ParameterError, Where

_MEMORY_SHARE = 0.6
_FLOOR_SHARE, _FLOOR_BYTES = 0.05, 500_000_000
_STALL_SECONDS, _STEP_SECONDS = 600, 24 * 3600


@dataclass(frozen=True)
class Settings:
    """How many workers, with how much memory (bytes, each) and how many threads for BLAS, on how
    many cores in all. With less than `floor` bytes free on the machine nothing new starts. A step
    that neither computes nor reports for `stall` seconds, or runs for `longest`, is ended."""

    workers: int
    memory: int
    threads: int
    cores: int
    scheduler: str | None
    floor: int = 0
    stall: int = _STALL_SECONDS
    longest: int = _STEP_SECONDS

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Raises ParameterError OUT_OF_RANGE or INSECURE_SCHEDULER, naming the variable."""
        from dask.system import CPU_COUNT
        from dask.utils import parse_bytes
        from distributed.system import MEMORY_LIMIT

        def number(name: str, parse: Callable[[str], int] = int) -> int | None:
            return _number(name, environment.get(name), parse)

        workers = number("EXPLORER_WORKERS") or max(1, min(4, CPU_COUNT))
        memory = number("EXPLORER_WORKER_MEMORY", parse_bytes)
        floor = number("EXPLORER_MEMORY_FLOOR", parse_bytes)
        scheduler = environment.get("EXPLORER_SCHEDULER") or None
        if scheduler is not None:
            _refuse_insecure(scheduler)
        return cls(workers=workers, memory=memory or int(_MEMORY_SHARE * MEMORY_LIMIT / workers),
                   threads=max(1, CPU_COUNT // workers), cores=CPU_COUNT, scheduler=scheduler,
                   floor=floor or min(_FLOOR_BYTES, int(_FLOOR_SHARE * MEMORY_LIMIT)),
                   stall=number("EXPLORER_STALL_SECONDS") or _STALL_SECONDS,
                   longest=number("EXPLORER_STEP_SECONDS") or _STEP_SECONDS)


def _number(name: str, given: str | None, parse: Callable[[str], int]) -> int | None:
    if not given:
        return None
    try:
        value = parse(given)
    except ValueError:
        value = 0
    if value <= 0:
        raise ParameterError("OUT_OF_RANGE", f"{name} must be a number above 0, got {given!r}.",
                             Where(parameter=name))
    return value


def _refuse_insecure(scheduler: str) -> None:
    address = urlsplit(scheduler)
    local = address.hostname in ("127.0.0.1", "localhost", "::1")
    if address.scheme == "tls" or (address.scheme == "tcp" and local):
        return
    raise ParameterError(
        "INSECURE_SCHEDULER",
        f"EXPLORER_SCHEDULER must be tls://host:port, or tcp:// on this machine, got "
        f"{scheduler!r}.", Where(parameter="EXPLORER_SCHEDULER"),
        "Whoever can reach an open scheduler can run code there.")
