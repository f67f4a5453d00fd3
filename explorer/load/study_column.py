"""What one column is for, with the reason in plain words, and what is odd in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from explorer.dataset import Column, Issue, Role
from explorer.load.content import Field, first_places, number_of, shown
from explorer.load.measure_text import NumberCells, TextCells

_ID_NAME = re.compile(
    r"(^|[\s_.-])(ids?|uuid|guid|key|files?|filename|path|index|idx|row|nr)$"
    r"|^(id|row|file|image)[\s_.-]|[a-z]Id$|^#$|^unnamed: 0$|^$", re.IGNORECASE)
_STRICT_ID_NAME = re.compile(r"(^|[\s_.-])(id|uuid|guid)$|[a-z]Id$", re.IGNORECASE)
_CODE_NAME = re.compile(r"(^|[\s_.-])(phone|tel|mobile|fax|zip|zipcode|plz|postcode|isbn|iban|ean|"
                        r"sku)($|[\s_.-])", re.IGNORECASE)
_NUMBER_SHARE = 0.95
_EXACT = 2**53
_FEW, _MANY = 20, 1000
_CATEGORY_LENGTH = 60
_CODE_LENGTH = 64


@dataclass(frozen=True)
class Finding:
    """A column with its role, and whether it could be the label: `few` different values; `counted`
    when these are the whole numbers 0.. or 1.. without a gap."""

    column: Column
    issues: tuple[Issue, ...] = ()
    few: bool = False
    counted: bool = False


def study(field: Field, name: str) -> Finding:
    """The role of a table column that holds no vectors."""
    n = len(field.values)
    kind = field.values.type
    if pa.types.is_dictionary(kind):
        field = replace(field, values=field.values.cast(kind.value_type))
        return study(field, name)
    start = Column(name, field.original, "ignore")
    if field.values.null_count == n:
        return Finding(replace(start, missing=n, distinct=0, why="Every cell is empty."))
    if field.role is not None:
        return Finding(replace(start, role=field.role, missing=field.values.null_count,
                               distinct=_distinct(field.values), why=field.why))
    if _is_text(kind):
        return _study_text(field, start)
    if (pa.types.is_integer(kind) or pa.types.is_floating(kind)) or pa.types.is_decimal(kind):
        return _study_numbers(field, start)
    if pa.types.is_boolean(kind):
        distinct = _distinct(field.values)
        constant = distinct == 1 and not field.values.null_count
        return Finding(replace(
            start, role="ignore" if constant and n > 1 else "category", distinct=distinct,
            missing=field.values.null_count,
            why=_CONSTANT if constant and n > 1 else "It holds yes and no."), few=distinct == 2)
    reason = "Dates and times are not used as features." if pa.types.is_temporal(kind) \
        else f"Values of the type {str(kind)[:60]} are shown, not used as features."
    return Finding(replace(start, missing=field.values.null_count, why=reason))


_CONSTANT = "Every cell is the same."


def _study_text(field: Field, start: Column) -> Finding:
    cells = TextCells(field.values)
    n, missing = len(field.values), int(np.count_nonzero(cells.empty))
    start = replace(start, missing=missing, distinct=cells.distinct)
    if missing == n:
        return Finding(replace(start, why="Every cell is empty."))
    if cells.distinct == 1 and not missing and n > 1:
        return Finding(replace(start, why=_CONSTANT))
    numbers = cells.numbers(field.delimiter)
    if numbers.share >= _NUMBER_SHARE:
        return _study_number_text(field, start, cells, numbers)
    return _study_words(field, start, cells)


def _study_number_text(field: Field, start: Column, cells: TextCells,
                       numbers: NumberCells) -> Finding:
    n = len(field.values)
    codes = np.flatnonzero(numbers.codes)
    if len(codes) or _CODE_NAME.search(field.original):
        issues: tuple[Issue, ...] = ()
        why = "Its name speaks of codes, not of amounts."
        if len(codes):
            sample = shown(cells.trimmed[int(codes[0])].as_py())
            why = f"As numbers, cells such as {sample} would change, so they stay text."
            issues = (Issue("note", "KEPT_AS_TEXT",
                            f"{start.name}: {number_of(len(codes), 'cell')} would change as "
                            f"numbers, first {sample} on line {field.place(codes[0])}; the column "
                            "stays text.", len(codes), _places(field, codes)),)
        role: Role = "category" if is_few(n, cells.distinct) else "id"
        return Finding(replace(start, role=role, why=why), issues, few=role == "category")
    issues = tuple(_number_issues(field, start, cells, numbers))
    start = replace(start, decimal=numbers.decimal)
    filled = [int(value) for value in pc.unique(cells.filled).to_pylist()
              if value.lstrip("+-").isdigit()] if numbers.whole and cells.distinct <= _MANY else []
    return _number_role(field, start, issues, numbers.whole and not numbers.odd.any(),
                        _is_counted(filled, cells.distinct), _mark_words(numbers))


def _study_numbers(field: Field, start: Column) -> Finding:
    values = field.values
    whole = pa.types.is_integer(values.type)
    distinct = _distinct(values)
    start = replace(start, missing=values.null_count, distinct=distinct)
    if distinct == 1 and not values.null_count and len(values) > 1:
        return Finding(replace(start, why=_CONSTANT))
    if whole:
        bounds = pc.min_max(values).as_py()
        if max(abs(bounds["min"]), abs(bounds["max"])) > _EXACT:
            role: Role = "category" if is_few(len(values), distinct) else "id"
            return Finding(replace(start, role=role, why="Whole numbers above 9,007,199,254,740,992"
                                                         " would change as decimal numbers."))
        known = pc.unique(values.drop_null()).to_pylist() if distinct <= _MANY else []
        return _number_role(field, start, (), True, _is_counted(known, distinct), "")
    numbers = np.asarray(values.cast(pa.float64()).to_numpy(), dtype=np.float64)
    absent = np.asarray(pc.is_null(values).to_numpy(), dtype=bool)
    infinite = np.flatnonzero(~np.isfinite(numbers) & ~absent)
    return _number_role(field, start, tuple(_infinite_issue(field, start, infinite)),
                        False, False, "")


def _study_words(field: Field, start: Column, cells: TextCells) -> Finding:
    n, distinct = len(field.values), cells.distinct
    if cells.dates >= _NUMBER_SHARE:
        return Finding(replace(start, why="Dates and times are not used as features."))
    if distinct == n and not start.missing and n > 1:
        if _ID_NAME.search(field.original) and cells.mean_words < 3:
            return Finding(replace(start, role="id", why="All different, and named like an id."))
        if cells.mean_words <= 1 and cells.longest <= _CODE_LENGTH and cells.with_digit >= 0.8:
            return Finding(replace(start, role="id", why="All different short codes."))
    if is_few(n, distinct) and cells.mean_length <= _CATEGORY_LENGTH:
        return Finding(replace(start, role="category",
                               why=f"{distinct} different values in {n:,} rows."), few=True)
    if _STRICT_ID_NAME.search(field.original) and cells.mean_words < 2:
        return Finding(replace(start, role="id", why="Named like an id; some values repeat."))
    blank = np.flatnonzero(cells.empty)
    issues = (Issue("note", "EMPTY_TEXTS", f"{start.name}: {number_of(len(blank), 'row')} have no "
                                           "text.", len(blank), _places(field, blank)),) \
        if len(blank) else ()
    return Finding(replace(start, role="text",
                           why=f"Texts of {cells.mean_words:.0f} words on average."
                           if cells.mean_words >= 2 else
                           f"Words of {cells.mean_length:.0f} characters on average."), issues)


def _number_role(field: Field, start: Column, issues: tuple[Issue, ...], whole: bool, counted: bool,
                 more: str) -> Finding:
    n = len(field.values)
    if whole and start.distinct == n and not start.missing and n > 1 \
            and _ID_NAME.search(field.original):
        return Finding(replace(start, role="id", why="All different whole numbers, and named like "
                                                     "an id."), issues)
    if whole and _STRICT_ID_NAME.search(field.original):
        return Finding(replace(start, role="id", why="Named like an id; some values repeat."),
                       issues)
    why = "Whole numbers" if whole else "Numbers"
    if start.decimal == ",":
        why += " with a decimal comma"
    return Finding(replace(start, role="number", why=f"{why}{more}."), issues,
                   few=whole and is_few(n, start.distinct or 0), counted=counted)


def _number_issues(field: Field, start: Column, cells: TextCells,
                   numbers: NumberCells) -> Iterator[Issue]:
    odd = np.flatnonzero(numbers.odd)
    if len(odd):
        sample = shown(cells.trimmed[int(odd[0])].as_py())
        yield Issue("warning", "NOT_NUMBERS",
                    f"{start.name}: {number_of(len(odd), 'cell')} of a number column are no "
                    f"numbers, first {sample} on line {field.place(odd[0])}. They count as "
                    "missing.",
                    len(odd), _places(field, odd),
                    tuple(shown(cells.trimmed[int(row)].as_py()) for row in odd[:3]))
    yield from _infinite_issue(field, start, np.flatnonzero(numbers.infinite))
    marks = np.flatnonzero(numbers.marks)
    if len(marks):
        sample = shown(cells.trimmed[int(marks[0])].as_py())
        yield Issue("note", "MISSING_MARKS",
                    f"{start.name}: {number_of(len(marks), 'cell')} such as {sample} count as "
                    "missing numbers.", len(marks), _places(field, marks))


def _infinite_issue(field: Field, start: Column, rows: np.ndarray) -> Iterator[Issue]:
    if len(rows):
        yield Issue("warning", "NOT_FINITE",
                    f"{start.name}: {number_of(len(rows), 'cell')} are infinite or not a number, "
                    f"the first on line {field.place(rows[0])}.", len(rows), _places(field, rows))


def is_few(n: int, distinct: int) -> bool:
    """Whether so few different values in n rows make groups."""
    if distinct < 2:
        return False
    return (distinct <= _FEW and 2 * distinct <= n) or (distinct <= _MANY and 20 * distinct <= n)


def _is_counted(values: list[int], distinct: int) -> bool:
    return len(values) == distinct and distinct >= 2 and min(values) in (0, 1) \
        and max(values) - min(values) == distinct - 1


def _mark_words(numbers: NumberCells) -> str:
    return ", some marked as missing" if numbers.marks.any() else ""


def _places(field: Field, rows: np.ndarray) -> tuple[int, ...]:
    return first_places([field.place(int(row)) for row in rows[:100]])


def _distinct(values: pa.ChunkedArray) -> int:
    return int(pc.count_distinct(values, mode="only_valid").as_py())


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind)
                or pa.types.is_string_view(kind))
