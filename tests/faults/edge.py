"""Faults at the edge of the system: which call below a folder fails, and how (see edge.c).

Works in a process started by `command`: the shim is loaded before anything else.
"""

import ctypes
import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).with_name("edge.c")
KILL, TORN_KILL, TORN_FULL = "KILL", "TORN+KILL", "TORN+ENOSPC"
FAULTS = ("ENOSPC", "EIO", KILL, TORN_KILL, TORN_FULL, "EDQUOT", "EMFILE", "EFBIG", "EROFS")
"""How a call fails: with that errno; not at all, because the process is killed before it; or after
the first half of what it would have written."""


def available():
    """Why there are no faults on this machine; '' where there are."""
    if not sys.platform.startswith("linux"):
        return "needs Linux"
    return "" if shutil.which("cc") or shutil.which("gcc") else "needs a C compiler"


def command(folder, *words):
    """What starts Python with the shim, built in `folder`: (words, environment)."""
    shim = Path(folder) / "edge.so"
    compiler = shutil.which("cc") or shutil.which("gcc")
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", shim, SOURCE, "-ldl"], check=True)
    return [sys.executable, *words], {**os.environ, "LD_PRELOAD": str(shim)}


def arm(folder, at=0, fault=""):
    """From now on count the calls below `folder`; the `at`-th meets `fault`."""
    kill = fault in (KILL, TORN_KILL)
    number = -1 if kill else getattr(errno, fault.removeprefix("TORN+"), 0)
    _shim().edge_arm(str(folder).encode(), at, number, int(fault.startswith("TORN")))


def disarm():
    """Stop it; how many calls there were."""
    return _shim().edge_disarm()


def _shim():
    found = ctypes.CDLL(None)
    assert hasattr(found, "edge_arm"), "start this process by edge.command"
    return found
