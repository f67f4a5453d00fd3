"""The short form of the loops; the long ones are commands (see the modules)."""

import subprocess
import sys

import pytest

from tests.faults import edge
from tests.faults.scenarios import SCENARIOS


def told(*words):
    return said_of(started(*words))


def started(*words):
    return subprocess.Popen([sys.executable, "-m", *words], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def said_of(process):
    with process:
        try:
            said, complaint = process.communicate(timeout=300)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert process.returncode == 0, said[-3000:] + complaint[-3000:]
    return said


def test_w01_thirty_kills_lose_nothing_that_was_said_to_be_saved():
    assert "unreadable, lost or third state: 0" in told("tests.faults.kill_loop", "--count", "30")


def test_w10_a_fault_at_the_ith_call_leaves_the_old_state_or_the_new():
    if edge.available():
        pytest.skip(edge.available())
    # The ways to save have nothing in common: half of them on each core.
    halves = [started("tests.faults.ith_call", "--stride", "7",
                      *(word for name in names for word in ("--scenario", name)))
              for names in (list(SCENARIOS)[::2], list(SCENARIOS)[1::2])]
    points = 0
    for said in map(said_of, halves):
        assert "third states 0" in said
        points += int(said.split("points ")[-1].split(":")[0].replace(",", ""))
    assert points > 100


def test_law_8_a_read_gives_the_right_value_or_nothing():
    assert "every read was right or nothing" in told("tests.faults.store_law", "--examples", "15")
