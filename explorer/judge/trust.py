"""How far neighbours can be believed on a map: formulas on `Ranks`, per row and over all rows.

Trustworthiness and continuity: J. Venna, S. Kaski, Neighborhood preservation in nonlinear
projection methods, ICANN 2001 (equations 1 and 2); Q_NX and R_NX: J. A. Lee, M. Verleysen, Quality
assessment of dimensionality reduction, Neurocomputing 72 (2009), and J. A. Lee et al., Type 1 and
2 mixtures of Kullback-Leibler divergences, Neurocomputing 112 (2013), equation 10; neighbourhood
hit: F. V. Paulovich et al., Least square projection, IEEE TVCG 14 (2008).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.judge.ranks import Ranks

_SURE = 1.959963984540054


@dataclass(frozen=True)
class Share:
    """A mean over rows with its 95 % interval; `low` = `value` = `high` where all rows took
    part. NaN where no row did."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Curves:
    """Means over the measured rows for each of the m neighbourhood sizes `counts` (int64):
    `overlap` Q_NX, `gained` R_NX (0 by chance, 1 perfect), `trust`, `continuity`."""

    counts: np.ndarray
    overlap: np.ndarray
    gained: np.ndarray
    trust: np.ndarray
    continuity: np.ndarray


def trust_of(ranks: np.ndarray, count: int, n: int) -> np.ndarray:
    """m float64: 1 minus how deep the intruders among the first `count` stand in the other list,
    as a share of the deepest possible. `ranks` m x K: `Ranks.in_truth` for trustworthiness,
    `Ranks.on_map` for continuity. Needs 1 <= count <= K < n / 2."""
    beyond = np.maximum(ranks[:, :count].astype(np.float64) - count, 0.0).sum(axis=1)
    found: np.ndarray = 1.0 - beyond * 2.0 / (count * (2.0 * n - 3.0 * count - 1.0))
    return found


def kept_of(ranks: np.ndarray, count: int) -> np.ndarray:
    """m float64: the share of the first `count` that are among the first `count` of the other
    list too. It is the same from both sides: a true neighbour lost is a false one shown."""
    found: np.ndarray = (ranks[:, :count] <= count).mean(axis=1)
    return found


def shared_of(near: np.ndarray, other: np.ndarray) -> np.ndarray:
    """m float64: the share of each row of `near` (m x k places, each once) that is in the same row
    of `other` (m x k) too."""
    both = np.sort(np.concatenate([near, other], axis=1), axis=1)
    found: np.ndarray = (both[:, 1:] == both[:, :-1]).sum(axis=1) / near.shape[1]
    return found


def curves_of(ranks: Ranks) -> Curves:
    """The curves over 1 to `ranks.deepest` neighbours."""
    n, m, counts = ranks.n, max(1, len(ranks.rows)), np.arange(1, ranks.deepest + 1)
    # A pair is in both lists of k from the k on that reaches its worse rank.
    worse = np.maximum(ranks.in_truth, counts).ravel()
    overlap = np.cumsum(_gathered(worse, ranks.deepest)) / (counts * m)
    gained = ((n - 1) * overlap - counts) / np.maximum(1, n - 1 - counts)
    most = counts * (2.0 * n - 3.0 * counts - 1.0) / 2.0 * m
    return Curves(counts, overlap, gained, 1.0 - _beyond(ranks.in_truth) / most,
                  1.0 - _beyond(ranks.on_map) / most)


def _beyond(ranks: np.ndarray) -> np.ndarray:
    """For each k the sum of r - k over the pairs at place p <= k of one list and r > k of the
    other: a pair counts from k = p on until k = r."""
    deepest = ranks.shape[1]
    places = np.broadcast_to(np.arange(1, deepest + 1), ranks.shape)
    out = ranks > places
    first, last = places[out], ranks[out]
    number = np.cumsum(_gathered(first, deepest) - _gathered(last, deepest))
    depth = np.cumsum(_gathered(first, deepest, last) - _gathered(last, deepest, last))
    found: np.ndarray = depth - number * np.arange(1, deepest + 1)
    return found


def _gathered(at: np.ndarray, deepest: int, weights: np.ndarray | None = None) -> np.ndarray:
    """The number (or the sum of `weights`) of the values 1 to `deepest` in `at`, float64."""
    inside = at <= deepest
    return np.bincount(at[inside], None if weights is None else weights[inside],
                       minlength=deepest + 1)[1:].astype(np.float64)


def mean_of(values: np.ndarray, total: int) -> Share:
    """The mean of m of `total` rows (drawn without putting back), with its 95 % interval by the
    normal distribution; NaN values take no part."""
    known = values[np.isfinite(values)]
    if not len(known):
        return Share(np.nan, np.nan, np.nan)
    mean = float(known.mean())
    if len(values) >= total or len(known) < 2:
        return Share(mean, mean, mean)
    half = _SURE * float(known.std(ddof=1)) * np.sqrt((1.0 - len(values) / total) / len(known))
    return Share(mean, mean - half, mean + half)


def hit_of(shown: np.ndarray, own: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """m float64: the share of each row's m x k neighbours `shown` (places) that have its code.
    `own` m places, `codes` n integers, below 0: none (as a row NaN; as a neighbour never a hit).
    """
    found = (codes[shown] == codes[own, None]).mean(axis=1)
    return np.where(codes[own] < 0, np.nan, found)


def stretch_of(true: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """n float64: how much larger the surroundings of each row are drawn than those of a middling
    row, in doublings: log2 of mean drawn over mean true distance to the row's true neighbours
    (n x k both), less the median over rows. Above 0 stretched, below 0 compressed; NaN where
    either mean is 0."""
    far, wide = true.mean(axis=1), drawn.mean(axis=1)
    known = (far > 0) & (wide > 0)
    found = np.full(len(true), np.nan)
    found[known] = np.log2(wide[known]) - np.log2(far[known])
    if known.any():
        found -= np.median(found[known])
    return found
