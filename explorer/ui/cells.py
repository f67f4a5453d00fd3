"""Cells of tables as they are shown: nothing unseen, nothing endless. Exports hold them whole."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from explorer.escape import csv_cell, shown

LONGEST = 1_000
"""Characters of a cell; beyond that its length is said. A megabyte in every row would close the
connection."""


def shown_cell(value: Any) -> str:
    """A value as one cell: its text, cut; '' for a missing one."""
    text = "" if value is None else str(value)
    if len(text) <= LONGEST:
        return shown(text)
    return f"{shown(text[:LONGEST])} … ({len(text):,} characters)"


def csv_of(lines: Sequence[Mapping[str, Any]]) -> bytes:
    """Records as CSV that is safe for Excel, the names of the first above; nothing for none."""
    text = io.StringIO()
    if lines:
        writer = csv.writer(text)
        writer.writerow(lines[0])
        for line in lines:
            writer.writerow(csv_cell(value) if isinstance(value, str) else
                            "" if value is None else value for value in line.values())
    return text.getvalue().encode()


def shown_table(table: pa.Table) -> pa.Table:
    """The same rows; texts as `shown_cell` shows them, numbers as they are. Names that only
    differed in what cannot be seen are numbered."""
    columns: dict[str, Any] = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            column = pa.array([None if text is None else shown_cell(text)
                               for text in column.to_pylist()], pa.string())
        free, number = shown_cell(name), 2
        while free in columns:
            free, number = f"{shown_cell(name)} ({number})", number + 1
        columns[free] = column
    return pa.table(columns)
