"""Law 8: whatever is put, read, removed, damaged or killed in whatever order, a read gives the
right value or nothing.

    python -m tests.faults.store_law --examples 500

A process of its own: it forks, which a process with threads of PyTorch or Playwright must not.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from explorer.store import Store

NUMBERS = st.integers(0, 3)


def key(number):
    return f"{number:032x}"


def value(number):
    return np.arange(number, number + 500)


class StoreLaw(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.store = Store(self.root)
        self.sure = set()
        """What must be found: put, and nothing bad has happened to it."""

    def teardown(self):
        shutil.rmtree(self.root)

    @rule(number=NUMBERS)
    def put(self, number):
        self.store.put(key(number), {"x": value(number)}, {"number": number})
        self.sure.add(number)

    @rule(number=NUMBERS)
    def adopt(self, number):
        folder = self.store.new_folder()
        np.save(folder / "x.npy", value(number))
        self.store.adopt(key(number), folder, {"number": number})
        self.sure.add(number)

    @rule()
    def start_anew(self):
        self.store = Store(self.root)

    @rule(number=NUMBERS)
    def evict(self, number):
        shutil.rmtree(self.root / "entries" / "00" / key(number), ignore_errors=True)
        self.sure.discard(number)

    @rule(number=NUMBERS, place=st.floats(0, 0.999), bit=st.integers(0, 7),
          name=st.sampled_from(["x.npy", "entry.json"]),
          how=st.sampled_from(["flip", "cut", "remove", "empty", "link"]))
    def damage(self, number, place, bit, name, how):
        path = self.root / "entries" / "00" / key(number) / name
        if not path.exists():
            return
        self.sure.discard(number)
        data = bytearray(path.read_bytes())
        at = int(place * len(data))
        path.unlink()
        if how == "flip" and data:
            data[at] ^= 1 << bit
            path.write_bytes(data)
        elif how == "cut":
            path.write_bytes(data[:at])
        elif how == "empty":
            path.write_bytes(b"")
        elif how == "link":
            path.symlink_to("/dev/zero")

    @rule(number=NUMBERS, event=st.integers(1, 40))
    def kill_while_putting(self, number, event):
        """The process ends before its n-th opening, naming or removing of a file."""
        child = os.fork()
        if child == 0:
            left = event

            def count(what, _):
                nonlocal left
                if what in ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.utime"):
                    left -= 1
                    if not left:
                        os.kill(os.getpid(), signal.SIGKILL)

            sys.addaudithook(count)
            try:
                Store(self.root).put(key(number), {"x": value(number)}, {"number": number})
            finally:
                os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
            self.sure.add(number)

    @invariant()
    def reads_are_right_or_nothing(self):
        for number in range(4):
            for store in (self.store, Store(self.root)):
                found = store.find(key(number))
                if found is None:
                    assert number not in self.sure
                    continue
                assert found.meta == {"number": number}
                np.testing.assert_array_equal(found.array("x", mapped=False), value(number))
                self.sure.add(number)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=15)
    options = parser.parse_args()
    run_state_machine_as_test(StoreLaw, settings=settings(
        max_examples=options.examples, stateful_step_count=25, deadline=None, derandomize=True))
    sys.stdout.write(f"{options.examples} sequences: every read was right or nothing\n")
