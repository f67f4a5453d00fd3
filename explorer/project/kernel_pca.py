"""Kernel PCA with a Gaussian kernel (Schoelkopf, Smola, Mueller 1998)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from explorer.errors import DataError
from explorer.project import Projector
from explorer.project.pca import signed
from explorer.spec import Cost, Facts, Progress, part
from explorer.values import Graph, Projection

_BLOCK_ROWS = 500
_DENSE_UP_TO = 1000


class KernelPCA(Projector):
    """PCA of how alike rows are: likeness falls with their distance like a bell curve, so that
    bent shapes can be laid flat. Compares all pairs of rows: for up to 10,000 rows."""

    key: ClassVar[str] = "kernel_pca"
    title: ClassVar[str] = "Kernel PCA"
    rank: ClassVar[int] = 7
    min_rows: ClassVar[int] = 4
    min_distinct: ClassVar[int] = 2
    max_rows: ClassVar[int] = 10_000
    """Peak memory is 8 n^2 bytes: 0.8 GB here."""

    width: float = Field(0.5, ge=0.05, le=10, description="How far likeness reaches, as a share "
                         "of the usual distance between two rows (root mean square): small shows "
                         "detail, large is like PCA.")
    dimensions: int = Field(2, ge=2, le=3, description="A plane or a space.")

    def check(self, facts: Facts) -> tuple[str, ...]:
        """Also raises DataError TOO_MANY_ROWS."""
        if facts.n > self.max_rows:
            raise DataError(
                "TOO_MANY_ROWS",
                f"{self.title} must have at most {self.max_rows:,} rows, got {facts.n:,}.",
                hint=f"It would need {self.estimate(facts.n, facts.d).bytes / 1e9:,.0f} GB: use "
                     "PCA or UMAP, or a sample of the rows.")
        return super().check(facts)

    def estimate(self, n: int, d: int) -> Cost:
        solve = 3e-10 * n**3 if n <= _DENSE_UP_TO else 6e-8 * n * n
        return Cost(0.1 + n * n * (6e-9 + 7e-10 * d) + solve,
                    8 * n * n * (3 if n <= _DENSE_UP_TO else 1) + 24 * n * d + 24 * _BLOCK_ROWS * n)

    def project(self, vectors: np.ndarray, progress: Progress,
                graph: Graph | None = None) -> Projection:
        """As scikit-learn's KernelPCA with kernel 'rbf' and gamma = 1 / (2 width^2 m), m the mean
        squared distance of two rows.

        `extras`: explained_variance_ratio, float64 (dimensions), among the kernel's own variance.
        Raises DataError IDENTICAL_ROWS, TOO_MANY_ROWS.
        """
        self.check(Facts(*vectors.shape))
        likeness = self._likeness(vectors, part(progress, 0.0, 0.7))
        # Moved to its mean in the kernel's space; symmetric, so one mean serves rows and columns.
        means = likeness.mean(axis=0)
        likeness -= means
        likeness -= means[:, None]
        likeness += means.mean()
        total = float(np.trace(likeness))
        progress(0.7, "finding the directions")
        values, directions = _largest(likeness, self.dimensions)
        values = np.maximum(values, 0.0)
        points = signed(directions) * np.sqrt(values)
        shares = values / total
        names = tuple(f"kernel PC {axis + 1} ({shares[axis]:.1%})".replace("%", " %")
                      for axis in range(self.dimensions))
        progress(1.0, f"{len(points):,} rows placed")
        return Projection(points.astype(np.float32), names, (),
                          {"explained_variance_ratio": shares})

    def _likeness(self, vectors: np.ndarray, progress: Progress) -> np.ndarray:
        from scipy.spatial.distance import cdist

        data = vectors.astype(np.float64)
        data -= data.mean(axis=0)
        data /= np.abs(data).max(initial=0.0) or 1.0
        # The mean over all pairs of |u - v|^2 is twice the total variance.
        usual = 2 * data.var(axis=0).sum()
        if usual == 0:
            raise DataError("IDENTICAL_ROWS", f"{self.title} must have rows that differ, got only "
                            "copies of one row.", hint="Choose other columns or another encoder.")
        n = len(data)
        result = np.empty((n, n))
        for start in range(0, n, _BLOCK_ROWS):
            progress(start / n, f"comparing row {start:,} of {n:,}")
            block = cdist(data[start:start + _BLOCK_ROWS], data, "sqeuclidean")
            block *= -1 / (2 * self.width**2 * usual)
            np.exp(block, out=result[start:start + _BLOCK_ROWS])
        return result


def _largest(matrix: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The `count` largest eigenvalues of a symmetric matrix, falling, vectors in columns."""
    from scipy.linalg import eigh
    from scipy.sparse.linalg import eigsh

    n = len(matrix)
    if n <= _DENSE_UP_TO:
        values, vectors = eigh(matrix, subset_by_index=(n - count, n - 1))
    else:
        start = np.random.default_rng(0).uniform(-1, 1, size=n)
        values, vectors = eigsh(matrix, k=count, which="LA", v0=start)
    order = np.argsort(-values)
    return values[order], vectors[:, order]
