"""PCA, exact, in float64."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from pydantic import Field

from explorer.errors import DataError
from explorer.project import Inverse, Projector
from explorer.spec import Cost, Facts, Progress, advanced, part, silent
from explorer.values import Graph, Projection

_SHOWN = 50
_LOADED = 8
"""Components whose loadings are kept."""
_NONE = 1e-10
"""Share of the largest variance below which a direction is rounding."""
_SVD_UP_TO = 2e8
"""n x d x min(n, d) up to which the singular value decomposition takes about a second."""
_BLOCK_BYTES = 32 * 2**20


class PCA(Projector):
    """Looks along the directions in which the rows differ most. Linear, repeatable, distances keep
    their meaning, but close groups may hide behind each other."""

    key: ClassVar[str] = "pca"
    title: ClassVar[str] = "PCA"
    rank: ClassVar[int] = 3
    version: ClassVar[int] = 2
    units: ClassVar[bool] = True
    min_rows: ClassVar[int] = 3
    min_distinct: ClassVar[int] = 2
    draws: ClassVar[tuple[str, ...]] = ("loadings", "scree")

    dimensions: int = Field(2, ge=2, le=3, description="A plane or a space.")
    whiten: bool = advanced(False, description="Give every axis the same spread.")
    shuffles: int = advanced(
        0, ge=0, le=100, description="Compare the explained variance with that of so many copies "
        "whose columns are shuffled, each by itself (parallel analysis, Horn 1965): components "
        "above are more than chance. Takes as long as so many PCAs; 20 are usual.")
    shuffle_seed: int = advanced(0, ge=0, le=2**32 - 1,
                                 description="Same seed, same shuffles.")

    def limits(self, facts: Facts) -> dict[str, tuple[float, float]]:
        return {"dimensions": (2, min(facts.n, facts.d))} if facts.d >= 2 else {}

    def check(self, facts: Facts) -> tuple[str, ...]:
        if facts.d < 2:
            raise too_few_columns(self.title, facts.d, self.dimensions)
        return super().check(facts)

    def project(self, vectors: np.ndarray, progress: Progress,
                graph: Graph | None = None) -> Projection:
        """Scores on the first principal components, as scikit-learn's PCA with a full solver.

        The sign of an axis makes its largest loading positive. `extras`:
        explained_variance_ratio, float64, the first min(n, d, 50); loadings, float64 d x m, unit
        directions of the first components with any variance, at least `dimensions`, at most 8;
        with `shuffles` shuffled_ratio, as explained_variance_ratio: below it lie 95 % of those of
        the shuffled copies. Raises DataError TOO_FEW_COLUMNS, IDENTICAL_ROWS.
        """
        n, d = vectors.shape
        if min(n, d) < self.dimensions:
            raise too_few_columns(self.title, min(n, d), self.dimensions)
        mean = np.asarray(np.mean(vectors, axis=0, dtype=np.float64))
        share = 1 / (1 + self.shuffles)
        axes = principal(vectors, mean, part(progress, 0.0, share), _LOADED)
        total = axes.variances.sum()
        if total <= d * (4 * np.finfo(np.float64).eps * np.abs(mean).max()) ** 2:
            raise DataError("IDENTICAL_ROWS", "PCA must have rows that differ, got only copies of "
                            "one row.", hint="Choose other columns or another encoder.")
        known = np.count_nonzero(axes.variances > _NONE * axes.variances[0])
        loadings = signed(axes.directions[:, :max(self.dimensions, min(_LOADED, known))])
        directions = np.ascontiguousarray(loadings[:, :self.dimensions])
        points = scores(vectors, mean, directions, part(progress, 0.8 * share, share))
        if self.whiten:
            scale = np.sqrt(axes.variances[:self.dimensions])
            points /= np.where(scale > 0, scale, 1.0)
        shares = axes.variances / total
        names = tuple(f"PC {axis + 1} ({shares[axis]:.1%})".replace("%", " %")
                      for axis in range(self.dimensions))
        extras = {"explained_variance_ratio": shares[:min(n, d, _SHOWN)], "loadings": loadings}
        if self.shuffles:
            extras["shuffled_ratio"] = self._shuffled(vectors, mean, part(progress, share, 1.0))
        return Projection(points.astype(np.float32), names, (), extras)

    def inverse(self, vectors: np.ndarray, projection: Projection) -> Inverse:
        """The inverse PCA: the mean and the directions shown."""
        mean = np.asarray(vectors.mean(axis=0, dtype=np.float64))
        along = np.asarray(projection.extras["loadings"])[:, :self.dimensions].T
        if self.whiten:
            placed = scores(vectors, mean, np.ascontiguousarray(along.T), silent)
            points = np.asarray(projection.points, dtype=np.float64)
            # What was divided away: 1 where a direction has no spread, as when it was drawn.
            squares = (points**2).sum(axis=0)
            scale = np.where(squares > 0, (placed * points).sum(axis=0)
                             / np.where(squares > 0, squares, 1.0), 1.0)
            along = along * scale[:, None]
        return Inverse(mean, along, vectors.shape[1] == self.dimensions,
                       "the plane of the two main directions, through the mean")

    def _shuffled(self, vectors: np.ndarray, mean: np.ndarray, progress: Progress) -> np.ndarray:
        draws = np.random.default_rng(self.shuffle_seed)
        found = []
        for turn in range(self.shuffles):
            each = part(progress, turn / self.shuffles, (turn + 1) / self.shuffles)
            variances = principal(draws.permuted(vectors, axis=0), mean, each).variances
            found.append(variances[:min(*vectors.shape, _SHOWN)] / variances.sum())
        progress(1.0, f"{self.shuffles} shuffled copies")
        return np.quantile(found, 0.95, axis=0)

    def estimate(self, n: int, d: int) -> Cost:
        small = min(n, d)
        each = 0.05 + 2e-10 * n * d * small + 2e-9 * small**3 + 1e-8 * n * d
        return Cost(each * (1 + self.shuffles),
                    8 * small * small * 3 + 3 * _BLOCK_BYTES + (4 * n * d if self.shuffles else 0)
                    + (24 * n * d if n * d * small <= _SVD_UP_TO else 4 * n * d))


@dataclass(frozen=True)
class Axes:
    """`variances` float64 (min(n, d)), falling; `directions` float64 d x at least as many as
    asked for, unit."""

    variances: np.ndarray
    directions: np.ndarray


def principal(vectors: np.ndarray, origin: np.ndarray, progress: Progress,
              most: int = 3) -> Axes:
    """The directions in which n x d rows differ most from `origin` (d), exactly, at least the
    first `most`; reports up to about 0.8. Variances divide by n - 1."""
    n, d = vectors.shape
    if n * d * min(n, d) <= _SVD_UP_TO:
        return _by_svd(vectors, origin, progress)
    return _by_gram(vectors, origin, progress, most)


def _by_svd(vectors: np.ndarray, mean: np.ndarray, progress: Progress) -> Axes:
    progress(0.0, "finding the directions")
    _, sizes, directions = np.linalg.svd(vectors - mean, full_matrices=False)
    return Axes(sizes**2 / (len(vectors) - 1), directions.T)


def _by_gram(vectors: np.ndarray, mean: np.ndarray, progress: Progress, most: int) -> Axes:
    """Eigenvectors of the smaller of columns x columns and rows x rows, summed over blocks."""
    n, d = vectors.shape
    gram = np.zeros((min(n, d), min(n, d)))
    tall = n >= d
    length = n if tall else d
    size = max(1, _BLOCK_BYTES // (8 * min(n, d)))
    for start in range(0, length, size):
        progress(0.7 * start / length, f"{'rows' if tall else 'columns'} {start:,} of {length:,}")
        cut = slice(start, start + size)
        block = vectors[cut] - mean if tall else (vectors[:, cut] - mean[cut]).T
        gram += block.T @ block
    progress(0.7, "finding the directions")
    values, inner = np.linalg.eigh(gram)
    variances = np.maximum(values[::-1], 0.0) / (n - 1)
    inner = inner[:, ::-1][:, :most]
    if tall:
        return Axes(variances, inner)
    # rows x rows: the directions are the centred rows, mixed. Its null vectors have none.
    mixed = np.vstack([(vectors[:, start:start + size] - mean[start:start + size]).T @ inner
                       for start in range(0, d, size)])
    return Axes(variances, np.linalg.qr(mixed).Q)


def signed(directions: np.ndarray) -> np.ndarray:
    """The largest loading of each direction is positive; nearly equal ones count as equal (first
    wins), so that rounding does not turn an axis over."""
    sizes = np.abs(directions)
    first = np.argmax(sizes >= sizes.max(axis=0) * (1 - 1e-6), axis=0)
    signs = np.sign(directions[first, np.arange(directions.shape[1])])
    return np.ascontiguousarray(directions * np.where(signs == 0, 1.0, signs))


def scores(vectors: np.ndarray, mean: np.ndarray, directions: np.ndarray,
            progress: Progress) -> np.ndarray:
    """n x k float64 places of n x d rows along d x k directions, seen from `mean`."""
    n, d = vectors.shape
    points = np.empty((n, directions.shape[1]))
    size = max(1, _BLOCK_BYTES // (8 * d))
    for start in range(0, n, size):
        progress(start / n, f"placing row {start:,} of {n:,}")
        points[start:start + size] = (vectors[start:start + size] - mean) @ directions
    progress(1.0, f"{n:,} rows placed")
    return points


def too_few_columns(title: str, given: int, dimensions: int) -> DataError:
    """What linear projectors raise for fewer columns or rows than axes."""
    return DataError("TOO_FEW_COLUMNS", f"{title} must have at least {dimensions} columns and "
                     f"rows, got {given}.",
                     hint="Encode more columns, or show the column against another one.")
