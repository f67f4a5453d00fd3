"""Excel workbooks: one sheet, the cells' values with their types, no formulas run."""

from __future__ import annotations

import warnings
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import chain, dropwhile, islice
from typing import Any

import numpy as np

from explorer.dataset import Issue
from explorer.errors import InputError, Where
from explorer.load.content import Content, Field, cut, first_places, number_of, offer, shown
from explorer.load.csv_layout import looks_like_header
from explorer.load.limits import MAX_COLUMNS, MAX_PLACES, MAX_ROWS
from explorer.load.open_zip import check_unpacked_size, check_zip
from explorer.load.options import ReadOptions, Upload
from explorer.load.sheet_cells import Formulas, rows_of
from explorer.load.typed_column import TypedColumn, cell_text
from explorer.spec import Progress

_MERGED = {frozenset({"int", "float"}): "float"}  # every Excel number is a double
_SAMPLE_ROWS = 100
_REPORT_ROWS = 5000
_BROKEN = (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, SyntaxError,
           OSError, EOFError, IndexError, RuntimeError, OverflowError, zlib.error)
"""What openpyxl raises for a damaged workbook (expat's ParseError is a SyntaxError)."""


@dataclass
class _Sheet:
    columns: list[TypedColumn] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    blank: list[int] = field(default_factory=list)


def read_xlsx(upload: Upload, options: ReadOptions, progress: Progress) -> Content:
    """n rows of typed columns of the sheet `options.array`, else of the first one.

    Raises InputError TRUNCATED, DAMAGED, NO_SHEET, NO_ROWS, TOO_MANY_ROWS, TOO_MANY_COLUMNS,
    TOO_LARGE.
    """
    check_unpacked_size(upload, check_zip(upload))
    progress(0.05, "Opening the workbook")
    try:
        return _read_book(upload, options, progress)
    except _BROKEN as error:
        raise InputError("DAMAGED", f"{upload.name} must be a sound workbook, got: "
                                    f"{str(error)[:200]}.", Where(file=upload.name),
                         "Open it in a spreadsheet program and save it again.") from None


def _read_book(upload: Upload, options: ReadOptions, progress: Progress) -> Content:
    import openpyxl

    # A file object: openpyxl judges a path by its ending, and ours have none.
    with open(upload.path, "rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl on styles and extensions it does not read
        book = openpyxl.load_workbook(file, read_only=True, data_only=True,
                                      keep_links=False)
        try:
            titles = [sheet.title for sheet in book.worksheets]
            title = _choose(upload, titles, options.array)
            formulas = Formulas()
            content = _read_sheet(upload, replace(options, array=title), titles,
                                  rows_of(upload, book[title], formulas), progress)
            return content.with_issues(formulas.issues())
        finally:
            book.close()


def _choose(upload: Upload, titles: list[str], asked: str | None) -> str:
    if not titles or (asked is not None and asked not in titles):
        raise InputError("NO_SHEET", f"The sheet must be one of {_listed(titles)}, got "
                                     f"{shown(asked)}.",
                         Where(file=upload.name, parameter="array"), choices=offer(titles))
    return titles[0] if asked is None else asked


def _listed(titles: list[str]) -> str:
    return ", ".join(map(cut, titles[:MAX_PLACES])) or "none"


def _read_sheet(upload: Upload, options: ReadOptions, titles: list[str],
                cells: Iterator[tuple[int, list[Any]]], progress: Progress) -> Content:
    rows = ((place, _trim(row)) for place, row in cells)
    sample = list(dropwhile(lambda row: not row[1], islice(rows, _SAMPLE_ROWS)))
    header: list[str] = []
    named = options.header == "yes" or (options.header == "auto" and _has_header(sample))
    if named and sample:
        header = ["" if cell is None else cell_text(cell) for cell in sample[0][1]]
    sheet = _Sheet()
    width = len(header)
    for place, row in chain(sample[1:] if named else sample, rows):
        if not row:
            continue
        if sheet.places:
            sheet.blank += range(sheet.places[-1] + 1, place)
        width = max(width, len(row))
        _add(upload, sheet, place, row)
        if len(sheet.places) % _REPORT_ROWS == 0:
            progress(0.5, f"{len(sheet.places):,} rows read")
    if not sheet.places:
        raise InputError("NO_ROWS", f"The sheet {options.array!r} must have at least one row under "
                                    "its header, got none.", Where(file=upload.name),
                         f"The workbook has the sheets {_listed(titles)}.", offer(titles))
    while len(sheet.columns) < width:
        sheet.columns.append(_column())
    names = header + [f"column_{i + 1}" for i in range(len(header), width)]
    places = np.array(sheet.places, dtype=np.int64)
    fields = []
    for name, column in zip(names, sheet.columns, strict=True):
        column.pad(len(places))
        fields.append(Field(name, column.finish(), places))
    found = replace(options, header="yes" if named else "no")
    return Content(upload.name, len(places), tuple(fields), found,
                   tuple(_issues(sheet, names, titles, found)))


def _add(upload: Upload, sheet: _Sheet, place: int, row: list[Any]) -> None:
    where = Where(file=upload.name, row=place)
    if len(row) > MAX_COLUMNS:
        raise InputError("TOO_MANY_COLUMNS", f"A sheet must have at most {MAX_COLUMNS:,} columns, "
                                             f"got {len(row):,}.", where)
    if len(sheet.places) >= MAX_ROWS:
        raise InputError("TOO_MANY_ROWS", f"A sheet must have at most {MAX_ROWS:,} rows, got more.",
                         where, "Upload a part of it.")
    while len(sheet.columns) < len(row):
        sheet.columns.append(_column())
    for column, cell in zip(sheet.columns, row, strict=False):
        column.pad(len(sheet.places))
        column.append(cell)
    sheet.places.append(place)


def _column() -> TypedColumn:
    return TypedColumn(cell_text, _MERGED)


def _trim(row: list[Any]) -> list[Any]:
    """The row up to its last cell with something in it."""
    length = len(row)
    while length and row[length - 1] in (None, ""):
        length -= 1
    return row[:length]


def _has_header(sample: list[tuple[int, list[Any]]]) -> bool:
    if sample and not all(cell is None or isinstance(cell, str) for cell in sample[0][1]):
        return False
    return looks_like_header([["" if cell is None else cell_text(cell) for cell in row]
                              for _, row in sample if row])


def _issues(sheet: _Sheet, names: list[str], titles: list[str],
            options: ReadOptions) -> Iterator[Issue]:
    others = tuple(title for title in titles if title != options.array)
    if others:
        yield Issue("note", "OTHER_SHEETS", f"The sheet {options.array!r} was read; the workbook "
                                            f"has {number_of(len(others), 'other')}.",
                    len(others), entries=others[:MAX_PLACES])
    mixed = tuple(name for name, column in zip(names, sheet.columns, strict=True)
                  if column.mixed_scalars)
    if mixed:
        yield Issue("note", "MIXED_TYPES",
                    f"{number_of(len(mixed), 'column')} held cells of several types and were kept "
                    "as text.", len(mixed), entries=mixed[:MAX_PLACES])
    if sheet.blank:
        yield Issue("note", "BLANK_LINES",
                    f"{number_of(len(sheet.blank), 'blank row')} between rows were passed over.",
                    len(sheet.blank), first_places(sheet.blank))
    if options.header == "no":
        yield Issue("note", "NO_HEADER", "The first row is read as data; the columns are named "
                                         f"column_1 to column_{len(names)}.")
