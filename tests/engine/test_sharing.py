"""Many people, one engine: asked twice, flooded, used for long. R10, R14, R16, R18, S13."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

from explorer.engine_queue import Queue
from explorer.jobs import Jobs, Step

ROOT = Path(__file__).resolve().parents[2]
OTHER = """
import sys
from pathlib import Path
from explorer.jobs import Jobs, Step
home, key, deed = sys.argv[1:]
jobs = Jobs(Path(home))
step = Step(key, "test", "count", "steps:count", {"n": 40, "mark": key})
if deed == "submit":
    for _ in range(5):  # clicked twice, and once more
        jobs.submit([step], "bob")
else:
    jobs.cancel([key], "bob")
"""


def other_server(home, key, deed):
    subprocess.run([sys.executable, "-c", OTHER, str(home.path), key, deed], check=True, cwd=ROOT)


def test_r10_r18_s13_asked_by_two_servers_and_many_clicks_it_is_computed_once(home):
    step = home.step("count", {"n": 40, "mark": ""})
    step = Step(step.key, "test", "count", "steps:count", {"n": 40, "mark": step.key})
    home.submit(step, owner="ann")
    other_server(home, step.key, "submit")
    other_server(home, step.key, "cancel")
    assert home.jobs.view(step.key).state in ("queued", "running")
    other_server(home, step.key, "submit")
    home.jobs.cancel([step.key], "ann")  # whoever began it leaves, bob's page is closed as well
    home.until(step.key, "done")
    assert len((home.path / step.key).read_text().splitlines()) == 1
    assert step.key in [view.key for view in Jobs(home.path).owned("bob")]


def test_r14_every_numeric_library_keeps_to_its_share_of_the_cores(home):
    home.until(home.submit(home.step("thread_pools", {"name": "pools"})), "done", seconds=30)
    told = json.loads((home.path / "pools").read_text())
    share = max(1, (os.cpu_count() or 1) // 2)
    assert set(told["variables"].values()) == {str(share)}
    assert told["pools"]
    assert set(told["pools"].values()) == {share}
    assert told["oom"] == "900"


def test_a_flood_of_one_person_costs_another_one_turn(home):
    flood = [home.step("count", {"n": 1, "pause": 0.02, "mark": "turns"}) for _ in range(500)]
    begun = time.process_time()
    home.submit(*flood, owner="flood")
    assert time.process_time() - begun < 1.0
    home.until(flood[2].key, "done")
    mine = home.step("write", {"name": "mine", "mark": "turns"})
    before = len((home.path / "turns").read_text().splitlines())
    home.until(home.submit(mine, owner="bob"), "done")
    turns = [line.split()[0] for line in (home.path / "turns").read_text().splitlines()]
    assert turns.index("mine") - before <= 8, "two at work, two handed out, some while we looked"
    begun = time.process_time()
    views = home.jobs.views([step.key for step in flood])
    assert time.process_time() - begun < 0.2
    assert "queued" in {view.state for view in views.values()}
    home.jobs.cancel(list(views), "flood")
    for key in views:
        home.until(key, "done", "cancelled")


def test_old_records_go_by_number_and_take_nothing_along_that_is_wanted(tmp_path):
    jobs, queue = Jobs(tmp_path), Queue(tmp_path)
    for number in range(30):
        jobs.submit([Step(f"{number}", "test", "", "steps:write", {})], f"owner{number}")
    for order in queue.take({"worker": 20}):
        queue.end(order.key, "done", None, 1.0)
    running = queue.take({"worker": 2})
    queue.forget_old(jobs=5)
    views = jobs.views([f"{number}" for number in range(30)])
    assert [key for key, view in views.items() if view.state == "done"] == [
        "15", "16", "17", "18", "19"]
    assert {view.state for key, view in views.items() if int(key) >= 20} == {"running", "queued"}
    assert {order.key for order in running} == {"20", "21"}
    assert not jobs.owned("owner3")


def test_r16_dead_workers_leave_no_process_file_or_thread_in_the_engine(home):
    engine = psutil.Process(home.engine.pid)

    def size():
        limit = time.monotonic() + 20
        while len(engine.children()) < 3 and time.monotonic() < limit:
            time.sleep(0.05)
        time.sleep(1)
        states = [child.status() for child in engine.children(recursive=True)]
        assert psutil.STATUS_ZOMBIE not in states
        return engine.num_fds(), engine.num_threads(), len(states)

    sizes = []
    for _ in range(2):
        for step in [home.step("killed") for _ in range(3)]:
            home.until(home.submit(step), "failed", seconds=30)
        sizes.append(size())
    assert all(late <= early + 3 for early, late in zip(*sizes, strict=True)), sizes


def test_r05_a_step_that_is_expected_not_to_fit_says_so_when_it_starts(home):
    step = home.step("sleep", {"size": {"method": "m", "n": 1, "d": 1, "expected": 1.0,
                                       "bytes": 14_400_000_000}})
    key = home.submit(step)
    home.until(key, "running")
    said = "Expected to need 14.4 GB of memory; a worker may use 0.4 GB."
    limit = time.monotonic() + 5
    while home.jobs.view(key).text != said:
        assert time.monotonic() < limit, home.jobs.view(key)
        time.sleep(0.02)
    home.jobs.cancel([key], "ann")
    home.until(key, "cancelled")
