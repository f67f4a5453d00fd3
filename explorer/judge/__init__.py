"""clustering -> scores. One file per judge; `judges()` finds them."""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections.abc import Sequence
from functools import cache
from typing import ClassVar

import numpy as np

from explorer.spec import Cost, Method, Progress, Registry, discover, part
from explorer.values import Judgement


class Judge(Method):
    """Says how good a clustering is, in the space it was made in, noise kept out and counted."""

    family: ClassVar[str] = "judge"

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
