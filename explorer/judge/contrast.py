"""What sets some rows apart from all the others: columns of numbers, categories, words.

All differences are on one scale: Cohen's d for means, Cohen's h for shares (J. Cohen, Statistical
Power Analysis, 1988), so that they can be ranked together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.judge.describe import SMALL_EFFECT, count_terms

_CATEGORIES = 2
"""At most so many categories of one column."""
_FEWEST = 2
_EXPECTED = 5
_SHARE = 0.05
"""What is seen in fewer rows than FEWEST says nothing, and what is missing from rows of which so
few would be expected to have it says nothing either. Words are in at least SHARE of the texts."""


@dataclass(frozen=True)
class Difference:
    """One thing in which the chosen rows differ from the rest.

    `here` and `rest` are means, or shares of rows (0..1) where `value` names a category or word;
    `effect` is Cohen's d or h, above 0 where `here` is greater; `n_here` and `n_rest` are the rows
    that have a value at all, `count` those of the chosen ones with this category or word.
    """

    column: str
    value: str | None
    here: float
    rest: float
    effect: float
    n_here: int
    n_rest: int
    count: int = 0


def compare_numbers(column: str, values: np.ndarray, chosen: np.ndarray) -> Difference | None:
    """Means of n float64 `values` (NaN and infinity left out) where `chosen` (n bool) and where
    not: d = difference over the pooled standard deviation. Where neither side has any spread, the
    standard deviation of all stands in. None when a side is empty or all values are equal."""
    good = np.isfinite(values)
    here, rest = values[good & chosen], values[good & ~chosen]
    if not len(here) or not len(rest):
        return None
    scale = max(float(np.abs(here).max()), float(np.abs(rest).max())) or 1.0
    here, rest = here / scale, rest / scale  # so that no square overflows
    a, b = float(here.mean()), float(rest.mean())
    squares = float(((here - a)**2).sum() + ((rest - b)**2).sum())
    n, total = len(here) + len(rest), len(here) * len(rest)
    whole = math.sqrt((squares + (a - b)**2 * total / n) / n)
    if whole <= 1e-12:
        return None
    spread = math.sqrt(squares / (n - 2)) if n > 2 else 0.0
    # Sums of squares of equal numbers are zero but for rounding.
    effect = (a - b) / (spread if spread > 1e-7 * whole else whole)
    return Difference(column, None, a * scale, b * scale, effect, len(here), len(rest))


def compare_categories(column: str, codes: np.ndarray, names: Sequence[str],
                       chosen: np.ndarray) -> list[Difference]:
    """Shares of each category of n int `codes` (-1: missing, left out) where `chosen` and where
    not: h = 2 asin sqrt(p) - 2 asin sqrt(q). The greatest first. Left out: categories seen once
    here, or less common here while fewer than five such rows would be expected."""
    good = codes >= 0
    here = np.bincount(codes[good & chosen], minlength=len(names))
    everywhere = np.bincount(codes[good], minlength=len(names))
    n_here, n_rest = int(here.sum()), int(everywhere.sum() - here.sum())
    if not n_here or not n_rest:
        return []
    share, other = here / n_here, (everywhere - here) / n_rest
    effects = _effect(share, other)
    told = np.where(effects > 0, here >= _FEWEST, other * n_here >= _EXPECTED)
    effects = np.where(told, effects, 0.0)
    best = np.argsort(-np.abs(effects), kind="stable")[:_CATEGORIES]
    return [Difference(column, names[at], float(share[at]), float(other[at]), float(effects[at]),
                       n_here, n_rest, int(here[at])) for at in best if effects[at] != 0]


def strongest(differences: Sequence[Difference], count: int) -> list[Difference]:
    """The `count` greatest that are at least a small effect (SMALL_EFFECT). A column with one
    category here and another in the rest is told once: by the one that is more common here."""
    found: list[Difference] = []
    seen: set[str] = set()
    for one in sorted(differences, key=lambda difference: -abs(difference.effect)):
        if abs(one.effect) < SMALL_EFFECT:
            break
        if one.effect < 0 and one.value is not None and one.column in seen:
            continue
        seen.add(one.column)
        found.append(one)
    return found[:count]


def compare_words(here: Sequence[str], rest: Sequence[str], count: int = 10) -> list[Difference]:
    """The `count` terms in a greater share of the texts `here` than of `rest`, by Cohen's h of the
    two shares, in at least two texts here. Terms are those of `describe_texts`: words and pairs,
    without stop words. A pair is left out where one of its words stands before it."""
    terms = count_terms([*here, *rest])
    if terms is None or not here or not rest:
        return []
    held = (terms.counts > 0).astype(np.int64).tocsr()
    inside = np.asarray(held[:len(here)].sum(axis=0)).ravel()
    outside = np.asarray(held[len(here):].sum(axis=0)).ravel()
    share, other = inside / len(here), outside / len(rest)
    effects = np.where(inside >= max(_FEWEST, _SHARE * len(here)), _effect(share, other), 0.0)
    found: list[Difference] = []
    told: set[str] = set()
    for at in np.argsort(-effects, kind="stable"):
        if effects[at] < SMALL_EFFECT or len(found) == count:
            break
        name = str(terms.names[at])
        if told.isdisjoint(name.split()):
            told.update(name.split())
            found.append(Difference("words", name, float(share[at]), float(other[at]),
                                    float(effects[at]), len(here), len(rest), int(inside[at])))
    return found


def _effect(share: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Cohen's h of two arrays of shares."""
    effect: np.ndarray = 2 * np.arcsin(np.sqrt(share)) - 2 * np.arcsin(np.sqrt(other))
    return effect
