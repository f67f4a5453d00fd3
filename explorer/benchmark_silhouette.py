"""Our silhouettes beside scikit-learn's: seconds, their ratio, growth and largest difference.

Both in one fresh process per size, with the same number of threads, on the same seeded groups of
normally distributed float32 rows; ours first, after a run on a few rows.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from explorer.cli_write import say, table, table_row
from explorer.judge.kept import without_noise
from explorer.judge.silhouette import silhouettes
from explorer.spec import Progress

GROUPS = 20
SWEEP = tuple(range(2, 12))
"""Numbers of clusters of the ten labelings."""
SWEEP_COLUMNS = 784
METRICS = ("euclidean", "cosine", "manhattan")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_WARM_ROWS = 600
_SHORT = 0.5
"""Runs of less than this many seconds are repeated, and the median counts."""


@dataclass(frozen=True)
class Match:
    """One size to measure: n rows of d columns under a metric, with one labeling or the ten."""

    n: int
    d: int
    metric: str
    sweep: bool = False


@dataclass(frozen=True)
class Times:
    """Seconds of ours and of scikit-learn's on float32 (as given) and float64 vectors; the largest
    difference of a silhouette between ours and the latter."""

    ours: float
    single: float
    double: float
    difference: float


def compare_silhouettes(sizes: Sequence[int], d: int, limit: float, progress: Progress) -> None:
    """Measure and print a Markdown table, row by row."""
    matches = [Match(n, d, metric) for metric in METRICS for n in sorted(sizes)]
    matches += [Match(min(10_000, max(sizes)), SWEEP_COLUMNS, metric, sweep=True)
                for metric in METRICS[:2]]
    say(f"Silhouettes of every row: {GROUPS} clusters, or {len(SWEEP)} labelings with {SWEEP[0]} "
        f"to {SWEEP[-1]} clusters together; float32 rows, seed 0; {_threads()} thread(s) for both; "
        "ratio: scikit-learn's silhouette_samples (once for each labeling) on float32 and on "
        "float64 over ours; difference: the largest of a row to scikit-learn in float64.")
    say()
    say(table(("metric", "rows x columns", "labelings", "ours", "scikit-learn", "ratio",
               "difference", "growth of ours"), ()))
    before: dict[str, tuple[int, float]] = {}
    for index, match in enumerate(matches):
        progress(index / len(matches), f"{match.metric}: {match.n:,} x {match.d}")
        found = _measure_apart(match, limit)
        say(table_row((match.metric, f"{match.n:,} x {match.d}", len(SWEEP) if match.sweep else 1,
                       *_shown(match, found, before))))
    progress(1.0, "done")


def measure(match: Match) -> Times:
    """Both ways, by the clock."""
    from sklearn.metrics import silhouette_samples

    vectors, labelings = make_sample(match)
    few, short = vectors[:_WARM_ROWS], [labels[:_WARM_ROWS] for labels in labelings]
    every = [without_noise(labels) for labels in labelings]
    silhouettes(few, [without_noise(labels) for labels in short], match.metric)
    silhouette_samples(few, short[0], metric=match.metric)
    found, ours = _timed(lambda: silhouettes(vectors, every, match.metric))

    def theirs(given: np.ndarray) -> list[np.ndarray]:
        return [silhouette_samples(given, labels, metric=match.metric) for labels in labelings]

    _, single = _timed(lambda: theirs(vectors))
    expected, double = _timed(lambda: theirs(vectors.astype(np.float64)))
    difference = max(float(np.abs(one.value - values[kept.rows]).max())
                     for one, values, kept in zip(found, expected, every, strict=True))
    return Times(ours=ours, single=single, double=double, difference=difference)


def make_sample(match: Match) -> tuple[np.ndarray, list[np.ndarray]]:
    """Seeded groups, and their labels, or for the sweep the nearest of k of its rows."""
    draws = np.random.default_rng(0)
    labels = draws.integers(GROUPS, size=match.n)
    vectors = draws.standard_normal((match.n, match.d), dtype=np.float32)
    vectors += draws.standard_normal((GROUPS, match.d), dtype=np.float32)[labels]
    if not match.sweep:
        return vectors, [labels]
    chosen = vectors[draws.choice(match.n, SWEEP[-1], replace=False)]
    far = (chosen**2).sum(axis=1) - 2 * (vectors @ chosen.T)
    return vectors, [far[:, :k].argmin(axis=1) for k in SWEEP]


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    seconds: list[float] = []
    while not seconds or (len(seconds) < 5 and seconds[0] < _SHORT):
        started = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - started)
    return result, float(np.median(seconds))


def _measure_apart(match: Match, limit: float) -> Times | str:
    environment = {**os.environ, **dict.fromkeys(_THREADS, _threads())}
    command = [sys.executable, "-m", "explorer.benchmark_silhouette", json.dumps(asdict(match))]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False,
                              env=environment)
    except subprocess.TimeoutExpired:
        return f"stopped after {limit:g} s"
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return f"failed ({done.returncode}): {last[:120]}"
    return Times(**json.loads(done.stdout.strip().splitlines()[-1]))


def _shown(match: Match, found: Times | str,
           before: dict[str, tuple[int, float]]) -> tuple[str, ...]:
    if isinstance(found, str):
        return (found, "-", "-", "-", "-")
    growth = "-"
    if not match.sweep and match.metric in before:
        n, seconds = before[match.metric]
        growth = f"n^{np.log(found.ours / seconds) / np.log(match.n / n):.2f}"
    before[match.metric] = (match.n, found.ours)
    return (f"{found.ours:.3g} s", f"{found.single:.3g} s; {found.double:.3g} s",
            f"{found.single / found.ours:.1f}; {found.double / found.ours:.1f}",
            f"{found.difference:.1e}", growth)


def _threads() -> str:
    return os.environ.get("OMP_NUM_THREADS", "1")


def main(words: Sequence[str]) -> None:
    """Measure the match in words[0] and print its times as one line of JSON."""
    sys.stdout.write("\n" + json.dumps(asdict(measure(Match(**json.loads(words[0]))))) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
