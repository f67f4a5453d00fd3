"""The exact silhouette of every row, in blocks of bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from explorer.judge import Judge
from explorer.judge.kept import Kept, per_cluster, without_noise
from explorer.spec import Cost, Progress, silent
from explorer.values import Judgement, Score

if TYPE_CHECKING:
    from scipy.sparse import csr_array

BLOCK_BYTES = 32 * 2**20
_NEAR = 2e-8
"""Squared distances below this share of a row's squared length have lost half their digits in
|x|^2 + |y|^2 - 2xy; they are taken again from the differences."""


@dataclass(frozen=True)
class Silhouettes:
    """For each kept row, in their order, float64: `own`, the mean distance to the other rows of its
    cluster (a; NaN for a row alone); `other`, the mean distance to the nearest other cluster (b);
    `value` = (b - a) / max(a, b). `second` int64: the place of that other cluster in
    `Kept.clusters`."""

    own: np.ndarray
    other: np.ndarray
    value: np.ndarray
    second: np.ndarray


@dataclass(frozen=True)
class _Points:
    """The m different rows, float64, centred (Euclidean) or of length 1 (cosine).

    `right` m x (d+2) holds [x, 1, |x|^2], so that the product with [-2x, |x|^2, 1] gives squared
    distances; `of_row` says which point each of the n rows is (-1: takes no part).
    """

    right: np.ndarray
    of_row: np.ndarray

    @property
    def values(self) -> np.ndarray:
        return self.right[:, :-2]

    @property
    def squares(self) -> np.ndarray:
        return self.right[:, -1]


@dataclass(frozen=True)
class _Asked:
    """One clustering in question: `members` k x m counts of each point in each cluster, `point` of
    each kept row, `order` the kept rows sorted by point, `result` to be filled."""

    kept: Kept
    members: csr_array
    point: np.ndarray
    order: np.ndarray
    result: Silhouettes

    def rows_of(self, start: int, stop: int) -> np.ndarray:
        """The kept rows that are points start..stop."""
        low, high = np.searchsorted(self.point, [start, stop], sorter=self.order)
        return self.order[low:high]


class Silhouette(Judge):
    """How much closer each row is to its own cluster than to the next one: from -1 (it belongs to
    the other) over 0 (between the two) to 1 (well inside). All pairs of rows are compared; noise
    takes no part, and a row alone in its cluster gets 0."""

    key: ClassVar[str] = "silhouette"
    title: ClassVar[str] = "Silhouette"
    rank: ClassVar[int] = 10

    def estimate(self, n: int, d: int) -> Cost:
        return Cost(seconds=0.05 + float(n) * n * (5e-9 + 4e-11 * d),
                    bytes=20 * n * (d + 2) + 3 * BLOCK_BYTES)

    def estimate_all(self, n: int, d: int, labelings: int) -> Cost:
        one = self.estimate(n, d)
        return Cost(seconds=one.seconds + (labelings - 1) * 1.2e-9 * float(n) * n,
                    bytes=one.bytes + 60 * n * (labelings - 1))

    def judge(self, vectors: np.ndarray, labels: np.ndarray, metric: str, space: str,
              progress: Progress) -> Judgement:
        """The mean silhouette. Per row 'silhouette', 'a', 'b' float32 (NaN for noise; a is NaN for
        a row alone) and 'second' int32, the second-best cluster (-1 for noise). Per cluster number
        'size' int64, 'mean' and 'negative_share' float64.

        Source: P. J. Rousseeuw, Silhouettes, J. Comput. Appl. Math. 20 (1987) 53-65, with his
        convention of 0 for a row alone in its cluster. Where a = b = 0 (copies of one row in two
        clusters) it is 0 as well. Equal to scikit-learn's silhouette_samples without the noise.
        """
        return self.judge_all(vectors, [labels], metric, space, progress)[0]

    def judge_all(self, vectors: np.ndarray, labelings: Sequence[np.ndarray], metric: str,
                  space: str, progress: Progress) -> list[Judgement]:
        """`judge` of several labelings of the same vectors, which share the distances: ten cost
        little more than one."""
        every = [without_noise(labels) for labels in labelings]
        whys = [kept.why or _no_direction(vectors, kept, metric) for kept in every]
        asked = [kept for kept, why in zip(every, whys, strict=True) if not why]
        found = iter(silhouettes(vectors, asked, metric, progress) if asked else ())
        judgements = [self._judgement(kept, None if why else next(found), metric, space, why)
                      for kept, why in zip(every, whys, strict=True)]
        progress(1.0, "silhouettes")
        return judgements

    def _judgement(self, kept: Kept, result: Silhouettes | None, metric: str, space: str,
                   why: str) -> Judgement:
        value = None if result is None else float(result.value.mean())
        score = Score(name=self.title, value=value, space=space, metric=metric,
                      sample=len(kept.rows), total=kept.total, noise=kept.noise, why=why)
        return Judgement(scores=(score,), per_row=_per_row(kept, result),
                         per_cluster=_per_cluster(kept, result), notes=_notes(kept, result))


def silhouettes(vectors: np.ndarray, every: Sequence[Kept], metric: str,
                progress: Progress = silent, block_bytes: int = BLOCK_BYTES) -> list[Silhouettes]:
    """The silhouettes of n x d vectors under each of these clusterings of at least two clusters.

    Distances are float64 and stand in memory `block_bytes` at a time (at least one row's), beside
    about 20 n d bytes for the rows. `metric` is 'euclidean' or 'cosine' (1 - cos).
    """
    points = _points(vectors, every, metric)
    asked = [_ask(points, kept) for kept in every]
    m = len(points.right)
    step = block_rows(m, block_bytes)
    for start in range(0, m, step):
        progress(start / m, f"silhouettes: {start:,} of {m:,} different rows")
        block = _distances(points, start, min(start + step, m), metric)
        for one in asked:
            _fill(one, block, start)
    return [one.result for one in asked]


def block_rows(m: int, block_bytes: int) -> int:
    """How many rows of m float64 distances fit into `block_bytes`; at least one."""
    return max(1, block_bytes // (8 * m))


def _points(vectors: np.ndarray, every: Sequence[Kept], metric: str) -> _Points:
    part = np.unique(np.concatenate([kept.rows for kept in every]))
    rows = np.ascontiguousarray(vectors[part]) + 0.0  # -0.0 and 0.0 are one value
    d = rows.shape[1]
    _, first, point = np.unique(rows.view(f"V{rows.dtype.itemsize * d}").ravel(),
                                return_index=True, return_inverse=True)
    right = np.empty((len(first), d + 2))
    values = right[:, :d]
    values[:] = rows[first]
    if metric == "cosine":
        values /= np.linalg.norm(values, axis=1, keepdims=True)
    else:
        values -= values.mean(axis=0)
    right[:, d] = 1.0
    right[:, d + 1] = np.einsum("ij,ij->i", values, values)
    of_row = np.full(len(vectors), -1)
    of_row[part] = point
    return _Points(right=right, of_row=of_row)


def _ask(points: _Points, kept: Kept) -> _Asked:
    from scipy.sparse import csr_array

    point = points.of_row[kept.rows]
    members = csr_array((np.ones(len(point)), (kept.group, point)),
                        shape=(len(kept.sizes), len(points.right)))
    return _Asked(kept=kept, members=members, point=point, order=np.argsort(point, kind="stable"),
                  result=Silhouettes(own=np.empty(len(point)), other=np.empty(len(point)),
                                     value=np.empty(len(point)),
                                     second=np.empty(len(point), dtype=np.int64)))


def _distances(points: _Points, start: int, stop: int, metric: str) -> np.ndarray:
    """m x (stop - start) distances of all points to these."""
    values, squares = points.values, points.squares
    left = np.column_stack([-2.0 * values[start:stop], squares[start:stop],
                            np.ones(stop - start)])
    block = points.right @ left.T
    width = stop - start
    near = np.flatnonzero(block < _NEAR * squares[start:stop])
    step = max(1, BLOCK_BYTES // (32 * values.shape[1]))
    for begin in range(0, len(near), step):
        row, column = np.divmod(near[begin:begin + step], width)
        difference = values[row] - values[start + column]
        block[row, column] = np.einsum("ij,ij->i", difference, difference)
    block[np.arange(start, stop), np.arange(width)] = 0.0
    if metric == "cosine":
        block *= 0.5  # of two vectors of length 1: |x - y|^2 = 2 (1 - cos)
        return block
    return np.sqrt(block, out=block)


def _fill(asked: _Asked, block: np.ndarray, start: int) -> None:
    """The silhouettes of the rows that are the points of this block, from its distances."""
    kept, here = asked.kept, np.arange(block.shape[1])
    rows = asked.rows_of(start, start + len(here))
    place, group = asked.point[rows] - start, kept.group[rows]
    alone = kept.sizes[group] == 1
    sums = asked.members @ block
    own = np.where(alone, np.nan, sums[group, place] / np.maximum(kept.sizes[group] - 1, 1))
    means = sums / kept.sizes[:, None]
    first = means.argmin(axis=0)
    lowest = means[first, here]
    means[first, here] = np.inf
    then = means.argmin(axis=0)
    inside = first[place] == group
    second = np.where(inside, then[place], first[place])
    other = np.where(inside, means[then, here][place], lowest[place])
    larger = np.fmax(own, other)
    apart = ~alone & (larger > 0)
    asked.result.own[rows] = own
    asked.result.other[rows] = other
    asked.result.second[rows] = second
    asked.result.value[rows] = np.divide(other - own, larger, out=np.zeros(len(rows)), where=apart)


def _no_direction(vectors: np.ndarray, kept: Kept, metric: str) -> str:
    if metric != "cosine":
        return ""
    zeros = int(np.count_nonzero(~vectors[kept.rows].any(axis=1)))
    return f"Not defined: {zeros:,} all-zero rows have no cosine distance." if zeros else ""


def _per_row(kept: Kept, result: Silhouettes | None) -> dict[str, np.ndarray]:
    values = {name: np.full(kept.total, np.nan, dtype=np.float32)
              for name in ("silhouette", "a", "b")}
    second = np.full(kept.total, -1, dtype=np.int32)
    if result is not None:
        values["silhouette"][kept.rows] = result.value
        values["a"][kept.rows] = result.own
        values["b"][kept.rows] = result.other
        second[kept.rows] = kept.clusters[result.second]
    return {**values, "second": second}


def _per_cluster(kept: Kept, result: Silhouettes | None) -> dict[str, np.ndarray]:
    mean = negative = np.full(len(kept.sizes), np.nan)
    if result is not None:
        mean = np.add.reduceat(result.value, kept.starts) / kept.sizes
        negative = np.add.reduceat((result.value < 0).astype(float), kept.starts) / kept.sizes
    return {"size": per_cluster(kept, kept.sizes, 0),
            "mean": per_cluster(kept, mean, np.nan),
            "negative_share": per_cluster(kept, negative, np.nan)}


def _notes(kept: Kept, result: Silhouettes | None) -> tuple[str, ...]:
    alone = int(np.count_nonzero(kept.sizes == 1))
    if result is None or not alone:
        return ()
    return (f"{alone:,} cluster{'' if alone == 1 else 's'} of one row: by convention the "
            "silhouette of a row alone is 0.",)
