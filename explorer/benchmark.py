"""Seconds and peak memory of every step by number of rows, each in a fresh process, on seeded
groups of normally distributed rows; with the exponent b of seconds ~ rows^b."""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict

from explorer import benchmark_encoders
from explorer.benchmark_silhouette import compare_silhouettes
from explorer.benchmark_step import GROUPS, TABLE_COLUMNS, Outcome, Task
from explorer.benchmark_texts import compare_texts
from explorer.cli_flags import FAMILIES
from explorer.cli_write import say, table, table_row
from explorer.errors import ParameterError, Where
from explorer.spec import Progress

_ENCODERS = ("features", "vectors")
"""The encoders whose input is numbers; texts and images depend on their content."""
_EXTRA = ("hdbscan@10",)
_MEGABYTE = 2**20
_ROWS, _COLUMNS = "1000,10000,50000", 384
_SILHOUETTE_ROWS, _SILHOUETTE_COLUMNS = "1000,10000,60000", 50


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Sizes, steps and the limit."""
    parser.add_argument("--rows", metavar="N,N,...",
                        help=f"numbers of rows [default: {_ROWS}; {_SILHOUETTE_ROWS} with "
                             "--silhouette]")
    parser.add_argument("--columns", type=int, metavar="D",
                        help=f"columns of the vectors [default: {_COLUMNS}; {_SILHOUETTE_COLUMNS} "
                             "with --silhouette]")
    parser.add_argument("--silhouette", action="store_true",
                        help="instead of the steps: our silhouettes beside scikit-learn's")
    parser.add_argument("--texts", metavar="FILE",
                        help="instead of the steps: MiniLM on the texts of a file, beside the "
                             "library's own way (--rows: at most so many of them)")
    parser.add_argument("--label", metavar="COLUMN", default="",
                        help="with --texts: the column that probes predict from the vectors")
    parser.add_argument("--steps", default="", metavar="STEP,...",
                        help="METHOD, or METHOD@D on the first D principal axes "
                             f"[default: {','.join(all_steps())}]")
    parser.add_argument("--limit", type=float, default=300.0, metavar="SECONDS",
                        help="stop a step after this time, its preparation included "
                             "[default: 300]")
    benchmark_encoders.add_flags(parser)


def run_benchmark(arguments: argparse.Namespace, progress: Progress) -> None:
    """Measure and print a Markdown table, row by row."""
    if arguments.texts:
        most = read_sizes(arguments.rows)[0] if arguments.rows else 0
        compare_texts(arguments.texts, arguments.label, most, progress)
        return
    if arguments.silhouette:
        compare_silhouettes(read_sizes(arguments.rows or _SILHOUETTE_ROWS),
                            arguments.columns or _SILHOUETTE_COLUMNS, arguments.limit, progress)
        return
    if arguments.encoders:
        sizes = read_sizes(arguments.dimensions, "dimensions")
        benchmark_encoders.compare_encoders(arguments, sizes, progress)
        return
    sizes = sorted(read_sizes(arguments.rows or _ROWS))
    columns = arguments.columns or _COLUMNS
    steps = [step for step in arguments.steps.split(",") if step] or all_steps()
    tasks = [[task_of(step, n, columns) for n in sizes] for step in steps]
    say(header(columns, arguments.limit))
    say()
    say(table(("step", *(f"{n:,} rows" for n in sizes), "exponent"), ()))
    for index, (step, series) in enumerate(zip(steps, tasks, strict=True)):
        outcomes = []
        for task in series:
            progress(index / len(steps), f"{step}: {task.n:,} rows")
            outcomes.append(measure_apart(task, arguments.limit))
        # Row by row: what is measured is not lost when somebody stops it.
        say(table_row((step, *map(shown, outcomes), growth(sizes, outcomes))))
    progress(1.0, "done")


def all_steps() -> list[str]:
    """Every method whose input is numbers, and HDBSCAN where it belongs: in few dimensions."""
    found = []
    for family, registry in FAMILIES.items():
        for method in registry():
            if getattr(method, "reads", "embedding") != "embedding":
                continue
            if family != "encode" or method.key in _ENCODERS:
                found.append(method.key)
    return [*found, *_EXTRA]


def task_of(step: str, n: int, d: int) -> Task:
    """The task of 'kmeans' or 'hdbscan@10'; ParameterError for a step there is not."""
    key, _, reduced = step.partition("@")
    for family, registry in FAMILIES.items():
        if key in registry() and (not reduced or reduced.isdecimal()):
            return Task(family, key, n, d, int(reduced or 0))
    raise ParameterError("UNKNOWN_METHOD", f"A step must be one of {', '.join(all_steps())}, "
                                           f"got {step!r}.", Where(parameter="steps"))


def read_sizes(text: str, name: str = "rows") -> list[int]:
    """'1000,10000' as numbers; ParameterError for anything else."""
    words = [word.strip().replace("_", "") for word in text.split(",")]
    if not all(word.isdecimal() and int(word) > 0 for word in words):
        raise ParameterError("OUT_OF_RANGE", f"{name} must be whole numbers above 0 with commas "
                                             f"between them, got {text!r}.",
                             Where(parameter=name))
    return [int(word) for word in words]


def measure_apart(task: Task, limit: float) -> Outcome:
    """The outcome of a task in a fresh process, stopped after `limit` seconds."""
    command = [sys.executable, "-m", "explorer.benchmark_step", json.dumps(asdict(task))]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return Outcome(refused=f"stopped after {limit:g} s")
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return Outcome(refused=f"failed ({done.returncode}): {last[:120]}")
    return Outcome(**json.loads(done.stdout.strip().splitlines()[-1]))


def growth(sizes: Sequence[int], outcomes: Sequence[Outcome]) -> str:
    """The slope of log seconds over log rows between the two largest sizes measured, where what
    does not grow matters least."""
    points = [(math.log(n), math.log(outcome.seconds)) for n, outcome
              in zip(sizes, outcomes, strict=True) if outcome.seconds]
    if len(points) < 2 or points[-1][0] == points[-2][0]:
        return "-"
    (x1, y1), (x2, y2) = points[-2:]
    return f"{(y2 - y1) / (x2 - x1):.2f}"


def shown(outcome: Outcome) -> str:
    """'1.2 s, 34 MB' or the reason."""
    if outcome.seconds is None or outcome.bytes is None:
        return outcome.refused
    return f"{outcome.seconds:.3g} s, {outcome.bytes / _MEGABYTE:,.0f} MB"


def header(columns: int, limit: float) -> str:
    """What the numbers are numbers of."""
    threads = os.environ.get("OMP_NUM_THREADS", "not set")
    return (f"{columns} columns, {GROUPS} groups (features: {min(columns, TABLE_COLUMNS)} number "
            f"columns), seed 0; Python {platform.python_version()}, {os.cpu_count()} cores, "
            f"OMP_NUM_THREADS {threads}; each step in a fresh process after a run on a few rows "
            "(imports and numba compilation are not counted), t-SNE and UMAP on a neighbour graph "
            "that is there; MB: peak memory above what the process held before the step; "
            f"exponent: between the two largest sizes; limit {limit:g} s a step.")
