"""How far rows are spread: vectors that say nothing, pictures that are a spot or a line."""

from __future__ import annotations

import numpy as np

from explorer.errors import ResultError
from explorer.spec import Facts
from explorer.values import Embedding

_THIN, _WIDE = 1e-6, 1e-3
"""A cloud whose width is below the first share of its length is a line in single precision. Above
the second it is none: a picture of it, with d / 2 times fewer directions, must not be one either
(one far row makes clouds of a width between the two)."""
_BLOCK_VALUES = 4_000_000
_DOMINATED = 0.9999
"""Share of the variance from which one column alone decides every distance."""


def spread_notes(found: Embedding) -> tuple[str, ...]:
    """Of an embedding that is legitimate, but of which nothing good comes: said where it can still
    be mended."""
    vectors = found.vectors
    if len(vectors) < 2:
        return ()
    if not np.ptp(vectors, axis=0).any():
        return (f"All {len(vectors):,} rows became the same vector: there is nothing to tell "
                "them apart by.",)
    variances = _variances(vectors)
    if len(variances) < 2 or np.count_nonzero(variances) < 2:
        return ()
    widest = int(np.argmax(variances))
    if variances[widest] < _DOMINATED * variances.sum():
        return ()
    name = found.features[widest] if found.features else f"dimension {widest + 1}"
    return (f"{name} alone holds {variances[widest] / variances.sum():.2%} of the variance and "
            "decides every distance: choose a scaling (standard or min-max) if the others are to "
            "count.",)


def _variances(vectors: np.ndarray) -> np.ndarray:
    """Of each dimension, float64; by blocks, so that no second copy of all vectors is made."""
    n, d = vectors.shape
    first = vectors[0].astype(np.float64)
    total, squares = np.zeros(d), np.zeros(d)
    step = max(1, _BLOCK_VALUES // d)
    for start in range(0, n, step):
        moved = vectors[start:start + step].astype(np.float64) - first
        total += moved.sum(axis=0)
        squares += np.einsum("ij,ij->j", moved, moved)
    return np.maximum(squares / n - (total / n) ** 2, 0.0)


def shape_notes(points: np.ndarray, vectors: np.ndarray, facts: Facts) -> tuple[str, ...]:
    """Of the points of n x d vectors; ResultError DEGENERATE when they lie on one spot or one line
    although the vectors do not."""
    if len(points) < 2:
        return ()
    if not np.ptp(points, axis=0).any():
        if facts.distinct != 1:
            raise _degenerate("one spot", facts)
        return ("All rows are on one spot, because they are all the same.",)
    if len(points) < 3 or _width(points) > _THIN:
        return ()
    if _width(vectors) > _WIDE:
        raise _degenerate("one line", facts)
    return ("The rows lie on one line as far as can be drawn: look for a row far from all others, "
            "or a column much wider than the rest, and scale the columns.",)


def _width(points: np.ndarray) -> float:
    """How far the rows lie from the longest line through them, over its length (0: on it)."""
    moved = points.astype(np.float64) - points[0]
    moved /= np.abs(moved).max(initial=0.0) or 1.0
    moved -= moved.mean(axis=0)
    lengths = np.einsum("ij,ij->i", moved, moved)
    furthest = moved[np.argmax(lengths)]
    direction = furthest / (np.linalg.norm(furthest) or 1.0)
    along = moved @ direction
    rest = moved - along[:, None] * direction
    return float(np.sqrt(np.einsum("ij,ij->i", rest, rest).max(initial=0.0) / lengths.max()))


def _degenerate(where: str, facts: Facts) -> ResultError:
    different = "different" if facts.distinct is None else f"{facts.distinct:,} different"
    return ResultError("DEGENERATE", f"A picture of {different} rows must spread them, got all of "
                                     f"them on {where}.",
                       hint="Check the scaling of the columns, or use another method.")
