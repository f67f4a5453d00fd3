"""How far distances on a map follow those of its embedding, over all pairs of some rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.judge.pairs import blocks, distances, spots, squares

_GROUPS = 20
_SURE = 1.959963984540054


@dataclass(frozen=True)
class Followed:
    """Numbers about p pairs; each NaN where it is not defined (no pair, or all distances equal).

    `rank` Spearman's correlation (ties share their mean rank), `linear` Pearson's; `stress` the
    normalised stress at the best scale of the map, sqrt(sum (D - s d)^2 / sum D^2) with
    s = sum D d / sum d^2; `stress_as_drawn` the same with s = 1, which depends on the map's unit.
    """

    rank: float
    linear: float
    stress: float
    stress_as_drawn: float


@dataclass(frozen=True)
class Pairs:
    """Distances of all p pairs of m rows, float64: `true` in the embedding, `drawn` on the map;
    `left` and `right` which of the m rows they join (int32)."""

    true: np.ndarray
    drawn: np.ndarray
    left: np.ndarray
    right: np.ndarray


def pairs_of(vectors: np.ndarray, points: np.ndarray, metric: str) -> Pairs:
    """All pairs of m x d vectors and m x 2 or 3 points: about 60 bytes for each in what follows."""
    left, right = (side.astype(np.int32) for side in np.triu_indices(len(vectors), 1))
    return Pairs(_all(vectors, metric), _all(points, "euclidean"), left, right)


def _all(vectors: np.ndarray, metric: str) -> np.ndarray:
    m = len(vectors)
    found = np.empty(m * (m - 1) // 2)
    every, rows, end = spots(vectors, metric), np.arange(m), 0
    for part in blocks(rows, m):
        block = distances(every, squares(every, rows[part]))
        values = block[np.arange(m) > rows[part, None]]
        found[end:end + len(values)] = values
        end += len(values)
    return found


def followed(pairs: Pairs, rows: int, total: int) -> tuple[Followed, Followed]:
    """The measures of the pairs of `rows` rows, and half the width of the 95 % interval of each
    when these are a sample of `total`: the delete-a-group jackknife over 20 groups of rows, with
    the ranks of all pairs. All 0 where every row took part.

    Stress: J. B. Kruskal, Psychometrika 29 (1964), normalised by the embedding's distances; the
    best scale: K. Smelser, J. Miller, S. Kobourov, 'Normalized stress' is not normalized, 2024.
    """
    groups = max(1, min(_GROUPS, rows))
    group = np.arange(rows, dtype=np.int32) % groups
    cell = group[pairs.left] * groups + group[pairs.right]
    sums = [_sums(cell, groups, x, y) for x, y in (
        (pairs.true, pairs.drawn), (_mean_ranks(pairs.true), _mean_ranks(pairs.drawn)))]
    whole = _measure(*(one.sum(axis=(1, 2)) for one in sums))
    if rows >= total or groups < 2:
        return whole, Followed(0.0, 0.0, 0.0, 0.0)
    made = [_measure(*(np.delete(np.delete(one, left_out, 1), left_out, 2).sum(axis=(1, 2))
                       for one in sums)) for left_out in range(groups)]
    values = np.array([[one.rank, one.linear, one.stress, one.stress_as_drawn] for one in made])
    share = (groups - 1) * (1.0 - rows / total)
    return whole, Followed(*(_SURE * np.sqrt(share * values.var(axis=0))).tolist())


def shepard_of(pairs: Pairs, bins: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The Shepard diagram as bins x bins counts (int64; rows: the embedding's distance) and the
    two ends of the scales, 0 to the largest distance: (counts, edges true, edges drawn)."""
    top = [float(side.max(initial=0.0)) or 1.0 for side in (pairs.true, pairs.drawn)]
    at = [np.minimum((side * (bins / end)).astype(np.int64), bins - 1)
          for side, end in zip((pairs.true, pairs.drawn), top, strict=True)]
    counts = np.bincount(at[0] * bins + at[1], minlength=bins * bins).reshape(bins, bins)
    return counts, np.linspace(0.0, top[0], bins + 1), np.linspace(0.0, top[1], bins + 1)


def _sums(cell: np.ndarray, groups: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """6 x groups x groups: the number of pairs between two groups and the sums over them of x, y,
    x x, y y, x y."""
    weights = (None, x, y, x * x, y * y, x * y)
    return np.array([np.bincount(cell, values, minlength=groups * groups)
                     .reshape(groups, groups) for values in weights])


def _measure(sums: np.ndarray, ranked: np.ndarray) -> Followed:
    own, other, both = sums[3:]
    stress = raw = np.nan
    if own > 0:
        raw = float(np.sqrt(max(0.0, own - 2.0 * both + other) / own))
        stress = (float(np.sqrt(max(0.0, 1.0 - both * both / (own * other)))) if other > 0
                  else np.nan)
    return Followed(_correlation(ranked), _correlation(sums), stress, raw)


def _correlation(sums: np.ndarray) -> float:
    """Pearson's, NaN where one side does not vary."""
    number, x, y, xx, yy, xy = sums
    if number < 2:
        return np.nan
    one, other = number * xx - x * x, number * yy - y * y
    if one <= 1e-12 * number * xx or other <= 1e-12 * number * yy:
        return np.nan
    return float(np.clip((number * xy - x * y) / np.sqrt(one * other), -1.0, 1.0))


def _mean_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1; equal values share the mean of theirs."""
    order = np.argsort(values)
    line = values[order]
    fresh = np.flatnonzero(np.diff(line, prepend=-1.0))
    ends = np.append(fresh[1:], len(line))
    found = np.empty(len(values))
    found[order] = np.repeat((fresh + ends + 1) / 2.0, ends - fresh)
    return found
