"""Kills and cancels real steps at random moments and looks at what is left: R01, R12, R16.

    python -m tests.engine.kill_loop --count 500 --seed 0

Every round asks for the steps of a small recipe (one of several, each with a seed of its own so
that all is computed), then kills the worker of a running step, or cancels, or does nothing. Each
must end in words within 5 seconds, run to its end when asked again, and leave no process. A kill
in the middle of a write leaves a temporary folder, which goes with its worker: they are counted.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import psutil

from explorer import engine
from explorer.imports import imported, sample_step
from explorer.jobs import Jobs
from explorer.plan import make_plan
from explorer.propose import propose
from explorer.recipe import recipe_from_data
from explorer.store import Store

SOON = 5.0
PATIENCE = 900.0
"""Seconds for a step to end by itself: UMAP compiles for a minute in every new worker."""
CHOICES = [("pca", "kmeans", "embedding"), ("tsne", "kmeans", "embedding"),
           ("umap", "hdbscan", "projection"), ("pca", "agglomerative", "embedding")]
MOVING = ("queued", "running")


@dataclass
class Report:
    """What the rounds did and how long the engine took to say so (seconds)."""

    kills: list[float] = field(default_factory=list)
    cancels: list[float] = field(default_factory=list)
    rounds: int = 0
    left_alone: int = 0
    steps: int = 0
    wrong: list[str] = field(default_factory=list)


class Killer:
    """One home, one engine, many rounds."""

    def __init__(self, home: Path, seed: int, choices) -> None:
        self.home = home
        self.choices = choices
        self.random = random.Random(seed)
        self.store, self.jobs = Store(home), Jobs(home)
        self.engine = engine.start(home)
        assert self.engine.wait_ready(120), (home / "engine.log").read_text()[-2000:]
        step = sample_step("wine", "Wines")
        self.jobs.submit([step], "loop")
        self.wait([step.key], PATIENCE)
        self.dataset = imported(self.store, step.key)
        self.base = propose(self.dataset).recipe.model_dump(mode="json")
        self.report = Report()

    def wait(self, keys, seconds):
        """The views once none of them moves."""
        limit = time.monotonic() + seconds
        while True:
            views = self.jobs.views(keys)
            if not any(view.state in MOVING for view in views.values()):
                return views
            if time.monotonic() > limit:
                self.report.wrong.append(f"still {views}")
                return views
            time.sleep(0.02)

    def plan(self, number):
        projector, clusterer, place = self.random.choice(self.choices)
        chosen = dict(self.base, cluster_in=place)
        parameters = {} if projector == "pca" else {"seed": number}
        chosen["projector"] = {"method": projector, "parameters": parameters}
        parameters = {"clusters": 3, "seed": number} if clusterer == "kmeans" else {}
        chosen["clusterer"] = {"method": clusterer, "parameters": parameters}
        return make_plan(recipe_from_data(json.loads(json.dumps(chosen))), self.dataset,
                         self.store)

    def round(self, number):
        steps = self.plan(number).missing(self.store)
        keys = [step.key for step in steps]
        if not keys:
            self.report.left_alone += 1
            return
        self.report.steps += len(keys)
        self.jobs.submit(steps, "loop")
        time.sleep(self.random.expovariate(2.0))
        deed = self.random.choice(["kill", "kill", "cancel", "nothing"])
        if deed == "kill":
            self.kill(keys)
        elif deed == "cancel":
            self.cancel(keys)
        else:
            self.report.left_alone += 1
        for key, view in self.wait(keys, PATIENCE).items():
            self.look(key, view)
        self.again(number, steps)

    def kill(self, keys):
        """SIGKILL every process that works for the engine; the record must speak of it soon."""
        running = {key for key, view in self.jobs.views(keys).items() if view.state == "running"}
        before = {key: view.attempts for key, view in self.jobs.views(keys).items()}
        victims = workers(self.engine.pid)
        for process in victims:
            process.kill()
        begun = time.monotonic()
        while running and time.monotonic() < begun + 2 * SOON:
            for key, view in self.jobs.views(list(running)).items():
                told = "signal 9" in view.text or "signal 9" in str(view.error or "")
                if told or view.state == "done" or view.attempts > before[key]:
                    running.discard(key)
                    if told:
                        self.report.kills.append(time.monotonic() - begun)
            time.sleep(0.01)
        if running:
            self.report.wrong.append(f"not noticed: {self.jobs.views(list(running))}")

    def cancel(self, keys):
        moving = [key for key, view in self.jobs.views(keys).items() if view.state in MOVING]
        begun = time.monotonic()
        self.jobs.cancel(keys, "loop")
        self.wait(keys, 2 * SOON)
        if moving:
            self.report.cancels.append(time.monotonic() - begun)

    def look(self, key, view):
        """A record that says done has its result, another has its words."""
        if view.state == "done":
            fine = self.store.find(key) is not None
        elif view.state == "failed":
            fine = view.error.code == "STEP_BEFORE_FAILED" or "signal 9" in view.error.message
        else:
            fine = view.state == "cancelled" and view.error is None
        if not fine:
            self.report.wrong.append(f"{view}")

    def again(self, number, steps):
        missing = [step for step in steps if self.store.find(step.key) is None]
        if not missing:
            return
        self.jobs.submit(missing, "loop")
        for key, view in self.wait([step.key for step in missing],
                                   PATIENCE).items():
            if view.state != "done" or self.store.find(key) is None:
                self.report.wrong.append(f"round {number}, asked again: {view}")


def workers(pid):
    """The engine's worker processes."""
    found = []
    for process in psutil.Process(pid).children():
        try:
            if any("spawn_main" in word for word in process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


@dataclass(frozen=True)
class Size:
    """How much an engine holds of what must not grow."""

    files: int
    threads: int
    children: int
    zombies: int
    temporary: int

    @classmethod
    def of(cls, pid: int, home: Path) -> "Size":
        process = psutil.Process(pid)
        below = process.children(recursive=True)
        zombies = sum(child.status() == psutil.STATUS_ZOMBIE for child in below)
        return cls(process.num_fds(), process.num_threads(), len(below) - zombies, zombies,
                   len(list((home / "tmp").iterdir())))


def settle(killer: Killer) -> Size:
    """The size once the last worker is back."""
    limit = time.monotonic() + 30
    while len(workers(killer.engine.pid)) < 2 and time.monotonic() < limit:
        time.sleep(0.1)
    time.sleep(2.0)
    return Size.of(killer.engine.pid, killer.home)


def run(count: int, seed: int, home: Path, choices=CHOICES, minutes: float = 1e9,
        ) -> tuple[Report, Size, Size]:
    """`count` rounds in `home`, or as many as `minutes` allow; the report, and the engine's size
    after the first tenth and at the end."""
    limit = time.monotonic() + 60 * minutes
    killer = Killer(home, seed, choices)
    first = killer.engine.pid
    early = settle(killer)
    for number in range(1, count + 1):
        if time.monotonic() > limit:
            break
        wrong = len(killer.report.wrong)
        killer.round(number)
        killer.report.rounds = number
        if number == max(3, count // 10):
            early = settle(killer)
        for what in killer.report.wrong[wrong:]:
            print(f"round {number}: {what[:500]}", flush=True)
        if number % 25 == 0:
            print(f"{number} rounds", flush=True)
    late = settle(killer)
    if killer.engine.pid != first:
        killer.report.wrong.append("the engine was replaced")
    return killer.report, early, late


def in_words(name: str, seconds: list[float]) -> str:
    """'kills 12, noticed in 0.05 s (median), 0.31 s (longest)'."""
    if not seconds:
        return f"{name} 0"
    return f"{name} {len(seconds)}, said after {median(seconds):.2f} s (longest {max(seconds):.2f})"


def main() -> int:
    """Run the loop; exit status 1 when anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--minutes", type=float, default=1e9, help="stop after so long")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="without UMAP, which compiles")
    options = parser.parse_args()
    os.environ.setdefault("EXPLORER_WORKERS", "2")
    with tempfile.TemporaryDirectory() as folder:
        try:
            report, early, late = run(options.count, options.seed, Path(folder),
                                      CHOICES[::3] if options.quick else CHOICES,
                                      options.minutes)
        finally:
            for running in list(engine._engines.values()):
                running.stop()
    print(f"{report.rounds} rounds, {report.steps} steps: {in_words('kills', report.kills)}; "
          f"{in_words('cancels', report.cancels)}; left alone {report.left_alone}; wrong "
          f"{len(report.wrong)}; engine early {early}, late {late}")
    return 1 if report.wrong else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
