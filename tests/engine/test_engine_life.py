"""The engine process: killed, taken over, left alone; warm-ups; a real cluster."""

import os
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest

from explorer import engine
from explorer.engine_settings import Settings
from explorer.errors import ParameterError
from explorer.jobs import Jobs, Step
from tests.engine.homes import HERE, Home, log, until


def gone(processes, seconds=8.0):
    _, left = psutil.wait_procs(processes, timeout=seconds)
    return not [process for process in left if process.status() != psutil.STATUS_ZOMBIE]


def family(pid):
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def test_a_killed_engine_comes_back_and_tells_the_truth(environment, tmp_path):
    home = Home(tmp_path)
    busy = home.step("hang", {"mark": "hung"})
    blocked = home.step("write", {"name": "no"}, after=(busy.key,))
    waiting = home.step("write", {"name": "yes"})
    home.submit(busy, blocked, waiting)
    home.until(busy.key, "running")
    while not (tmp_path / "hung").exists():
        time.sleep(0.02)
    first = home.engine.pid
    everyone = family(first)
    os.kill(first, signal.SIGKILL)
    view = home.until(busy.key, "interrupted", seconds=30)
    assert view.error.code == "JOB_INTERRUPTED"
    assert "restarted" in view.error.message
    assert home.until(blocked.key, "interrupted").error.code == "JOB_INTERRUPTED"
    home.until(waiting.key, "done", seconds=30)
    assert home.engine.pid not in (None, first)
    assert gone(everyone)
    again = home.step("hang")
    home.submit(again)
    home.until(again.key, "running")
    everyone = family(home.engine.pid)
    home.engine.stop()
    assert home.jobs.view(again.key).state == "interrupted"
    assert not home.jobs.engine_alive()
    assert gone(everyone, 1.0)
    assert not (tmp_path / "engine").exists()


PARENT = """
import sys, time
from pathlib import Path
from explorer import engine
if __name__ == "__main__":
    running = engine.start(Path(sys.argv[1]))
    assert running.wait_ready(60)
    print(running.pid, flush=True)
    time.sleep(600)
print("imported", __name__, flush=True)
"""


def test_no_orphans_when_the_server_dies_and_another_takes_over(environment, tmp_path):
    script = tmp_path / "server.py"
    script.write_text(PARENT)
    server = subprocess.Popen([sys.executable, str(script), str(tmp_path / "home")],
                              stdout=subprocess.PIPE, text=True)
    first = int(server.stdout.readline())
    everyone = family(first)
    here = Home(tmp_path / "home")
    time.sleep(0.5)
    assert here.engine.pid is None
    assert here.jobs.engine_alive()
    busy = here.step("hang", {"mark": "hung"})
    here.submit(busy)
    here.until(busy.key, "running")
    os.kill(server.pid, signal.SIGKILL)
    server.wait()
    assert gone(everyone)
    with server.stdout:
        assert "imported" not in server.stdout.read()
    here.until(busy.key, "interrupted", seconds=30)
    here.until(here.submit(here.step("write", {"name": "on"})), "done", seconds=30)
    assert here.engine.pid not in (None, first)
    assert engine.start(tmp_path / "home") is here.engine
    here.engine.stop()


def test_warm_ups_run_when_idle_and_give_way(environment, tmp_path):
    mark = tmp_path / "warm"
    environment.setenv("WARM_MARK", str(mark))
    environment.setenv("EXPLORER_WARM", "steps:nothing_like_it,steps:warm,steps:warm_slowly")
    home = Home(tmp_path / "home")
    limit = time.monotonic() + 20
    while not mark.exists() or len(mark.read_text().split()) < 2:
        assert time.monotonic() < limit, log(home.path)
        time.sleep(0.05)
    begun = time.monotonic()
    key = home.submit(home.step("identity", {"name": "who"}))
    home.until(key, "done", seconds=30)
    assert time.monotonic() - begun < 10
    assert len(home.jobs.owned("ann")) == 1
    home.engine.stop()


def test_an_engine_that_cannot_start_says_why(environment, tmp_path):
    environment.setenv("EXPLORER_SCHEDULER", "tcp://10.0.0.1:8786")
    running = engine.start(tmp_path)
    jobs = Jobs(tmp_path)
    limit = time.monotonic() + 20
    while not jobs.engine_note() and time.monotonic() < limit:
        time.sleep(0.05)
    running.stop()
    assert "tls://" in jobs.engine_note()
    assert not jobs.engine_ready()


@pytest.mark.parametrize(("name", "value"), [
    ("EXPLORER_WORKERS", "many"), ("EXPLORER_WORKERS", "-1"), ("EXPLORER_WORKER_MEMORY", "0"),
    ("EXPLORER_WORKER_MEMORY", "lots")])
def test_settings_refuse_nonsense(name, value):
    with pytest.raises(ParameterError) as caught:
        Settings.from_environment({name: value})
    assert caught.value.where.parameter == name


def test_settings():
    settings = Settings.from_environment({"EXPLORER_WORKERS": "3", "EXPLORER_WORKER_MEMORY": "2GB"})
    assert (settings.workers, settings.memory) == (3, 2_000_000_000)
    default = Settings.from_environment({})
    assert 1 <= default.workers <= 4
    assert default.memory * default.workers <= 0.61 * psutil.virtual_memory().total


def certificates(folder):
    from distributed.security import Security

    made = Security.temporary()
    pair = folder / "pair.pem"
    pair.write_text(made.tls_client_cert + made.tls_client_key)
    ca = folder / "ca.pem"
    ca.write_text(made.tls_ca_file)
    return str(ca), str(pair)


@pytest.mark.slow
def test_a_real_cluster_of_separate_processes(environment, tmp_path):
    ca, pair = certificates(tmp_path)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"tls://127.0.0.1:{port}"
    secure = ["--tls-ca-file", ca, "--tls-cert", pair, "--tls-key", pair]
    common = {"cwd": HERE, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    commands = [[sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1",
                 "--port", str(port), "--protocol", "tls", "--no-dashboard", *secure]]
    commands += [[sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1",
                  "--no-dashboard", "--local-directory", str(tmp_path), *secure]] * 2
    processes = [subprocess.Popen(command, **common) for command in commands]
    for name, value in (("", address), ("_CA", ca), ("_CERT", pair), ("_KEY", pair)):
        environment.setenv(f"EXPLORER_SCHEDULER{name}", value)
    try:
        home = Home(tmp_path / "home")
        steps = [home.step("identity", {"name": f"who{i}"}) for i in range(2)]
        rounds = [home.step("count", {"n": 20}) for _ in range(2)]
        home.submit(*rounds, *steps)
        home.until(rounds[0].key, "running", seconds=60)
        home.until(rounds[1].key, "running", seconds=60)
        for step in (*rounds, *steps):
            home.until(step.key, "done", seconds=60)
        workers = psutil.Process().children(recursive=True)
        pid = int((home.path / "who0").read_text().split()[0])
        assert pid in [process.pid for process in workers]
        assert home.engine.pid not in [process.pid for process in psutil.Process(pid).parents()]
        assert home.until(home.submit(home.step("killed")), "failed",
                          seconds=60).error.code == "WORKER_KILLED"
        hanging = home.submit(home.step("hang"))
        home.until(hanging, "running", seconds=60)
        home.jobs.cancel([hanging], "ann")
        home.until(hanging, "cancelled", seconds=30)
        home.until(home.submit(home.step("write", {"name": "on"})), "done", seconds=60)
        home.engine.stop()
    finally:
        for process in processes:
            for member in family(process.pid):
                member.kill()
            process.wait(20)


def test_the_table_of_the_queue_alone(tmp_path):
    """Without an engine: submitted, seen, cancelled, refused; nothing claims to run."""
    jobs = Jobs(tmp_path)
    step = Step("a1", "encode", "MiniLM", "steps:write", {"size": {}}, seconds=3.0)
    assert jobs.view("a1") is None
    jobs.submit([step], "ann")
    view = until(jobs, "a1", "queued")
    assert (view.kind, view.title, view.remaining, view.ahead) == ("encode", "MiniLM", 3.0, 0)
    assert not jobs.engine_alive()
    assert jobs.calibration("minilm") is None
    assert set(jobs.views(["a1", "none"])) == {"a1"}
    from explorer.errors import JobError

    with pytest.raises(JobError, match="UMAP must wait for"):
        jobs.submit([Step("b1", "project", "UMAP", "steps:write", {}, after=("zz",))], "ann")
    assert jobs.view("b1") is None
    jobs.submit([Step("c1", "project", "PCA", "steps:write", {}, after=("a1",))], "ann")
    assert [view.key for view in jobs.owned("ann")] == ["c1", "a1"]
    jobs.cancel(["a1", "c1"], "ann")
    assert {view.state for view in jobs.owned("ann")} == {"cancelled"}
