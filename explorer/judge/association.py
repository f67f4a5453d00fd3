"""How strongly a measured value goes with the clusters, and how easily that comes by chance."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from explorer.spec import Progress, silent

_WORDS = ("negligible", "small", "medium", "large")
_ETA = (0.0099, 0.0588, 0.1379)
_W = (0.1, 0.3, 0.5)
"""J. Cohen, Statistical Power Analysis (1988): f of 0.1, 0.25, 0.4 as eta squared; w."""
_BLOCK_VALUES = 4_000_000


@dataclass(frozen=True)
class Association:
    """`effect`: eta squared of a number, Cramer's V of categories (None: not defined, `why`), both
    0 to 1; `size` of it in a word; `p` the share of `shuffles` of the labels, and of the data
    itself, with an effect at least as great; `rows` have a value and a cluster."""

    effect: float | None
    measure: str
    size: str
    p: float | None
    shuffles: int
    rows: int
    why: str = ""


def associate_numbers(values: np.ndarray, labels: np.ndarray, shuffles: int, seed: int,
                      progress: Progress = silent) -> Association:
    """Eta squared of n float64 `values` (NaN left out) over clusters (-1 left out): the share of
    their variance that lies between the clusters (R. A. Fisher, 1925)."""
    kept = np.isfinite(values) & (labels >= 0)
    x, groups = values[kept], np.unique(labels[kept], return_inverse=True)[1]
    k = int(groups.max(initial=-1)) + 1
    why = _why_not(len(x), k) or ("" if np.ptp(x) > 0 else "all values are equal")
    if why:
        return Association(None, "eta squared", "", None, 0, len(x), why)
    x = x / (float(np.abs(x).max()) or 1.0)
    x = x - x.mean()
    total, sizes = float(x @ x), np.bincount(groups, minlength=k)
    if total <= 0:
        return Association(None, "eta squared", "", None, 0, len(x), "all values are equal")

    def effect(given: np.ndarray) -> float:
        sums = np.bincount(groups, given, minlength=k)
        return float((sums**2 / sizes).sum() / total)
    found = effect(x)
    p = _chance(found, lambda draw: effect(draw.permutation(x)), shuffles, seed, progress)
    return Association(min(found, 1.0), "eta squared", _size(found, _ETA), p, shuffles, len(x))


def associate_categories(codes: np.ndarray, labels: np.ndarray, shuffles: int, seed: int,
                         progress: Progress = silent) -> Association:
    """Cramer's V of n int `codes` (-1: missing, left out) and clusters (-1 left out): the root of
    chi squared over n (min(r, c) - 1) (H. Cramer, 1946)."""
    kept = (codes >= 0) & (labels >= 0)
    rows = np.unique(codes[kept], return_inverse=True)[1]
    groups = np.unique(labels[kept], return_inverse=True)[1]
    r, k, n = int(rows.max(initial=-1)) + 1, int(groups.max(initial=-1)) + 1, len(rows)
    why = _why_not(n, k) or ("" if r > 1 else "all values are equal")
    if not why and r * k > _BLOCK_VALUES:
        why = f"{r:,} different values are too many to compare"
    if why:
        return Association(None, "Cramér's V", "", None, 0, n, why)
    expected = np.outer(np.bincount(rows), np.bincount(groups)) / n
    freedom = min(r, k) - 1

    def effect(given: np.ndarray) -> float:
        table = np.bincount(given * k + groups, minlength=r * k).reshape(r, k)
        return math.sqrt(float(((table - expected)**2 / expected).sum()) / n / freedom)
    found = effect(rows)
    p = _chance(found, lambda draw: effect(draw.permutation(rows)), shuffles, seed, progress)
    return Association(min(found, 1.0), "Cramér's V", _size(found * math.sqrt(freedom), _W), p,
                       shuffles, n)


def _chance(found: float, again: Callable[[np.random.Generator], float], shuffles: int, seed: int,
            progress: Progress) -> float:
    draw = np.random.default_rng(seed)
    reached = 0
    for step in range(shuffles):
        progress(step / shuffles, f"shuffle {step + 1:,} of {shuffles:,}")
        reached += again(draw) >= found * (1 - 1e-9)
    return (1 + reached) / (1 + shuffles)


def _why_not(n: int, clusters: int) -> str:
    if clusters < 2:
        return "there are not two clusters with a value"
    return "every row is a cluster of its own" if n <= clusters else ""


def _size(effect: float, bounds: tuple[float, float, float]) -> str:
    return _WORDS[sum(effect >= bound for bound in bounds)]
