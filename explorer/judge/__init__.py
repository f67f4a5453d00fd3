"""clustering -> scores. One file per judge; `judges()` finds them."""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cache
from typing import ClassVar

import numpy as np

from explorer.judge.fit import Fit, Made
from explorer.spec import Cost, Method, Progress, Registry, discover, part
from explorer.values import Judgement, RowValue


class Judge(Method):
    """Says how good a clustering is, in the space it was made in, noise kept out and counted."""

    family: ClassVar[str] = "judge"
    default: ClassVar[bool] = True
    """Whether a new recipe asks for it; others are computed when a person asks."""
    rows_say: ClassVar[Mapping[str, RowValue]] = {
        "silhouette": RowValue("Silhouette", "how much closer the row is to its own cluster than "
                               "to the next one, -1 to 1; below 0 it is nearer to the second-best "
                               "cluster"),
        "second": RowValue("Second-best cluster", "number of the cluster with the next smallest "
                           "mean distance to the row", "cluster", "second_best_cluster")}
    """What those of the judgement's `per_row` arrays mean that people are shown."""

    swept: ClassVar[bool] = True
    """Whether a k sweep asks for it."""
    falls: ClassVar[bool] = False
    """Whether every further cluster improves it: then its knee speaks, not its best value."""
    counts_noise: ClassVar[bool] = False
    """Whether noise rows count as rows that belong nowhere and lower it; else they take no part."""

    def fits(self, made: Made) -> Fit:
        """Whether the number means something for clusters that came about like this, in words."""
        return Fit("fits", "")

    @abstractmethod
    def judge(self, vectors: np.ndarray, labels: np.ndarray, metric: str, space: str,
              progress: Progress) -> Judgement:
        """Scores of n labels (-1 noise) on n x d float32 vectors under `metric` ('euclidean' or
        'cosine'); `space` is the space's name for the Score. 'Not defined' is an answer."""

    def judge_all(self, vectors: np.ndarray, labelings: Sequence[np.ndarray], metric: str,
                  space: str, progress: Progress) -> list[Judgement]:
        """`judge` of several labelings of the same vectors; judges that share work between them
        override."""
        return [self.judge(vectors, labels, metric, space,
                           part(progress, step / len(labelings), (step + 1) / len(labelings)))
                for step, labels in enumerate(labelings)]

    def estimate_all(self, n: int, d: int, labelings: int) -> Cost:
        """What `judge_all` of so many labelings takes."""
        one = self.estimate(n, d)
        return Cost(seconds=one.seconds * labelings, bytes=one.bytes)


@cache
def judges() -> Registry[Judge]:
    """Every judge of this package, by key."""
    return discover(sys.modules[__name__], Judge)
