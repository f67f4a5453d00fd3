"""How far rows lie from the centre of their cluster, or of any set of rows, in the clustered space.

The nearer to the centre, the more typical. In blocks and in double precision: float32 sums lose the
small differences of vectors that lie far from the origin.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from explorer.values import NOISE

_BLOCK = 1024


def distances_to_centers(vectors: np.ndarray, labels: np.ndarray, metric: str) -> np.ndarray:
    """n float64: the distance of every row of n x d `vectors` to the mean of its cluster; NaN for
    noise. `metric` 'cosine': 1 - cos to the mean of the rows scaled to length 1 (1 for rows of
    zeros); 'manhattan': the sum of the absolute differences; else straight distance."""
    found, of_row = np.unique(np.asarray(labels), return_inverse=True)
    sums = np.zeros((len(found), vectors.shape[1]))
    for start, block in _blocks(vectors, metric):
        groups = of_row[start:start + len(block)]
        order = np.argsort(groups, kind="stable")
        starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
        sums[groups[order][starts]] += np.add.reduceat(block[order], starts, axis=0)
    centers = sums / np.maximum(1, np.bincount(of_row, minlength=len(found)))[:, None]
    far = _measure(vectors, centers, of_row, metric)
    far[np.asarray(labels) <= NOISE] = np.nan
    return far


def distances_to_center(vectors: np.ndarray, metric: str) -> np.ndarray:
    """m float64: the distance of each of these m x d vectors to the mean of all of them, as
    `distances_to_centers` measures it."""
    return distances_to_centers(vectors, np.zeros(len(vectors), dtype=np.int32), metric)


def _blocks(vectors: np.ndarray, metric: str) -> Iterator[tuple[int, np.ndarray]]:
    for start in range(0, len(vectors), _BLOCK):
        block = vectors[start:start + _BLOCK].astype(np.float64)
        if metric == "cosine":
            lengths = np.sqrt(np.einsum("ij,ij->i", block, block))[:, None]
            block /= np.where(lengths == 0, 1.0, lengths)
        yield start, block


def _measure(vectors: np.ndarray, centers: np.ndarray, of_row: np.ndarray,
             metric: str) -> np.ndarray:
    far = np.empty(len(vectors))
    if metric == "cosine":
        lengths = np.linalg.norm(centers, axis=1, keepdims=True)
        centers = centers / np.where(lengths == 0, 1.0, lengths)
    for start, block in _blocks(vectors, metric):
        mine = centers[of_row[start:start + len(block)]]
        if metric == "cosine":
            far[start:start + len(block)] = 1 - np.einsum("ij,ij->i", block, mine)
        elif metric == "manhattan":
            block -= mine
            far[start:start + len(block)] = np.abs(block, out=block).sum(axis=1)
        else:
            block -= mine
            far[start:start + len(block)] = np.sqrt(np.einsum("ij,ij->i", block, block))
    return far
