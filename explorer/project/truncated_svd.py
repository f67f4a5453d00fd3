"""Truncated singular value decomposition: PCA without centring, seen from zero."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from explorer.errors import DataError
from explorer.project import Inverse, Projector
from explorer.project.pca import PCA, principal, scores, signed, too_few_columns
from explorer.spec import Cost, Facts, Progress, part
from explorer.values import Graph, Projection

_SHOWN, _LOADED = 50, 8
_NONE = 1e-10
"""Share of the largest energy below which a direction is rounding."""


class TruncatedSVD(Projector):
    """Looks from zero along the directions that hold most of the rows' length, as latent semantic
    analysis does with TF-IDF. Zero keeps its place and means 'nothing of anything'; the first axis
    is mostly how much of everything a row has. For differences between rows take PCA."""

    key: ClassVar[str] = "truncated_svd"
    title: ClassVar[str] = "Truncated SVD"
    rank: ClassVar[int] = 10
    units: ClassVar[bool] = True
    sees_origin: ClassVar[bool] = True
    min_rows: ClassVar[int] = 3
    min_distinct: ClassVar[int] = 2
    draws: ClassVar[tuple[str, ...]] = ("loadings", "scree")

    dimensions: int = Field(2, ge=2, le=3, description="A plane or a space.")
    skip: int = Field(0, ge=0, le=1, description="1 leaves out the first axis, along which all "
                      "rows mostly lie on one side, and shows the next ones.")

    def limits(self, facts: Facts) -> dict[str, tuple[float, float]]:
        most = min(facts.n, facts.d)
        if most < 2:
            return {}
        return {"dimensions": (2, most - self.skip)} if most - self.skip >= 2 else {"skip": (0, 0)}

    def check(self, facts: Facts) -> tuple[str, ...]:
        if facts.d < 2:
            raise too_few_columns(self.title, facts.d, self.dimensions)
        return super().check(facts)

    def inverse(self, vectors: np.ndarray, projection: Projection) -> Inverse:
        """Along the directions shown, from zero."""
        along = np.asarray(projection.extras["loadings"])[:, :self.dimensions].T
        return Inverse(np.zeros(vectors.shape[1]), along, vectors.shape[1] == self.dimensions,
                       "the plane of the two directions shown, through zero")

    def estimate(self, n: int, d: int) -> Cost:
        return PCA().estimate(n, d)

    def project(self, vectors: np.ndarray, progress: Progress,
                graph: Graph | None = None) -> Projection:
        """As scikit-learn's TruncatedSVD, exactly. The sign of an axis makes its largest loading
        positive. `extras`: energy_ratio, float64, the shares of the sum of squares of the first
        min(n, d, 50) directions; loadings, float64 d x m, unit directions, at most 8, from the
        first one shown. Raises DataError TOO_FEW_COLUMNS, ALL_ZERO."""
        self.check(Facts(*vectors.shape))
        n, d = vectors.shape
        origin = np.zeros(d)
        axes = principal(vectors, origin, progress, _LOADED + 1)
        total = axes.variances.sum()
        if total == 0:
            raise DataError("ALL_ZERO", f"{self.title} must have rows that are not zero, got only "
                            "zeros.", hint="Choose other columns or another encoder.")
        known = int(np.count_nonzero(axes.variances > _NONE * axes.variances[0]))
        first, end = self.skip, self.skip + self.dimensions
        loadings = signed(axes.directions[:, first:max(end, min(_LOADED + first, known))])
        directions = np.ascontiguousarray(loadings[:, :self.dimensions])
        points = scores(vectors, origin, directions, part(progress, 0.8, 1.0))
        shares = axes.variances / total
        names = tuple(f"SV {axis + 1} ({shares[axis]:.1%})".replace("%", " %")
                      for axis in range(first, end))
        return Projection(points.astype(np.float32), names, (
            "seen from zero: percentages are shares of the sum of squares, not of the variance",),
            {"energy_ratio": shares[:min(n, d, _SHOWN)], "loadings": loadings})
