"""A sample of rows from every cluster, and what it says of all rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.judge.kept import Kept

LEAST = 30
"""Rows drawn of each cluster at least, where it has them."""
_NORMAL = 1.959964
"""Of the normal distribution 95 % lie within so many standard errors."""


@dataclass(frozen=True)
class Estimate:
    """A mean over all kept rows from a sample, and the ends of its 95 % confidence interval."""

    value: float
    low: float
    high: float


def draw_rows(kept: Kept, size: int, seed: int) -> np.ndarray:
    """The places (int64, ascending) among the kept rows of a sample of about `size`: from each
    cluster its share, at least LEAST, without replacement.

    Every row has one random rank for all clusterings: samples of several share most rows.
    """
    rank = np.random.default_rng(seed).permutation(kept.total)[kept.rows]
    order = np.lexsort((rank, kept.group))
    share = np.ceil(size * kept.sizes / max(1, len(kept.rows))).astype(np.int64)
    wanted = np.minimum(np.maximum(share, LEAST), kept.sizes)
    chosen = np.arange(len(order)) - kept.starts[kept.group] < wanted[kept.group]
    return np.sort(order[chosen])


def estimate_mean(kept: Kept, drawn: np.ndarray, values: np.ndarray) -> Estimate:
    """The mean of all kept rows from the `values` (float64) of the drawn ones: the means of the
    clusters weighted by their sizes, with the variance of a stratified sample without replacement.

    Source: W. G. Cochran, Sampling Techniques, 3rd ed. (1977), formulas 5.1 and 5.7.
    """
    group = kept.group[drawn]
    count = np.bincount(group, minlength=len(kept.sizes))
    means = np.bincount(group, values, minlength=len(kept.sizes)) / count
    squares = np.bincount(group, (values - means[group])**2, minlength=len(kept.sizes))
    share = kept.sizes / kept.sizes.sum()
    variances = squares / np.maximum(count - 1, 1) / count * (1 - count / kept.sizes)
    value = float(share @ means)
    reach = _NORMAL * float(np.sqrt(share**2 @ variances))
    return Estimate(value=value, low=max(-1.0, value - reach), high=min(1.0, value + reach))
