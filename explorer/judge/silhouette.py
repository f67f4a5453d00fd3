"""The exact silhouette of every row, in blocks of bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from pydantic import Field  # noqa: F401

from explorer.judge import Judge
from explorer.judge.kept import Kept, per_cluster, without_noise
from explorer.spec import Cost, Progress, advanced, part
from explorer.values import Judgement, Score

_NEAR = 4e-7
"""Squared distances below this share of a row's squared length have lost half their digits in
|a|^2 + |b|^2 - 2ab; they are taken again from the differences."""


@dataclass(frozen=True)
class Silhouettes:
    """For m rows: `own` float64, mean distance to the other rows of the own cluster (a; NaN where
    there are none); `other`, mean distance to the nearest other cluster (b); `second`, its place
    in the list of clusters; `value` = (b - a) / max(a, b)."""

    own: np.ndarray
    other: np.ndarray
    second: np.ndarray
    value: np.ndarray


@dataclass(frozen=True)
class _Points:
    """Different rows per cluster, sorted by cluster, with how often each is there.

    `left` m x (d+2) holds [-2x, |x|^2, 1] and `right` [x, 1, |x|^2], so that one matrix product
    gives squared distances. Copies of a row in one cluster are one point with a weight.
    """

    values: np.ndarray
    squares: np.ndarray
    right: np.ndarray
    weights: np.ndarray | None
    group: np.ndarray
    starts: np.ndarray
    of_row: np.ndarray


class Silhouette(Judge):
    """How much closer each row is to its own cluster than to the next one: from -1 (in the wrong
    cluster) over 0 (between two) to 1 (well inside). Every pair of rows is compared, none is
    sampled; noise rows take no part; a row alone in its cluster gets 0."""

    key: ClassVar[str] = "silhouette"
    title: ClassVar[str] = "Silhouette"
    rank: ClassVar[int] = 10

    block_megabytes: int = advanced(
        32, ge=1, le=4096, description="Memory for one block of distances; the result does not "
                                       "depend on it.")

    def estimate(self, n: int, d: int) -> Cost:
        return Cost(seconds=0.05 + float(n) * n * (5e-9 + 6e-11 * d),
                    bytes=32 * n * (d + 2) + 2 * self.block_megabytes * 2**20)

    def judge(self, vectors: np.ndarray, labels: np.ndarray, metric: str, space: str,
              progress: Progress) -> Judgement:
        """Mean silhouette; per row 'silhouette', 'a', 'b' float32 (NaN for noise), 'second' int32
        (the second-best cluster, -1 for noise); per cluster number 'size', 'mean',
        'negative_share' float64.

        P. J. Rousseeuw, Silhouettes, J. Comput. Appl. Math. 20 (1987) 53-65: s = (b - a) /
        max(a, b), and s = 0 for a row alone in its cluster (its a is NaN here). Where a = b = 0
        (copies of one row in two clusters) s is 0 too. Equal to scikit-learn's
        silhouette_samples of the rows that are not noise.
        """
        kept = without_noise(labels)
        why = kept.why or _no_direction(vectors, kept, metric)
        if why:
            return self._undefined(kept, metric, space, why)
        points = _points(vectors, kept, metric)
        result = _silhouettes(points, kept.sizes, metric, self.block_megabytes * 2**20,
                              part(progress, 0.0, 1.0))
        ...
