"""The kill loop, short: see kill_loop.py for the long form."""

import pytest

from explorer import engine
from tests.engine import kill_loop
from tests.engine.homes import set_environment


@pytest.mark.slow
def test_r01_r12_killed_and_cancelled_at_any_moment_real_steps_end_in_words(
        monkeypatch, tmp_path):
    set_environment(monkeypatch, EXPLORER_WORKER_MEMORY="2GB")
    try:  # without those that compile for a minute in every new worker
        report, early, late = kill_loop.run(4, 1, tmp_path, kill_loop.CHOICES[::3])
    finally:
        for running in list(engine._engines.values()):
            running.stop()
    assert not report.wrong, report.wrong
    assert report.kills or report.cancels
    assert max(report.kills + report.cancels) < kill_loop.SOON
    assert late.zombies == 0
    assert late.children <= early.children
    assert late.files <= early.files + 8
