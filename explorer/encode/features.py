from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from explorer.dataset import Column, Dataset
from explorer.encode.pieces import (
    CategoryColumn,
    NumberColumn,
    Piece,
    read_levels,
    read_numbers,
)
from explorer.encode.scale import Scaling
from explorer.encode.unit import UnitLength, counted, left_out
from explorer.errors import DataError
from explorer.spec import Cost, Progress, advanced
from explorer.values import Embedding

_TITLES = {"standard": "standardised columns", "robust": "robustly scaled columns",
           "min-max": "columns scaled to 0..1", "none": "columns as they are"}
_MOST_REASONS = 30


class Features(UnitLength):
    """Puts the number columns on a common scale and turns every level of a category column into a
    column of 0 and 1. Columns that are constant or empty are left out and listed."""

    key: ClassVar[str] = "features"
    title: ClassVar[str] = "Number and category columns"
    rank: ClassVar[int] = 10

    scaling: Scaling = Field(
        "standard", description="Standard: mean 0 and spread 1. Robust: by median and middle "
                                "half, for outliers. Min-max: to 0..1. None: as they are.")
    categories: Literal["one-hot", "leave out"] = Field(
        "one-hot", description="One-hot makes a 0/1 column for every level of a category column.")
    missing: Literal["median", "median and flag", "drop rows"] = Field(
        "median", description="Missing or infinite numbers become the median, the median and a "
                              "0/1 column that says so, or the row is left out. A missing "
                              "category is a level of its own unless rows are left out.")
    max_levels: int = advanced(
        30, ge=2, le=1000, description="Most 0/1 columns one category column may become; its "
                                       "rarest levels are grouped as 'other'.")

    def columns(self, dataset: Dataset) -> tuple[Column, ...]:
        """Number columns and, with one-hot, category columns. Raises DataError NO_FEATURES."""
        wanted = ("number",) if self.categories == "leave out" else ("number", "category")
        columns = tuple(column for column in dataset.columns
                        if column.role in wanted and column.place == "table")
        if not columns:
            raise _no_features(f"the role {' or '.join(wanted)}",
                               {column.name: column.role for column in dataset.columns})
        return columns

    def encode(self, dataset: Dataset, progress: Progress) -> Embedding:
        columns = self.columns(dataset)
        sources: list[NumberColumn | CategoryColumn] = []
        for index, column in enumerate(columns):
            progress(0.6 * index / len(columns), f"Reading {column.name}")
            sources.append(read_numbers(dataset, column) if column.role == "number"
                           else read_levels(dataset, column))
        rows = self._kept_rows(dataset.n, sources)
        pieces: list[Piece] = []
        for index, source in enumerate(sources):
            progress(0.6 + 0.4 * index / len(sources), f"Scaling {source.name}")
            pieces.append(self._piece(source, rows))
        refused = {source.name: piece.refused
                   for source, piece in zip(sources, pieces, strict=True) if piece.refused}
        names = tuple(name for piece in pieces for name in piece.names)
        if not names:
            raise _no_features("different values", refused)
        progress(1.0, f"{counted(len(names), 'feature')} ready")
        return self.finish(np.column_stack([piece.values for piece in pieces if piece.names]),
                           rows, f"{_TITLES[self.scaling]} ({len(names)})", names,
                           _notes(dataset.n, rows, pieces, refused))

    def estimate(self, n: int, d: int) -> Cost:
        return Cost(seconds=0.1 + 1.5e-6 * n * d, bytes=150 * n * d)

    def _piece(self, source: NumberColumn | CategoryColumn, rows: np.ndarray) -> Piece:
        if isinstance(source, NumberColumn):
            return source.piece(rows, self.scaling, flag=self.missing == "median and flag")
        return source.piece(rows, self.max_levels)

    def _kept_rows(self, n: int, sources: list[NumberColumn | CategoryColumn]) -> np.ndarray:
        """All rows or, with 'drop rows', those without a gap in any column that has values."""
        kept = np.ones(n, dtype=bool)
        if self.missing == "drop rows":
            for source in sources:
                if not source.missing.all():
                    kept &= ~source.missing
        if not kept.any():
            gaps = ", ".join(f"{source.name} ({int(source.missing.sum())})" for source in sources
                             if source.missing.any())
            raise DataError("NO_ROWS", f"At least one row must have a value in every column, got "
                                       f"none: missing values in {gaps}.",
                            hint="Fill in the median instead, or ignore the emptiest columns.")
        return np.flatnonzero(kept).astype(np.int64)


def _notes(n: int, rows: np.ndarray, pieces: list[Piece],
           refused: dict[str, str]) -> tuple[str, ...]:
    notes: tuple[str, ...] = ()
    if len(rows) < n:
        notes += (left_out(np.setdiff1d(np.arange(n), rows), "missing values"),)
    if refused:
        notes += (f"{counted(len(refused), 'column')} left out: {_reasons(refused)}.",)
    return notes + tuple(note for piece in pieces for note in piece.notes)


def _no_features(needed: str, reasons: dict[str, str]) -> DataError:
    return DataError("NO_FEATURES", f"At least one column must have {needed}, got "
                                    f"{_reasons(reasons)}.",
                     hint="Give other columns the role number or category, or choose another "
                          "encoder.")


def _reasons(reasons: dict[str, str]) -> str:
    said = [f"{name}: {reason}" for name, reason in reasons.items()]
    more = f"; and {len(said) - _MOST_REASONS:,} more" if len(said) > _MOST_REASONS else ""
    return "; ".join(said[:_MOST_REASONS]) + more
