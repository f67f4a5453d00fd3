"""How far two groupings of the same rows agree: numbers of their table of shared rows.

Everything here follows from `Overlap.counts` alone, so renaming groups changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from explorer.spec import Progress, silent

NOT_ONE = "Not defined: both have a single group, so there is nothing to compare."
NO_ROWS = "Not defined: no row has a group on both sides."
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Overlap:
    """R x C `counts` (int64) of shared rows; `first` and `second` (int64, ascending) are the
    numbers of the R and C groups; every group has at least one row."""

    counts: np.ndarray
    first: np.ndarray
    second: np.ndarray

    @property
    def n(self) -> int:
        """How many rows."""
        return int(self.counts.sum())

    @property
    def swapped(self) -> Overlap:
        """The same with the sides exchanged."""
        return Overlap(np.ascontiguousarray(self.counts.T), self.second, self.first)


@dataclass(frozen=True)
class Measure:
    """One number of agreement; None is not defined, and `why` says why."""

    name: str
    value: float | None
    why: str = ""


def overlap(first: np.ndarray, second: np.ndarray) -> Overlap:
    """The table of shared rows of two groupings (n integers each)."""
    ours, at = np.unique(np.asarray(first, dtype=np.int64), return_inverse=True)
    theirs, beside = np.unique(np.asarray(second, dtype=np.int64), return_inverse=True)
    counts = np.bincount(at * len(theirs) + beside, minlength=len(ours) * len(theirs))
    return Overlap(counts.reshape(len(ours), len(theirs)).astype(np.int64), ours, theirs)


def measures(found: Overlap, progress: Progress = silent) -> tuple[Measure, ...]:
    """ARI, AMI, NMI, V-measure, homogeneity, completeness, purity both ways and Fowlkes-Mallows;
    `first` are the clusters, `second` the known classes.

    Sources: Hubert & Arabie, J. Classification 2 (1985) 193, eq. 5 (ARI); Vinh, Epps & Bailey,
    JMLR 11 (2010) 2837 (AMI and NMI, here with the arithmetic mean of the entropies); Rosenberg &
    Hirschberg, EMNLP 2007, 410; Fowlkes & Mallows, JASA 78 (1983) 553. Equal to scikit-learn's,
    but where its value is a convention (two single groups) the number is not defined here.
    """
    counts = found.counts
    n = found.n
    if not n:
        return tuple(Measure(name, None, NO_ROWS) for name in _FORMULAS)
    shared, ours, theirs = _information(counts), _entropy(counts.sum(1)), _entropy(counts.sum(0))
    single = NOT_ONE if counts.shape == (1, 1) else ""
    mean = (ours + theirs) / 2
    expected = expected_information(counts.sum(1), counts.sum(0), progress)
    room = mean - expected
    adjusted = Measure("AMI", None, single or "Not defined: groups as small as these agree as much "
                                              "by chance as they possibly can.")
    if not single and abs(room) > _ROUNDING:
        adjusted = Measure("AMI", float((shared - expected) / room))
    homogeneity = 1.0 if theirs <= _ROUNDING else shared / theirs
    completeness = 1.0 if ours <= _ROUNDING else shared / ours
    both = homogeneity + completeness
    return (
        _rand(counts, single), adjusted,
        Measure("NMI", None, single) if single else Measure("NMI", float(shared / mean)),
        Measure("V-measure", None, single) if single else Measure(
            "V-measure", float(2 * homogeneity * completeness / both) if both else 0.0),
        Measure("Homogeneity", float(homogeneity)), Measure("Completeness", float(completeness)),
        Measure("Purity", float(counts.max(1).sum() / n)),
        Measure("Inverse purity", float(counts.max(0).sum() / n)),
        _fowlkes_mallows(counts))


_FORMULAS = ("ARI", "AMI", "NMI", "V-measure", "Homogeneity", "Completeness", "Purity",
             "Inverse purity", "Fowlkes-Mallows")


def _rand(counts: np.ndarray, single: str) -> Measure:
    if single:
        return Measure("ARI", None, single)
    n = float(counts.sum())
    together, ours, theirs = (_pairs(part) for part in (counts, counts.sum(1), counts.sum(0)))
    every = n * (n - 1) / 2
    if not every:
        return Measure("ARI", None, "Not defined: one row makes no pair.")
    expected, most = ours * theirs / every, (ours + theirs) / 2
    if abs(most - expected) < _ROUNDING:
        return Measure("ARI", None, "Not defined: every group on both sides has one row.")
    return Measure("ARI", float((together - expected) / (most - expected)))


def _fowlkes_mallows(counts: np.ndarray) -> Measure:
    together, ours, theirs = (_pairs(part) for part in (counts, counts.sum(1), counts.sum(0)))
    if not ours or not theirs:
        return Measure("Fowlkes-Mallows", None, "Not defined: on one side no two rows share a "
                                                "group.")
    return Measure("Fowlkes-Mallows", float(np.sqrt(together / ours) * np.sqrt(together / theirs)))


def _pairs(sizes: np.ndarray) -> float:
    sizes = sizes.astype(np.float64)
    return float((sizes * (sizes - 1)).sum() / 2)


def _entropy(sizes: np.ndarray) -> float:
    share = sizes / sizes.sum()
    return float(max(0.0, -(share * np.log(share)).sum()))


def _information(counts: np.ndarray) -> float:
    rows, columns = np.nonzero(counts)
    n = counts.sum()
    there = counts[rows, columns] / n
    apart = np.log(counts.sum(1)[rows] / n) + np.log(counts.sum(0)[columns] / n)
    return float(max(0.0, (there * (np.log(there) - apart)).sum()))


def expected_information(ours: np.ndarray, theirs: np.ndarray,
                         progress: Progress = silent) -> float:
    """The mutual information (nats) that groups of these sizes share by chance: Vinh, Epps &
    Bailey 2010, eq. 24a. Of R and C sizes of n rows it takes R times n steps at most; groups of
    equal sizes are computed once."""
    from scipy.special import gammaln

    n = int(ours.sum())
    log_factorial = gammaln(np.arange(n + 1, dtype=np.float64) + 1)
    columns, often = np.unique(theirs, return_counts=True)
    rows, times = np.unique(ours, return_counts=True)
    total = 0.0
    for place, (a, weight) in enumerate(zip(rows.tolist(), times.tolist(), strict=True)):
        progress(place / len(rows), "agreement expected by chance")
        for b, others in zip(columns.tolist(), often.tolist(), strict=True):
            shared = np.arange(max(1, a + b - n), min(a, b) + 1)
            chance = np.exp(
                log_factorial[a] + log_factorial[b] + log_factorial[n - a] + log_factorial[n - b]
                - log_factorial[n] - log_factorial[shared] - log_factorial[a - shared]
                - log_factorial[b - shared] - log_factorial[n - a - b + shared])
            told = shared / n * (np.log(shared) + (np.log(n) - np.log(a) - np.log(b)))
            total += weight * others * float((told * chance).sum())
    return total


def partners(found: Overlap, alone: Callable[[int], bool] = lambda group: False) -> np.ndarray:
    """For each of R groups the place (0..C-1, int64) of the group it is paired with, or -1: the
    one-to-one pairing that keeps most rows (Kuhn 1955, by scipy). Groups that are `alone` (noise)
    pair with each other only; pairs share at least one row."""
    from scipy.optimize import linear_sum_assignment

    counts = found.counts.copy()
    ours = np.array([alone(int(group)) for group in found.first], dtype=bool)
    theirs = np.array([alone(int(group)) for group in found.second], dtype=bool)
    counts[ours[:, None] != theirs] = 0
    rows, columns = linear_sum_assignment(counts, maximize=True)
    paired = np.full(len(found.first), -1, dtype=np.int64)
    kept = counts[rows, columns] > 0
    paired[rows[kept]] = columns[kept]
    return paired


def best_jaccard(found: Overlap) -> tuple[np.ndarray, np.ndarray]:
    """For each of R groups the place of the group most like it (int64) and their Jaccard index:
    shared rows over rows of either (float64)."""
    counts = found.counts
    either = counts.sum(1)[:, None] + counts.sum(0)[None, :] - counts
    jaccard = counts / either
    best = jaccard.argmax(1)
    return best, jaccard[np.arange(len(best)), best]
