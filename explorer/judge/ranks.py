"""Who is whose neighbour in an embedding and on its map, and how far down the other list.

Ties: equal distances stand in the order of the rows, in both spaces, so that copies of a row are
the same neighbours in both. scikit-learn's `trustworthiness` leaves their order open.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.judge.pairs import Spots, blocks, spots, squares
from explorer.spec import Progress, silent

DEEPEST = 200
"""Neighbours per row whose ranks are kept: as far as the curves go."""


@dataclass(frozen=True)
class Ranks:
    """Of m measured `rows` among n, their `near` K true neighbours (m x K int32 places, nearest
    first) and the rank each has on the map (`on_map`, m x K int32, 1 is the nearest); their
    `shown` K neighbours on the map and the rank each has in truth (`in_truth`)."""

    n: int
    rows: np.ndarray
    near: np.ndarray
    on_map: np.ndarray
    shown: np.ndarray
    in_truth: np.ndarray

    @property
    def deepest(self) -> int:
        """K: below n / 2, as the measures ask; 0 where there are fewer than 3 rows."""
        return self.near.shape[1]


def deepest_of(n: int) -> int:
    """How many neighbours can be asked for among n rows: fewer than half of them."""
    return max(0, min(DEEPEST, (n - 1) // 2))


def compare_ranks(vectors: np.ndarray, points: np.ndarray, rows: np.ndarray, metric: str,
                  progress: Progress = silent) -> Ranks:
    """The ranks of these `rows` (places, ascending) of n x d vectors and n x 2 or n x 3 points,
    against all rows. About 6 blocks of 32 MB stand in memory beside the vectors in float64."""
    n, count = len(vectors), deepest_of(len(vectors))
    made = [np.empty((len(rows), count), dtype=np.int32) for _ in range(4)]
    if count:
        true, drawn = spots(vectors, metric), spots(points)
        for part in blocks(rows, n):
            progress(part.start / len(rows),
                     f"comparing neighbours of row {part.start:,} of {len(rows):,}")
            for whole, some in zip(made, _compared(true, drawn, rows[part], count), strict=True):
                whole[part] = some
    progress(1.0, "neighbours compared")
    return Ranks(n, rows, *made)


def _compared(true: Spots, drawn: Spots, rows: np.ndarray,
              count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    first, second = _ordered(true, rows), _ordered(drawn, rows)
    near, shown = (_nearest(side.distances, count) for side in (first, second))
    return near, _ranks(second, near), shown, _ranks(first, shown)


@dataclass(frozen=True)
class _Ordered:
    """b x n squared `distances`, a row's own below all others, and each row of them `sorted`."""

    distances: np.ndarray
    sorted: np.ndarray


def _ordered(found: Spots, rows: np.ndarray) -> _Ordered:
    distances = _from(found, rows)
    return _Ordered(distances, np.sort(distances, axis=1))


def _from(found: Spots, rows: np.ndarray) -> np.ndarray:
    distances = squares(found, rows)
    distances[np.arange(len(rows)), rows] = -1.0
    return distances


def _nearest(distances: np.ndarray, count: int) -> np.ndarray:
    """b x count places of the nearest others, nearest first, ties by place. A row's own distance
    is below all others."""
    last = np.partition(distances, count, axis=1)[:, count]
    own, other = np.nonzero(distances <= last[:, None])
    order = np.lexsort((distances[own, other], own))  # stable: ties stay in the order of the rows
    starts = np.searchsorted(own, np.arange(len(distances)))
    found: np.ndarray = other[order[starts[:, None] + np.arange(1, count + 1)]]
    return found


def _ranks(block: _Ordered, places: np.ndarray) -> np.ndarray:
    """b x K: the rank of each of these places among the others of its row, from 1."""
    found = np.empty(places.shape, dtype=np.int64)
    values = np.take_along_axis(block.distances, places, axis=1)
    for at, (line, asked) in enumerate(zip(block.sorted, values, strict=True)):
        low = np.searchsorted(line, asked, side="left")
        if (np.searchsorted(line, asked, side="right") == low + 1).all():
            found[at] = low  # the row itself is among those before
            continue
        order = np.argsort(block.distances[at], kind="stable")
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        found[at] = rank[places[at]]
    return found


def nearest_drawn(points: np.ndarray, count: int, progress: Progress = silent) -> np.ndarray:
    """n x count int32: the nearest others of each of n x 2 or n x 3 points, nearest first, ties by
    place: the same as `Ranks.shown`, by a tree. 1 <= count <= n - 2."""
    from scipy.spatial import cKDTree

    n, step = len(points), 20_000
    tree = cKDTree(points.astype(np.float64))
    found = np.empty((n, count), dtype=np.int32)
    for start in range(0, n, step):
        progress(start / n, f"neighbours on the map of row {start:,} of {n:,}")
        rows = np.arange(start, min(n, start + step))
        far, places = tree.query(tree.data[rows], k=count + 2)
        far[places == rows[:, None]] = -1.0
        order = np.lexsort((places, far))
        far, places = (np.take_along_axis(side, order, axis=1) for side in (far, places))
        found[rows] = places[:, 1:-1]
        # Tied with what was left out (or itself left out, among copies): decided by place.
        open_ = rows[(far[:, 0] >= 0) | (far[:, -2] == far[:, -1])]
        if len(open_):
            every = spots(points)
            for part in blocks(open_, n):
                found[open_[part]] = _nearest(_from(every, open_[part]), count)
    progress(1.0, "neighbours on the map found")
    return found


def ranks_from(vectors: np.ndarray, place: int, others: np.ndarray, metric: str) -> np.ndarray:
    """int64: the rank of each of these places among the others of one row, from 1, ties by place;
    each row is measured by its difference to that one, in blocks."""
    n, d = vectors.shape
    far = np.empty(n)
    own = _wide(vectors[place:place + 1], metric)
    step = max(1, 2**19 // max(1, d))
    for start in range(0, n, step):
        difference = _wide(vectors[start:start + step], metric) - own
        far[start:start + step] = np.einsum("ij,ij->i", difference, difference)
    far[place] = -1.0
    found = [np.count_nonzero(far < far[at]) + np.count_nonzero(far[:at] == far[at])
             for at in others.tolist()]
    return np.array(found, dtype=np.int64)


def _wide(block: np.ndarray, metric: str) -> np.ndarray:
    block = block.astype(np.float64)
    if metric == "cosine":
        lengths = np.linalg.norm(block, axis=1, keepdims=True)
        block /= np.where(lengths > 0, lengths, np.nan)  # no direction: no rank, last of all
    return block
