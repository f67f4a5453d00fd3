"""Distances of some rows to all rows, so exact that equal rows are tied and ties stay ties.

What a study of ranks needs and a plain matrix product does not give: copies of a row are at the
very same distance from everything, and distances that are equal on paper are equal in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

BLOCK_BYTES = 32 * 2**20
_NEAR = 2e-8
"""Squared distances below this share of the squared lengths have lost half their digits in
|x|^2 + |y|^2 - 2xy; they are taken again from the differences."""
_PARALLEL = 1e-30
"""Squared distance of unit vectors that is rounding, as in neighbors/nearest.py."""
_FLAT = 3
_SPARE = 12
"""Bits of a double that are left out: distances that agree to 12 digits count as equal."""


@dataclass(frozen=True)
class Spots:
    """The different rows among n: `values` m x d float64 (moved to about their middle; of length 1
    for the cosine), `norms` their squared lengths, `of_row` (n int64) which of them a row is."""

    values: np.ndarray
    norms: np.ndarray
    of_row: np.ndarray
    metric: str

    @property
    def n(self) -> int:
        return len(self.of_row)


def spots(vectors: np.ndarray, metric: str = "euclidean") -> Spots:
    """The spots of n x d finite vectors; `metric` is 'euclidean' or 'cosine' (then no row may be
    all zero)."""
    rows = np.ascontiguousarray(vectors) + 0.0  # -0.0 and 0.0 are one value
    n, d = rows.shape
    _, first, of_row = np.unique(rows.view(f"V{rows.dtype.itemsize * d}").ravel(),
                                 return_index=True, return_inverse=True)
    if len(first) == n:
        first = of_row = np.arange(n)
    values = rows[first].astype(np.float64)
    if metric == "cosine":
        values /= np.linalg.norm(values, axis=1, keepdims=True)
    else:
        values -= _middle(values)
    return Spots(values, np.einsum("ij,ij->i", values, values), of_row.ravel(), metric)


def _middle(values: np.ndarray) -> np.ndarray:
    """About the mean, of so few digits that whole numbers stay exact when it is taken off."""
    unit = 2.0 ** (np.frexp(np.abs(values).max(initial=0.0))[1] - 6)
    found: np.ndarray = np.round(values.mean(axis=0) / unit) * unit
    return found


def squares(found: Spots, rows: np.ndarray) -> np.ndarray:
    """b x n float64: the squared distance of each of `rows` (b places) to all n rows; for the
    cosine twice the cosine distance. Ranks are those of the distances."""
    at = found.of_row[rows]
    block = _direct(found, at) if found.values.shape[1] <= _FLAT else _product(found, at)
    bits = block.view(np.int64)
    bits += 1 << (_SPARE - 1)
    bits &= ~((1 << _SPARE) - 1)
    return block if len(found.values) == found.n else block[:, found.of_row]


def distances(found: Spots, block: np.ndarray) -> np.ndarray:
    """The distances of `squares`, in place: Euclidean, or 1 - cos."""
    if found.metric == "cosine":
        block *= 0.5
        return block
    return np.sqrt(block, out=block)


def blocks(rows: np.ndarray, n: int, block_bytes: int = BLOCK_BYTES) -> Iterator[slice]:
    """Slices of `rows` whose n float64 distances fit into `block_bytes`; at least one row each."""
    step = max(1, block_bytes // (8 * max(1, n)))
    for start in range(0, len(rows), step):
        yield slice(start, min(start + step, len(rows)))


def _direct(found: Spots, at: np.ndarray) -> np.ndarray:
    total = np.zeros((len(at), len(found.values)))
    for column in found.values.T:
        total += (column[at, None] - column) ** 2
    return total


def _product(found: Spots, at: np.ndarray) -> np.ndarray:
    values, norms = found.values, found.norms
    block = values[at] @ values.T
    block *= -2.0
    block += norms
    block += norms[at, None]
    # Rounding may leave less than nothing; what is near nothing is measured again.
    near = np.flatnonzero(block < _NEAR * (norms + norms[at, None]))
    step = max(1, BLOCK_BYTES // (32 * values.shape[1]))
    width = block.shape[1]
    flat = block.ravel()
    for start in range(0, len(near), step):
        part = near[start:start + step]
        difference = values[at[part // width]] - values[part % width]
        flat[part] = np.einsum("ij,ij->i", difference, difference)
    if found.metric == "cosine":
        block[block < _PARALLEL] = 0.0
    return block


def between(found: Spots, rows: np.ndarray, places: np.ndarray) -> np.ndarray:
    """b x k float64 distances of each of `rows` to its k `places`; 0 exactly for equal rows."""
    result = np.empty(places.shape)
    step = max(1, BLOCK_BYTES // (16 * max(1, found.values.shape[1]) * max(1, places.shape[1])))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        own = found.values[found.of_row[rows[part]]]
        difference = found.values[found.of_row[places[part]]] - own[:, None]
        result[part] = np.einsum("ijk,ijk->ij", difference, difference)
    if found.metric == "cosine":
        result[result < _PARALLEL] = 0.0
    return distances(found, result)
