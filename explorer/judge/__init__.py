"""clustering -> scores. One file per judge; `judges()` finds them."""

from __future__ import annotations

import sys
from abc import abstractmethod
from functools import cache
from typing import ClassVar

import numpy as np

from explorer.spec import Method, Progress, Registry, discover
from explorer.values import Judgement


class Judge(Method):
    """Says how good a clustering is, in the space it was made in, noise kept out and counted."""

    family: ClassVar[str] = "judge"

    @abstractmethod
    def judge(self, vectors: np.ndarray, labels: np.ndarray, metric: str, space: str,
              progress: Progress) -> Judgement:
        """Scores of n labels (-1 noise) on n x d float32 vectors under `metric` ('euclidean' or
        'cosine'); `space` is the space's name for the Score. 'Not defined' is an answer."""


@cache
def judges() -> Registry[Judge]:
    """Every judge of this package, by key."""
    return discover(sys.modules[__name__], Judge)
