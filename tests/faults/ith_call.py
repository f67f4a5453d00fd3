"""The fault at the i-th call, for every call of every way something is saved (SQLite's method).

    python -m tests.faults.ith_call                 every call, one kind of fault each
    python -m tests.faults.ith_call --all           every call, every kind of fault

For each point a fresh process does it, and one call at the system's edge fails (or the process is
killed there). Then another fresh process looks: the old state or the new one, never a third; what
was there before is readable; what was said to be saved is; and the next attempt succeeds.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path

ENDS = {0: "done", 10: "refused", -signal.SIGKILL: "killed"}
_MOST = 2000


def main(words=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="every kind of fault at every call")
    parser.add_argument("--scenario", action="append", help="only these")
    parser.add_argument("--stride", type=int, default=1, help="only every n-th call")
    parser.add_argument("--inside", metavar="FOLDER", help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    if options.inside:
        return _inside(Path(options.inside), options)
    from tests.faults import edge

    if edge.available():
        sys.stderr.write(f"{edge.available()}\n")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        start, environment = edge.command(folder, "-m", "tests.faults.ith_call", "--inside",
                                          folder, *(words if words is not None else sys.argv[1:]))
        return subprocess.run(start, env=environment).returncode


def _inside(folder, options):
    from tests.faults import edge
    from tests.faults.scenarios import SCENARIOS

    bad, summary = [], Counter()
    for name in options.scenario or SCENARIOS:
        counts = _sweep(name, SCENARIOS[name], folder, options, edge.FAULTS, bad)
        summary.update(counts)
        sys.stdout.write(f"{name:18} {json.dumps(dict(counts))}\n")
        sys.stdout.flush()
    for line in bad[:8]:
        sys.stdout.write(f"THIRD STATE {line}\n")
    sys.stdout.write(f"points {summary['points']:,}: {summary['refused']:,} refused, "
                     f"{summary['killed']:,} killed, {summary['done']:,} done all the same; "
                     f"third states {len(bad)}\n")
    return 1 if bad else 0


def _sweep(name, kind, folder, options, faults, bad):
    """All points of one way to save."""
    from tests.faults.scenarios import copy_home

    template, home = folder / f"{name}.before", folder / name / "home"
    home.parent.mkdir()
    scenario = kind()
    getattr(scenario, "warm", lambda: None)()
    prepared = _forked(lambda: (scenario.prepare(template), vars(scenario))[1])
    assert prepared[0] == 0, prepared[1]
    vars(scenario).update(prepared[1])
    copy_home(template, home)
    calls = _forked(lambda: _acted(scenario, home, 0, ""))[1]["calls"]
    counts = Counter(calls=calls)
    assert 0 < calls < _MOST, calls
    for at in range(1, calls + 1, options.stride):
        for fault in faults if options.all else [faults[at % len(faults)]]:
            copy_home(template, home)
            code, told = _forked(lambda at=at, fault=fault: _acted(scenario, home, at, fault))
            counts["points"] += 1
            counts[ENDS.get(code, "crashed")] += 1
            trouble = _looked(scenario, home, code, told)
            if trouble:
                bad.append(f"{name} call {at} {fault}: {trouble}")
    return counts


def _looked(scenario, home, code, told):
    """What is wrong after one point; '' when nothing is."""
    if code not in ENDS:
        return f"ended with {code}: {told}"
    seen, state = _forked(lambda: {"state": scenario.check(home)})
    if seen:
        return f"a third state: {state}"
    state = state["state"]
    if code == 0 and state != "new":
        return "said to be saved, but it is not"
    if state == "old":
        again, told = _forked(lambda: (scenario.act(home), {})[1])
        if again:
            return f"the next attempt fails: {told}"
        seen, state = _forked(lambda: {"state": scenario.check(home)})
        if seen or state["state"] != "new":
            return f"the next attempt does not save: {state}"
    return ""


def _acted(scenario, home, at, fault):
    from explorer.errors import StoreError
    from tests.faults import edge

    edge.arm(home.parent, at, fault)
    try:
        scenario.act(home)
    except StoreError as error:
        edge.disarm()
        return {"exit": 10, "said": str(error)}
    return {"calls": edge.disarm()}


def _forked(work):
    """Exit status and JSON answer of `work` in a process that shares nothing opened: this one
    never opens a home itself."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code, answer = 1, ""
        try:
            os.close(reading)
            found = work()
            code, answer = found.pop("exit", 0), json.dumps(found, default=_plain)
        except BaseException:
            answer = json.dumps(traceback.format_exc()[-700:])
        with os.fdopen(writing, "w") as pipe:
            pipe.write(answer)
        os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = pipe.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return code, _restored(json.loads(answer)) if answer else ""


def _plain(value):
    return vars(value)


def _restored(answer):
    if not isinstance(answer, dict):
        return answer
    from explorer.uploads import Kept

    made = {}
    for name, value in answer.items():
        if isinstance(value, dict) and set(value) == {"name", "sha256"}:
            made[name] = Kept(**value)
        else:
            made[name] = value
    return made


if __name__ == "__main__":
    sys.exit(main())
