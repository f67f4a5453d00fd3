"""Rows that are nearly the same: groups of rows closer than a threshold, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from explorer.judge.centers import distances_to_centers
from explorer.neighbors.nearest import Nearest
from explorer.spec import Progress, silent
from explorer.values import Graph, by_size

ALONE = -1
_LIST = 10
"""Nearest rows searched for each row; only those of which all are near need a second look."""
_BLOCK_VALUES = 4_000_000


@dataclass(frozen=True)
class Nearby:
    """The different rows among n: `of_row` (int64 n) says which of the m different ones a row is,
    `first` (int64 m) the first row that is it; `near` their nearest others (None: there is one)."""

    of_row: np.ndarray
    first: np.ndarray
    near: Graph | None

    @property
    def copies(self) -> np.ndarray:
        """n int64: how many rows are exactly this one, itself counted."""
        counts: np.ndarray = np.bincount(self.of_row, minlength=len(self.first))[self.of_row]
        return counts

    @property
    def nearest(self) -> np.ndarray:
        """n float64: the distance to the nearest other row; NaN where there is no other."""
        if self.near is None:
            return np.where(self.copies > 1, 0.0, np.nan)
        found = np.asarray(self.near.distances[:, 0], dtype=np.float64)[self.of_row]
        return np.where(self.copies > 1, 0.0, found)


def find_nearby(vectors: np.ndarray, metric: Literal["euclidean", "cosine"],
                progress: Progress = silent) -> Nearby:
    """The different ones of n x d float32 rows, and the nearest others of each, exactly."""
    data = np.ascontiguousarray(vectors) + 0.0  # -0.0 and 0.0 are one value
    _, first, of_row = np.unique(data.view(f"V{data.dtype.itemsize * data.shape[1]}").ravel(),
                                 return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    first, of_row = first[order], place[of_row]
    near = None
    if len(first) > 1:
        search = Nearest(count=min(_LIST, len(first) - 1), metric=metric, search="exact")
        near = search.find(data[first], progress)
    return Nearby(of_row, first, near)


def usual_threshold(nearby: Nearby, share: float) -> float:
    """`share` of the median distance from a different row to its nearest other: 0 without any."""
    if nearby.near is None:
        return 0.0
    return share * float(np.median(nearby.near.distances[:, 0]))


def group_rows(vectors: np.ndarray, nearby: Nearby, threshold: float,
               progress: Progress = silent) -> np.ndarray:
    """n int32: the group of every row, 0.. by falling size (ties: first row first), ALONE for rows
    without one. Rows at most `threshold` apart are in one group, and so are those that a chain of
    such rows connects (the connected components). Memory: one block of rows at a time."""
    m = len(nearby.first)
    links = _Links(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    if nearby.near is not None:
        close = np.asarray(nearby.near.distances) <= threshold
        links = _Links(np.repeat(np.arange(m), close.sum(axis=1)),
                       np.asarray(nearby.near.indices)[close].astype(np.int64))
        # Of rows whose whole list is near, the list may not be all.
        full = np.flatnonzero(close[:, -1]) if close.shape[1] < m - 1 else np.zeros(0, np.int64)
        links = _link_crowded(vectors, nearby, full, threshold, links, progress)
    component = links.components(m)
    labels = component[nearby.of_row]
    _, sizes = np.unique(labels, return_counts=True)
    labels = np.where(sizes[labels] > 1, labels, ALONE)
    return by_size(labels)


@dataclass(frozen=True)
class _Links:
    """Pairs of rows (int64 each) that are in one group."""

    starts: np.ndarray
    ends: np.ndarray

    def components(self, m: int) -> np.ndarray:
        """m int32: which rows are connected."""
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import connected_components

        graph = csr_array((np.ones(len(self.starts), dtype=np.int8), (self.starts, self.ends)),
                          shape=(m, m))
        found: np.ndarray = connected_components(graph, directed=False)[1]
        return found

    def joined(self, starts: np.ndarray, ends: np.ndarray, m: int) -> _Links:
        """Less than m links that connect what these and the further ones connect."""
        both = _Links(np.append(self.starts, starts), np.append(self.ends, ends))
        component = both.components(m)
        heads = np.unique(component, return_index=True)[1][component]
        inside = np.flatnonzero(heads != np.arange(m))
        return _Links(inside, heads[inside])


def _link_crowded(vectors: np.ndarray, nearby: Nearby, rows: np.ndarray, threshold: float,
                  links: _Links, progress: Progress) -> _Links:
    """The links, and those of all pairs of these different rows with any other at most `threshold`
    apart."""
    from scipy.spatial.distance import cdist

    assert nearby.near is not None
    if not len(rows):
        return links
    data = vectors[nearby.first].astype(np.float64)
    if nearby.near.metric == "cosine":
        data /= np.sqrt(np.einsum("ij,ij->i", data, data))[:, None]
    size = max(1, _BLOCK_VALUES // len(data))
    for at in range(0, len(rows), size):
        progress(at / len(rows), f"{at:,} of {len(rows):,} crowded rows")
        block = rows[at:at + size]
        squares = cdist(data[block], data, "sqeuclidean")
        far = squares / 2 if nearby.near.metric == "cosine" else np.sqrt(squares)
        start, end = np.nonzero(far.astype(np.float32) <= threshold)
        links = links.joined(block[start], end, len(data))
    return links


def keepers(vectors: np.ndarray, groups: np.ndarray, metric: str) -> np.ndarray:
    """n bool: the one row of each group to keep, the nearest to the mean of its group (ties: the
    first row)."""
    far = distances_to_centers(vectors, groups, metric)
    order = np.lexsort((np.arange(len(groups)), far, groups))
    heads = order[np.flatnonzero(np.diff(groups[order], prepend=ALONE - 1))]
    kept = np.zeros(len(groups), dtype=bool)
    kept[heads] = True
    return kept & (groups != ALONE)


def same_content(contents: Sequence[bytes]) -> np.ndarray:
    """n int64: how many rows have exactly this content, itself counted; empty ones are alone."""
    import hashlib

    names = [hashlib.blake2b(content, digest_size=16).digest() if content else b""
             for content in contents]
    counts: dict[bytes, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return np.array([counts[name] if name else 1 for name in names], dtype=np.int64)
