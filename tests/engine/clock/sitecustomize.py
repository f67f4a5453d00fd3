"""Python imports this by itself where its folder is on PYTHONPATH: a wall clock that jumps.

`time.time` is that of the system plus the seconds in the file CLOCK_FILE, read anew all the time.
"""

import os
import time

_time, _time_ns = time.time, time.time_ns
_known = [-1.0, 0.0]


def _offset():
    now = time.monotonic()
    if now - _known[0] > 0.02:
        try:
            with open(os.environ["CLOCK_FILE"]) as file:
                _known[:] = now, float(file.read() or 0)
        except (KeyError, OSError):
            _known[:] = now, 0.0
    return _known[1]


time.time = lambda: _time() + _offset()
time.time_ns = lambda: _time_ns() + int(_offset() * 1e9)
