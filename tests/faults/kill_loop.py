"""Kill a saving process at random moments, again and again, and look at what is left.

    python -m tests.faults.kill_loop --count 1000

Each time a process stores results, keeps uploads, and saves, logs, undoes and redoes in a
workspace, as its seed says, and tells each thing it was told is saved. After SIGKILL the state must
be exactly that after the told things, or that with the next one done too.
"""

import argparse
import hashlib
import json
import os
import random
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

import numpy as np

from explorer.store import Store
from explorer.uploads import keep_upload
from explorer.workspace import Workspaces

_LOOPS_PER_HOME = 100
_LONGEST = 0.12
_KINDS = ("put", "save", "log", "log", "undo", "redo", "upload")
_SIZE = 20_000


def main(words=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(words)
    draws = random.Random(options.seed)
    told = in_flight = 0
    bad = []
    with tempfile.TemporaryDirectory() as folder:
        for loop in range(options.count):
            home = Path(folder) / f"home{loop // _LOOPS_PER_HOME}"
            if loop % _LOOPS_PER_HOME == 0:
                shutil.rmtree(Path(folder) / f"home{loop // _LOOPS_PER_HOME - 1}",
                              ignore_errors=True)
                assert _forked(lambda home=home: _start(home)) == (0, "")
            lines = _killed(home, options.seed * 1_000_003 + loop, draws.random() * _LONGEST)
            told += max(0, len(lines) - 1)
            code, answer = _forked(lambda home=home, loop=loop, lines=lines: _looked(
                home, options.seed * 1_000_003 + loop, lines))
            if code:
                bad.append(f"loop {loop}: {answer}")
            else:
                in_flight += answer == "new"
    for line in bad[:10]:
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"{options.count:,} kills, {told:,} things told to be saved, {in_flight:,} "
                     f"more were whole when the kill came; unreadable, lost or third state: "
                     f"{len(bad)}\n")
    return 1 if bad else 0


def steps(seed):
    """What the process of that seed does, one thing after the other, without end."""
    draws = random.Random(seed)
    number = 0
    while True:
        number += 1
        yield draws.choice(_KINDS), number


def array(seed, number):
    return np.full(_SIZE, seed * 1000 + number, dtype=np.int64)


def key(seed, number):
    return f"{seed % 2**64:016x}{number:016x}"


def content(seed, number):
    return hashlib.sha256(f"{seed} {number}".encode()).digest() * 500


def _work(home, seed, pipe):
    """In the process that is killed."""
    store, shelf = Store(home), Workspaces(home)
    identifier = shelf.create(str(seed))
    os.write(pipe, f"{identifier}\n".encode())
    version = 0
    for kind, number in steps(seed):
        if kind == "put":
            store.put(key(seed, number), {"x": array(seed, number)}, {"number": number})
        elif kind == "upload":
            keep_upload("x", content(seed, number), home)
        elif kind == "save":
            version = shelf.save(identifier, {"number": number, "pad": "x" * 5000}, version)
        elif kind == "log":
            shelf.log(identifier, "rename", {"number": number})
        else:
            getattr(shelf, kind)(identifier)
        os.write(pipe, f"{kind} {number}\n".encode())


def _start(home):
    Store(home)
    Workspaces(home)
    return ""


def _expected(seed, count):
    """The state after the first `count` things."""
    found = {"document": {}, "active": [], "undone": [], "puts": [], "uploads": [], "version": 0}
    for kind, number in steps(seed):
        if count == 0:
            return found
        count -= 1
        if kind in ("put", "upload"):
            found[f"{kind}s"].append(number)
        elif kind == "save":
            found["document"] = number
            found["version"] += 1
        elif kind == "log":
            found["active"].append(number)
            found["undone"] = []
        elif kind == "undo" and found["active"]:
            found["undone"].append(found["active"].pop())
        elif kind == "redo" and found["undone"]:
            found["active"].append(found["undone"].pop())
    return found


def _looked(home, seed, lines):
    """In a fresh process: 'old' or 'new', or an assertion fails."""
    shelf, store = Workspaces(home), Store(home)
    shelf.verify()
    assert not list((home / "quarantine").iterdir()), "a stored result was damaged"
    if not lines:
        return "old"
    identifier, *told = lines
    found = shelf.open(identifier)
    # Undone ones are seen by doing them again, which this workspace does not mind any more.
    active = [step.payload["number"] for step in shelf.operations(identifier)]
    undone = []
    while (step := shelf.redo(identifier)) is not None:
        undone.insert(0, step.payload["number"])
    for name, count in (("old", len(told)), ("new", len(told) + 1)):
        state = _expected(seed, count)
        done = {number for _, number in zip(range(count), (n for _, n in steps(seed)),
                                            strict=False)}
        puts = [number for number in sorted({*done, count + 1})
                if store.find(key(seed, number)) is not None]
        uploads = [number for number in sorted({*done, count + 1}) if _is_kept(home, seed, number)]
        number = found.document.get("number", {})
        if (number, found.version, active, undone, puts, uploads) == (
                state["document"], state["version"], state["active"], state["undone"],
                state["puts"], state["uploads"]):
            for number in puts:
                np.testing.assert_array_equal(store.get(key(seed, number)).array("x"),
                                              array(seed, number))
            return name
    raise AssertionError(f"after {len(told)} told things ({told[-3:]}): {found.document!r:.40} "
                         f"version {found.version}, {active}, {undone}, {puts}, {uploads}; "
                         f"expected {_expected(seed, len(told))}")


def _is_kept(home, seed, number):
    wanted = content(seed, number)
    path = home / "uploads" / hashlib.sha256(wanted).hexdigest()
    if not path.exists():
        return False
    assert path.read_bytes() == wanted, "half an upload stands under its name"
    return True


def _killed(home, seed, seconds):
    """The lines a working process wrote until it was killed, so long after the first."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            _work(home, seed, writing)
        except BaseException:
            traceback.print_exc()
        os._exit(3)
    os.close(writing)
    data = bytearray()
    until = None
    while until is None or time.monotonic() < until:
        wait = 20.0 if until is None else until - time.monotonic()
        if not select.select([reading], [], [], max(wait, 0))[0]:
            break
        block = os.read(reading, 1 << 16)
        if not block:
            break
        data += block
        until = until or time.monotonic() + seconds
    os.kill(child, signal.SIGKILL)
    while block := os.read(reading, 1 << 16):
        data += block
    os.close(reading)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code == -signal.SIGKILL, f"the working process ended by itself with {code}"
    return data.decode().splitlines()


def _forked(work):
    """Exit status and answer of `work` in a process of its own: this one never opens a home."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code, answer = 1, ""
        try:
            answer, code = work(), 0
        except BaseException:
            answer = traceback.format_exc()[-1500:]
        os.close(reading)
        with os.fdopen(writing, "w") as pipe:
            pipe.write(json.dumps(answer))
        os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = json.loads(pipe.read() or '""')
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), answer


if __name__ == "__main__":
    sys.exit(main())
