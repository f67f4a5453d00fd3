"""The Hopkins statistic: do rows lie nearer to each other than random places lie to rows?"""

from __future__ import annotations

import numpy as np

from explorer.judge.null_data import Cloud, uniform_box

_BLOCK_BYTES = 32 * 2**20


def nearest_distances(points: np.ndarray, rows: np.ndarray,
                      own: np.ndarray | None = None) -> np.ndarray:
    """m float64: the straight distance from each of m x d points to the nearest of the n x d
    `rows`; `own` (m ints) says which row a point is: that one does not count."""
    data = np.asarray(rows, np.float64)
    middle = data.mean(axis=0)
    data = data - middle
    squares = np.einsum("ij,ij->i", data, data)
    found = np.empty(len(points))
    step = max(1, _BLOCK_BYTES // (8 * len(data)))
    for start in range(0, len(points), step):
        block = np.asarray(points[start:start + step], np.float64) - middle
        far = squares - 2.0 * (block @ data.T)
        here = np.arange(len(block))
        if own is not None:
            far[here, own[start:start + step]] = np.inf
        nearest = data[far.argmin(axis=1)] - block  # again from the difference: no digits lost
        found[start:start + step] = np.sqrt(np.einsum("ij,ij->i", nearest, nearest))
    return found


def hopkins(vectors: np.ndarray, cloud: Cloud, m: int, draw: np.random.Generator) -> float:
    """H of n x d vectors: sum u^r / (sum u^r + sum w^r), u the distances of m places drawn evenly
    from the box along the principal axes of `cloud` (r of them) to the nearest row, w those of m
    rows drawn without replacement to the nearest other row. 0.5 for rows spread evenly, towards 1
    for clumps, towards 0 for a lattice; NaN where all distances are 0.

    Source: B. Hopkins, J. G. Skellam, Annals of Botany 18 (1954) 213-227; the r-th powers, with
    which H follows Beta(m, m) in r dimensions: G. R. Cross, A. K. Jain, Measurement of clustering
    tendency, Theory and Application of Digital Control (1982) 315-320. Powers are taken by
    logarithms: in 100 dimensions they are no floating-point numbers.
    """
    chosen = draw.choice(len(vectors), m, replace=False)
    places = uniform_box(cloud, m, draw)
    from_places = nearest_distances(places, vectors)
    from_rows = nearest_distances(np.asarray(vectors)[chosen], vectors, own=chosen)
    power = max(1, len(cloud.axes))
    with np.errstate(divide="ignore"):
        logs = power * np.log(np.stack([from_places, from_rows]))
    highest = float(logs.max())
    if highest == -np.inf:
        return float("nan")
    sums = np.exp(logs - highest).sum(axis=1)
    return float(sums[0] / sums.sum())
