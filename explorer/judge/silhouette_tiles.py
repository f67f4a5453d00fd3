"""Distances between rows, one square tile at a time: what is summed is never all in memory.

A tile of single precision numbers fits into the processor's second cache, and single precision
is twice as fast as double. Where |x|^2 + |y|^2 - 2xy would lose too many digits of it, the tile is
measured from a nearer centre, in double precision, or pair by pair from the differences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from explorer.judge.manhattan import manhattan_tile
from explorer.spec import Progress, silent

TILE = 512
"""Rows and columns of a tile: 1 MB."""
_NEAR = {np.dtype(np.float32): 1 / 32, np.dtype(np.float64): 2e-8}
"""Squared distances up to this share of |x|^2 + |y|^2 are not exact enough in that precision
(relative error above 1e-5 in the worst case; half the digits of double precision)."""
_NONE = {np.dtype(np.float32): 1e-30, np.dtype(np.float64): 0.0}
"""Squared distances below, of coordinates of at most 1, come near the end of that range."""
_MANY = 1 / 32
"""With more near pairs than this share of a tile, all of it in double precision costs less."""
_FEW_DIMENSIONS = 3
"""Up to here differences are as fast as products, and exact."""
_STRIP = 64
"""Rows of differences in the second cache together with their sums."""
_BLOCK_BYTES = 8 * 2**20
_PREPARING = "distances: the rows are sorted"


@dataclass(frozen=True)
class Points:
    """The m different rows that take part, in the order of `sort_points`.

    `values` m x d: float32 or float64 as given; for cosine float64 rows of length 1. Distances are
    taken of (values - centre) * scale, whose coordinates are about 1 at most (`centre` d float64,
    `scale` a power of two); times `unit` they are distances of the rows. `of_row` int64: which
    point each of the n rows is (-1: takes no part). `right`: those coordinates as `extended` has
    them, m x (d + 2) float32 (no rows where products are not used).
    """

    values: np.ndarray
    centre: np.ndarray
    scale: float
    metric: str
    of_row: np.ndarray
    right: np.ndarray

    @property
    def unit(self) -> float:
        # Of two vectors of length 1: |x - y|^2 = 2 (1 - cos).
        return 0.5 / self.scale**2 if self.metric == "cosine" else 1 / self.scale

    def __len__(self) -> int:
        return len(self.values)

    def tile(self, rows: slice, columns: slice) -> np.ndarray:
        """Distances of these points to those, float32, in units of `unit`; exact 0 of a point to
        itself."""
        if self.metric == "manhattan":
            return manhattan_tile(self._scaled(rows), self._scaled(columns))
        squares = (self._products(rows, columns) if len(self.right)
                   else self._differences(rows, columns))
        if self.metric != "cosine":
            np.sqrt(squares, out=squares)
        return squares.astype(np.float32, copy=False)

    def _scaled(self, part: slice) -> np.ndarray:
        found: np.ndarray = self.values[part] * self.values.dtype.type(self.scale)
        return found

    def _differences(self, rows: slice, columns: slice) -> np.ndarray:
        left, right = self._scaled(rows), np.ascontiguousarray(self._scaled(columns).T)
        squares = np.empty((len(left), right.shape[1]), dtype=right.dtype)
        more = np.empty((_STRIP, right.shape[1]), dtype=right.dtype)
        for start in range(0, len(left), _STRIP):
            strip = squares[start:start + _STRIP]
            space = more[:len(strip)]
            for axis, line in enumerate(right):
                into = space if axis else strip
                np.subtract(left[start:start + _STRIP, axis, None], line, out=into)
                np.multiply(into, into, out=into)
                if axis:
                    strip += space
        return squares

    def _products(self, rows: slice, columns: slice) -> np.ndarray:
        centre = self._nearer_centre(rows, columns)
        if centre is None:
            left, right = self.right[rows], self.right[columns]
        else:
            left, right = (extended(self._moved(part, centre), np.float32)
                           for part in (rows, columns))
        squares, near = squared_distances(left, right)
        if len(near) > _MANY * squares.size:
            centre = self.centre if centre is None else centre
            squares, near = squared_distances(*(extended(self._moved(part, centre), np.float64)
                                        for part in (rows, columns)))
        self._take_again(squares, near, rows.start, columns.start)
        return squares

    def _moved(self, part: slice, centre: np.ndarray) -> np.ndarray:
        return (self.values[part] - centre) * self.scale

    def _take_again(self, squares: np.ndarray, near: np.ndarray, top: int, left: int) -> None:
        """Put the exact squared distances at these flat places of a tile."""
        width = squares.shape[1]
        step = max(1, _BLOCK_BYTES // (24 * self.values.shape[1]))
        for begin in range(0, len(near), step):
            row, column = np.divmod(near[begin:begin + step], width)
            apart = self.values[top + row].astype(np.float64)
            apart -= self.values[left + column]
            apart *= self.scale
            squares[row, column] = np.einsum("ij,ij->i", apart, apart)

    @cached_property
    def _tiles(self) -> tuple[np.ndarray, np.ndarray]:
        """For each TILE points: their mean, from `centre`, and their mean squared distance to
        it."""
        parts = cut(0, len(self))
        means = np.empty((len(parts), self.values.shape[1]))
        widths = np.empty(len(parts))
        for place, part in enumerate(parts):
            block = self.right[part]
            means[place] = block[:, :-2].mean(axis=0, dtype=np.float64)
            widths[place] = block[:, -1].mean(dtype=np.float64) - means[place] @ means[place]
        return means, np.maximum(widths, 0.0)

    def _nearer_centre(self, rows: slice, columns: slice) -> np.ndarray | None:
        """The point half-way between two sets, where most pairs of them are much nearer to each
        other than to `centre`; else None."""
        means, widths = self._tiles
        # A cut that is not at a multiple of TILE has half of its points there at least.
        one, two = ((part.start + part.stop - 1) // 2 // TILE for part in (rows, columns))
        gap = means[one] - means[two]
        apart = gap @ gap + widths[one] + widths[two]
        out = means[one] @ means[one] + means[two] @ means[two] + widths[one] + widths[two]
        if apart > out / 4:
            return None
        middle: np.ndarray = self.centre + (means[one] + means[two]) / (2 * self.scale)
        return middle


def sort_points(vectors: np.ndarray, metric: str, part: np.ndarray,
                labels: Sequence[np.ndarray], early: np.ndarray,
                progress: Progress = silent) -> Points:
    """The different ones among the rows `part` (int64) of n x d `vectors`, those with a copy in
    `early` (len(part) bool) first. `labels`: arrays of len(part) whole numbers; points are sorted
    by the first, ties by the next, and so on, so that tiles touch few clusters and lie near each
    other where clusters do.

    `metric` is 'euclidean', 'cosine' (1 - cos; no row may be all zeros) or 'manhattan'.
    """
    kind = np.float32 if vectors.dtype == np.float32 else np.float64
    first, point = _different(vectors, part, progress)
    late = np.ones(len(first), dtype=bool)
    late[point[early]] = False
    order = np.lexsort([*(label[first] for label in reversed(labels)), late])
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    of_row = np.full(len(vectors), -1, dtype=np.int64)
    of_row[part] = place[point]
    values = vectors[part[first[order]]].astype(kind, copy=False)
    if metric == "cosine":
        values = values.astype(np.float64)
        for rows in cut(0, len(values)):
            progress(0.0, _PREPARING)
            values[rows] /= np.abs(values[rows]).max(axis=1, keepdims=True)  # tiny squares are 0
            values[rows] /= np.linalg.norm(values[rows], axis=1, keepdims=True)
    centre = values.mean(axis=0, dtype=np.float64)
    reach = 0.0
    for rows in cut(0, len(values)):
        progress(0.0, _PREPARING)
        reach = max(reach, float(np.abs(values[rows] - centre).max(initial=0.0)))
    scale = float(2.0 ** -np.frexp(reach)[1]) if reach > 0 else 1.0
    m, d = values.shape
    multiplied = metric != "manhattan" and d > _FEW_DIMENSIONS
    right = np.empty((m if multiplied else 0, d + 2), dtype=np.float32)
    for rows in cut(0, len(right)):
        progress(0.0, _PREPARING)
        right[rows] = extended((values[rows] - centre) * scale, np.float32)
    return Points(values=values, centre=centre, scale=scale, metric=metric, of_row=of_row,
                  right=right)


def cut(start: int, stop: int) -> list[slice]:
    """start..stop in slices of TILE, the last one shorter."""
    return [slice(low, min(low + TILE, stop)) for low in range(start, stop, TILE)]


def _different(vectors: np.ndarray, part: np.ndarray,
               progress: Progress) -> tuple[np.ndarray, np.ndarray]:
    """Places in `part` of the first of each set of equal rows, and which of those each is."""
    d = vectors.shape[1]
    odd = np.random.default_rng(0).integers(2**63, size=2 * d, dtype=np.uint64) * 2 + 1
    digests = np.empty(len(part), dtype=np.uint64)
    for rows in cut(0, len(part)):
        progress(0.0, _PREPARING)
        words = _plain(vectors[part[rows]]).view(np.uint32)
        digests[rows] = words.astype(np.uint64) @ odd[:words.shape[1]]
    _, first, point = np.unique(digests, return_index=True, return_inverse=True)
    for rows in cut(0, len(part)):
        progress(0.0, _PREPARING)
        if not np.array_equal(vectors[part[rows]], vectors[part[first[point[rows]]]]):
            return _different_at_length(vectors, part)  # two rows with one digest
    return first, point


def _different_at_length(vectors: np.ndarray, part: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`_different` by sorting the rows themselves."""
    rows = _plain(vectors[part])
    _, first, point = np.unique(rows.view(f"V{rows.dtype.itemsize * rows.shape[1]}").ravel(),
                                return_index=True, return_inverse=True)
    return first, point


def _plain(rows: np.ndarray) -> np.ndarray:
    """A copy of rows as float32 or float64 in which equal numbers have equal bytes."""
    kind = np.float32 if rows.dtype == np.float32 else np.float64
    copy: np.ndarray = np.array(rows, dtype=kind, order="C")
    copy += 0.0  # -0.0 and 0.0 are one value
    return copy


def extended(moved: np.ndarray, kind: type[np.floating]) -> np.ndarray:
    """[x, 1, |x|^2] of rows x: the product with [-2x, |x|^2, 1] gives squared distances."""
    n, d = moved.shape
    result = np.empty((n, d + 2), dtype=kind)
    values = result[:, :d]
    values[:] = moved
    result[:, d] = 1.0
    result[:, d + 1] = np.einsum("ij,ij->i", values, values, dtype=np.float64)
    return result


def squared_distances(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Squared distances of rows in the form of `extended`, and the flat places of those that are
    not exact enough in this precision: take them from the differences."""
    d = left.shape[1] - 2
    turned = left * left.dtype.type(-2)
    turned[:, d], turned[:, d + 1] = left[:, d + 1], 1.0
    squares = turned @ right.T
    share, none = (squares.dtype.type(limits[squares.dtype]) for limits in (_NEAR, _NONE))
    one, two = share * left[:, -1] + none, share * right[:, -1]
    if squares.min() > one.max() + two.max():
        return squares, np.empty(0, dtype=np.int64)
    bound = np.add.outer(one, two)
    return squares, np.flatnonzero(squares <= bound)
