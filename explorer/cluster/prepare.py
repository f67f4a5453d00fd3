"""Vectors as the distance-based clusterers compute with them: in float64, near 0, near 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.spec import Facts


@dataclass(frozen=True)
class Prepared:
    """n x d float64 `vectors`, at most 1 in magnitude; a distance here times `unit` is one of the
    data. For the cosine metric rows have length 1: their straight distance is sqrt(2 - 2 cos)."""

    vectors: np.ndarray
    unit: float


def prepare(vectors: np.ndarray, metric: str = "euclidean") -> Prepared:
    """n x d vectors moved to their mean and divided by a power of two, so that neither a large
    offset nor a tiny scale costs digits; for cosine each row by its length."""
    data = np.asarray(vectors, dtype=np.float64)
    if metric == "cosine":
        # By the largest value first: the squares of 1e-200 are 0.
        data = data / np.abs(data).max(axis=1, keepdims=True)
        return Prepared(data / np.linalg.norm(data, axis=1, keepdims=True), 1.0)
    data = data - data.mean(axis=0)
    unit = float(2.0 ** np.frexp(np.abs(data).max(initial=0.0))[1])
    return Prepared(data / unit, unit)


def facts(vectors: np.ndarray) -> Facts:
    """Rows, columns and all-zero rows: what `check` needs where nobody has counted the rest."""
    return Facts(len(vectors), vectors.shape[1],
                 zeros=int(np.count_nonzero(~vectors.any(axis=1))))


def only_found(found: int, wanted: int) -> tuple[str, ...]:
    """A note when fewer clusters than asked for have rows."""
    if found >= wanted:
        return ()
    return (f"Only {found} of {wanted} clusters have rows: many rows are equal or nearly so.",)
