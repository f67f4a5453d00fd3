"""For each row and each cluster of several clusterings: the sum of the distances between them.

Distances are symmetric: a tile serves its rows and its columns, and each pair is measured once. All
clusterings share the distances.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from explorer.judge.kept import Kept
from explorer.judge.silhouette_tiles import TILE, Points, cut, sort_points
from explorer.spec import Progress, silent

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_CACHE_BYTES = 32 * 2**20


@dataclass(frozen=True)
class Panel:
    """`sums` K x (stop - start) float64: of the points start..stop to each of the K clusters."""

    start: int
    stop: int
    sums: np.ndarray


@dataclass(frozen=True)
class Question:
    """Which sums are wanted: those of the first `wanted` points, to all points of each cluster.

    `members` m x K counts of each point in each cluster; `offsets`: where the clusters of each
    clustering begin among the K, and K itself.
    """

    points: Points
    members: csr_array
    offsets: np.ndarray
    wanted: int


def ask(vectors: np.ndarray, every: Sequence[Kept], metric: str,
        only: Sequence[np.ndarray] | None = None, progress: Progress = silent) -> Question:
    """The sums for these clusterings of n x d vectors. `only`: for each the places among its kept
    rows whose sums are wanted, None for all."""
    from scipy.sparse import csr_array

    total = len(vectors)
    labels = np.full((len(every), total), -1, dtype=np.int64)
    wanted = np.zeros(total, dtype=bool)
    for place, kept in enumerate(every):
        labels[place, kept.rows] = kept.group
        wanted[kept.rows if only is None else kept.rows[only[place]]] = True
    part = np.flatnonzero((labels >= 0).any(axis=0))
    # Copies of a row are one point, which is wanted where any of them is.
    points = sort_points(vectors, metric, part, list(labels[:, part]), wanted[part],
                         progress)
    offsets = np.cumsum([0, *(len(kept.sizes) for kept in every)])
    point = np.concatenate([points.of_row[kept.rows] for kept in every])
    column = np.concatenate([kept.group + offset
                             for kept, offset in zip(every, offsets, strict=False)])
    members = csr_array((np.ones(len(point), dtype=np.float32), (point, column)),
                        shape=(len(points), int(offsets[-1])))
    members.sum_duplicates()
    last = int(points.of_row[wanted].max(initial=-1))
    return Question(points=points, members=members, offsets=offsets, wanted=last + 1)


def sum_distances(question: Question, block_bytes: int, progress: Progress) -> Iterator[Panel]:
    """The sums, in panels of at most `block_bytes` (at least TILE points): with one panel each pair
    of points is measured once, with many nearly twice."""
    members, points = question.members, question.points
    m, clusters = members.shape
    size = max(1, block_bytes // (8 * clusters * TILE)) * TILE
    weights = _Weights(members)
    for low in range(0, question.wanted, size):
        high = min(low + size, question.wanted)
        sums = np.zeros((clusters, high - low))
        inside, outside = cut(low, high), [*cut(0, low), *cut(high, m)]
        width, done = high - low, 0
        pairs = (width**2 + sum((part.stop - part.start)**2 for part in inside)) / 2 + (
            width * (m - width))
        for place, rows in enumerate(inside):
            mine = weights.of(rows)
            for columns in [*inside[place:], *outside]:
                distances = points.tile(rows, columns)
                theirs = weights.of(columns)
                _add(sums, theirs.columns, rows, low, distances @ theirs.counts)
                if columns.start != rows.start and low <= columns.start < high:
                    _add(sums, mine.columns, columns, low, distances.T @ mine.counts)
                done += distances.size
                progress((low + width * done / pairs) / question.wanted,
                         f"distances of {question.wanted:,} different rows")
        sums *= points.unit
        yield Panel(low, high, sums)


@dataclass(frozen=True)
class _Weight:
    """The clusters the points of a tile are in (`columns`, a slice or int64) and how often each
    point is in each, float32."""

    columns: slice | np.ndarray
    counts: np.ndarray


class _Weights:
    """The members of tiles as small dense tables, kept while they are small."""

    def __init__(self, members: csr_array) -> None:
        self._members = members
        self._kept: dict[tuple[int, int], _Weight] = {}
        self._bytes = 0

    def of(self, part: slice) -> _Weight:
        key = (part.start, part.stop)
        found = self._kept.get(key)
        if found is None:
            found = self._make(part)
            self._bytes += found.counts.nbytes
            if self._bytes < _CACHE_BYTES:
                self._kept[key] = found
        return found

    def _make(self, part: slice) -> _Weight:
        bounds = self._members.indptr[part.start:part.stop + 1]
        entries = slice(bounds[0], bounds[-1])
        columns, place = np.unique(self._members.indices[entries], return_inverse=True)
        counts = np.zeros((part.stop - part.start, len(columns)), dtype=np.float32)
        counts[np.repeat(np.arange(len(counts)), np.diff(bounds)), place] = (
            self._members.data[entries])
        first, last = int(columns[0]), int(columns[-1])
        if last - first == len(columns) - 1:
            return _Weight(slice(first, last + 1), counts)
        return _Weight(columns, counts)


def _add(sums: np.ndarray, columns: slice | np.ndarray, points: slice, low: int,
         more: np.ndarray) -> None:
    sums[columns, points.start - low:points.stop - low] += more.T
