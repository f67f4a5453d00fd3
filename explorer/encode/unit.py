"""What encoders share at their end: optional unit length, and words for the rows left out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from explorer.encode import Encoder
from explorer.errors import DataError
from explorer.spec import advanced
from explorer.values import Embedding

_BLOCK_VALUES = 4_000_000


class UnitLength(Encoder):
    """An encoder whose vectors can be brought to length 1."""

    normalize: bool = advanced(
        False, description="Bring every vector to length 1, so that Euclidean distance ranks "
                           "rows as cosine does.")

    def finish(self, vectors: np.ndarray, rows: np.ndarray, title: str,
               features: tuple[str, ...] = (), notes: tuple[str, ...] = ()) -> Embedding:
        """The embedding as float32; with `normalize`, at length 1 and without all-zero rows.

        Raises DataError ZERO_VECTORS when no row has a direction.
        """
        if not self.normalize:
            return Embedding(vectors.astype(np.float32, copy=False), rows, title, features, notes)
        kept = np.flatnonzero(vectors.any(axis=1))
        if not len(kept):
            raise DataError("ZERO_VECTORS",
                            f"Vectors must have a direction to be brought to length 1, got "
                            f"{len(vectors)} all-zero rows.",
                            hint="Switch normalisation off or choose other columns.")
        if len(kept) < len(rows):
            zero = np.setdiff1d(np.arange(len(rows)), kept)
            notes += (left_out(rows[zero], "all zero, so without a direction"),)
        return Embedding(unit_length(vectors, kept), rows[kept], f"{title}, length 1", features,
                         notes)


def unit_length(vectors: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """The rows `kept` of `vectors` (none all-zero) at Euclidean length 1, float32."""
    result = np.empty((len(kept), vectors.shape[1]), dtype=np.float32)
    for block in blocks(len(kept), vectors.shape[1]):
        wide = vectors[kept[block]].astype(np.float64)
        # Dividing by the largest entry first: squares of 1e200 or 1e-200 leave float64.
        wide /= np.abs(wide).max(axis=1, keepdims=True)
        result[block] = wide / np.linalg.norm(wide, axis=1, keepdims=True)
    return result


def left_out(rows: np.ndarray, why: str) -> str:
    """'2 rows left out (why): rows 4, 9.' Row 1 is the first row of data."""
    return f"{counted(len(rows), 'row')} left out ({why}): {listed(rows)}."


def listed(rows: np.ndarray) -> str:
    """'rows 4, 9, 12, 15, 20 and 7 more', counted from 1."""
    shown = ", ".join(str(int(row) + 1) for row in rows[:5])
    more = f" and {len(rows) - 5:,} more" if len(rows) > 5 else ""
    return f"{'row' if len(rows) == 1 else 'rows'} {shown}{more}"


def counted(count: int, noun: str) -> str:
    """'1 row', '2 rows', '1,200 rows'."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def blocks(n: int, d: int) -> Iterator[slice]:
    """Slices over n rows of d values, a few million values each."""
    step = max(1, _BLOCK_VALUES // max(d, 1))
    for start in range(0, n, step):
        yield slice(start, min(start + step, n))
