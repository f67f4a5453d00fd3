"""What one table column becomes: number columns and one-hot levels, with their names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.dataset import Column, Dataset
from explorer.encode.scale import Scaling, scale_column
from explorer.encode.unit import counted, listed
from explorer.errors import DataError, Where


@dataclass(frozen=True)
class Piece:
    """`values` n x m float32 named by m `names`; `refused` says why the column itself gave none."""

    values: np.ndarray
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()
    refused: str = ""


@dataclass(frozen=True)
class NumberColumn:
    """n float64 `numbers`, NaN where `missing`; `notes` on what had to be taken as missing."""

    name: str
    numbers: np.ndarray
    missing: np.ndarray
    notes: tuple[str, ...]

    def piece(self, rows: np.ndarray, scaling: Scaling, flag: bool) -> Piece:
        """The column scaled over `rows`, gaps at the median; with `flag` a 0/1 column says where
        the gaps were. Raises DataError TOO_LARGE_VALUES."""
        numbers, gaps = self.numbers[rows], self.missing[rows]
        if gaps.all():
            return Piece(np.empty((len(rows), 0)), (), self.notes, "no numbers in it")
        names: tuple[str, ...] = ()
        parts: list[np.ndarray] = []
        notes, refused = self.notes, ""
        median = _median(numbers[~gaps])
        filled = np.where(gaps, median, numbers)
        if filled.min() == filled.max():
            refused = f"constant, always {median:g}"
        else:
            scaled = scale_column(filled, scaling)
            if not np.isfinite(scaled.values).all():
                raise DataError("TOO_LARGE_VALUES", "Values must fit single precision "
                                f"(3.4e+38), got {np.abs(filled).max():g}.",
                                Where(column=self.name), "Choose a scaling.")
            parts.append(scaled.values)
            names += (self.name,)
            notes += (f"{self.name}: {scaled.note}.",) if scaled.note else ()
            notes += (f"{self.name}: {counted(int(gaps.sum()), 'missing value')} filled with the "
                      f"median {median:g}.",) if gaps.any() else ()
        if flag and gaps.any():
            parts.append(gaps.astype(np.float32))
            names += (f"{self.name} is missing",)
        values = np.column_stack(parts) if parts else np.empty((len(rows), 0))
        return Piece(values, names, notes, refused)


@dataclass(frozen=True)
class CategoryColumn:
    """n int64 `codes` into the sorted `levels`, -1 where `missing`."""

    name: str
    codes: np.ndarray
    levels: tuple[str, ...]

    @property
    def missing(self) -> np.ndarray:
        return self.codes < 0

    def piece(self, rows: np.ndarray, most: int) -> Piece:
        """One 0/1 column for every level among `rows`, at most `most`: the rarest beyond become
        'other' (ties: alphabetically first, as scikit-learn's OneHotEncoder). Missing is a level
        of its own, on top."""
        codes = self.codes[rows]
        present, counts = np.unique(codes[codes >= 0], return_counts=True)
        gaps = codes < 0
        nothing = np.empty((len(rows), 0))
        if not len(present):
            return Piece(nothing, (), refused="no values in it")
        if len(present) == 1 and not gaps.any():
            return Piece(nothing, (), refused=f"constant, always {self.levels[present[0]]}")
        if len(present) > most and len(present) == np.count_nonzero(~gaps):
            return Piece(nothing, (), refused="every value is different, so it groups nothing")
        kept, rare = present, present[:0]
        notes: tuple[str, ...] = ()
        if len(present) > most:
            order = np.argsort(counts, kind="stable")
            kept, rare = np.sort(present[order[-(most - 1):]]), present[order[:-(most - 1)]]
            within = int(np.count_nonzero(np.isin(codes, rare)))
            notes = (f"{self.name}: the {len(rare):,} rarest of {len(present):,} levels "
                     f"({counted(within, 'row')}, {within / len(rows):.0%}) are grouped as "
                     "'other'.",)
        parts = [codes == code for code in kept]
        names = [f"{self.name} = {self.levels[code]}" for code in kept]
        if len(rare):
            parts.append(np.isin(codes, rare))
            names.append(f"{self.name} = other ({len(rare):,} rare levels)")
        if gaps.any():
            parts.append(gaps)
            names.append(f"{self.name} is missing")
            notes += (f"{self.name}: {counted(int(gaps.sum()), 'missing value')} as a level of "
                      "its own.",)
        return Piece(np.column_stack(parts).astype(np.float32), tuple(names), notes)


def read_numbers(dataset: Dataset, column: Column) -> NumberColumn:
    """The column as numbers; infinite values and words are taken as missing, and noted."""
    numbers = dataset.numbers(column.name)
    infinite = np.isinf(numbers)
    unread = np.isnan(numbers)
    notes: tuple[str, ...] = ()
    if infinite.any():
        notes += (f"{column.name}: {counted(int(infinite.sum()), 'infinite value')} taken as "
                  f"missing ({listed(np.flatnonzero(infinite))}).",)
        numbers = np.where(infinite, np.nan, numbers)
    if unread.any():
        cells = dataset.values(column.name)
        words = np.array([row for row in np.flatnonzero(unread)
                          if isinstance(cells[row], str) and cells[row].strip()], dtype=np.int64)
        if len(words):
            notes += (f"{column.name}: {counted(len(words), 'cell')} not a number, taken as "
                      f"missing ({listed(words)}).",)
    return NumberColumn(column.name, numbers, infinite | unread, notes)


def read_levels(dataset: Dataset, column: Column) -> CategoryColumn:
    """The column as levels; cells that are empty or white space are missing."""
    cells = dataset.texts(column.name)
    levels = tuple(sorted({cell for cell in cells if cell.strip()}))
    places = {level: code for code, level in enumerate(levels)}
    codes = np.array([places.get(cell, -1) for cell in cells], dtype=np.int64)
    return CategoryColumn(column.name, codes, levels)


def _median(numbers: np.ndarray) -> float:
    """The median; halves are added, since the sum of two values near 1e308 is infinite."""
    return float(np.median(numbers / 2) * 2)
