"""The rows of an export as blocks of one Arrow table: row_id, the columns as uploaded, ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from explorer.dataset import Column, Dataset
from explorer.errors import DataError, ParameterError

BLOCK_ROWS = 100_000
OURS = " (explorer)"
_BLOCK_NUMBERS = 4_000_000
"""Vectors make blocks smaller: at most this many numbers at once."""


@dataclass(frozen=True)
class OutColumn:
    """One column of the file. `name` is unique; `header` is the original header, which may not be;
    `key` is its name where the values are."""

    name: str
    header: str
    place: Literal["row_id", "table", "matrix", "ours"]
    key: str


@dataclass(frozen=True)
class Export:
    """What is taken away: the dataset positions `rows` (int64, ascending, each once), our columns
    `extra` (a table of the same length: cluster, silhouette, x, y ...; NaN counts as empty), and
    the manifest from `make_manifest`."""

    dataset: Dataset
    rows: np.ndarray
    extra: pa.Table
    manifest: dict[str, Any] = field(default_factory=dict)

    def verify(self) -> None:
        """Raises DataError NO_ROWS, ParameterError ROW_ORDER or LENGTHS."""
        if not len(self.rows):
            raise DataError("NO_ROWS", "An export must have at least one row, got none.",
                            hint="Pick clusters or choose rows on the map.")
        if self.rows[0] < 0 or self.rows[-1] >= self.dataset.n or (np.diff(self.rows) <= 0).any():
            raise ParameterError("ROW_ORDER", "Rows must be ascending positions from 0 to "
                                              f"{self.dataset.n - 1}, each once.")
        if self.extra.num_columns and self.extra.num_rows != len(self.rows):
            raise ParameterError("LENGTHS", f"Our columns must have {len(self.rows)} rows, "
                                            f"got {self.extra.num_rows}.")

    @cached_property
    def columns(self) -> tuple[OutColumn, ...]:
        """All columns a file can have, in order; ours get a suffix where a name is taken."""
        uploaded = [column for column in self.dataset.columns
                    if column.name in self.dataset.table.column_names or column.dimensions]
        headers = Counter(column.original for column in uploaded)
        # A header that is there twice keeps the data set's own, unique name beside it.
        names = [column.original if headers[column.original] == 1 else column.name
                 for column in uploaded]
        taken = {*names, *headers}
        middle = [OutColumn(name, column.original, self._place(column), column.name)
                  for name, column in zip(_distinct(names), uploaded, strict=True)]
        first = _free("row_id", taken)
        last: list[OutColumn] = []
        for key in self.extra.column_names:
            name = _free(key, taken | {first} | {column.name for column in last})
            last.append(OutColumn(name, name, "ours", key))
        return (OutColumn(first, first, "row_id", "row_id"), *middle, *last)

    def _place(self, column: Column) -> Literal["table", "matrix"]:
        return "table" if column.name in self.dataset.table.column_names else "matrix"

    def blocks(self, columns: tuple[OutColumn, ...]) -> Iterator[pa.Table]:
        """The rows in source order, at most BLOCK_ROWS at a time, columns under their unique
        names."""
        width = sum(self.dataset.column(column.key).dimensions for column in columns
                    if column.place == "matrix")
        step = max(1, min(BLOCK_ROWS, _BLOCK_NUMBERS // max(width, 1)))
        identifiers = self.dataset.row_ids
        for start in range(0, len(self.rows), step):
            rows = self.rows[start:start + step]
            arrays = [self._values(column, rows, start, identifiers) for column in columns]
            yield pa.table(arrays, names=[column.name for column in columns])

    def _values(self, column: OutColumn, rows: np.ndarray, start: int,
                identifiers: list[str]) -> pa.Array | pa.ChunkedArray:
        if column.place == "row_id":
            return pa.array([identifiers[row] for row in rows], pa.string())
        if column.place == "matrix":
            return _lists(self.dataset.matrix(column.key), rows)
        if column.place == "ours":
            return _nan_is_empty(self.extra.column(column.key).slice(start, len(rows)))
        low, high = int(rows[0]), int(rows[-1]) + 1
        span = self.dataset.table.column(column.key).slice(low, high - low)
        return span.take(pa.array(rows - low))


def _lists(matrix: np.ndarray, rows: np.ndarray) -> pa.Array:
    vectors = np.ascontiguousarray(matrix[rows])
    vectors = vectors.astype(vectors.dtype.newbyteorder("="), copy=False)
    width = vectors.shape[1]
    offsets = pa.array(np.arange(0, len(rows) * width + 1, width, dtype=np.int32)
                       if width else np.zeros(len(rows) + 1, dtype=np.int32))
    return pa.ListArray.from_arrays(offsets, pa.array(vectors.ravel()))


def _nan_is_empty(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """'Not defined' is an empty cell, not the text 'nan'."""
    if not pa.types.is_floating(values.type):
        return values
    return pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)


def _free(name: str, taken: set[str]) -> str:
    """`name`, or with a suffix where it is taken."""
    found, number = name, 1
    while found in taken:
        found = f"{name}{OURS}" if number == 1 else f"{name} (explorer {number})"
        number += 1
    return found


def _distinct(names: list[str]) -> list[str]:
    """The names made different by numbers, where a unique name equals another's header."""
    seen: set[str] = set()
    result = []
    for name in names:
        found, number = name, 2
        while found in seen:
            found, number = f"{name} ({number})", number + 1
        seen.add(found)
        result.append(found)
    return result
