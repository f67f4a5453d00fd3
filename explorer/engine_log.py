"""engine.log: what the engine and its workers say, bounded in size and in speed.

Workers inherit standard output. What a library prints there must not fill the disk, nor bury what
the engine has to say, nor ever stop the worker.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
from pathlib import Path

LOG_BYTES = 5_000_000
_BURST_BYTES = 256_000
_BYTES_A_SECOND = 20_000
_QUIET_SECONDS = 1.0


class Log:
    """The file of that path, at most LOG_BYTES and a piece; the one before it is kept as '.1'.

    Good as the stream of a logging handler. A disk that is full costs the words, nothing else.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._guard = threading.Lock()
        self.fileno = _open(path)  # stays the same number: faulthandler keeps it

    def write(self, text: str | bytes) -> int:
        """Append; never raises."""
        data = text if isinstance(text, bytes) else text.encode("utf-8", "backslashreplace")
        with self._guard, contextlib.suppress(OSError):
            if os.fstat(self.fileno).st_size + len(data) > LOG_BYTES:
                self._path.replace(self._path.with_name(self._path.name + ".1"))
                fresh = _open(self._path)
                os.dup2(fresh, self.fileno, inheritable=False)
                os.close(fresh)
            os.write(self.fileno, data)
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""


def catch_output(log: Log) -> None:
    """From now on standard output and error of this process and of those it starts go through a
    thread into `log`: _BURST_BYTES at once, then _BYTES_A_SECOND; of the rest, the number."""
    source, target = os.pipe()
    for number in (1, 2):
        os.dup2(target, number)
    os.close(target)
    threading.Thread(target=_drain, args=(source, log), name="explorer-engine-log",
                     daemon=True).start()


def _drain(source: int, log: Log) -> None:
    room, left_out, then = float(_BURST_BYTES), 0, time.monotonic()
    while True:
        said = bool(select.select([source], [], [], _QUIET_SECONDS)[0])
        now = time.monotonic()
        room, then = min(_BURST_BYTES, room + (now - then) * _BYTES_A_SECOND), now
        if left_out and (not said or room >= _BURST_BYTES / 2):
            log.write(f"[{left_out:,} bytes of output left out]\n")
            left_out = 0
        if not said:
            continue
        data = os.read(source, 1 << 16)
        if not data:
            return
        kept = data[:0 if left_out else int(room)]
        room -= len(kept)
        left_out += len(data) - len(kept)
        if kept:
            log.write(kept)


def _open(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
