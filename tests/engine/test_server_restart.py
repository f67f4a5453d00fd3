"""The real server, killed and told to end in the middle of a job: R03, R04, S03."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from explorer.jobs import Jobs, Step
from tests.engine.homes import set_environment, until

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def server(home):
    """`streamlit run app.py` for that home; what it started is gone afterwards in any case."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with open(home / "server.log", "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port),
             "--server.headless", "true", "--server.address", "127.0.0.1"], cwd=ROOT,
            env={**os.environ, "EXPLORER_HOME": str(home)}, stdin=subprocess.DEVNULL,
            stdout=log, stderr=log)
    process.address = f"http://127.0.0.1:{port}/_stcore/health"
    try:
        yield process
    finally:
        for member in family(process.pid):
            member.kill()
        process.wait()


def family(pid):
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def usable(process, jobs, seconds=90.0):
    """Seconds until the server answers and an engine is ready."""
    begun = time.monotonic()
    while True:
        try:
            with urllib.request.urlopen(process.address, timeout=1):
                if jobs.engine_ready():
                    return time.monotonic() - begun
        except OSError:
            assert process.poll() is None
        assert time.monotonic() - begun < seconds
        time.sleep(0.05)


def running(jobs, home):
    """A job that hangs, and all processes of the server, once it does."""
    key = os.urandom(4).hex()
    jobs.submit([Step(key, "test", "UMAP", "steps:hang", {"mark": key})], "ann")
    limit = time.monotonic() + 60
    while not (home / key).exists():
        assert time.monotonic() < limit
        time.sleep(0.05)
    return key


def gone(processes, seconds):
    left = psutil.wait_procs(processes, timeout=seconds)[1]
    return not [process for process in left if process.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.slow
def test_r03_r04_a_server_that_ends_in_any_way_leaves_the_truth_and_no_process(
        monkeypatch, tmp_path):
    set_environment(monkeypatch, EXPLORER_WORKERS="1")
    jobs = Jobs(tmp_path)
    with server(tmp_path) as first:
        usable(first, jobs)
        key = running(jobs, tmp_path)
        waiting = Step("waits", "test", "PCA", "steps:write", {"name": "out"})
        jobs.submit([waiting], "bob")
        everyone = family(first.pid)
        assert len(everyone) >= 3
        first.kill()
        assert gone(everyone, 10)
        assert not jobs.engine_alive()
    with server(tmp_path) as second:
        print(f"cold restart to usable: {usable(second, jobs):.1f} s")
        view = jobs.view(key)
        assert (view.state, view.error.code) == ("interrupted", "JOB_INTERRUPTED")
        assert "Run it again" in str(view.error)
        until(jobs, "waits", "done", seconds=60)
        key = running(jobs, tmp_path)
        everyone = family(second.pid)
        begun = time.monotonic()
        second.send_signal(signal.SIGTERM)
        assert second.wait(30) == 0
        assert gone(everyone, 10)
        print(f"SIGTERM to the end: {time.monotonic() - begun:.1f} s")
        assert time.monotonic() - begun < 10
    assert jobs.view(key).state == "interrupted"
    assert not (tmp_path / "engine").exists()
