"""Two clusterings of the same rows: which cluster of one is which of the other, and how alike.

Noise belongs to no cluster: it is never matched, and pairs with a noise row are not counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.values import NOISE


@dataclass(frozen=True)
class Matched:
    """For each cluster number of the reference: `jaccard` float64, the overlap with the most
    similar cluster of the other clustering (NaN where the number has no row), and `partner` int64,
    which one that is (-1: none shares a row)."""

    jaccard: np.ndarray
    partner: np.ndarray


@dataclass(frozen=True)
class Overlap:
    """The pairs of clusters that share rows: numbers `first` and `second`, `shared` rows; and the
    size of every cluster number of either (int64), over the rows of both."""

    first: np.ndarray
    second: np.ndarray
    shared: np.ndarray
    first_sizes: np.ndarray
    second_sizes: np.ndarray


def overlap(reference: np.ndarray, other: np.ndarray) -> Overlap:
    """Which clusters of two labelings (n ints, -1 noise) share how many rows."""
    reference, other = np.asarray(reference, np.int64), np.asarray(other, np.int64)
    both = (reference > NOISE) & (other > NOISE)
    wide = int(other.max(initial=NOISE)) + 1
    codes, shared = np.unique(reference[both] * max(wide, 1) + other[both], return_counts=True)
    first, second = np.divmod(codes, max(wide, 1))
    return Overlap(first, second, shared, np.bincount(reference[reference > NOISE]),
                   np.bincount(other[other > NOISE]))


def match_clusters(reference: np.ndarray, other: np.ndarray, count: int) -> Matched:
    """The cluster of `other` most like each of the clusters 0..count - 1 of `reference` (both n
    ints over the same rows, -1 noise), by the Jaccard coefficient |A and B| / |A or B|. Two
    clusters may find the same partner: each then shares it, and neither is much like it. Equal
    partners: the lowest number.

    Source: C. Hennig, Cluster-wise assessment of cluster stability, Computational Statistics and
    Data Analysis 52 (2007) 258-271, section 3 (the maximum, no optimal assignment).
    """
    found = overlap(reference, other)
    sizes = np.zeros(count, np.int64)
    sizes[:len(found.first_sizes)] = found.first_sizes
    jaccard = np.where(sizes > 0, 0.0, np.nan)
    partner = np.full(count, NOISE, np.int64)
    if len(found.shared):
        alike = found.shared / (sizes[found.first] + found.second_sizes[found.second]
                                - found.shared)
        order = np.lexsort((found.second, -alike, found.first))
        best = order[np.flatnonzero(np.diff(found.first[order], prepend=-1))]
        jaccard[found.first[best]] = alike[best]
        partner[found.first[best]] = found.second[best]
    return Matched(jaccard, partner)


def rand_index(reference: np.ndarray, other: np.ndarray) -> float:
    """The adjusted Rand index of two labelings (n ints), over the rows that are noise in neither;
    NaN below two such rows; 1 where both put all rows into one cluster, or each into its own.

    Source: L. Hubert, P. Arabie, Comparing partitions, Journal of Classification 2 (1985) 193-218,
    equation 5.
    """
    reference, other = np.asarray(reference), np.asarray(other)
    both = (reference > NOISE) & (other > NOISE)
    found = overlap(reference[both], other[both])
    n = int(both.sum())
    if n < 2:
        return float("nan")
    together = _pairs(found.shared)
    first, second = _pairs(found.first_sizes), _pairs(found.second_sizes)
    chance = first * second / (n * (n - 1) / 2)
    most = (first + second) / 2
    return 1.0 if most == chance else float((together - chance) / (most - chance))


def _pairs(sizes: np.ndarray) -> float:
    counts = sizes.astype(np.float64)
    return float((counts * (counts - 1) / 2).sum())


@dataclass(frozen=True)
class Repeats:
    """R repeats of a clustering of n rows into k clusters. `jaccard` R x k: how much of each
    cluster each repeat found (NaN: none of its rows was in the repeat). Per row, int64: `tried`,
    the repeats it was in; `again`, those that put it with its cluster's partner; `noise`, those
    that called it noise."""

    jaccard: np.ndarray
    tried: np.ndarray
    again: np.ndarray
    noise: np.ndarray


class Tally:
    """Counts what repeats of a clustering make of its n rows (labels -1 noise) and k clusters."""

    def __init__(self, reference: np.ndarray) -> None:
        self.reference = np.asarray(reference)
        self.count = int(self.reference.max(initial=NOISE)) + 1
        self._jaccard: list[np.ndarray] = []
        self._tried, self._again, self._noise = (
            np.zeros(len(self.reference), np.int64) for _ in range(3))

    def add(self, rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Enter a repeat: its m `labels` of the reference's rows at `rows`, each once. Returns the
        k Jaccard coefficients."""
        expected = self.reference[rows]
        matched = match_clusters(expected, labels, self.count)
        self._jaccard.append(matched.jaccard)
        self._tried[rows] += 1
        self._noise[rows] += labels <= NOISE
        partner = np.append(matched.partner, NOISE)[expected]  # of noise, -1: the last, none
        self._again[rows] += (partner == labels) & (partner > NOISE)
        return matched.jaccard

    def result(self) -> Repeats:
        """What was counted."""
        jaccard = np.array(self._jaccard, np.float64).reshape(-1, self.count)
        return Repeats(jaccard, self._tried, self._again, self._noise)
