"""One engine, many steps: results, progress, cancel, deaths, order."""

import os
import time

import pytest


def words(home, name):
    return (home.path / name).read_text().split("\n")[:-1]


def test_a_step_writes_its_result_soon(home):
    key = home.submit(home.step("write", {"name": "note", "text": "héllo"}))
    view = home.until(key, "done")
    assert (home.path / "note").read_text() == "héllo"
    assert (view.fraction, view.attempts, view.error, view.remaining) == (1.0, 1, None, 0.0)
    started = []
    for _ in range(3):
        begun = time.monotonic()
        home.until(home.submit(home.step("write", {"name": "note"})), "running", "done")
        started.append(time.monotonic() - begun)
    assert min(started) < 0.3


def test_progress_is_seen_and_never_goes_back(home):
    key = home.submit(home.step("count", {"n": 30, "pause": 0.04}, seconds=2.0))
    seen = []
    while (view := home.jobs.view(key)).state in ("queued", "running"):
        seen.append(view)
        time.sleep(0.03)
    fractions = [view.fraction for view in seen]
    assert fractions == sorted(fractions)
    assert len(set(fractions)) >= 4
    assert seen[-1].text.startswith("round ")
    late = [view.remaining for view in seen if view.fraction > 0.5 and view.elapsed > 0.6]
    assert late
    assert late[-1] < late[0] < 2.0
    assert view.state == "done"


def test_finished_steps_calibrate_what_later_ones_are_expected_to_take(home):
    size = {"method": "slowpoke", "n": 10, "d": 2}
    for seconds in (0.1, 0.2, 100.0):
        # What the method itself expects counts, not what the form made of it by earlier runs.
        told = {**size, "expected": seconds}
        step = home.step("count", {"n": 4, "pause": 0.05, "size": told}, seconds=7 * seconds)
        home.until(home.submit(step), "done")
    failed = home.step("refuse", {"size": {**size, "expected": 1e-6}}, seconds=1.0)
    home.until(home.submit(failed), "failed")
    assert 1.0 <= home.jobs.calibration("slowpoke") < 2.0  # 0.2 s and a little, of 0.2 expected
    assert home.jobs.calibration("other") is None


def test_workers_are_polite_and_offline(home):
    home.until(home.submit(home.step("identity", {"name": "who"})), "done")
    pid, nice, threads, offline, parallel = (home.path / "who").read_text().split()
    assert int(pid) not in (os.getpid(), home.engine.pid)
    assert int(nice) >= 10
    assert int(threads) == max(1, (os.cpu_count() or 1) // 2)
    assert (offline, parallel) == ("1", "false")


@pytest.mark.parametrize("name", ["count", "pass_on"])
def test_cancel_stops_at_the_next_report(home, name):
    key = home.submit(home.step(name, {"n": 10_000}))
    home.until(key, "running")
    time.sleep(0.2)
    begun = time.monotonic()
    home.jobs.cancel([key], "ann")
    view = home.until(key, "cancelled")
    assert time.monotonic() - begun < 1.5
    assert view.error is None


def test_cancel_kills_a_step_that_never_reports(home):
    key = home.submit(home.step("hang", {"mark": "hung"}))
    home.until(key, "running")
    while not (home.path / "hung").exists():
        time.sleep(0.02)
    pid = int(words(home, "hung")[0].split()[1])
    begun = time.monotonic()
    home.jobs.cancel([key], "ann")
    home.until(key, "cancelled")
    assert time.monotonic() - begun < 5
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    home.until(home.submit(home.step("write", {"name": "after"})), "done")


def test_cancel_of_a_queued_step_is_immediate_and_of_a_finished_one_nothing(home):
    busy = [home.step("count", {"n": 40}) for _ in range(2)]
    waiting = home.step("write", {"name": "never"})
    home.submit(*busy, waiting)
    home.until(busy[0].key, "running")
    assert home.jobs.view(waiting.key).state == "queued"
    home.jobs.cancel([waiting.key], "ann")
    assert home.jobs.view(waiting.key).state == "cancelled"
    home.jobs.cancel([step.key for step in busy], "ann")
    home.until(busy[1].key, "cancelled")
    home.jobs.cancel([busy[1].key], "ann")
    assert not (home.path / "never").exists()


def test_a_killed_worker_fails_its_step_only(home):
    bystander = home.step("count", {"n": 30})
    victim = home.step("killed", {"mark": "deaths"}, title="UMAP")
    home.submit(victim, bystander)
    view = home.until(victim.key, "failed")
    assert view.error.code == "WORKER_KILLED"
    assert "UMAP" in view.error.message
    assert "signal 9" in view.error.message
    assert view.attempts == 2
    assert len(words(home, "deaths")) == 2
    assert home.until(bystander.key, "done").attempts == 1


def test_a_second_attempt_is_said_and_may_succeed(home):
    key = home.submit(home.step("killed_once", {"mark": "lives"}))
    view = home.until(key, "done")
    assert view.attempts == 2
    assert view.text.startswith("Second attempt")
    assert len(words(home, "lives")) == 2


def test_a_crash_in_native_code_is_named(home):
    view = home.until(home.submit(home.step("crash", title="t-SNE")), "failed")
    assert view.error.code == "WORKER_KILLED"
    assert "t-SNE crashed in native code (signal 11" in view.error.message


def test_too_much_memory_is_named_and_not_tried_twice(home):
    view = home.until(home.submit(home.step("hog")), "failed", seconds=20)
    assert view.error.code == "OUT_OF_MEMORY"
    assert "of 400 MB" in view.error.message
    assert view.attempts == 1
    home.until(home.submit(home.step("write", {"name": "later"})), "done")


def test_what_a_step_raises_arrives_as_words(home):
    names = ("unpicklable", "unreadable", "leave", "refuse")
    steps = {name: home.step(name) for name in names}
    home.submit(*steps.values())
    errors = {name: home.until(step.key, "failed").error for name, step in steps.items()}
    big = errors["unpicklable"]
    assert big.code == "STEP_FAILED"
    assert len(big.message) < 600
    assert "'table.csv'" in big.message
    assert "/secret" not in str(big)
    assert "Traceback" not in str(big)
    assert "Mute" in errors["unreadable"].message
    assert "SystemExit" in errors["leave"].message
    assert type(errors["refuse"]).__name__ == "DataError"
    assert errors["refuse"].code == "TOO_FEW_ROWS"
    assert (errors["refuse"].where.file, errors["refuse"].hint) == ("a.csv", "Add rows.")
    assert "steps.py" in (home.path / "engine.log").read_text()


def test_an_unknown_call_fails_in_words(home):
    step = home.step("nothing_like_it")
    assert home.until(home.submit(step), "failed").error.code == "UNKNOWN_CALL"


def test_the_same_step_of_two_people_runs_once(home):
    step = home.step("count", {"n": 20, "mark": "single"})
    home.submit(step, owner="ann")
    home.submit(step, owner="bob")
    home.until(step.key, "running")
    home.submit(step, owner="bob")
    home.jobs.cancel([step.key], "ann")
    home.until(step.key, "done")
    assert len(words(home, "single")) == 1
    assert step.key in [view.key for view in home.jobs.owned("bob")]


def test_the_last_one_to_leave_stops_it_and_a_newcomer_gets_it_again(home):
    step = home.step("count", {"n": 200})
    home.submit(step, owner="ann")
    home.submit(step, owner="bob")
    home.until(step.key, "running")
    home.jobs.cancel([step.key], "ann")
    time.sleep(0.3)
    assert home.jobs.view(step.key).state == "running"
    home.jobs.cancel([step.key], "bob")
    time.sleep(0.02)
    home.submit(step, owner="eve")
    time.sleep(1.0)
    assert home.jobs.view(step.key).state in ("queued", "running")
    home.jobs.cancel([step.key], "eve")
    assert home.until(step.key, "cancelled").attempts == 1


def test_steps_run_after_what_they_need(home):
    first = home.step("count", {"n": 6, "mark": "order", "name": "first"})
    second = home.step("write", {"name": "second", "mark": "order"}, after=(first.key,))
    third = home.step("write", {"name": "third", "mark": "order"}, after=(first.key, second.key))
    home.submit(third, second, first)
    home.until(third.key, "done")
    assert [line.split()[0] for line in words(home, "order")] == ["first", "second", "third"]


def test_a_failure_ends_what_needs_it_and_nothing_else(home):
    first = home.step("refuse", title="Encode")
    second = home.step("write", {"name": "no"}, after=(first.key,), title="UMAP")
    third = home.step("write", {"name": "no"}, after=(second.key,))
    other = home.step("write", {"name": "yes"})
    home.submit(first, second, third, other)
    view = home.until(second.key, "failed")
    assert view.error.code == "STEP_BEFORE_FAILED"
    assert "Encode" in view.error.message
    assert "UMAP" in home.until(third.key, "failed").error.message
    home.until(other.key, "done")
    assert not (home.path / "no").exists()


def test_a_cancel_ends_what_needs_it(home):
    first = home.step("count", {"n": 1000})
    second = home.step("write", {"name": "no"}, after=(first.key,))
    home.submit(first, second)
    home.until(first.key, "running")
    home.jobs.cancel([first.key], "ann")
    assert home.until(second.key, "cancelled").error is None


def test_a_host_step_runs_beside_busy_workers_and_stops(home):
    busy = [home.step("count", {"n": 10_000}) for _ in range(3)]
    host = home.step("child", {"name": "pids"}, lane="host")
    home.submit(*busy, host)
    home.until(host.key, "running")
    while not (home.path / "pids").exists():
        time.sleep(0.02)
    assert home.jobs.view(busy[2].key).state == "queued"
    engine, child = map(int, (home.path / "pids").read_text().split())
    assert engine == home.engine.pid
    home.jobs.cancel([host.key, *(step.key for step in busy)], "ann")
    home.until(host.key, "cancelled")
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
    for step in busy:
        home.until(step.key, "cancelled")


def test_people_take_turns(home):
    """Ann queues six, then Bob two: Bob's come after at most one more of Ann's each."""
    stop = [home.step("count", {"n": 8}) for _ in range(2)]
    home.submit(*stop, owner="eve")
    home.until(stop[1].key, "running")
    anns = [home.step("count", {"n": 1, "mark": "turns", "name": f"ann{i}"}) for i in range(6)]
    bobs = [home.step("count", {"n": 1, "mark": "turns", "name": f"bob{i}"}) for i in range(2)]
    home.submit(*anns, owner="ann")
    home.submit(*bobs, owner="bob")
    views = home.jobs.views([step.key for step in (*anns, *bobs)])
    assert sorted(view.ahead for view in views.values()) == list(range(8))
    assert views[bobs[1].key].ahead <= 3
    home.until(anns[5].key, "done")
    home.until(bobs[1].key, "done")
    order = [line.split()[0] for line in words(home, "turns")]
    assert max(order.index("bob0"), order.index("bob1")) <= 5
    assert next(name for name in order if name.startswith("ann")) == "ann0"


def test_many_small_steps_leave_nothing_behind(home):
    import psutil

    process = psutil.Process(home.engine.pid)
    steps = [home.step("write", {"name": "many"}) for _ in range(60)]
    home.submit(*steps[:20])
    for step in steps[:20]:
        home.until(step.key, "done")
    files, threads = process.num_fds(), process.num_threads()
    home.submit(*steps[20:])
    for step in steps[20:]:
        home.until(step.key, "done")
    assert process.num_fds() <= files + 3
    assert process.num_threads() <= threads + 3


def test_everything_listens_on_this_machine_only(home):
    import psutil

    engine = psutil.Process(home.engine.pid)
    ports = [socket.laddr.ip for process in (engine, *engine.children(recursive=True))
             for socket in process.net_connections() if socket.status == psutil.CONN_LISTEN]
    assert ports
    assert set(ports) == {"127.0.0.1"}
