"""Two or three numbers of the vectors, as they are."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from explorer.errors import DataError, ParameterError, Where
from explorer.project import Inverse, Projector
from explorer.project.pca import too_few_columns
from explorer.spec import Cost, Facts, Progress
from explorer.values import Graph, Projection


class Plane(Projector):
    """Shows chosen dimensions of the vectors themselves and computes nothing: with a latent space
    of two dimensions the map is that space. Rows that differ only in other dimensions lie on one
    spot."""

    key: ClassVar[str] = "plane"
    title: ClassVar[str] = "Plane of the vectors"
    rank: ClassVar[int] = 5
    units: ClassVar[bool] = True
    min_rows: ClassVar[int] = 2
    min_distinct: ClassVar[int] = 2

    dimensions: int = Field(2, ge=2, le=3, description="A plane or a space.")
    x: int = Field(1, ge=1, le=100_000, description="Which dimension of the vectors lies along x, "
                                                    "counted from 1.")
    y: int = Field(2, ge=1, le=100_000, description="Which dimension lies along y.")
    z: int = Field(3, ge=1, le=100_000, description="Which dimension lies along z, in a space.")

    @property
    def shown(self) -> tuple[int, ...]:
        """The dimensions along the axes, counted from 1."""
        return (self.x, self.y, self.z)[:self.dimensions]

    def limits(self, facts: Facts) -> dict[str, tuple[float, float]]:
        if facts.d < 2:
            return {}
        found: dict[str, tuple[float, float]] = {"dimensions": (2, min(facts.d, 3))}
        return found | dict.fromkeys("xyz"[:self.dimensions], (1, facts.d))

    def check(self, facts: Facts) -> tuple[str, ...]:
        if facts.d < 2:
            raise too_few_columns(self.title, facts.d, 2)
        return super().check(facts)

    def project(self, vectors: np.ndarray, progress: Progress,
                graph: Graph | None = None) -> Projection:
        """Columns `shown` of n x d vectors, bit for bit. Raises what `check` raises, ParameterError
        SAME_DIMENSION, DataError CONSTANT_DIMENSION."""
        self.check(Facts(*vectors.shape))
        if len(set(self.shown)) < len(self.shown):
            raise ParameterError("SAME_DIMENSION", "x, y and z must be different dimensions, got "
                                 f"{', '.join(map(str, self.shown))}.", Where(parameter="y"),
                                 "With one dimension on two axes all rows lie on one line.")
        points = np.array(vectors[:, [dimension - 1 for dimension in self.shown]],
                          dtype=np.float32, order="C")
        flat = [name for name, column in zip(self.shown, points.T, strict=True)
                if not np.ptp(column)]
        if flat:
            raise DataError("CONSTANT_DIMENSION", f"Dimension {flat[0]} must differ between rows, "
                            f"got the same number in all {len(points):,}.",
                            hint="Show other dimensions: a network may leave some unused.")
        progress(1.0, f"{len(points):,} rows placed")
        return Projection(points, tuple(f"dimension {dimension}" for dimension in self.shown))

    def inverse(self, vectors: np.ndarray, projection: Projection) -> Inverse:
        """Exact where all dimensions are shown; the others are at their mean."""
        shown = np.array(self.shown) - 1
        d = vectors.shape[1]
        origin = np.asarray(vectors.mean(axis=0, dtype=np.float64))
        origin[shown] = 0.0
        return Inverse(origin, np.eye(d)[shown], len(shown) == d,
                       "the plane of the dimensions shown, with all others at their mean")

    def estimate(self, n: int, d: int) -> Cost:
        return Cost(0.01 + 1e-8 * n, 24 * n)
