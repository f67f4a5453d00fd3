"""Whether clusters found in one half of the rows are found in the other half again."""

from __future__ import annotations

import numpy as np

from explorer.values import NOISE

_BLOCK_BYTES = 32 * 2**20


def nearest_rows(points: np.ndarray, among: np.ndarray) -> np.ndarray:
    """m int64: for each of m x d points the nearest of the n x d rows `among` (straight distance,
    float64; ties: the first)."""
    data = np.asarray(among, np.float64)
    middle = data.mean(axis=0)
    data = data - middle
    squares = np.einsum("ij,ij->i", data, data)
    found = np.empty(len(points), np.int64)
    step = max(1, _BLOCK_BYTES // (8 * len(data)))
    for start in range(0, len(points), step):
        block = np.asarray(points[start:start + step], np.float64) - middle
        # |x|^2 is the same for every row of `among`: it decides nothing.
        found[start:start + step] = np.argmin(squares - 2.0 * (block @ data.T), axis=1)
    return found


def told_by_rows(near: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The labels of the rows `near` (m ints): what the nearest row of the other half says."""
    told: np.ndarray = np.asarray(labels)[near]
    return told


def told_by_centers(points: np.ndarray, among: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """For each of m x d points the cluster (of the n labels of the n x d rows `among`, -1 noise)
    whose mean is nearest; noise where there is none."""
    labels = np.asarray(labels)
    found = np.unique(labels[labels > NOISE])
    if not len(found):
        return np.full(len(points), NOISE)
    data = np.asarray(among, np.float64)
    centers = np.stack([data[labels == cluster].mean(axis=0) for cluster in found])
    told: np.ndarray = found[nearest_rows(points, centers)]
    return told


def prediction_strength(own: np.ndarray, told: np.ndarray) -> float:
    """Of the clusters that rows have of their `own` (n ints, -1 noise) the worst one's share of
    pairs of rows that are together again by the labels they were `told` by the other half (noise:
    with nobody). A cluster of one row has no pairs and is left out; NaN where all are.

    Source: R. Tibshirani, G. Walther, Cluster validation by prediction strength, Journal of
    Computational and Graphical Statistics 14 (2005) 511-528, equation 2.1.
    """
    own, told = np.asarray(own), np.asarray(told)
    shares = []
    for cluster in np.unique(own[own > NOISE]):
        inside = told[own == cluster]
        if len(inside) < 2:
            continue
        counts = np.bincount(inside[inside > NOISE]).astype(np.float64)
        together = float((counts * (counts - 1)).sum())
        shares.append(together / (len(inside) * (len(inside) - 1)))
    return min(shares, default=float("nan"))
