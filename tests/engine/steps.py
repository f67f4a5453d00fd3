"""Steps for the engine's tests, found by workers through PYTHONPATH."""

import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from explorer.errors import DataError, Where


def write(payload, home, progress):
    progress(0.5, "writing")
    Path(home, payload["name"]).write_text(payload.get("text", ""))
    mark(payload, home, "wrote")


def count(payload, home, progress):
    """Reports i/n, one every `pause` seconds."""
    mark(payload, home, "started")
    for i in range(payload["n"]):
        time.sleep(payload.get("pause", 0.05))
        progress((i + 1) / payload["n"], f"round {i + 1}")


def hang(payload, home, progress):
    """Never reports again."""
    mark(payload, home, "started")
    progress(0.1, "hanging")
    time.sleep(3600)


def pass_on(payload, home, progress):
    """Wraps the cancel in an exception of its own, as some libraries do."""
    try:
        while True:
            time.sleep(0.02)
            progress(0.2, "turning")
    except Exception as error:
        raise RuntimeError("the optimiser was interrupted") from error


def killed(payload, home, progress):
    mark(payload, home, "started")
    progress(0.3, "dying")
    time.sleep(0.1)
    os.kill(os.getpid(), signal.SIGKILL)


def killed_once(payload, home, progress):
    mark(payload, home, "started")
    if len(Path(home, payload["mark"]).read_text().splitlines()) == 1:
        time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGKILL)


def crash(payload, home, progress):
    ctypes.string_at(0)


def hog(payload, home, progress):
    held = []
    while True:
        held.append(b"x" * 20_000_000)
        progress(0.0, f"{len(held) * 20} MB")
        time.sleep(0.01)


def hog_at_once(payload, home, progress):
    """Four times the limit in one allocation, touched: faster than anybody looks."""
    import numpy as np

    np.ones(int(payload["bytes"]) // 8)


def hog_threads(payload, home, progress):
    """Threads without end."""
    for _ in range(100_000):
        threading.Thread(target=time.sleep, args=(3600,)).start()


def leave_thread(payload, home, progress):
    threading.Thread(target=time.sleep, args=(3600,)).start()


def leave_child(payload, home, progress):
    """A child of its own session that outlives the step, and the worker where `die` is set."""
    mark(payload, home, "started")
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"],
                               start_new_session=True)
    Path(home, payload["name"]).write_text(f"{os.getpid()} {process.pid}")
    if payload.get("die"):
        os.kill(os.getpid(), signal.SIGKILL)


def chatter(payload, home, progress):
    """Fills standard output and error past Python's own streams too."""
    line = b"x" * 999 + b"\n"
    for _ in range(int(payload["bytes"]) // 2000):
        os.write(1, line)
        sys.stderr.write(line.decode())


def hold_gil(payload, home, progress):
    """Sleeps in native code without letting any other thread of the process run."""
    progress(0.1, "asleep")
    time.sleep(0.3)
    mark(payload, home, "started")
    ctypes.PyDLL(None).sleep(3600)


def exit_silently(payload, home, progress):
    os._exit(0)


def stop_yourself(payload, home, progress):
    """What SIGSTOP does to it, it waits for, then goes on."""
    mark(payload, home, "started")
    os.kill(os.getpid(), signal.SIGSTOP)
    progress(0.9, "awake")


def spin(payload, home, progress):
    mark(payload, home, "started")
    while True:
        pass


def half_character(payload, home, progress):
    progress(0.5, "\ud800")
    raise ValueError("\ud800 is half a character")


def long_refusal(payload, home, progress):
    text = "x" * 100_000_000
    raise DataError("TOO_LONG", text, Where(column=text), text)


def abort(payload, home, progress):
    os.abort()


class Unpicklable(Exception):
    def __init__(self, big):
        super().__init__(big)
        self.lock = open(os.devnull)  # noqa: SIM115

    def __reduce__(self):
        raise TypeError("no")


def unpicklable(payload, home, progress):
    raise Unpicklable("could not read '/secret/place/table.csv' " + "x" * 50_000_000)


def unreadable(payload, home, progress):
    class Mute(Exception):
        def __str__(self):
            raise ValueError("no words")

    raise Mute


def refuse(payload, home, progress):
    import numpy as np

    raise DataError("TOO_FEW_ROWS", "Rows must be at least 4, got 2.",
                    Where(file="a.csv", row=np.int64(2)), "Add rows.")


def leave(payload, home, progress):
    sys.exit(3)


def identity(payload, home, progress):
    names = ("OMP_NUM_THREADS", "HF_HUB_OFFLINE", "TOKENIZERS_PARALLELISM")
    values = [os.environ.get(name, "") for name in names]
    nice = str(os.getpriority(os.PRIO_PROCESS, 0))
    Path(home, payload["name"]).write_text(" ".join([str(os.getpid()), nice, *values]))


def child(payload, home, progress):
    """As an import does: starts a child process and watches it."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    Path(home, payload["name"]).write_text(f"{os.getpid()} {process.pid}")
    try:
        while process.poll() is None:
            time.sleep(0.05)
            progress(0.5, "reading")
    finally:
        process.kill()
        process.wait()


def warm():
    with open(os.environ["WARM_MARK"], "a") as file:
        file.write(f"{os.getpid()}\n")


def warm_slowly():
    warm()
    time.sleep(3600)


def mark(payload, home, word):
    if "mark" in payload:
        with open(Path(home, payload["mark"]), "a") as file:
            file.write(f"{payload.get('name', word)} {os.getpid()}\n")


def thread_pools(payload, home, progress):
    """How many threads the numeric libraries of this worker would use."""
    import numpy  # noqa: F401 - its BLAS is asked
    import sklearn  # noqa: F401 - its OpenMP is asked
    from threadpoolctl import threadpool_info

    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
    told = {"variables": {name: os.environ.get(name) for name in names},
            "pools": {pool["filepath"]: pool["num_threads"] for pool in threadpool_info()},
            "oom": Path("/proc/self/oom_score_adj").read_text().strip()}
    Path(home, payload["name"]).write_text(json.dumps(told))


def sleep(payload, home, progress):
    time.sleep(3600)
