"""embedding -> clustering. One file per clusterer; `clusterers()` finds them."""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cache
from typing import ClassVar, Self

import numpy as np

from explorer.spec import Cost, Method, Progress, Registry, discover, part
from explorer.values import Clustering, RowValue


class Clusterer(Method):
    """Gives every row the number of its cluster, or -1 for noise."""

    family: ClassVar[str] = "clusterer"
    sweeps: ClassVar[str] = ""
    """The parameter a k sweep varies; '' when the method finds the number itself."""
    dense: ClassVar[bool] = False
    """Whether its clusters are dense regions of any shape: indices of round ones then mislead."""

    rows_say: ClassVar[Mapping[str, RowValue]] = {
        "strength": RowValue("Membership strength",
                             "how firmly the row belongs to its cluster, 0 to 1"),
        "outlier": RowValue("Outlier score", "how far the row is outside the nearest dense region, "
                                             "0 to 1 (GLOSH)"),
        "distance": RowValue("Distance to the centre", "distance to the centre of its cluster")}
    """What `strengths` ('strength') and those of the `extras` that have a value per row mean."""

    @property
    def distance(self) -> str:
        """The metric the clustering is made with, and judged with."""
        return getattr(self, "metric", "euclidean")

    @abstractmethod
    def cluster(self, vectors: np.ndarray, progress: Progress) -> Clustering:
        """Labels of n x d float32 vectors: 0.. by falling size (`values.by_size`), -1 noise."""

    def with_count(self, count: int) -> Self:
        """This method asked for `count` clusters, for those that `sweeps`."""
        return self.create(**{**self.values(), self.sweeps: count})

    def sweep(self, vectors: np.ndarray, counts: Sequence[int],
              progress: Progress) -> list[Clustering]:
        """One clustering per value of `sweeps`; methods that share work between them override."""
        results = []
        for step, count in enumerate(counts):
            share = part(progress, step / len(counts), (step + 1) / len(counts))
            results.append(self.with_count(count).cluster(vectors, share))
        return results

    def estimate_sweep(self, n: int, d: int, counts: Sequence[int]) -> Cost:
        """What `sweep` takes; methods that share work between the counts override."""
        every = [self.with_count(count).estimate(n, d) for count in counts]
        return Cost(seconds=sum(cost.seconds for cost in every),
                    bytes=max((cost.bytes for cost in every), default=0))


@cache
def clusterers() -> Registry[Clusterer]:
    """Every clusterer of this package, by key."""
    return discover(sys.modules[__name__], Clusterer)
