"""Independent components by scikit-learn's FastICA (Hyvaerinen, Oja 2000)."""

from __future__ import annotations

import warnings
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from explorer.errors import DataError
from explorer.project import Projector
from explorer.project.pca import PCA, principal, scores, signed, too_few_columns
from explorer.spec import Cost, Facts, Progress, advanced, part
from explorer.values import Graph, Projection

_NONE = 1e-10
"""Share of the largest variance below which a direction is rounding."""


class ICA(Projector):
    """Looks for directions along which the rows are as little bell-shaped as possible: sources
    that were mixed, groups, rare rows. Shows the two or three that stand out most."""

    key: ClassVar[str] = "ica"
    title: ClassVar[str] = "ICA"
    rank: ClassVar[int] = 8
    draws: ClassVar[tuple[str, ...]] = ("loadings",)
    min_rows: ClassVar[int] = 4
    min_distinct: ClassVar[int] = 2

    components: int = Field(5, ge=2, le=50, description="How many sources to separate, among as "
                            "many principal components; no more than the data has are used.")
    dimensions: int = Field(2, ge=2, le=3, description="A plane or a space.")
    whiten: bool = advanced(True, description="Give every axis the same spread; otherwise the "
                                              "spread it has in the data.")
    contrast: Literal["logcosh", "cube"] = advanced(
        "logcosh", description="How the distance from a bell curve is measured: logcosh bears rare "
                               "far rows, cube looks for them.")
    max_iterations: int = advanced(500, ge=1, le=10_000, description="The most rounds.")
    seed: int = advanced(0, ge=0, le=2**32 - 1, description="Same seed, same result.")

    def check(self, facts: Facts) -> tuple[str, ...]:
        notes = super().check(facts)
        if facts.d < self.dimensions:
            raise too_few_columns(self.title, facts.d, self.dimensions)
        return notes

    def estimate(self, n: int, d: int) -> Cost:
        start = PCA().estimate(n, d)
        rounds = min(self.max_iterations, 250)
        return Cost(start.seconds + rounds * n * self.components * (2e-8 + 1e-9 * self.components),
                    start.bytes + 60 * n * self.components)

    def project(self, vectors: np.ndarray, progress: Progress,
                graph: Graph | None = None) -> Projection:
        """As scikit-learn's FastICA on the whitened principal components, the sources ordered by
        how far their excess kurtosis is from 0. The sign of an axis makes its largest loading
        positive.

        `extras`: excess_kurtosis, float64, of all sources in that order; loadings, float64
        d x dimensions, what one unit of a source adds to every column. Raises DataError
        IDENTICAL_ROWS, TOO_FEW_COLUMNS.
        """
        self.check(Facts(*vectors.shape))
        mean = np.asarray(np.mean(vectors, axis=0, dtype=np.float64))
        axes = principal(vectors, mean, part(progress, 0.0, 0.4), most=self.components)
        known = min(self.components,
                    int(np.count_nonzero(axes.variances > _NONE * axes.variances[0])))
        if axes.variances.sum() <= len(mean) * (4 * np.finfo(np.float64).eps
                                                * np.abs(mean).max()) ** 2:
            raise DataError("IDENTICAL_ROWS", f"{self.title} must have rows that differ, got only "
                            "copies of one row.", hint="Choose other columns or another encoder.")
        # Signed: the search starts from the same place whatever the order of the rows.
        directions, spreads = signed(axes.directions[:, :known]), np.sqrt(axes.variances[:known])
        white = scores(vectors, mean, directions, part(progress, 0.4, 0.5)) / spreads
        progress(0.5, f"separating {known} sources")
        turn, notes = self._turn(white)
        sources = white @ turn.T
        spread = np.maximum(sources.std(axis=0), np.finfo(np.float64).tiny)
        kurtosis = np.mean(((sources - sources.mean(axis=0)) / spread) ** 4, axis=0) - 3
        order = np.argsort(-np.abs(kurtosis), kind="stable")
        shown = min(self.dimensions, known)
        loadings = (directions * spreads) @ np.linalg.pinv(turn)[:, order[:shown]]
        signs = np.sign((signed(loadings) * loadings).sum(axis=0))
        loadings *= signs
        points = sources[:, order[:shown]] * signs
        if not self.whiten:
            points *= np.linalg.norm(loadings, axis=0)
        if shown < self.dimensions:
            missing = ((0, 0), (0, self.dimensions - shown))
            points, loadings = np.pad(points, missing), np.pad(loadings, missing)
            notes += (f"The rows differ in {known} direction{'s' if known > 1 else ''} only: the "
                      "other axes are empty.",)
        progress(1.0, f"{len(points):,} rows placed")
        names = tuple(f"IC {axis + 1}" for axis in range(self.dimensions))
        return Projection(points.astype(np.float32), names, notes,
                          {"excess_kurtosis": kurtosis[order], "loadings": loadings})

    def _turn(self, white: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
        """k x k float64: the rotation of n x k whitened rows to their sources, and notes."""
        from sklearn.decomposition import FastICA
        from sklearn.exceptions import ConvergenceWarning
        from threadpoolctl import threadpool_limits

        if white.shape[1] == 1:
            return np.ones((1, 1)), ()
        with warnings.catch_warnings(record=True) as said, threadpool_limits(limits=1):
            warnings.simplefilter("always")
            fit = FastICA(whiten=False, fun=self.contrast, max_iter=self.max_iterations,
                          tol=1e-4, random_state=self.seed).fit(white)
        if any(issubclass(one.category, ConvergenceWarning) for one in said):
            return fit.components_, (
                f"The sources were still turning after {self.max_iterations} rounds: there may be "
                "fewer of them than asked for, or all are bell-shaped.",)
        return fit.components_, ()
