"""embedding -> kNN graph, computed once per embedding and metric, used by everything."""

from __future__ import annotations

import sys
from abc import abstractmethod
from functools import cache
from typing import ClassVar

import numpy as np

from explorer.spec import Method, Progress, Registry, discover
from explorer.values import Graph


class Neighbors(Method):
    """Finds the nearest other rows of every row."""

    family: ClassVar[str] = "neighbors"

    @abstractmethod
    def find(self, vectors: np.ndarray, progress: Progress) -> Graph:
        """The kNN graph of n x d float32 vectors."""


@cache
def neighbor_searches() -> Registry[Neighbors]:
    """Every neighbour search of this package, by key."""
    return discover(sys.modules[__name__], Neighbors)
