"""embedding -> projection. One file per projector; `projectors()` finds them."""

from __future__ import annotations

import sys
from abc import abstractmethod
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np

from explorer.spec import Method, Progress, Registry, discover
from explorer.values import Graph, Projection


@dataclass(frozen=True)
class Inverse:
    """The vector that stands at a point p of a linear picture: `origin` (d float64) + p @ `along`
    (k x d float64); `exact`: every vector is where its point says, else it is the nearest one of
    the plane `words` names."""

    origin: np.ndarray
    along: np.ndarray
    exact: bool
    words: str


class Projector(Method):
    """Places vectors on a plane or in space."""

    family: ClassVar[str] = "projector"
    reads: ClassVar[str] = "embedding"
    """'embedding', or 'coordinates' for a projector that shows ready-made columns."""
    units: ClassVar[bool] = False
    """Whether the numbers on its axes mean something, so that a map shows them."""

    def neighbors_needed(self, n: int) -> int:
        """How many neighbours of the shared graph it uses; 0: none."""
        return 0

    @property
    def distance(self) -> str:
        """The metric it measures with."""
        return getattr(self, "metric", "euclidean")

    def inverse(self, vectors: np.ndarray, projection: Projection) -> Inverse | None:
        """How a point of its `projection` of n x d `vectors` becomes a vector again; None where no
        linear rule says so."""
        return None

    @abstractmethod
    def project(self, vectors: np.ndarray, progress: Progress,
                graph: Graph | None = None) -> Projection:
        """n x 2 or n x 3 points of n x d float32 vectors; `graph` is given when
        `neighbors_needed` is above 0 and has at least that many neighbours."""


@cache
def projectors() -> Registry[Projector]:
    """Every projector of this package, by key."""
    return discover(sys.modules[__name__], Projector)
