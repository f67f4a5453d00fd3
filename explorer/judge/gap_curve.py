"""The gap statistic: how much tighter clusters are than those of evenly spread rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.values import NOISE


@dataclass(frozen=True)
class Gap:
    """Over K numbers of clusters: `gap` and its `error` s (float64, NaN where not defined);
    `chosen` the place of the number chosen, None where none is."""

    gap: np.ndarray
    error: np.ndarray
    chosen: int | None


def log_within(vectors: np.ndarray, labels: np.ndarray) -> float:
    """log W of n x d vectors: the squared distances of rows to the mean of their cluster, added up;
    NaN where that is 0 (clusters of copies) or a row is noise."""
    labels = np.asarray(labels)
    if not len(labels) or (labels <= NOISE).any():
        return float("nan")
    _, group, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    data = np.asarray(vectors, np.float64)
    data = data - data.mean(axis=0)
    order = np.argsort(group, kind="stable")
    centers = (np.add.reduceat(data[order], np.cumsum(sizes) - sizes, axis=0)
               / sizes[:, None])
    total = float(np.einsum("ij,ij->", data, data))
    data -= centers[group]
    within = float(np.einsum("ij,ij->", data, data))
    return float(np.log(within)) if within > 1e-24 * total else float("nan")


def gap_curve(observed: np.ndarray, references: np.ndarray) -> Gap:
    """The gap at K rising numbers of clusters, from log W of the data (K) and of B reference sets
    (B x K). Chosen is the first k with gap(k) >= gap(k + 1) - s(k + 1), where the numbers follow
    each other one by one; without such a k none is.

    Source: R. Tibshirani, G. Walther, T. Hastie, Estimating the number of clusters in a data set
    via the gap statistic, Journal of the Royal Statistical Society B 63 (2001) 411-423, section 3:
    s = sd sqrt(1 + 1 / B), sd with divisor B.
    """
    references = np.asarray(references, np.float64)
    gap = references.mean(axis=0) - np.asarray(observed, np.float64)
    error = references.std(axis=0) * np.sqrt(1 + 1 / len(references))
    enough = gap[:-1] >= gap[1:] - error[1:]  # False next to NaN
    return Gap(gap, error, int(np.argmax(enough)) if enough.any() else None)
