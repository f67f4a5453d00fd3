"""How strange a row is by its nearest other rows: distances and the local outlier factor."""

from __future__ import annotations

import numpy as np

from explorer.values import Graph


def mean_distances(near: Graph, count: int) -> np.ndarray:
    """n float64: the mean distance of each row to its `count` nearest others (F. Angiulli and
    C. Pizzuti, Fast outlier detection in high dimensional spaces, PKDD 2002, eq. 1 over count)."""
    found: np.ndarray = np.asarray(near.distances[:, :count], dtype=np.float64).mean(axis=1)
    return found


def local_outlier_factors(near: Graph, count: int) -> np.ndarray:
    """n float64: how much sparser it is around each row than around its `count` nearest others
    (M. Breunig et al., LOF, SIGMOD 2000, definitions 5 to 7): about 1 inside, above 1 outside.

    lrd(p) = 1 / mean over neighbours o of max(k-distance(o), d(p, o)); LOF(p) = mean of lrd(o) over
    lrd(p). Exactly `count` neighbours each, as in scikit-learn. Rows with more than `count` copies
    lie infinitely dense: their LOF is 1, and that of other rows with such a neighbour is NaN.
    """
    indices = np.asarray(near.indices[:, :count])
    distances = np.asarray(near.distances[:, :count], dtype=np.float64)
    reach = np.maximum(distances, distances[indices, -1]).mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        factors: np.ndarray = (1 / reach)[indices].mean(axis=1) * reach
    factors[~np.isfinite(factors)] = np.nan
    factors[reach == 0] = 1.0
    return factors


def relative_distances(distances: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """n float64: the distance of each row to the centre of its cluster over the median of its
    cluster; NaN for noise, and where more than half of a cluster lies on its centre."""
    found = np.full(len(labels), np.nan)
    order = np.argsort(labels, kind="stable")
    edges = np.flatnonzero(np.diff(labels[order], prepend=labels[order][:1] - 1))
    for rows in np.split(order, edges[1:]) if len(order) else []:
        if labels[rows[0]] < 0:
            continue
        usual = float(np.median(distances[rows]))
        if usual > 0:
            found[rows] = distances[rows] / usual
    return found
