"""Two pictures of the same rows: laid over each other, and the neighbours they share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_BLOCK = 65_536


@dataclass(frozen=True)
class Aligned:
    """`points` n x d float64: the other picture moved, turned, mirrored and scaled onto the
    reference. `distance`: 0 (the same picture) to 1 (nothing in common)."""

    points: np.ndarray
    distance: float


def align(reference: np.ndarray, other: np.ndarray) -> Aligned | None:
    """Procrustes superposition of n x d points onto n x d reference points; None where all rows of
    either lie on one spot.

    The distance is 1 - (sum of the singular values of A'B)^2 for A and B centred and scaled to
    norm 1: the squared distance left between them, scipy's 'disparity'. Source: J. C. Gower,
    Generalized Procrustes analysis, Psychometrika 40 (1975) 33-51.
    """
    target, moved = (np.asarray(points, np.float64) for points in (reference, other))
    middle = target.mean(axis=0)
    target, moved = target - middle, moved - moved.mean(axis=0)
    length, size = float(np.linalg.norm(target)), float(np.linalg.norm(moved))
    if not length or not size:
        return None
    left, singular, right = np.linalg.svd((moved / size).T @ (target / length))
    total = float(singular.sum())
    points = (moved / size) @ (left @ right) * (total * length) + middle
    return Aligned(points, float(np.clip(1.0 - total**2, 0.0, 1.0)))


def nearest_on_map(points: np.ndarray, count: int) -> np.ndarray:
    """n x count int64: the rows nearest to each of n x d points (d small), itself left out;
    `count` below n. Of rows on one spot any may come first."""
    from scipy.spatial import KDTree

    n = len(points)
    data = np.asarray(points, np.float64)
    _, near = KDTree(data).query(data, k=count + 1)
    own = near == np.arange(n)[:, None]
    # Among more than `count` copies of a row its own number may be missing: the last one goes.
    own[~own.any(axis=1), -1] = True
    kept: np.ndarray = near[~own].reshape(n, count)
    return kept


def shared_neighbors(near: np.ndarray, other: np.ndarray) -> np.ndarray:
    """n float64: the share of the k neighbours of each row (n x k ints each) that are in both
    lists. Two random lists share about k / (n - 1)."""
    n, k = near.shape
    shares = np.empty(n)
    for start in range(0, n, _BLOCK):
        both = np.sort(np.hstack([near[start:start + _BLOCK], other[start:start + _BLOCK]]), axis=1)
        shares[start:start + _BLOCK] = (np.diff(both, axis=1) == 0).sum(axis=1) / k
    return shares
