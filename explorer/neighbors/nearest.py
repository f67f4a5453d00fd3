"""The k nearest other rows, exactly in blocks or approximately by nn-descent.

Seconds of one thread for k = 90, on two ordinary cores (nn-descent compiles for 30 s more in every
new process; its recall was 0.9998 and better on these rows, which lie near 20 dimensions):

    n x d           exact   nn-descent
     5,000 x 384      1.0          2.6
    20,000 x 384      8.0           12
    20,000 x  50      4.4            8
    50,000 x 384       62    35 to 97 (on a busy machine)
    50,000 x  50       22           31

So 'auto' is exact up to 50,000 rows: about as fast, and it reports, stops and misses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from explorer.errors import DataError, ParameterError, Where
from explorer.neighbors import Neighbors
from explorer.spec import Cost, Facts, Progress, advanced, part
from explorer.values import Graph

EXACT_UP_TO = 50_000
"""Rows up to which 'auto' searches exactly (measured: see above)."""
SHARED = 90
"""The smallest shared graph: UMAP with 15 neighbours and t-SNE with perplexity 30 both fit in."""
_SAMPLE = 200
_BLOCK_BYTES = 16 * 2**20
_PARALLEL = 1e-30
"""Squared distance of unit vectors that is rounding: each entry is off by at most 1.5 eps."""


def shared_count(needed: int, n: int) -> int:
    """How many neighbours the shared graph of n rows has when `needed` are asked for: 90, 180,
    360 ... (so that different parameters find the same graph), at most n - 1; 0 when none are
    needed."""
    if needed <= 0:
        return 0
    count = SHARED
    while count < needed:
        count *= 2
    return max(0, min(count, n - 1))


class Nearest(Neighbors):
    """Finds for every row the rows most like it. Small data is searched exactly; above 50,000 rows
    a faster search takes over that may miss a few, and says how many."""

    key: ClassVar[str] = "nearest"
    title: ClassVar[str] = "Nearest neighbours"
    min_rows: ClassVar[int] = 2

    count: int = Field(SHARED, ge=1, le=5000, description="How many neighbours to find per row.")
    metric: Literal["euclidean", "cosine"] = Field(
        "euclidean", description="How the distance between two rows is measured.")
    search: Literal["auto", "exact", "approximate"] = advanced(
        "auto", description="Exact compares all pairs; auto does so up to 50,000 rows.")
    seed: int = advanced(0, ge=0, le=2**32 - 1, description="Same seed, same result.")

    def limits(self, facts: Facts) -> dict[str, tuple[float, float]]:
        return {"count": (1, facts.n - 1)}

    def find(self, vectors: np.ndarray, progress: Progress) -> Graph:
        """The graph of n x d float32 or float64 vectors, distances computed in float64.

        Duplicates are at distance exactly 0; equal distances are in the order of the rows. The
        cosine distance is 1 - cos. Raises DataError ZERO_VECTORS, ParameterError OUT_OF_RANGE.
        """
        n = len(vectors)
        if not 1 <= self.count <= n - 1:
            raise ParameterError("OUT_OF_RANGE", f"count must be between 1 and {n - 1} for {n} "
                                 f"rows, got {self.count}.", Where(parameter="count"),
                                 f"Choose a value up to {n - 1}.")
        points = _points(vectors, self.metric)
        if self._exact(n):
            return self._graph(_search(points, np.arange(n), self.count, progress), exact=True)
        found = _descend(points, self.count, self.seed, part(progress, 0.0, 0.9))
        rows = np.random.default_rng(self.seed).permutation(n)[:_SAMPLE]
        truth = _search(points, np.sort(rows), self.count, part(progress, 0.9, 1.0))
        hits = found.squares[np.sort(rows)] <= truth.squares[:, -1:]
        return self._graph(found, exact=False, recall=float(hits.mean()), sampled=len(rows))

    def estimate(self, n: int, d: int) -> Cost:
        if self._exact(n):
            return Cost(0.05 + 8e-9 * n * n * (1 + d / 200),
                        12 * n * d + 12 * n * self.count + 10 * _BLOCK_BYTES)
        return Cost(30 + 2.4e-7 * n * np.log2(n) * self.count * (1 + d / 400),
                    16 * n * d + 60 * n * self.count)

    def _exact(self, n: int) -> bool:
        return self.search == "exact" or (self.search == "auto" and n <= EXACT_UP_TO)

    def _graph(self, found: _Found, *, exact: bool, recall: float = 1.0,
               sampled: int = 0) -> Graph:
        # |u - v|^2 / 2 = 1 - cos for unit vectors, without the cancellation of 1 - cos.
        distances = found.squares / 2 if self.metric == "cosine" else np.sqrt(found.squares)
        return Graph(found.indices.astype(np.int32), distances.astype(np.float32), self.metric,
                     exact, recall, sampled)


def nearest_of(vectors: np.ndarray, rows: np.ndarray, count: int, metric: str,
               progress: Progress) -> np.ndarray:
    """m x count int32: the nearest others of m `rows` (places, int64) among all n x d vectors,
    nearest first, ties by place; exact. `count` < n; `metric` as of `Nearest`. Raises DataError
    ZERO_VECTORS."""
    return _search(_points(vectors, metric), rows, count, progress).indices.astype(np.int32)


def warm_up() -> None:
    """Compile nn-descent (about 30 s in a new process), so that nobody waits for it later."""
    vectors = np.random.default_rng(0).normal(size=(300, 8)).astype(np.float32)
    _descend(_points(vectors, "euclidean"), 10, 0, lambda fraction, text: None)


@dataclass(frozen=True)
class _Points:
    """Rows to compare. `vectors` as given; `lengths` divides them (cosine) or is None; `flat` is
    n x d float32, centred and scaled to at most 1, good enough to sort out most pairs."""

    vectors: np.ndarray
    lengths: np.ndarray | None
    centre: np.ndarray
    scale: float
    flat: np.ndarray

    def wide(self, rows: np.ndarray | slice) -> np.ndarray:
        """Those rows in float64 (unit length for cosine); differences of them are near exact."""
        chosen = self.vectors[rows].astype(np.float64)
        return chosen if self.lengths is None else chosen / self.lengths[rows, None]

    def flattened(self) -> np.ndarray:
        """All rows centred and scaled like `flat`, in float64."""
        return (self.wide(slice(None)) - self.centre) / self.scale


@dataclass(frozen=True)
class _Found:
    """`indices` int64 m x k and `squares` float64 m x k: squared distances, ascending."""

    indices: np.ndarray
    squares: np.ndarray


def _points(vectors: np.ndarray, metric: str) -> _Points:
    lengths = None
    if metric == "cosine":
        lengths = np.sqrt(np.concatenate([np.square(block.astype(np.float64)).sum(axis=1)
                                          for block in _blocks_of(vectors)]))
        if not lengths.all():
            raise DataError("ZERO_VECTORS", "Cosine distance must have vectors with a direction, "
                            f"got {int(np.count_nonzero(lengths == 0))} all-zero rows among "
                            f"{len(vectors)}.",
                            hint="Use the Euclidean metric, or leave these rows out in the encode "
                                 "step.")
    raw = _Points(vectors, lengths, np.zeros(0), 1.0, np.zeros(0))
    # The median of some rows: one huge row moves a mean far from everybody else.
    step = max(1, len(vectors) // 2000)
    centre = np.median(raw.wide(slice(None, None, step)), axis=0)
    flat = np.empty(vectors.shape, dtype=np.float32)
    size = max(1, _BLOCK_BYTES // (8 * max(1, vectors.shape[1])))
    starts = range(0, len(vectors), size)
    scale = max(float(np.abs(raw.wide(slice(start, start + size)) - centre).max(initial=0.0))
                for start in starts) or 1.0
    for start in starts:
        rows = slice(start, start + size)
        flat[rows] = (raw.wide(rows) - centre) / scale
    return _Points(vectors, lengths, centre, scale, flat)


def _search(points: _Points, rows: np.ndarray, count: int, progress: Progress) -> _Found:
    """The nearest others of `rows` among all rows, by comparing all pairs.

    A fast matrix product in float32 leaves, row by row, only pairs that can be among the nearest
    given its error bound; those are measured again in float64 by their difference. Where the bound
    is too wide (tight groups far apart) the block is done in float64.
    """
    n = len(points.flat)
    size = max(1, min(1024, _BLOCK_BYTES // (4 * n)))
    indices = np.empty((len(rows), count), dtype=np.int64)
    squares = np.empty((len(rows), count))
    flat, norms = points.flat, _norms(points.flat)
    for start in range(0, len(rows), size):
        progress(start / len(rows), f"neighbours of row {start:,} of {len(rows):,}")
        block = rows[start:start + size]
        candidates = _candidates(flat, norms, block, count)
        if flat.dtype == np.float32 and candidates.sum() > 3 * (count + 10) * len(block):
            flat = points.flattened()
            norms = _norms(flat)
            candidates = _candidates(flat, norms, block, count)
        best = _best(points, block, candidates, count)
        indices[start:start + size], squares[start:start + size] = best.indices, best.squares
    progress(1.0, f"neighbours of {len(rows):,} rows found")
    return _Found(indices, squares)


def _candidates(flat: np.ndarray, norms: np.ndarray, block: np.ndarray,
                count: int) -> np.ndarray:
    """b x n bool: which rows may be among the `count` nearest of each row of `block`.

    |computed - true| <= (2 d + 12) u (|x|^2 + |y|^2) with u the unit roundoff: product and norms
    d u each (Higham 2002, 3.1), the rest for the sums and for rounding the rows.
    """
    distances = flat[block] @ flat.T
    distances *= -2
    distances += norms[block, None]
    distances += norms
    unit = np.finfo(flat.dtype).eps * (flat.shape[1] + 6)
    slack = unit * norms
    distances -= slack
    distances[np.arange(len(block)), block] = np.inf
    nearest = np.argpartition(distances, count - 1, axis=1)[:, :count]
    # The largest upper bound of any `count` rows is at least the true count-th distance.
    upper = np.take_along_axis(distances, nearest, axis=1) + 2 * slack[nearest]
    return distances <= (upper.max(axis=1) + 2 * slack[block])[:, None]


def _best(points: _Points, block: np.ndarray, candidates: np.ndarray, count: int) -> _Found:
    own, other = np.nonzero(candidates)
    squares = _squares(points, block[own], other)
    order = np.lexsort((squares, own))  # stable: equal distances stay in the order of the rows
    starts = np.searchsorted(own, np.arange(len(block)))
    chosen = order[starts[:, None] + np.arange(count)]
    return _Found(other[chosen], squares[chosen])


def _squares(points: _Points, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Squared distances of pairs of rows in float64, by differences: 0 for equal rows."""
    result = np.empty(len(left))
    size = max(1, 2**19 // max(1, points.vectors.shape[1]))
    for start in range(0, len(left), size):
        pairs = slice(start, start + size)
        difference = points.wide(left[pairs]) - points.wide(right[pairs])
        result[pairs] = np.einsum("ij,ij->i", difference, difference)
    if points.lengths is not None:
        result[result < _PARALLEL] = 0.0
    return result


def _descend(points: _Points, count: int, seed: int, progress: Progress) -> _Found:
    """The nearest others by nn-descent (Dong, Moses, Li 2011), measured again in float64."""
    from pynndescent import NNDescent

    n = len(points.flat)
    progress(0.0, "searching neighbours approximately")
    found = NNDescent(points.flat, n_neighbors=min(count + 1, n), random_state=seed, n_jobs=1,
                      low_memory=True).neighbor_graph[0]
    indices = np.empty((n, count), dtype=np.int64)
    squares = np.empty((n, count))
    size = 2000
    for start in range(0, n, size):
        progress(0.7 + 0.3 * start / n, f"measuring the neighbours of row {start:,} of {n:,}")
        rows = np.arange(start, min(n, start + size))
        block = found[rows].astype(np.int64)
        block.sort(axis=1)
        # Itself, empty places (-1) and what is listed twice do not count as neighbours.
        wrong = (block == rows[:, None]) | (block < 0)
        wrong[:, 1:] |= block[:, 1:] == block[:, :-1]
        measured = _squares(points, np.repeat(rows, block.shape[1]),
                            np.maximum(block, 0).ravel()).reshape(block.shape)
        measured[wrong] = np.inf
        order = np.argsort(measured, axis=1, kind="stable")[:, :count]
        indices[rows] = np.take_along_axis(block, order, axis=1)
        squares[rows] = np.take_along_axis(measured, order, axis=1)
    short = np.flatnonzero(np.isinf(squares[:, -1]))
    if len(short):
        again = _search(points, short, count, lambda fraction, text: progress(1.0, text))
        indices[short], squares[short] = again.indices, again.squares
    progress(1.0, "neighbours found")
    return _Found(indices, squares)


def _norms(flat: np.ndarray) -> np.ndarray:
    return np.einsum("ij,ij->i", flat, flat)


def _blocks_of(vectors: np.ndarray) -> list[np.ndarray]:
    return np.array_split(vectors, max(1, vectors.nbytes // _BLOCK_BYTES))
