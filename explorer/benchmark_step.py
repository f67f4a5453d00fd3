"""One step of the benchmark in a process of its own: `python -m explorer.benchmark_step JSON`."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from explorer.cluster import clusterers
from explorer.dataset import Column, Dataset, dataset_meta, open_dataset
from explorer.encode import encoders
from explorer.errors import ExplorerError
from explorer.judge import judges
from explorer.keys import graph_method
from explorer.neighbors import neighbor_searches
from explorer.neighbors.nearest import EXACT_UP_TO, warm_up
from explorer.project import projectors
from explorer.spec import Method, silent
from explorer.store import Store
from explorer.values import facts_of

GROUPS = 10
TABLE_COLUMNS = 32
"""The widest table of number columns that is encoded."""
_WARM_ROWS = 300


@dataclass(frozen=True)
class Task:
    """A method on n rows of d columns; `reduced` above 0: on that many principal axes."""

    family: str
    method: str
    n: int
    d: int
    reduced: int = 0


@dataclass(frozen=True)
class Outcome:
    """Seconds and peak bytes above what the process held before, or why there are none."""

    seconds: float | None = None
    bytes: int | None = None
    refused: str = ""


@dataclass(frozen=True)
class Sample:
    """n x d float32 `vectors` in GROUPS round groups, and the group of each row."""

    vectors: np.ndarray
    labels: np.ndarray


def main(words: Sequence[str]) -> None:
    """Measure the task in words[0] and print its outcome as one line of JSON."""
    outcome = measure(Task(**json.loads(words[0])))
    sys.stdout.write("\n" + json.dumps(asdict(outcome)) + "\n")


def measure(task: Task) -> Outcome:
    """Run the step on a few rows first (imports, compilation), then on all of them by the clock."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        try:
            if task.n > EXACT_UP_TO:
                warm_up()
            prepare(Task(task.family, task.method, _WARM_ROWS, task.d, task.reduced), store)()
            work = prepare(task, store)
            held = _reset_peak()
            started = time.perf_counter()
            work()
            return Outcome(time.perf_counter() - started, max(0, _peak() - held))
        except ExplorerError as error:
            return Outcome(refused=f"refused: {error.message}")
        except MemoryError:
            return Outcome(refused="out of memory")


def prepare(task: Task, store: Store) -> Callable[[], Any]:
    """Everything up to the step itself; calling what comes back is the step."""
    sample = make_sample(task.n, task.d, task.reduced)
    if task.family == "encode":
        encoder = encoders().create(task.method)
        dataset = keep_dataset(sample.vectors, task.method, store)
        return lambda: encoder.encode(dataset, silent)
    if task.family == "neighbors":
        search = neighbor_searches().create(task.method)
        _check(search, sample)
        return lambda: search.find(sample.vectors, silent)
    if task.family == "project":
        return _projection(task, sample)
    if task.family == "cluster":
        clusterer = clusterers().create(task.method)
        _check(clusterer, sample)
        return lambda: clusterer.cluster(sample.vectors, silent)
    judge = judges().create(task.method)
    return lambda: judge.judge(sample.vectors, sample.labels, "euclidean", "benchmark", silent)


def make_sample(n: int, d: int, reduced: int = 0) -> Sample:
    """Seeded groups: centres with spread 1, rows around them with spread 1."""
    draws = np.random.default_rng(0)
    labels = draws.integers(GROUPS, size=n).astype(np.int32)
    vectors = draws.standard_normal((n, d), dtype=np.float32)
    vectors += draws.standard_normal((GROUPS, d), dtype=np.float32)[labels]
    if reduced:
        vectors -= vectors.mean(axis=0)
        axes = np.linalg.eigh(vectors.T @ vectors)[1][:, ::-1]
        vectors = np.ascontiguousarray(vectors @ axes[:, :reduced])
    return Sample(vectors, labels)


def keep_dataset(vectors: np.ndarray, encoder: str, store: Store) -> Dataset:
    """A dataset for an encoder: a matrix, or a table of the first TABLE_COLUMNS columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    n, d = vectors.shape
    folder = store.new_folder()
    if encoder == "features":
        names = [f"number {index + 1}" for index in range(min(d, TABLE_COLUMNS))]
        pq.write_table(pa.table({name: vectors[:, index].astype(np.float64)
                                 for index, name in enumerate(names)}), folder / "rows.parquet")
        columns = tuple(Column(name=name, original=name, role="number") for name in names)
    else:
        np.save(folder / "matrix-0.npy", vectors)
        columns = (Column(name="vector", original="vector", role="vector", place="matrix",
                          dimensions=d),)
    key = f"benchmark{n}x{d}{encoder}"
    store.adopt(key, folder, dataset_meta("benchmark", n, columns, (), (), {}))
    return open_dataset(store, key)


def _projection(task: Task, sample: Sample) -> Callable[[], Any]:
    projector = projectors().create(task.method)
    _check(projector, sample)
    search = graph_method(projector, task.n)
    # The graph is shared between steps and measured by itself.
    graph = None if search is None else search.find(sample.vectors, silent)
    return lambda: projector.project(sample.vectors, silent, graph)


def _check(method: Method, sample: Sample) -> None:
    method.check(facts_of(sample.vectors))


def _reset_peak() -> int:
    """Forget the peak so far; returns the bytes held now."""
    try:
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
            file.write("5")
    except OSError:
        return _peak()  # no such file here: the growth of the all-time peak is what remains
    return _status("VmRSS") or _peak()


def _peak() -> int:
    import resource

    found = _status("VmHWM")
    if found is not None:
        return found
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _status(name: str) -> int | None:
    try:
        text = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return None
    lines = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return int(lines[name].split()[0]) * 1024 if name in lines else None


if __name__ == "__main__":
    main(sys.argv[1:])
