"""Engines with limits of their own, and with a clock that jumps: R06, R07, W18."""

import os
import time

import pytest

from explorer.engine_queue import Queue
from tests.engine.homes import HERE, Home

YEAR = 365 * 24 * 3600.0


def test_r07_a_step_that_hangs_or_never_ends_is_ended_in_words(environment, tmp_path):
    environment.setenv("EXPLORER_STALL_SECONDS", "1")
    environment.setenv("EXPLORER_STEP_SECONDS", "4")
    home = Home(tmp_path)
    for name, code, limit in (("hang", "STEP_HANGS", "1 s"), ("hold_gil", "STEP_HANGS", "1 s"),
                              ("spin", "STEP_TOO_LONG", "4 s")):
        view = home.until(home.submit(home.step(name, title="UMAP")), "failed", seconds=20)
        assert view.error.code == code
        assert view.error.message.startswith("UMAP ")
        assert limit in view.error.message
        assert (view.attempts, view.elapsed < 10) == (1, True)
    slow = home.step("count", {"n": 6, "pause": 0.4})  # reports, and sleeps in between
    assert home.until(home.submit(slow), "done").attempts == 1


def test_r06_without_free_memory_the_queue_waits_and_says_so(environment, tmp_path):
    environment.setenv("EXPLORER_MEMORY_FLOOR", "1000TB")
    home = Home(tmp_path)
    steps = [home.step("write", {"name": f"out{i}"}) for i in range(3)]
    host = home.step("write", {"name": "host"}, lane="host")
    home.submit(*steps[:2], host)
    home.until(host.key, "done")  # starting a reader, which has a limit of its own, goes on
    limit = time.monotonic() + 10
    while not home.jobs.view(steps[0].key).text:
        assert time.monotonic() < limit
        time.sleep(0.05)
    home.submit(steps[2])
    time.sleep(1.5)
    views = home.jobs.views([step.key for step in steps])
    assert {view.state for view in views.values()} == {"queued"}
    assert all(view.text.startswith("Waiting for memory: ") for view in views.values())
    assert "1,000,000.0 GB must be" in views[steps[0].key].text
    home.jobs.cancel([steps[2].key], "ann")
    assert home.jobs.view(steps[2].key).state == "cancelled"
    home.engine.stop()
    environment.setenv("EXPLORER_MEMORY_FLOOR", "1MB")
    again = Home(tmp_path)
    assert again.until(steps[0].key, "done", seconds=30).text != views[steps[0].key].text
    assert not (tmp_path / "out2").exists()


@pytest.fixture
def jump(environment, tmp_path):
    """A function that sets every clock on the wall, ours and the engine's, off by some seconds."""
    file = tmp_path / "clock"
    file.write_text("0")
    true_time = time.time

    def set_off(seconds):
        file.with_suffix(".new").write_text(str(seconds))
        file.with_suffix(".new").replace(file)
        environment.setattr(time, "time", lambda: true_time() + seconds)
        time.sleep(0.1)

    environment.setenv("CLOCK_FILE", str(file))
    environment.setenv("PYTHONPATH", os.pathsep.join([str(HERE / "clock"), str(HERE)]))
    return set_off


def test_w18_clocks_that_jump_change_no_lease_no_duration_and_no_order(jump, tmp_path):
    home = Home(tmp_path / "home")
    keys = []
    for seconds in (YEAR, -YEAR, 3600.0):
        step = home.step("count", {"n": 20, "size": {"method": "slow", "n": 1, "d": 1,
                                                     "expected": 1.0}}, seconds=2.0)
        keys.append(home.submit(step))
        home.until(step.key, "running")
        pid = home.engine.pid
        jump(seconds)
        seen = []
        while (view := home.jobs.view(step.key)).state == "running":
            seen.append(view)
            assert home.jobs.engine_alive()
            time.sleep(0.05)
        assert len(seen) > 5
        elapsed = [view.elapsed for view in seen]
        assert elapsed == sorted(elapsed)
        assert max(elapsed) < 10
        assert max(view.remaining for view in seen) < 20
        assert (view.state, view.attempts) == ("done", 1)
        assert 0.9 < view.elapsed < 10
        assert home.engine.pid == pid
    assert [view.key for view in home.jobs.owned("ann")] == keys[::-1]
    assert 1.0 <= home.jobs.calibration("slow") < 10
    home.engine.stop()
    jump(10 * YEAR)
    Queue(tmp_path / "home").boot()
    assert [view.state for view in home.jobs.owned("ann")] == ["done"] * 3


def test_w18_jobs_of_before_a_restart_of_the_machine_are_told_truly(jump, tmp_path):
    """The monotonic clock begins anew then: what it said before means nothing."""
    queue = Queue(tmp_path)
    home_step = Home.__new__(Home)
    home_step._names = iter(range(10))
    step = home_step.step("hang")
    from explorer.jobs import Jobs

    jobs = Jobs(tmp_path)
    jobs.submit([step], "ann")
    queue.beat(ready=True)
    assert jobs.engine_alive()
    assert queue.take({"worker": 1})[0].key == step.key
    with queue._database.transaction() as connection:  # as the disk is found after the start
        connection.execute("UPDATE engine SET host = host || ' another start', beat = beat + 1e6")
        connection.execute("UPDATE jobs SET began = began + 1e6")
    assert not jobs.engine_alive()
    assert jobs.view(step.key).elapsed == 0.0
    Queue(tmp_path).boot()
    view = jobs.view(step.key)
    assert (view.state, view.elapsed) == ("interrupted", 0.0)
