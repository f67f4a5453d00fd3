"""What the engine's tests share: a home with a living engine."""

import itertools
import os
import time
from pathlib import Path

from explorer import engine
from explorer.jobs import Jobs, Step

HERE = Path(__file__).parent


class Home:
    """A home with a living engine, and short words for what the tests do with it."""

    def __init__(self, path):
        self.path = path
        self.jobs = Jobs(path)
        self.engine = engine.start(path)
        assert self.engine.wait_ready(60), log(path)
        self._names = itertools.count()

    def step(self, name, payload=None, **more):
        number = next(self._names)
        return Step(key=f"{name}{number}", kind="test", title=more.pop("title", name),
                    call=f"steps:{name}", payload=payload or {}, **more)

    def submit(self, *steps, owner="ann"):
        self.jobs.submit(steps, owner)
        return steps[0].key

    def until(self, key, *states, seconds=15.0):
        """The job's view once it is in one of `states`."""
        return until(self.jobs, key, *states, seconds=seconds, path=self.path)


def until(jobs, key, *states, seconds=15.0, path=None):
    limit = time.monotonic() + seconds
    while (view := jobs.view(key)).state not in states:
        assert time.monotonic() < limit, f"still {view}\n{log(path)}"
        time.sleep(0.02)
    return view


def log(path):
    file = Path(path or "/nowhere") / "engine.log"
    return file.read_text()[-5000:] if file.exists() else ""


def set_environment(patch, **more):
    """What an engine started from now on finds: `steps` importable, two workers of 400 MB."""
    patch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), *filter(None, [
        os.environ.get("PYTHONPATH", "")])]))
    values = {"EXPLORER_WORKERS": "2", "EXPLORER_WORKER_MEMORY": "400MB", **more}
    for name, value in values.items():
        patch.setenv(name, value)
    for name in {"EXPLORER_SCHEDULER", "EXPLORER_WARM"} - values.keys():
        patch.delenv(name, raising=False)
