"""Mutants of every format through the reader's own code, in confined and limited processes.

    python -m tests.hostile.fuzz --count 100000 --seed 1 [--seconds 600] [--keep FOLDER]

A mutant may end as a data set that opens, a refusal, the memory limit or the time limit. Anything
else (a signal, an exception that is no refusal, a file nobody expects, a hang) is printed with its
seed and number, the file is kept, and the command fails.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import runpy
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
_MEMORY = 2 * 2**30
_SECONDS = 30
"""Of one mutant; the reader itself may take 600."""
_BATCH = 400
_ALLOWED = {"data set", "refusal", "memory limit", "time limit"}


@dataclass
class Tally:
    """What came of all mutants so far."""

    outcomes: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)
    slowest: float = 0.0
    slowest_number: int = -1
    peak: int = 0

    @property
    def count(self) -> int:
        return sum(self.outcomes.values())


def fuzz(count: int, seed: int, seconds: float, keep: Path) -> Tally:
    """Try `count` mutants, or as many as `seconds` allow."""
    tally = Tally()
    deadline = time.monotonic() + seconds
    first = 0
    while first < count and time.monotonic() < deadline:
        first = _batch(seed, first, min(count, first + _BATCH), deadline, keep, tally)
    return tally


def _batch(seed: int, first: int, end: int, deadline: float, keep: Path, tally: Tally) -> int:
    """One process for the mutants from `first`; the number of the next one to try."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        left = max(1.0, deadline - time.monotonic())
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.hostile.fuzz", "--child", folder, "--seed", str(seed),
             "--first", str(first), "--count", str(end), "--seconds", str(left)],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started, said = first - 1, ""
        assert process.stdout is not None
        for line in process.stdout:
            told = json.loads(line)
            if "outcome" in told:
                _count(told, seed, keep, tally)
            started = max(started, int(told["number"]))
        assert process.stderr is not None
        said = process.stderr.read()
        code = process.wait()
    if code == 0:
        return started + 1 if started >= first else end
    outcome = "time limit" if code in (-signal.SIGALRM, -signal.SIGXCPU) else ""
    if not outcome and code > 0 and any(word in said for word in ("bad_alloc", "MemoryError")):
        outcome = "memory limit"
    words = said.strip().splitlines()[-1:] or [""]
    _count({"number": started, "outcome": outcome or f"ended with {code}", "detail": words[0]},
           seed, keep, tally)
    return max(started, first) + 1


def _count(told: dict[str, Any], seed: int, keep: Path, tally: Tally) -> None:
    from tests.hostile.mutate import mutant

    number, outcome = int(told["number"]), str(told["outcome"])
    tally.outcomes[outcome] += 1
    if told.get("code"):
        tally.codes[told["code"]] += 1
    if told.get("seconds", 0.0) > tally.slowest:
        tally.slowest, tally.slowest_number = told["seconds"], number
    tally.peak = max(tally.peak, told.get("peak", 0))
    if outcome in _ALLOWED:
        return
    made = mutant(seed, number)
    keep.mkdir(parents=True, exist_ok=True)
    path = keep / f"{seed}-{number}-{made.name.replace('/', '_')}"
    path.write_bytes(made.data)
    tally.bad.append(f"seed {seed} number {number} ({made.name}, {made.options}): {outcome}: "
                     f"{told.get('detail', '')}; kept as {path}")


def child(folder: Path, seed: int, first: int, end: int, seconds: float) -> None:
    """Try the mutants one after the other, saying each number before it is tried."""
    from tests.hostile.mutate import parents

    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    parents()
    confine = runpy.run_path(str(ROOT / "explorer" / "load" / "confine.py"))["confine"]
    confine([str(ROOT)], str(folder))
    deadline = time.monotonic() + seconds
    for number in range(first, end):
        if time.monotonic() > deadline:
            return
        print(json.dumps({"number": number}), flush=True)
        signal.setitimer(signal.ITIMER_REAL, _SECONDS)
        print(json.dumps({"number": number, **_outcome(folder, seed, number)}), flush=True)
        signal.setitimer(signal.ITIMER_REAL, 0)


def _outcome(folder: Path, seed: int, number: int) -> dict[str, Any]:
    from explorer.errors import ExplorerError
    from explorer.load import ReadOptions, Upload
    from explorer.load.child import read
    from explorer.spec import silent
    from tests.hostile.mutate import mutant

    made = mutant(seed, number)
    upload = Upload(made.name, folder / "upload")
    upload.path.write_bytes(made.data)
    start = time.process_time()
    told: dict[str, Any]
    try:
        meta = read([upload], ReadOptions(**made.options), folder, silent)  # type: ignore[arg-type]
    except ExplorerError as error:
        told = {"outcome": "refusal", "code": error.code}
        fault = _ill_formed(error, made.name)
        if fault:
            told = {"outcome": "ill-formed refusal", "detail": f"{fault}: {error}"[:300]}
    except MemoryError:
        told = {"outcome": "memory limit"}
    except Exception as error:
        told = {"outcome": type(error).__name__, "detail": _place(error)}
    else:
        fault = "; ".join(_faults(folder, meta))
        told = {"outcome": "unsound data set", "detail": fault} if fault else {
            "outcome": "data set"}
    strangers = [path.name for path in folder.iterdir() if not _is_ours(path)]
    if strangers:
        told = {"outcome": "strange files", "detail": str(strangers)[:200]}
    for path in folder.iterdir():
        path.unlink()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {**told, "seconds": round(time.process_time() - start, 2), "peak": peak}


def _ill_formed(error: Any, name: str) -> str:
    if not error.code.replace("_", "").isalnum() or error.code != error.code.upper():
        return "no code"
    if error.where.file not in (None, name):
        return "names another file"
    if len(str(error)) > 2500 or not error.message.endswith("."):
        return "too long, or no sentence"
    json.dumps(error.to_dict(), allow_nan=False).encode()
    return ""


def _faults(folder: Path, meta: dict[str, Any]) -> Iterator[str]:
    """What a data set that nobody can open would have wrong."""
    import numpy as np
    import pyarrow.parquet as pq

    json.dumps(meta, allow_nan=False).encode()
    n = meta["n"]
    names = [column["name"] for column in meta["columns"]]
    if len(set(names)) != len(names):
        yield "a name stands twice"
    table = folder / "rows.parquet"
    in_table = [column["name"] for column in meta["columns"] if column["place"] == "table"]
    if in_table:
        rows = pq.read_table(table, page_checksum_verification=True)
        rows.validate(full=True)
        if rows.num_rows != n or rows.column_names != in_table:
            yield f"{rows.num_rows} rows of {rows.column_names} instead of {n} of {in_table}"
        rows.slice(0, 50).to_pylist()
    for path in folder.glob("matrix-*.npy"):
        if len(np.load(path, allow_pickle=False, mmap_mode="r")) != n:
            yield f"{path.name} has another length"
    for kind in ("images", "thumbs"):
        if (folder / f"{kind}.npy").exists():
            ends = np.load(folder / f"{kind}.npy")
            if len(ends) != n + 1 or ends[-1] != (folder / f"{kind}.bin").stat().st_size:
                yield f"{kind} do not fit their file"


def _is_ours(path: Path) -> bool:
    from explorer.load.process import _EXPECTED

    return path.name == "upload" or bool(_EXPECTED.fullmatch(path.name))


def _place(error: BaseException) -> str:
    import traceback

    last = traceback.extract_tb(error.__traceback__)[-3:]
    return f"{str(error)[:120]} at " + " < ".join(
        f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(last))


def main() -> int:
    """The command; 1 when anything else than the four outcomes was met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--count", type=int, default=10_000, help="how many mutants")
    parser.add_argument("--seed", type=int, default=0, help="the same seed, the same mutants")
    parser.add_argument("--seconds", type=float, default=3600.0, help="stop after so long")
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "fuzz-kept")
    parser.add_argument("--first", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child, given.seed, given.first, given.count, given.seconds)
        sys.stdout.flush()
        os._exit(0)  # as the reader's own process ends
    start = time.monotonic()
    tally = fuzz(given.count, given.seed, given.seconds, given.keep)
    for line in tally.bad:
        print(line)
    counts = ", ".join(f"{count:,} {name}" for name, count in tally.outcomes.most_common())
    print(f"fuzz: {tally.count:,} mutants of seed {given.seed}: {counts}; "
          f"{len(tally.codes)} codes; slowest {tally.slowest:.1f} s (number "
          f"{tally.slowest_number}), peak {tally.peak / 1024:,.0f} MiB; "
          f"{len(tally.bad)} not allowed; "
          f"{time.monotonic() - start:.0f} s")
    return 1 if tally.bad else 0


if __name__ == "__main__":
    sys.exit(main())
