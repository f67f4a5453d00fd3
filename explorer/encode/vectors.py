from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from pydantic import Field

from explorer.dataset import Column, Dataset
from explorer.encode.principal import LARGEST_SIDE, principal
from explorer.encode.unit import UnitLength, blocks, counted, left_out
from explorer.errors import DataError, ParameterError, Where
from explorer.spec import Cost, Progress, advanced, part
from explorer.values import Embedding

_LARGEST = float(np.finfo(np.float32).max)
_LARGE_OFFSET = 1e4  # float32 keeps 7 digits: from here on fewer than 3 are left for the spread
_EXACT_INTEGER = 2**24
_NO_SPREAD = 1e-9  # share of the largest variance: single precision knows no smaller spread


class Vectors(UnitLength):
    """Takes uploaded vectors as they are, as single-precision numbers. Rows with a missing or
    infinite value are left out and listed."""

    key: ClassVar[str] = "vectors"
    title: ClassVar[str] = "Vectors as uploaded"
    rank: ClassVar[int] = 50

    column: str = Field("", description="Which vector column; empty takes the first one.")
    center: bool = advanced(
        False, description="Subtract each dimension's mean in double precision first. Distances "
                           "stay, cosine changes; needed when values share a large offset.")

    whiten: bool = advanced(
        False, description="Turn the vectors to their main directions and give each the same "
                           "spread: no direction outweighs the others any more, in maps, clusters "
                           "and cosine alike. Brings up noise where directions have hardly any "
                           "spread.")

    @classmethod
    def offers(cls, dataset: Dataset) -> Mapping[str, Sequence[str]]:
        return {"column": ["", *(column.name for column in _vector_columns(dataset))]}

    @property
    def stands_alone(self) -> bool:
        return not (self.center or self.whiten)

    def columns(self, dataset: Dataset) -> tuple[Column, ...]:
        """The one column this encoder reads. Raises DataError NO_VECTORS or ParameterError
        NO_COLUMN."""
        held = _vector_columns(dataset)
        if not held:
            raise DataError("NO_VECTORS", "One column must hold vectors, got none among "
                                          f"{counted(len(dataset.columns), 'column')}.",
                            hint="Import a .npy, .npz or Parquet file with vectors, or choose "
                                 "another encoder.")
        if not self.column:
            return held[:1]
        for column in held:
            if column.name == self.column:
                return (column,)
        raise ParameterError("NO_COLUMN", "column must be one of "
                             f"{', '.join(column.name for column in held)}, got {self.column!r}.",
                             Where(parameter="column", column=self.column))

    def encode(self, dataset: Dataset, progress: Progress) -> Embedding:
        column = self.columns(dataset)[0]
        uploaded = dataset.matrix(column.name)
        progress(0.0, "Reading the vectors")
        notes = _several(_vector_columns(dataset), column) + _widened(uploaded)
        finite = _finite_rows(uploaded)
        if not finite.all():
            notes += (left_out(np.flatnonzero(~finite), "missing or infinite values"),)
        mean, offset = _center_of(uploaded, finite, column)
        notes += self._offset_notes(offset)
        progress(0.5, "Converting to single precision")
        vectors, fitting = self._convert(uploaded, finite, mean)
        rows = np.flatnonzero(finite).astype(np.int64)
        if not fitting.all():
            notes += (left_out(rows[~fitting], f"values above {_LARGEST:.2g}, the largest "
                                               "single-precision number"),)
            vectors, rows = vectors[fitting], rows[fitting]
        if not len(rows):
            raise DataError("TOO_LARGE_VALUES", f"Values must be at most {_LARGEST:.2g} in "
                            "magnitude, got larger ones in every row.", Where(column=column.name),
                            "Divide the values by a constant, or switch normalisation on.")
        if self.whiten:
            vectors, told = _whitened(vectors, column, part(progress, 0.6, 1.0))
            notes += told
        progress(1.0, "Vectors ready")
        title = f"{column.name} ({uploaded.shape[1]}-d){', centred' if self.center else ''}" \
                f"{f', whitened to {vectors.shape[1]}-d' if self.whiten else ''}"
        return self.finish(vectors, rows, title, (), notes)

    def estimate(self, n: int, d: int) -> Cost:
        turning = 3e-10 * n * 768 * 768 if self.whiten else 0.0
        return Cost(seconds=0.1 + 1e-5 * n + turning,
                    bytes=(3 if self.whiten else 2) * 4 * 768 * n)

    def _convert(self, uploaded: np.ndarray, finite: np.ndarray,
                 mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The finite rows as they will be measured, and which of them fit single precision."""
        rows = np.flatnonzero(finite)
        vectors = np.empty((len(rows), uploaded.shape[1]), dtype=np.float32)
        fitting = np.ones(len(rows), dtype=bool)
        for block in blocks(*vectors.shape):
            wide = uploaded[rows[block]].astype(np.float64)
            if self.center:
                wide -= mean
            largest = np.abs(wide).max(axis=1, initial=0.0)
            fitting[block] = np.isfinite(largest) if self.normalize else largest <= _LARGEST
            wide[~fitting[block]] = 0.0
            if self.normalize:
                # Directions survive any magnitude; `finish` brings them to length 1.
                wide /= np.where(fitting[block] & (largest > 0), largest, 1.0)[:, None]
            vectors[block] = wide
        return vectors, fitting

    def _offset_notes(self, offset: float) -> tuple[str, ...]:
        if offset < _LARGE_OFFSET or self.center:
            return ()
        return (f"The values lie up to {offset:,.0f} times their spread away from zero: single "
                "precision loses digits of the differences. Switch 'center' on to keep them.",)


def _whitened(vectors: np.ndarray, column: Column,
              progress: Progress) -> tuple[np.ndarray, tuple[str, ...]]:
    """n x k float32: the principal components of n x d rows, each divided by its standard
    deviation (n - 1), as PCA(whiten=True) of scikit-learn; those without spread are left out.

    Raises DataError TOO_FEW_ROWS, IDENTICAL_ROWS, TOO_MANY_COLUMNS.
    """
    n, d = vectors.shape
    if min(n - 1, d) > LARGEST_SIDE:
        raise DataError("TOO_MANY_COLUMNS", f"Vectors to be whitened must have at most "
                        f"{LARGEST_SIDE:,} dimensions, got {d:,}.", Where(column=column.name),
                        "Switch 'whiten' off.")
    if n < 2:
        raise DataError("TOO_FEW_ROWS", f"Whitening must have at least 2 rows, got {n}.",
                        Where(column=column.name), "Switch 'whiten' off.")
    exponent = int(np.frexp(np.abs(vectors).max())[1])
    found = principal(np.ldexp(vectors, -exponent), min(n - 1, d),
                      lambda fraction, text: progress(fraction, "Whitening the vectors"))
    kept = found.shares > _NO_SPREAD * found.shares[0]
    if not kept.any():
        raise DataError("IDENTICAL_ROWS", f"Whitening must have rows that differ, got {n} copies "
                        "of one row.", Where(column=column.name), "Switch 'whiten' off.")
    turned = found.vectors[:, kept].astype(np.float64)
    turned /= np.sqrt(np.einsum("ij,ij->j", turned, turned) / (n - 1))
    count = int(np.count_nonzero(kept))
    notes = () if count == d else (
        f"Whitened along {counted(count, 'direction')}: the rows differ in no others.",)
    return turned.astype(np.float32), notes


def _vector_columns(dataset: Dataset) -> tuple[Column, ...]:
    return tuple(column for column in dataset.with_role("vector") if column.dimensions)


def _several(held: tuple[Column, ...], column: Column) -> tuple[str, ...]:
    others = [other.name for other in held if other.name != column.name]
    return (f"Used {column.name}; not used: {', '.join(others)}.",) if others else ()


def _widened(uploaded: np.ndarray) -> tuple[str, ...]:
    kind = uploaded.dtype
    if kind == np.float64:
        return ("Rounded from float64 to single precision (7 digits).",)
    if kind.kind in "iu" and kind.itemsize >= 4:
        return (f"Converted from {kind} to single precision: whole numbers above "
                f"{_EXACT_INTEGER:,} are rounded to 7 digits.",)
    return () if kind == np.float32 else (f"Widened from {kind} to single precision, exactly.",)


def _finite_rows(uploaded: np.ndarray) -> np.ndarray:
    finite = np.ones(len(uploaded), dtype=bool)
    if uploaded.dtype.kind == "f":
        for block in blocks(*uploaded.shape):
            finite[block] = np.isfinite(uploaded[block]).all(axis=1)
    return finite


def _center_of(uploaded: np.ndarray, finite: np.ndarray,
               column: Column) -> tuple[np.ndarray, float]:
    """Mean of each dimension (float64) and the largest |mean| / standard deviation."""
    rows = np.flatnonzero(finite)
    if not len(rows):
        raise DataError("NO_VECTORS", f"Vectors must be finite numbers, got missing or infinite "
                                      f"values in all {len(uploaded)} rows.",
                        Where(column=column.name), "Choose another vector column.")
    # Values are taken relative to the first row and divided by n first, so that neither a large
    # offset nor magnitudes near 1e308 spoil the sums.
    first = uploaded[rows[0]].astype(np.float64)
    mean, square = np.zeros_like(first), np.zeros_like(first)
    with np.errstate(over="ignore", invalid="ignore"):
        for block in blocks(len(rows), uploaded.shape[1]):
            moved = uploaded[rows[block]].astype(np.float64) - first
            mean += (moved / len(rows)).sum(axis=0)
            square += (moved**2 / len(rows)).sum(axis=0)
        spread = np.sqrt(np.maximum(square - mean**2, 0.0))
        mean += first
        ratio = np.abs(mean[spread > 0]) / spread[spread > 0]
    return mean, float(np.nanmax(ratio, initial=0.0))
