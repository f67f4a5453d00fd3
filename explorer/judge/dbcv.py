"""DBCV, the index of density clusterings: how thin clusters are inside, how empty it is between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from explorer.judge import Judge
from explorer.judge.fit import Fit, Made
from explorer.judge.kept import Kept, per_cluster, without_noise
from explorer.spec import Cost, Progress, advanced
from explorer.values import Judgement, Score

BLOCK_BYTES = 32 * 2**20
_NEAR = 2e-8
"""Squared distances below this share of a row's squared length are taken from the differences."""


@dataclass(frozen=True)
class Density:
    """One cluster of m >= 2 rows: `vectors` m x d float64, the `core` distance of each row (m), the
    `inner` rows (places of those with two or more neighbours in the cluster's spanning tree; all
    where there are none), and `thinnest`, the longest edge between inner rows."""

    vectors: np.ndarray
    core: np.ndarray
    inner: np.ndarray
    thinnest: float


class Dbcv(Judge):
    """How much emptier it is between clusters than at the thinnest place inside each: from -1 to 1,
    higher is better. It follows clusters of any shape, so it is the index for HDBSCAN and DBSCAN;
    noise rows lower it, as they belong nowhere."""

    key: ClassVar[str] = "dbcv"
    title: ClassVar[str] = "DBCV"
    rank: ClassVar[int] = 60
    default: ClassVar[bool] = False
    swept: ClassVar[bool] = False
    counts_noise: ClassVar[bool] = True

    rows: int = advanced(
        10_000, ge=100, le=50_000,
        description="Up to so many rows all pairs are compared. Of more, as many are drawn by "
                    "seed, from each cluster its share; densities of a sample are thinner, so "
                    "compare such a DBCV only with others of that many rows.")
    seed: int = advanced(0, ge=0, le=2**32 - 1, description="Same seed, same sample.")

    def fits(self, made: Made) -> Fit:
        if made.on_picture:
            return Fit("with care", "Made and measured on the picture, where densities are "
                                    "distorted.")
        if made.density:
            return Fit("fits", "Made for dense regions of any shape. In many dimensions all "
                               "densities look alike and it falls.")
        return Fit("with care", "Asks for gaps between clusters: round clusters that touch are "
                                "called bad by it, whatever their use.")

    def estimate(self, n: int, d: int) -> Cost:
        m = float(min(n, self.rows))
        return Cost(seconds=0.05 + m * 2e-5 + m * m * (4e-9 + 3.5e-10 * d),
                    bytes=int(24 * m * d + 4 * BLOCK_BYTES))

    def judge(self, vectors: np.ndarray, labels: np.ndarray, metric: str, space: str,
              progress: Progress) -> Judgement:
        """DBCV = sum over clusters of |C| / n V(C), n with noise; V(C) = (separation - thinnest) /
        max of both. Per cluster number 'dbcv' float64 is V(C): NaN for one row, which counts 0.

        Source: D. Moulavi et al., Density-Based Clustering Validation, SDM 2014. As
        `hdbscan.validity.validity_index`, but logarithms keep high dimensions from overflowing,
        columns without spread do not count into the dimension, and of spanning trees of equal
        weight the one at the denser rows is taken. There row numbers decide: 0.00 to 0.22 on iris.
        """
        every = without_noise(labels)
        kept = _sample(every, self.rows, self.seed)
        used = sum(map(len, kept))
        why = every.why or _no_direction(vectors, every, metric)
        value, found = None, np.full(len(every.sizes), np.nan)
        if not why:
            found = _validities(vectors, kept, metric, progress)
            value = float((np.nan_to_num(found) * every.sizes).sum() / every.total)
        progress(1.0, why or "DBCV")
        drawn = used < len(every.rows)
        score = Score(name=self.title, value=value, space=space, metric=metric, sample=used,
                      total=every.total, noise=_noise(every), why=why,
                      seed=self.seed if drawn else None)
        return Judgement(scores=(score,), per_cluster={"dbcv": per_cluster(every, found, np.nan)},
                         notes=_notes(every, self, used))


def _validities(vectors: np.ndarray, members: Sequence[np.ndarray], metric: str,
                progress: Progress) -> np.ndarray:
    """V of each cluster (k float64; NaN for one row) from the places of its rows."""
    rows = np.concatenate(members)
    d = max(1, int(np.count_nonzero(np.ptp(vectors[rows], axis=0))))
    done, k = 0, len(members)
    clusters: list[Density | None] = []
    for number, places in enumerate(members):
        progress(0.7 * done / len(rows), f"densities: cluster {number + 1} of {k}")
        clusters.append(_density(_prepared(vectors[places], metric), metric, d)
                        if len(places) > 1 else None)
        done += len(places)
    apart = np.full((k, k), np.inf)
    for first in range(k):
        progress(0.7 + 0.3 * first / k, f"gaps: cluster {first + 1} of {k}")
        for second in range(first + 1, k):
            one, other = clusters[first], clusters[second]
            if one is not None and other is not None:
                apart[first, second] = apart[second, first] = _gap(one, other, metric)
    values = np.full(k, np.nan)
    for number, cluster in enumerate(clusters):
        gap = float(apart[number].min())
        if cluster is not None and np.isfinite(gap):
            larger = max(gap, cluster.thinnest)
            values[number] = (gap - cluster.thinnest) / larger if larger > 0 else 0.0
    return values


def _density(rows: np.ndarray, metric: str, d: int) -> Density:
    """Core distances (the generalised mean of all distances inside, of power -d) and the minimum
    spanning tree of the mutual reachability, by Prim: one row of distances at a time. Many of its
    edges are equally long: of those the one at the denser row is taken, so that rows at the rim are
    leaves and the order of rows decides nothing (in hdbscan it does)."""
    m = len(rows)
    core = np.empty(m)
    step = max(1, BLOCK_BYTES // (8 * m))
    for start in range(0, m, step):
        block = distances(rows[start:start + step], rows, metric)
        block[np.arange(len(block)), np.arange(start, start + len(block))] = 0.0
        core[start:start + len(block)] = _core(block, d)
    reached, denser = np.full(m, np.inf), np.full(m, np.inf)
    parent = np.zeros(m, dtype=np.int64)
    waiting = np.ones(m, dtype=bool)
    ends, weights = np.empty((m - 1, 2), dtype=np.int64), np.empty(m - 1)
    now = 0
    for edge in range(m - 1):
        waiting[now] = False
        away = distances(rows[now:now + 1], rows, metric)[0]
        reach = np.maximum(np.maximum(away, core), core[now])
        ends_core = np.minimum(core, core[now])
        closer = waiting & ((reach < reached) | ((reach == reached) & (ends_core < denser)))
        reached[closer], denser[closer], parent[closer] = reach[closer], ends_core[closer], now
        left = np.where(waiting, reached, np.inf)
        now = int(np.argmin(np.where(left == left.min(), denser, np.inf)))
        ends[edge], weights[edge] = (parent[now], now), reached[now]
    inner = np.bincount(ends.ravel(), minlength=m) > 1
    between = inner[ends].all(axis=1)
    return Density(rows, core, np.flatnonzero(inner) if inner.any() else np.arange(m),
                   float(weights[between].max() if between.any() else weights.max()))


def _core(block: np.ndarray, d: int) -> np.ndarray:
    """(sum of distance^-d / (m - 1))^(-1/d) of each row, copies (distance 0) left out of the sum;
    0 where all others are copies."""
    with np.errstate(divide="ignore"):
        powers = np.where(block > 0, -d * np.log(block), -np.inf)
    largest = powers.max(axis=1)
    alone = ~np.isfinite(largest)
    largest[alone] = 0.0
    with np.errstate(divide="ignore"):
        total = largest + np.log(np.exp(powers - largest[:, None]).sum(axis=1))
    core: np.ndarray = np.exp(-(total - np.log(block.shape[1] - 1)) / d)
    core[alone] = 0.0
    return core


def _gap(one: Density, other: Density, metric: str) -> float:
    """The smallest mutual reachability between inner rows of two clusters."""
    right, core = other.vectors[other.inner], other.core[other.inner]
    step = max(1, BLOCK_BYTES // (8 * len(right)))
    found = np.inf
    for start in range(0, len(one.inner), step):
        some = one.inner[start:start + step]
        block = np.maximum(distances(one.vectors[some], right, metric), core)
        found = min(found, float(np.maximum(block, one.core[some][:, None]).min()))
    return found


def distances(left: np.ndarray, right: np.ndarray, metric: str) -> np.ndarray:
    """a x b float64 distances of prepared rows. What is nearly 0 is computed anew from the
    differences: copies are at 0 exactly."""
    if metric == "manhattan":
        from scipy.spatial.distance import cdist

        found: np.ndarray = cdist(left, right, "cityblock")
        return found
    mine, theirs = np.einsum("ij,ij->i", left, left), np.einsum("ij,ij->i", right, right)
    block = left @ right.T
    block *= -2.0
    block += mine[:, None]
    block += theirs
    row, column = np.nonzero(block <= _NEAR * mine[:, None])
    step = max(1, BLOCK_BYTES // (32 * left.shape[1]))
    for start in range(0, len(row), step):
        some, others = row[start:start + step], column[start:start + step]
        difference = left[some] - right[others]
        block[some, others] = np.einsum("ij,ij->i", difference, difference)
    np.maximum(block, 0.0, out=block)
    return block * 0.5 if metric == "cosine" else np.sqrt(block, out=block)


def _prepared(vectors: np.ndarray, metric: str) -> np.ndarray:
    rows = vectors.astype(np.float64)
    if metric == "cosine":
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def _sample(kept: Kept, most: int, seed: int) -> list[np.ndarray]:
    """The places of each cluster's rows, drawn where all of them are more than `most`."""
    members = [rows for rows in np.split(kept.rows, kept.starts[1:]) if len(rows)]
    share = most / max(len(kept.rows), 1)
    if share >= 1:
        return members
    draw = np.random.default_rng(seed)
    return [np.sort(draw.choice(rows, max(min(len(rows), 2), round(share * len(rows))),
                                replace=False)) for rows in members]


def _no_direction(vectors: np.ndarray, kept: Kept, metric: str) -> str:
    zeros = int(np.count_nonzero(~vectors[kept.rows].any(axis=1))) if metric == "cosine" else 0
    return f"Not defined: {zeros:,} all-zero rows have no cosine distance." if zeros else ""


def _noise(kept: Kept) -> str:
    left = kept.total - len(kept.rows)
    return "no noise rows" if not left else f"{left:,} noise row{'s' * (left > 1)} count as 0"


def _notes(kept: Kept, judge: Dbcv, used: int) -> tuple[str, ...]:
    notes = []
    alone = int(np.count_nonzero(kept.sizes == 1))
    if alone and not kept.why:
        notes.append(f"{alone:,} cluster{'s' * (alone > 1)} of one row: a row alone has no "
                     "density and counts as 0.")
    if used < len(kept.rows) and not kept.why:
        notes.append(f"DBCV of {used:,} of {len(kept.rows):,} rows, drawn by seed {judge.seed}, "
                     "from each cluster its share: densities of a sample are thinner, so compare "
                     "it only with others of as many rows.")
    return tuple(notes)
