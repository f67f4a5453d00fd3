"""A column as bars: which bar every row is in, one byte a row, for drawing in a browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MISSING, OTHERS = 255, 254
"""The codes of rows without a value, and of those whose value has no bar of its own."""
BINS, LISTED = 24, 60
_WHOLE = 30
_EXACT = 2.0**50  # beyond it a half is no number of its own


@dataclass(frozen=True)
class Bins:
    """n codes (`data`, uint8): 0.. are the bars, MISSING has no value. `edges` are one more than
    the bars, each from its left edge up to but not including the right one, which only the last
    includes; where `whole`, a bar is one whole number: the middle of its edges."""

    data: bytes
    edges: tuple[float, ...]
    whole: bool = False


@dataclass(frozen=True)
class Categories:
    """n codes (`data`, uint8): 0.. stand for the `names`, OTHERS for any of `others` further
    values, MISSING for none."""

    data: bytes
    names: tuple[str, ...]
    others: int = 0


def bin_numbers(values: np.ndarray) -> Bins:
    """At most BINS bars of one round width (1, 2, 2.5 or 5 times a power of ten) over n numbers; a
    bar for each whole number where all are whole and lie within _WHOLE of each other. NaN and
    infinities are missing."""
    values = np.asarray(values, dtype=np.float64)
    known = np.isfinite(values)
    codes = np.full(len(values), MISSING, dtype=np.uint8)
    if not known.any():
        return Bins(codes.tobytes(), ())
    found = values[known]
    low, high = float(found.min()), float(found.max())
    whole = (max(abs(low), abs(high)) < _EXACT and high - low < _WHOLE
             and bool((found == np.floor(found)).all()))
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):  # seen to by the result
        edges = np.arange(low, high + 2) - 0.5 if whole else _round_edges(low, high)
    codes[known] = np.clip(np.searchsorted(edges, found, side="right") - 1, 0, len(edges) - 2)
    return Bins(codes.tobytes(), tuple(edges.tolist()), whole)


def bin_texts(values: np.ndarray) -> Categories:
    """The LISTED most frequent of n texts (ties by name), the rest together; '' and None are
    missing."""
    counts: dict[str, int] = {}
    for text in values:
        if text:
            counts[text] = counts.get(text, 0) + 1
    names = sorted(counts, key=lambda text: (-counts[text], text))
    listed = names[:LISTED] if len(names) > LISTED + 1 else names
    place = {text: at for at, text in enumerate(listed)}
    codes = np.fromiter((place.get(text, OTHERS) if text else MISSING for text in values),
                        dtype=np.uint8, count=len(values))
    return Categories(codes.tobytes(), tuple(listed), len(names) - len(listed))


def bin_labels(labels: np.ndarray) -> tuple[Categories, tuple[int, ...]]:
    """n cluster labels (float, NaN without one; -1 noise), the LISTED biggest by falling size and
    noise last; and the label of each bar."""
    labels = np.asarray(labels, dtype=np.float64)
    known = np.isfinite(labels)
    found, inverse, counts = np.unique(labels[known].astype(np.int64), return_inverse=True,
                                       return_counts=True)
    order = sorted(range(len(found)), key=lambda at: (found[at] < 0, -counts[at], found[at]))
    clusters = [at for at in order if found[at] >= 0]
    listed = (clusters[:LISTED] if len(clusters) > LISTED + 1 else clusters) + [
        at for at in order if found[at] < 0]
    rank = np.full(len(found), OTHERS, dtype=np.uint8)
    rank[listed] = np.arange(len(listed), dtype=np.uint8)
    codes = np.full(len(labels), MISSING, dtype=np.uint8)
    codes[known] = rank[inverse]
    return (Categories(codes.tobytes(), (), len(order) - len(listed)),
            tuple(int(found[at]) for at in listed))


def _round_edges(low: float, high: float) -> np.ndarray:
    if low == high:
        # Towards zero, where there is always another number.
        other = np.nextafter(low, 0.0) if low else 1.0
        return np.array(sorted((low, other)))
    rough = high / BINS - low / BINS  # their difference may be too large for a float
    power = 10.0 ** np.floor(np.log10(rough)) if rough > 0 else 0.0
    # Of the widths that give at most BINS bars the smallest; a bar may begin before the lowest.
    for step in (size * power for size in (1.0, 2.0, 2.5, 5.0, 10.0, 20.0) if power):
        first, last = np.floor(low / step), np.ceil(high / step)
        if last - first <= BINS:
            edges: np.ndarray = np.arange(first, last + 1) * step
            if edges[0] <= low and high <= edges[-1] < np.inf and (np.diff(edges) > 0).all():
                return edges
    shares = np.linspace(0, 1, BINS + 1)  # numbers too close together or too large to round
    between: np.ndarray = np.unique(np.clip(low * (1 - shares) + high * shares, low, high))
    return between


def count_bars(codes: bytes, rows: Sequence[int] | np.ndarray | None = None) -> np.ndarray:
    """How many rows (all, or those given) have each of the 256 codes."""
    every = np.frombuffer(codes, dtype=np.uint8)
    return np.bincount(every if rows is None else every[np.asarray(rows, dtype=np.int64)],
                       minlength=256)
