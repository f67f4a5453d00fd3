"""The minimum spanning tree of mutual reachability, exactly, with bounded memory.

The distance of two rows is the largest of their own distance and their two core distances
(Campello, Moulavi, Sander 2013, definition 4); with core distances of 0 the tree is that of single
linkage.

Seconds of one thread for min_samples 10, beside those of scikit-learn 1.9.1's HDBSCAN:

    n x d          here   scikit-learn
    60,000 x   2    1.2   11.7
    10,000 x 384    3.2   117

In few columns the search is Boruvka's over a k-d tree (March, Ram, Gray 2010, as in the package
hdbscan). In many columns a tree sorts out nothing, and blocks of matrix products are faster: one
pass over all pairs gives every row its nearest rows; Boruvka's rounds are served from these lists
as long as a list proves that nothing nearer lies beyond it; only rows whose lists do not are
compared with all others again, about once each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.spec import Cost, Progress, part

FEW_COLUMNS = 15
"""Up to here the k-d tree is faster (measured on MNIST's first components and on clouds)."""
LISTED = 32
"""Nearest rows kept of each row; 16 and 64 were as fast within a tenth."""
_BLOCK_BYTES = 48 * 2**20


@dataclass(frozen=True)
class SpanningTree:
    """n - 1 edges of n rows by rising length: `ends` (int64, two columns, lower row first) and
    `lengths` (float64). `lists`: the nearest rows (int32, n x k) of each, where asked for."""

    ends: np.ndarray
    lengths: np.ndarray
    lists: np.ndarray | None = None


def find_spanning_tree(vectors: np.ndarray, min_samples: int, metric: str, progress: Progress, *,
                       listed: int = 0, few_columns: int = FEW_COLUMNS) -> SpanningTree:
    """The tree of n x d float64 `vectors` (n >= 2) by the 'euclidean' or 'manhattan' distance.

    The core distance is that to the `min_samples`-th nearest row, itself counted, as in
    scikit-learn: 1 makes it 0. Lengths are measured by differences in float64, so copies lie
    exactly 0 apart; which of two edges is the shorter is decided by matrix products in float64,
    that is up to about 1e-15 times the squared size of the (centred) vectors. `listed`: keep the
    lists of so many nearest rows.
    """
    n, d = vectors.shape
    if d <= few_columns:
        return _by_tree(vectors, min_samples, metric, min(listed, n - 1), progress)
    space = _Space(vectors, metric)
    near = _nearest(space, min(listed or LISTED, n - 1), min_samples, part(progress, 0.0, 0.5))
    return _Boruvka(space, near).run(part(progress, 0.5, 1.0))


def estimate_spanning_tree(n: int, d: int, metric: str) -> Cost:
    """What `find_spanning_tree` takes, on one core."""
    if d <= FEW_COLUMNS:
        return Cost(seconds=0.1 + 6e-7 * n * max(1.0, np.log2(n)) * (1 + d * d / 8),
                    bytes=int(n * (24 * d + 200)))
    pair = 4e-10 * d if metric == "manhattan" else 4e-11 * d
    return Cost(seconds=0.1 + 2.0 * n * n * (1.1e-8 + pair),
                bytes=int(16 * n * d + 40 * n * LISTED + 4 * _BLOCK_BYTES))


def _by_tree(vectors: np.ndarray, min_samples: int, metric: str, listed: int,
             progress: Progress) -> SpanningTree:
    from hdbscan._hdbscan_boruvka import KDTreeBoruvkaAlgorithm
    from sklearn.neighbors import KDTree

    n = len(vectors)
    progress(0.0, f"joining {n:,} rows to their nearest (does not stop in between)")
    tree = KDTree(vectors, leaf_size=40, metric=metric)
    # It does not count the row itself. Its default approximates; leaf size as in hdbscan.
    found = KDTreeBoruvkaAlgorithm(tree, min_samples - 1, metric=metric, leaf_size=13,
                                   approx_min_span_tree=False, n_jobs=1).spanning_tree()
    lists = _lists(tree, vectors, listed) if listed else None
    progress(1.0, "rows joined")
    return _sorted(found[:, 0].astype(np.int64), found[:, 1].astype(np.int64), found[:, 2], lists)


def _lists(tree: Any, vectors: np.ndarray, count: int) -> np.ndarray:
    """The nearest others of every row; where it has many copies it may not stand first itself."""
    found = tree.query(vectors, count + 1, return_distance=False)
    own = found == np.arange(len(vectors))[:, None]
    own[~own.any(axis=1), -1] = True
    rows: np.ndarray = found[~own].reshape(len(vectors), count).astype(np.int32)
    return rows


def _sorted(left: np.ndarray, right: np.ndarray, lengths: np.ndarray,
            lists: np.ndarray | None) -> SpanningTree:
    low, high = np.minimum(left, right), np.maximum(left, right)
    order = np.lexsort((high, low, lengths))
    return SpanningTree(np.column_stack([low, high])[order], lengths[order], lists)


class _Space:
    """Rows and the distance between them, as numbers that sort alike: squares for Euclidean."""

    def __init__(self, vectors: np.ndarray, metric: str) -> None:
        # The median of some rows: one huge row moves a mean far from everybody else.
        middle = np.median(vectors[::max(1, len(vectors) // 2000)], axis=0)
        self.data = np.ascontiguousarray(vectors - middle)
        self.straight = metric == "euclidean"
        self.norms = np.einsum("ij,ij->i", self.data, self.data)
        self.step = max(1, _BLOCK_BYTES // (8 * len(vectors)))

    def to_all(self, rows: np.ndarray) -> np.ndarray:
        """len(rows) x n, from `rows` to every row; small where it is 0 only up to rounding."""
        if not self.straight:
            from scipy.spatial.distance import cdist

            away: np.ndarray = cdist(self.data[rows], self.data, "cityblock")
            return away
        found: np.ndarray = self.data[rows] @ self.data.T
        found *= -2
        found += self.norms
        found += self.norms[rows, None]
        return found

    def between(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """m numbers for m pairs of rows, by differences: 0 for copies."""
        result = np.empty(len(left))
        size = max(1, 2**19 // max(1, self.data.shape[1]))
        for start in range(0, len(left), size):
            pairs = slice(start, start + size)
            difference = self.data[left[pairs]] - self.data[right[pairs]]
            result[pairs] = (np.einsum("ij,ij->i", difference, difference) if self.straight
                             else np.abs(difference).sum(axis=1))
        return result

    def lengths(self, numbers: np.ndarray) -> np.ndarray:
        """The distances that these numbers stand for."""
        return np.sqrt(numbers) if self.straight else numbers


@dataclass(frozen=True)
class _Near:
    """For each of n rows its k nearest others (`rows` int32, `away` float64, ascending) and its
    `core` number."""

    rows: np.ndarray
    away: np.ndarray
    core: np.ndarray


def _nearest(space: _Space, count: int, min_samples: int, progress: Progress) -> _Near:
    n = len(space.data)
    rows, away = np.empty((n, count), dtype=np.int32), np.empty((n, count))
    core = np.zeros(n)
    for start in range(0, n, space.step):
        progress(start / n, f"nearest rows of row {start:,} of {n:,}")
        block = np.arange(start, min(n, start + space.step))
        numbers = space.to_all(block)
        numbers[np.arange(len(block)), block] = np.inf
        near = np.argpartition(numbers, count - 1, axis=1)[:, :count]
        near.sort(axis=1)  # equal distances stay in the order of the rows
        measured = space.between(np.repeat(block, count), near.ravel()).reshape(near.shape)
        order = np.argsort(measured, axis=1, kind="stable")
        rows[block] = np.take_along_axis(near, order, axis=1)
        away[block] = np.take_along_axis(measured, order, axis=1)
        if min_samples - 1 > count:
            far = np.argpartition(numbers, min_samples - 2, axis=1)[:, min_samples - 2]
            core[block] = space.between(block, far)
    if 0 < min_samples - 1 <= count:
        core = away[:, min_samples - 2].copy()
    return _Near(rows, away, core)


class _Boruvka:
    """Components and the edges known between them, shortest first. `low`: no row outside a row's
    component and not joined to it by a known edge is nearer to it than that."""

    def __init__(self, space: _Space, near: _Near) -> None:
        n, count = near.rows.shape
        self.space, self.core, self.lists = space, near.core, near.rows
        left, right = np.repeat(np.arange(n, dtype=np.int32), count), near.rows.ravel()
        self._enter(left, right, np.maximum(near.away.ravel(), np.maximum(self.core[left],
                                                                          self.core[right])))
        self.low = np.maximum(near.away[:, -1], self.core)
        if count == n - 1:
            self.low[:] = np.inf
        self.component, self.count = np.arange(n), n

    def run(self, progress: Progress) -> SpanningTree:
        """Join until one component is left."""
        n = len(self.component)
        edges: list[np.ndarray] = []
        lengths: list[np.ndarray] = []
        while self.count > 1:
            done = sum(map(len, lengths)) / n
            progress(done, f"{self.count:,} groups of {n:,} rows left to join")
            chosen = self._sure()
            if len(chosen):
                edges.append(np.column_stack([self.left[chosen], self.right[chosen]]))
                lengths.append(self.away[chosen])
                self._join(chosen)
            else:
                self._search(part(progress, done, done))
        ends = np.concatenate(edges).astype(np.int64)
        progress(1.0, "rows joined")
        return _sorted(ends[:, 0], ends[:, 1], self.space.lengths(np.concatenate(lengths)),
                       self.lists)

    def _enter(self, left: np.ndarray, right: np.ndarray, away: np.ndarray) -> None:
        """Sort edges by length, then ends: one order for all components, so that equal lengths
        never close a ring."""
        low, high = np.minimum(left, right), np.maximum(left, right)
        order = np.lexsort((high, low, away))
        self.left, self.right, self.away = low[order], high[order], away[order]

    def _sure(self) -> np.ndarray:
        """The shortest known edge of each component of which it is certain that none is shorter.
        Notes in `hidden` the rows for which it is not."""
        own, other = self.component[self.left], self.component[self.right]
        kept = own != other
        self.left, self.right, self.away = self.left[kept], self.right[kept], self.away[kept]
        own, other = own[kept], other[kept]
        m = len(own)
        first = np.full(self.count, m)
        for ends in (own, other):
            place = np.full(self.count, m)
            place[ends[::-1]] = np.arange(m)[::-1]  # the last one written is the shortest
            first = np.minimum(first, place)
        best = np.append(self.away, np.inf)[first]
        self.hidden = self.low < best[self.component]
        sure = first < m
        sure[self.component[self.hidden]] = False
        return np.unique(first[sure])

    def _join(self, chosen: np.ndarray) -> None:
        from scipy.sparse import coo_matrix
        from scipy.sparse.csgraph import connected_components

        ends = self.component[self.left[chosen]], self.component[self.right[chosen]]
        graph = coo_matrix((np.ones(len(chosen), dtype=np.int8), ends),
                           shape=(self.count, self.count))
        self.count, renamed = connected_components(graph, directed=False)
        self.component = renamed[self.component]

    def _search(self, progress: Progress) -> None:
        """Compare the hidden rows of all components but the largest with all rows outside."""
        largest = np.bincount(self.component).argmax()
        rows = np.flatnonzero(self.hidden & (self.component != largest))
        rows = rows[np.argsort(self.component[rows], kind="stable")]
        found, away = np.empty(len(rows), dtype=np.int64), np.empty(len(rows))
        for start in range(0, len(rows), self.space.step):
            progress(1.0, f"{start:,} of {len(rows):,} rows compared with all others, "
                          f"{self.count:,} groups left to join")
            here = slice(start, start + self.space.step)
            found[here] = self._outside(rows[here])
            away[here] = np.maximum(self.space.between(rows[here], found[here]),
                                    np.maximum(self.core[rows[here]], self.core[found[here]]))
        self.low[rows] = away
        self._enter(np.concatenate([self.left, rows]), np.concatenate([self.right, found]),
                    np.concatenate([self.away, away]))

    def _outside(self, rows: np.ndarray) -> np.ndarray:
        """The nearest row outside the component of each of these rows, which lie by component."""
        numbers = self.space.to_all(rows)
        np.maximum(numbers, self.core, out=numbers)
        np.maximum(numbers, self.core[rows, None], out=numbers)
        own = self.component[rows]
        starts = np.flatnonzero(np.diff(own, prepend=-1))
        for start, end in zip(starts, np.append(starts[1:], len(rows)), strict=True):
            numbers[start:end, self.component == own[start]] = np.inf
        nearest: np.ndarray = numbers.argmin(axis=1)
        return nearest
