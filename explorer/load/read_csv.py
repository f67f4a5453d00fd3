"""CSV, TSV and other delimited text: every cell as its text, every row with its line number."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np
import pyarrow as pa

from explorer.dataset import Issue
from explorer.errors import InputError, Where
from explorer.load.content import Content, Field, first_places, number_of, shown
from explorer.load.csv_layout import SIGNS, Layout, find_layout
from explorer.load.csv_trouble import find_trouble
from explorer.load.decode import NulCount, find_encoding, lines_of, open_text
from explorer.load.limits import (
    MAX_CELL_CHARACTERS,
    MAX_COLUMNS,
    MAX_ROWS,
    MAX_SKIPPED_LISTED,
)
from explorer.load.options import ReadOptions, Upload
from explorer.spec import Progress

_BATCH_ROWS = 8192


@dataclass
class _Odd:
    """Line numbers of rows that needed a decision."""

    short: list[int] = field(default_factory=list)
    long_empty: list[int] = field(default_factory=list)
    skipped: list[int] = field(default_factory=list)
    blank: list[int] = field(default_factory=list)


@dataclass
class _Table:
    batches: list[list[pa.Array]]
    places: list[int]
    names: list[str]


def read_csv(upload: Upload, options: ReadOptions, progress: Progress) -> Content:
    """Delimited text as n text columns, cells byte for byte as decoded.

    Raises InputError NO_ROWS, ROW_LENGTH, UNCLOSED_QUOTE, BAD_QUOTE, CELL_TOO_LONG, TOO_MANY_ROWS,
    TOO_MANY_COLUMNS, ENCODING.
    """
    encoding = find_encoding(upload, options.encoding)
    layout = find_layout(upload, encoding.name, options)
    _check_width(upload, layout)
    odd, nuls = _Odd(), NulCount()
    table = _read_rows(upload, encoding.name, layout, options, odd, nuls, progress)
    if not table.places:
        raise InputError("NO_ROWS", f"{upload.name} must have at least one row under its header, "
                                    "got none.", Where(file=upload.name),
                         "If the first row is data, say that there is no header.")
    places = np.array(table.places, dtype=np.int64)
    sign = SIGNS[layout.delimiter]
    fields = tuple(
        Field(name, pa.chunked_array([batch[i] for batch in table.batches], pa.string()), places,
              sign)
        for i, name in enumerate(table.names))
    issues = (*encoding.issues, *_header_issue(layout, options), *nuls.issues(),
              *_row_issues(odd, layout))
    found = replace(options, encoding=encoding.name, delimiter=layout.delimiter,
                    header="yes" if layout.header else "no")
    return Content(upload.name, len(places), fields, found, issues)


def _read_rows(upload: Upload, encoding: str, layout: Layout, options: ReadOptions, odd: _Odd,
               nuls: NulCount, progress: Progress) -> _Table:
    size = max(1, upload.bytes)
    table = _Table([], [], [f"column_{i + 1}" for i in range(layout.width)])
    waiting: list[list[str]] = []
    with open_text(upload, encoding) as file:
        named = not layout.header
        for line, row in _records(upload, encoding, layout, lines_of(file, nuls), odd):
            if not named:
                table.names, named = row, True
                continue
            fitted = _fit(upload, line, row, layout, options.skip_bad_rows, odd)
            if fitted is None:
                continue
            waiting.append(fitted)
            table.places.append(line)
            if len(waiting) == _BATCH_ROWS:
                _flush(table, waiting)
                _check_rows(upload, len(table.places))
                done = file.buffer.raw.tell()  # type: ignore[attr-defined]
                progress(min(1.0, done / size), f"{len(table.places):,} rows read")
    _flush(table, waiting)
    _check_rows(upload, len(table.places))
    return table


def _records(upload: Upload, encoding: str, layout: Layout, lines: Iterator[str],
             odd: _Odd) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line each begins on; blank lines are noted and passed over."""
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    reader = csv.reader(lines, delimiter=SIGNS[layout.delimiter], strict=True)
    blank: list[int] = []
    while True:
        start = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise _explain(upload, encoding, layout, start, error) from None
        if row is None:
            return  # blank lines at the very end are no rows anybody misses
        if not row:
            blank.append(start)
            continue
        odd.blank += blank
        blank.clear()
        yield start, row


def _fit(upload: Upload, line: int, row: list[str], layout: Layout, skip: bool,
         odd: _Odd) -> list[str] | None:
    width = layout.width
    if len(row) == width:
        return row
    if len(row) < width:
        odd.short.append(line)
        return row + [""] * (width - len(row))
    if not any(row[width:]):
        odd.long_empty.append(line)
        return row[:width]
    if skip:
        odd.skipped.append(line)
        return None
    raise InputError(
        "ROW_LENGTH",
        f"Line {line} of {upload.name} must have {number_of(width, 'cell')}, got {len(row)}: "
        f"{shown(SIGNS[layout.delimiter].join(row), 200)}.", Where(file=upload.name, row=line),
        "Correct the line (a delimiter inside a cell needs quotes), or leave out rows with too "
        "many cells.")


def _flush(table: _Table, waiting: list[list[str]]) -> None:
    if waiting:
        table.batches.append([pa.array(cells, pa.string())
                              for cells in zip(*waiting, strict=True)])
        waiting.clear()


def _explain(upload: Upload, encoding: str, layout: Layout, start: int,
             error: csv.Error) -> InputError:
    with open_text(upload, encoding) as file:
        lines = islice(lines_of(file, NulCount()), start - 1, None)
        trouble = find_trouble(lines, start, SIGNS[layout.delimiter])
    if trouble is None:
        return InputError("BAD_ROW", f"Line {start} of {upload.name} must be a row of cells, "
                                     f"got: {error}.", Where(file=upload.name, row=start))
    where = Where(file=upload.name, row=trouble.opened, column=f"column {trouble.column + 1}")
    if trouble.kind == "CELL_TOO_LONG":
        return InputError("CELL_TOO_LONG", "A cell must have at most "
                                           f"{MAX_CELL_CHARACTERS:,} characters, got more.", where,
                          "Shorten it, or keep long texts in files of their own.")
    if trouble.kind == "UNCLOSED_QUOTE":
        return InputError("UNCLOSED_QUOTE", "A quoted cell must end with a quote, got none for the "
                                            f"one opened on line {trouble.opened}.", where,
                          f"It was noticed on line {trouble.line}. Close the quote, or double it "
                          'where it is meant as a sign: "".')
    return InputError("BAD_QUOTE", f"Line {trouble.line} must have a delimiter or a line end after "
                                   "a closing quote, got more text.", where,
                      'Double the quotes inside the cell: "".')


def _check_width(upload: Upload, layout: Layout) -> None:
    if layout.width > MAX_COLUMNS:
        raise InputError("TOO_MANY_COLUMNS", f"{upload.name} must have at most {MAX_COLUMNS:,} "
                                             f"columns, got {layout.width:,}.",
                         Where(file=upload.name),
                         "Long vectors belong in an .npy file or a list column of Parquet.")


def _check_rows(upload: Upload, count: int) -> None:
    if count > MAX_ROWS:
        raise InputError("TOO_MANY_ROWS", f"{upload.name} must have at most {MAX_ROWS:,} rows, got "
                                          "more.", Where(file=upload.name),
                         "Upload a part of it.")


def _header_issue(layout: Layout, options: ReadOptions) -> tuple[Issue, ...]:
    if layout.header or options.header != "auto":
        return ()
    return (Issue("note", "NO_HEADER",
                  "The first row looks like data, so it is read as a row and the columns are named "
                  f"column_1 to column_{layout.width}."),)


def _row_issues(odd: _Odd, layout: Layout) -> Iterator[Issue]:
    if odd.short:
        yield Issue("warning", "SHORT_ROWS",
                    f"{number_of(len(odd.short), 'row')} had fewer than {layout.width} cells; the "
                    "missing ones are empty.", len(odd.short), first_places(odd.short))
    if odd.long_empty:
        yield Issue("note", "EXTRA_EMPTY_CELLS",
                    f"{number_of(len(odd.long_empty), 'row')} had empty cells beyond the "
                    f"{layout.width} columns.", len(odd.long_empty), first_places(odd.long_empty))
    if odd.skipped:
        yield Issue("warning", "ROWS_SKIPPED",
                    f"{number_of(len(odd.skipped), 'row')} had more than {layout.width} cells and "
                    "were left out.", len(odd.skipped),
                    first_places(odd.skipped, MAX_SKIPPED_LISTED))
    if odd.blank:
        yield Issue("note", "BLANK_LINES",
                    f"{number_of(len(odd.blank), 'blank line')} between rows were passed over.",
                    len(odd.blank), first_places(odd.blank))
