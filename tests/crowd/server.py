"""The app as a process of its own, started for a crowd and watched from outside."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Vitals:
    """The server process at one moment. `children`: all processes below it."""

    rss: int
    fds: int
    threads: int
    children: int

    def words(self) -> str:
        return (f"RSS {self.rss / 1e6:.0f} MB, {self.fds} fds, {self.threads} threads, "
                f"{self.children} children")


@dataclass
class Server:
    """`streamlit run app.py` on a free port, logging into `home`/server.log."""

    home: Path
    process: subprocess.Popen[bytes]
    url: str

    def vitals(self) -> Vitals:
        """Memory, file handles, threads and children of the server process."""
        process = psutil.Process(self.process.pid)
        children = process.children(recursive=True)
        return Vitals(process.memory_info().rss, process.num_fds(), process.num_threads(),
                      len(children))

    def log(self) -> str:
        """What the server and the engine wrote."""
        return "\n".join((self.home / name).read_text(errors="replace")
                         for name in ("server.log", "engine.log") if (self.home / name).exists())

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """kill -9, with everything below it left to itself."""
        self.process.kill()
        self.process.wait()


def start(home: Path, port: int = 0, **environment: str) -> Server:
    """The app on `home`; returns when it is healthy."""
    home.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    with open(home / "server.log", "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port),
             "--server.headless", "true"],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env={**os.environ, "EXPLORER_HOME": str(home), **environment})
    server = Server(home, process, f"http://127.0.0.1:{port}")
    limit = time.monotonic() + 90
    while not healthy(server.url):
        if process.poll() is not None or time.monotonic() > limit:
            server.kill()
            raise RuntimeError(f"the app did not start:\n{server.log()[-3000:]}")
        time.sleep(0.1)
    return server


@contextmanager
def serving(home: Path | None = None, **environment: str) -> Iterator[Server]:
    """A server for the time of the block, on a fresh home unless one is given."""
    with tempfile.TemporaryDirectory(prefix="crowd", ignore_cleanup_errors=True) as folder:
        server = start(home or Path(folder), **environment)
        try:
            yield server
        finally:
            server.stop()


def healthy(url: str, seconds: float = 1.0) -> bool:
    """Whether the health check answers 200 within so many seconds."""
    with suppress(OSError):
        return bool(urllib.request.urlopen(f"{url}/_stcore/health", timeout=seconds).status == 200)
    return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
