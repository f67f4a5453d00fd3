"""Vectors without groups that look like given ones in one respect: what a score is compared with.

All of them are float32 like embeddings; sums are float64.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_FLAT = 1e-10
"""A direction whose variance is below this share of the widest is rounding."""


@dataclass(frozen=True)
class Cloud:
    """m x d vectors as one cloud, float64: `mean` d; `axes` r x d, the principal axes (orthonormal,
    widest first); along each the standard `deviations`, and the `low` and `high` end (r)."""

    mean: np.ndarray
    axes: np.ndarray
    deviations: np.ndarray
    low: np.ndarray
    high: np.ndarray


def measure_cloud(vectors: np.ndarray) -> Cloud:
    """The principal axes of m x d vectors, by the smaller of the two Gram matrices: m may be below
    d. Takes about m d min(m, d) multiplications."""
    data = np.asarray(vectors, np.float64)
    mean = data.mean(axis=0)
    data = data - mean
    m, d = data.shape
    if d <= m:
        squares, columns = np.linalg.eigh(data.T @ data)
        kept = _wide(squares)
        axes = columns[:, kept].T
    else:
        squares, columns = np.linalg.eigh(data @ data.T)
        kept = _wide(squares)
        axes = (columns[:, kept].T @ data) / np.sqrt(squares[kept])[:, None]
    along = data @ axes.T
    low, high = (end(axis=0, initial=0.0) for end in (along.min, along.max))
    return Cloud(mean, axes, np.sqrt(squares[kept] / max(1, m - 1)), low, high)


def _wide(squares: np.ndarray) -> np.ndarray:
    """Places of the eigenvalues that are no rounding, largest first."""
    order = np.argsort(-squares, kind="stable")
    return order[squares[order] > _FLAT * max(float(squares[order[0]]), np.finfo(float).tiny)]


def shuffled_columns(vectors: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """The vectors with every column in an order of its own: each column keeps its values, and what
    ties columns together is gone."""
    found = np.array(vectors, np.float32)
    draw.permuted(found, axis=0, out=found)
    return found


def gaussian_like(cloud: Cloud, n: int, draw: np.random.Generator) -> np.ndarray:
    """n x d draws of one Gaussian cloud with the mean and covariance of `cloud`."""
    along = draw.standard_normal((n, len(cloud.deviations))) * cloud.deviations
    return (along @ cloud.axes + cloud.mean).astype(np.float32)


def uniform_box(cloud: Cloud, n: int, draw: np.random.Generator) -> np.ndarray:
    """n x d draws spread evenly over the box along the principal axes of `cloud` that holds it.

    Source: R. Tibshirani, G. Walther, T. Hastie, Journal of the Royal Statistical Society B 63
    (2001) 411-423, reference distribution (b).
    """
    along = draw.uniform(cloud.low, cloud.high, (n, len(cloud.low)))
    return (along @ cloud.axes + cloud.mean).astype(np.float32)


def on_sphere(vectors: np.ndarray) -> bool:
    """Whether every row has length 1 (to 1 in 1,000): then its nulls should, too."""
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    return bool(len(lengths) and (np.abs(lengths - 1) < 1e-3).all())


def to_sphere(vectors: np.ndarray) -> np.ndarray:
    """The rows scaled to length 1, float32; rows of zeros stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths == 0, 1.0, lengths)).astype(np.float32)
