"""The short form of the loops; the long ones are commands (see the modules)."""

import subprocess
import sys

import pytest

from tests.faults import edge


def told(*words):
    done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True,
                          timeout=300)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_w01_thirty_kills_lose_nothing_that_was_said_to_be_saved():
    assert "unreadable, lost or third state: 0" in told("tests.faults.kill_loop", "--count", "30")


def test_w10_a_fault_at_the_ith_call_leaves_the_old_state_or_the_new():
    if edge.available():
        pytest.skip(edge.available())
    said = told("tests.faults.ith_call", "--stride", "7")
    assert "third states 0" in said
    assert int(said.split("points ")[-1].split(":")[0]) > 100


def test_law_8_a_read_gives_the_right_value_or_nothing():
    assert "every read was right or nothing" in told("tests.faults.store_law", "--examples", "15")
