"""A short run of the mutation fuzz, and that it sees what it is there to see."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.hostile import fuzz
from tests.hostile.mutate import mutant

COUNT, SECONDS = 600, 8.0


def test_i17_law_7_mutants_of_every_format(tmp_path: Path) -> None:
    tally = fuzz.fuzz(COUNT, 0, SECONDS, tmp_path / "kept")
    assert tally.bad == []
    assert set(tally.outcomes) <= {"data set", "refusal", "memory limit", "time limit"}
    assert tally.count > 100
    assert tally.outcomes["data set"] > 10
    assert len(tally.codes) > 8


def test_the_same_number_is_the_same_mutant() -> None:
    assert mutant(3, 14) == mutant(3, 14) != mutant(3, 15)


@pytest.mark.parametrize(("fault", "outcome"), [
    ("ctypes.string_at(0)", f"ended with {-signal.SIGSEGV}"),
    ("raise KeyError('x')", "KeyError"), ("(folder / 'evil.py').touch()", "strange files"),
    ("open('/etc/passwd')", "PermissionError"), ("time.sleep(99)", "time limit")])
def test_faults_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str,
                         outcome: str) -> None:
    """A reader that does the wrong thing, put before the real one on the path."""
    (tmp_path / "sitecustomize.py").write_text(
        "import ctypes, os, sys, time\n"
        "if '--child' in sys.argv:\n"
        "    import signal\n"
        "    import explorer.load.child as child\n"
        "    real, calls, timer = child.read, [], signal.setitimer\n"
        "    signal.setitimer = lambda kind, seconds: timer(kind, min(seconds, 0.5))\n"
        "    def read(uploads, options, folder, progress):\n"
        "        calls.append(1)\n"
        f"        if len(calls) == 3:\n            {fault}\n"
        "        return real(uploads, options, folder, progress)\n"
        "    child.read = read\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path), str(fuzz.ROOT))))
    tally = fuzz.fuzz(5, 0, 30.0, tmp_path / "kept")
    assert tally.count == 5
    assert tally.outcomes[outcome] >= 1, (tally.outcomes, tally.bad)
    assert bool(tally.bad) == (outcome != "time limit")
    assert len(list((tmp_path / "kept").glob("*"))) == len(tally.bad)
