"""The rows nearest to one vector, exactly: every row is measured, in blocks, in double precision.

About 20 million numbers a quarter of a second on one ordinary core; nothing but a block is held
besides the vectors, which may be mapped from disk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from explorer.errors import DataError, ParameterError, Where
from explorer.spec import Progress, silent

Metric = Literal["cosine", "euclidean", "manhattan"]
METRICS: tuple[Metric, ...] = get_args(Metric)
MOST = 100
"""As many neighbours as a question is answered with."""
_BLOCK_VALUES = 1 << 19
_PARALLEL = 1e-30
"""Squared distance of unit vectors that is rounding, as in nearest.py."""


@dataclass(frozen=True)
class Near:
    """`places` (int64) of the nearest of n rows and their `distances` (float64), ascending; equal
    distances in the order of the rows. `compared` rows were measured; `directionless` were not,
    being all zero under the cosine."""

    places: np.ndarray
    distances: np.ndarray
    metric: str
    compared: int
    directionless: int = 0


def nearest_to(vectors: np.ndarray, asked: np.ndarray, count: int, metric: str, *,
               without: np.ndarray | None = None, progress: Progress = silent) -> Near:
    """The at most `count` rows of n x d `vectors` nearest to the vector `asked` (d).

    The cosine distance is 1 - cos (0 to 2), computed as |u - v|^2 / 2 of unit vectors, which does
    not cancel; equal vectors are at distance 0 exactly. `without`: places (ascending) that are not
    neighbours, the asked row itself for example. Raises DataError ZERO_VECTORS where the cosine is
    asked of an all-zero vector, ParameterError OUT_OF_RANGE and UNKNOWN_METRIC.
    """
    if metric not in METRICS:
        raise ParameterError("UNKNOWN_METRIC", f"metric must be one of {', '.join(METRICS)}, "
                                               f"got {metric!r}.", Where(parameter="metric"))
    if count < 1:
        raise ParameterError("OUT_OF_RANGE", f"count must be at least 1, got {count}.",
                             Where(parameter="count"))
    query = np.asarray(asked, dtype=np.float64)
    if metric == "cosine":
        query = _unit(query[None, :])[0]
        if not query.any():
            raise DataError("ZERO_VECTORS", "Cosine distance must have a vector with a direction, "
                                            "got one that is all zero.",
                            hint="Choose the Euclidean or the Manhattan distance.")
    n = len(vectors)
    left_out = np.zeros(n, dtype=bool)
    if without is not None:
        left_out[without] = True
    best = _Best(count)
    directionless = 0
    step = max(1, _BLOCK_VALUES // max(1, vectors.shape[1]))
    for start in range(0, n, step):
        progress(start / n, f"{start:,} of {n:,} rows measured")
        block = vectors[start:start + step].astype(np.float64)
        distances = _distances(block, query, metric)
        skipped = left_out[start:start + step]
        directionless += int(np.count_nonzero(np.isnan(distances) & ~skipped))
        distances[skipped] = np.nan
        best.offer(start, distances)
    progress(1.0, f"{n:,} rows measured")
    compared = n - int(np.count_nonzero(left_out)) - directionless
    return Near(best.places, best.distances, metric, compared, directionless)


def centre_of(vectors: np.ndarray, places: np.ndarray, metric: str) -> np.ndarray:
    """The mean (d, float64) of these rows; for the cosine the mean of their directions, all-zero
    rows not counted.

    Raises DataError NO_ROWS without rows, ZERO_VECTORS where directions cancel or there is none.
    """
    if not len(places):
        raise DataError("NO_ROWS", "A centre must be of at least one row, got none.",
                        hint="Select rows on the map.")
    total = np.zeros(vectors.shape[1])
    step = max(1, _BLOCK_VALUES // max(1, vectors.shape[1]))
    for start in range(0, len(places), step):
        block = vectors[places[start:start + step]].astype(np.float64)
        total += (_unit(block) if metric == "cosine" else block).sum(axis=0)
    if metric == "cosine" and np.linalg.norm(total) <= 1e-12 * len(places):
        raise DataError("ZERO_VECTORS", "The selected rows must have a common direction for the "
                                        "cosine distance, got directions that cancel.",
                        hint="Choose the Euclidean or the Manhattan distance.")
    return total / len(places)


class _Best:
    """The `count` smallest distances seen so far, earlier places first where they are equal."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.places = np.empty(0, dtype=np.int64)
        self.distances = np.empty(0)

    def offer(self, start: int, distances: np.ndarray) -> None:
        """Distances of the places from `start` on; NaN is no candidate."""
        full = len(self.distances) == self.count
        # Strictly nearer: a later row at the same distance stands behind.
        near = (distances < self.distances[-1]) if full else ~np.isnan(distances)
        at = np.flatnonzero(near)
        if len(at) > self.count:
            last = np.partition(distances[at], self.count - 1)[self.count - 1]
            at = at[distances[at] <= last]
        if not len(at):
            return
        joined = np.concatenate([self.distances, distances[at]])
        order = np.argsort(joined, kind="stable")[:self.count]
        self.places = np.concatenate([self.places, start + at])[order]
        self.distances = joined[order]


def _distances(block: np.ndarray, query: np.ndarray, metric: str) -> np.ndarray:
    """float64 distances of the rows of `block`, which is overwritten; NaN: no direction."""
    none = None
    if metric == "cosine":
        none = ~block.any(axis=1)
        block = _unit(block)
    block -= query
    if metric == "manhattan":
        found: np.ndarray = np.abs(block, out=block).sum(axis=1)
        return found
    squares: np.ndarray = np.einsum("ij,ij->i", block, block)
    if none is None:
        return np.sqrt(squares)
    squares[squares < _PARALLEL] = 0.0
    squares[none] = np.nan
    return squares / 2


def _unit(block: np.ndarray) -> np.ndarray:
    """float64 rows at length 1; all-zero rows stay."""
    lengths = np.sqrt(np.einsum("ij,ij->i", block, block))
    lengths[lengths == 0] = 1.0
    return block / lengths[:, None]
