"""Exact principal components of many rows, block by block, without holding them twice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.encode.unit import blocks
from explorer.spec import Progress

LARGEST_SIDE = 5_000
"""Rows or columns, whichever is fewer: the matrix to take apart is this large squared."""


@dataclass(frozen=True)
class Principal:
    """n x k float32 `vectors`, centred; `shares` k float64, the share of the variance of each;
    `axes` d x k float64 of length 1 (0 where there is no variance left), `mean` d float64."""

    vectors: np.ndarray
    shares: np.ndarray
    axes: np.ndarray
    mean: np.ndarray


def principal(rows: np.ndarray, count: int, progress: Progress) -> Principal:
    """The first `count` principal components of n x d float32 `rows`, which may be mapped from
    disk; `count` <= min(n, d) <= LARGEST_SIDE.

    One pass for the mean, one for the d x d (or n x n, whichever is smaller) matrix of products in
    double precision, its largest eigenvalues, one pass to project. Each axis is turned so that its
    largest coefficient is positive.
    """
    n, d = rows.shape
    mean = np.zeros(d)
    for block in blocks(n, d):
        mean += rows[block].sum(axis=0, dtype=np.float64) / n
    if d <= n:
        return _by_columns(rows, mean, count, progress)
    return _by_rows(rows, mean, count, progress)


def _by_columns(rows: np.ndarray, mean: np.ndarray, count: int, progress: Progress) -> Principal:
    n, d = rows.shape
    products = np.zeros((d, d))
    for block in blocks(n, d):
        progress(0.5 * block.start / n, "Finding the main directions")
        centred = rows[block] - mean
        products += centred.T @ centred
    largest = _largest(products, count)
    axes = largest.axes * _signs(largest.axes)
    vectors = np.empty((n, count), dtype=np.float32)
    for block in blocks(n, d):
        progress(0.8 + 0.2 * block.start / n, "Placing the images along them")
        vectors[block] = (rows[block] - mean) @ axes
    return Principal(vectors, largest.shares, axes, mean)


def _by_rows(rows: np.ndarray, mean: np.ndarray, count: int, progress: Progress) -> Principal:
    n, d = rows.shape
    products = np.zeros((n, n))
    for block in blocks(d, n):
        progress(0.5 * block.start / d, "Finding the main directions")
        centred = rows[:, block] - mean[block]
        products += centred @ centred.T
    largest = _largest(products, count)
    axes = np.empty((d, count))
    for block in blocks(d, n):
        axes[block] = (rows[:, block] - mean[block]).T @ largest.axes
    signs, lengths = _signs(axes), np.linalg.norm(axes, axis=0)
    vectors = largest.axes * (np.sqrt(largest.values) * signs)
    axes *= signs / np.where(lengths > 0, lengths, 1.0)
    return Principal(vectors.astype(np.float32), largest.shares, axes, mean)


@dataclass(frozen=True)
class _Eigen:
    """The largest eigenvalues, falling, their axes as columns, and their share of the trace."""

    axes: np.ndarray
    values: np.ndarray
    shares: np.ndarray


def _largest(products: np.ndarray, count: int) -> _Eigen:
    from scipy.linalg import eigh

    side, trace = len(products), float(np.trace(products))
    values, axes = eigh(products, subset_by_index=(side - count, side - 1))
    values = np.maximum(values[::-1], 0.0)
    shares = values / trace if trace > 0 else np.zeros(count)
    return _Eigen(axes[:, ::-1], values, shares)


def _signs(axes: np.ndarray) -> np.ndarray:
    """1 or -1 for each column, so that its largest coefficient becomes positive."""
    largest = axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])]
    return np.where(largest < 0, -1.0, 1.0)
