"""Real faults in real workers: HOSTILE 3.12, by id. Each ends its own job, in words, soon."""

import os
import signal
import time

import psutil
import pytest

from tests.engine.homes import log

SOON = 5.0  # seconds, the catalogue's limit


def words(home, name):
    path = home.path / name
    return path.read_text().split("\n")[:-1] if path.exists() else []


def until_marked(home, name, seconds=15.0):
    limit = time.monotonic() + seconds
    while not words(home, name):
        assert time.monotonic() < limit, log(home.path)
        time.sleep(0.02)
    return int(words(home, name)[0].split()[1])


def alive(home):
    """The engine is the same, and the next job of somebody else is done."""
    home.until(home.submit(home.step("write", {"name": "after"}), owner="bob"), "done", seconds=20)


def gone(pid, seconds=5.0):
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


@pytest.fixture(autouse=True)
def same_engine(home):
    before = home.engine.pid
    yield
    assert home.engine.pid == before, log(home.path)


def test_r01_a_worker_killed_from_outside_is_noticed_soon(home):
    """The record speaks of it within 5 s, by signal; the second kill ends the job."""
    key = home.submit(home.step("hang", {"mark": "outside"}))
    os.kill(until_marked(home, "outside"), signal.SIGKILL)
    begun = time.monotonic()
    while not home.jobs.view(key).text.startswith("Second attempt"):
        assert time.monotonic() - begun < SOON, home.jobs.view(key)
        time.sleep(0.02)
    assert "signal 9" in home.jobs.view(key).text
    while len(words(home, "outside")) < 2:
        time.sleep(0.02)
    os.kill(int(words(home, "outside")[1].split()[1]), signal.SIGKILL)
    begun = time.monotonic()
    assert "signal 9, SIGKILL" in home.until(key, "failed").error.message
    assert time.monotonic() - begun < SOON
    alive(home)


@pytest.mark.parametrize(("name", "said"), [
    ("crash", "crashed in native code (signal 11, SIGSEGV)"),
    ("abort", "crashed in native code (signal 6, SIGABRT), perhaps because it was refused memory"),
    ("exit_silently", "ended by itself (exit status 0)")])
def test_r02_how_a_worker_died_is_named(home, name, said):
    step = home.step(name, title="t-SNE")
    view = home.until(home.submit(step), "failed")
    assert view.error.code == "WORKER_KILLED"
    assert f"t-SNE {said}" in view.error.message or f"worker process {said}" in view.error.message
    assert view.attempts == 2


def test_r05_one_allocation_beyond_the_limit_is_refused_at_once(home):
    """1.6 GB at 400 MB: the nanny's look would come too late; RLIMIT_DATA does not."""
    view = home.until(home.submit(home.step("hog_at_once", {"bytes": 1.6e9}, title="UMAP")),
                      "failed")
    assert view.error.code == "OUT_OF_MEMORY"
    assert view.error.message.startswith("UMAP needed more memory than a worker may use")
    assert "of 400 MB and asked for more (Unable to allocate 1.49 GiB" in view.error.message
    assert "EXPLORER_WORKER_MEMORY" in view.error.hint
    assert (view.attempts, view.elapsed < SOON) == (1, True)
    alive(home)


def test_r05_growing_beyond_the_limit_says_how_far_it_came(home):
    message = home.until(home.submit(home.step("hog")), "failed", seconds=20).error.message
    held = int(message.split(": ")[1].split(" MB")[0])
    assert 380 <= held < 900
    alive(home)


def test_r07_a_step_that_holds_the_interpreter_is_cancelled_soon(home):
    key = home.submit(home.step("hold_gil", {"mark": "gil"}))
    pid = until_marked(home, "gil")
    begun = time.monotonic()
    home.jobs.cancel([key], "ann")
    home.until(key, "cancelled")
    assert time.monotonic() - begun < SOON
    assert gone(pid)


def test_r13_a_worker_that_is_stopped_goes_on_when_it_may(home):
    key = home.submit(home.step("stop_yourself", {"mark": "asleep"}))
    pid = until_marked(home, "asleep")
    time.sleep(2)
    assert psutil.Process(pid).status() == psutil.STATUS_STOPPED
    assert home.jobs.view(key).state == "running"
    os.kill(pid, signal.SIGCONT)
    view = home.until(key, "done")
    assert (view.attempts, view.text) == (1, "awake")


def test_r13_an_engine_that_is_stopped_goes_on_when_it_may(home):
    key = home.submit(home.step("count", {"n": 40, "mark": "through"}))
    home.until(key, "running")
    os.kill(home.engine.pid, signal.SIGSTOP)
    time.sleep(2)
    os.kill(home.engine.pid, signal.SIGCONT)
    assert home.until(key, "done").attempts == 1
    assert len(words(home, "through")) == 1


def test_r14_threads_without_end_are_refused_and_gone(home):
    view = home.until(home.submit(home.step("hog_threads")), "failed", seconds=20)
    assert view.error.code in ("STEP_FAILED", "OUT_OF_MEMORY", "WORKER_KILLED"), view
    alive(home)
    engine = psutil.Process(home.engine.pid)
    assert sum(child.num_threads() for child in engine.children(recursive=True)) < 100


def test_r14_a_thread_left_running_ends_with_its_worker(home):
    home.until(home.submit(home.step("leave_thread"), home.step("identity", {"name": "who"})),
               "done")
    limit = time.monotonic() + SOON
    while "threads left" not in log(home.path):
        assert time.monotonic() < limit
        time.sleep(0.05)
    alive(home)


@pytest.mark.parametrize("die", [False, True])
def test_r14_a_child_left_running_is_ended(home, die):
    name = f"child{die}"
    key = home.submit(home.step("leave_child", {"name": name, "die": die}))
    home.until(key, "failed" if die else "done")
    assert gone(int((home.path / name).read_text().split()[1]))
    alive(home)


def test_r16_a_hundred_megabytes_of_output_neither_stop_nor_fill(home):
    begun = time.monotonic()
    home.until(home.submit(home.step("chatter", {"bytes": 100e6})), "done", seconds=30)
    assert time.monotonic() - begun < 20
    limit = time.monotonic() + SOON
    while "bytes of output left out" not in log(home.path):
        assert time.monotonic() < limit
        time.sleep(0.05)
    size = sum(path.stat().st_size for path in home.path.glob("engine.log*"))
    assert size < 2_000_000


def test_r17_any_exception_arrives_cut_and_in_characters(home):
    steps = [home.step("half_character"), home.step("long_refusal")]
    home.submit(*steps)
    errors = [home.until(step.key, "failed", seconds=20).error for step in steps]
    assert errors[0].code == "STEP_FAILED"
    assert errors[0].message.endswith("? is half a character")
    assert errors[1].code == "TOO_LONG"
    assert len(str(errors[1])) < 10_000
    alive(home)
