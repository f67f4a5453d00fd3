"""JSON Lines, or a JSON array of objects: one row each, values kept with their types."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from explorer.dataset import Issue
from explorer.errors import InputError, Where
from explorer.load.content import Content, Field, first_places, number_of, shown
from explorer.load.decode import NulCount, find_encoding, lines_of, open_text
from explorer.load.limits import MAX_COLUMNS, MAX_PLACES, MAX_ROWS, MAX_SKIPPED_LISTED
from explorer.load.options import ReadOptions, Upload
from explorer.load.typed_column import TypedColumn, json_text, whole_text
from explorer.spec import Progress

_MERGED = {frozenset({"ints", "floats"}): "floats"}
_REPORT_ROWS = 5000


@dataclass
class _Rows:
    columns: dict[str, TypedColumn] = field(default_factory=dict)
    places: list[int] = field(default_factory=list)
    repeated: list[int] = field(default_factory=list)
    skipped: list[int] = field(default_factory=list)
    objects: bool | None = None


class _RepeatedKeys:
    """Builds objects and notices keys that stand in one object twice."""

    def __init__(self) -> None:
        self.seen = False

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        built = dict(pairs)
        self.seen = self.seen or len(built) != len(pairs)
        return built


def read_json(upload: Upload, options: ReadOptions, progress: Progress) -> Content:
    """n rows of typed columns; lists of numbers stay lists, mixed types become JSON text.

    Raises InputError JSON_LINE, JSON_LAYOUT, NO_ROWS, TOO_MANY_ROWS, TOO_MANY_COLUMNS, ENCODING.
    """
    encoding = find_encoding(upload, options.encoding)
    nuls, rows = NulCount(), _Rows()
    skipped = rows.skipped if options.skip_bad_rows else None
    repeats = _RepeatedKeys()
    with open_text(upload, encoding.name) as file:
        whole = _is_whole(upload, encoding.name)
        values = _array(upload, file.read(), repeats) if whole \
            else _lines(upload, lines_of(file, nuls), repeats, skipped)
        for place, value in values:
            if not _is_like(rows, value):
                if skipped is None:
                    raise _other_kind(upload, rows, place, value)
                skipped.append(place)
                continue
            _add(upload, rows, place, value)
            if repeats.seen:
                rows.repeated.append(place)
                repeats.seen = False
            if len(rows.places) % _REPORT_ROWS == 0:
                progress(0.5 if whole else _share(file, upload), f"{len(rows.places):,} rows read")
    if not rows.places or not rows.columns:
        raise InputError("NO_ROWS", f"{upload.name} must have at least one row, got none.",
                         Where(file=upload.name))
    places = np.array(rows.places, dtype=np.int64)
    fields = tuple(Field(whole_text(name), _finish(column, len(places)), places)
                   for name, column in rows.columns.items())
    issues = (*encoding.issues, *nuls.issues(), *_issues(rows, whole))
    return Content(upload.name, len(places), fields, replace(options, encoding=encoding.name),
                   issues)


def _finish(column: TypedColumn, n: int) -> Any:
    column.pad(n)
    return column.finish()


def _is_whole(upload: Upload, encoding: str) -> bool:
    """Whether the file is one JSON value over several lines, or an array, and no JSON Lines."""
    with open_text(upload, encoding) as file:
        first = next((line for line in lines_of(file, NulCount()) if line.strip()), "").strip()
        more = any(line.strip() for line in file)
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        return first in ("[", "{", "[{") or first.startswith("[")
    return isinstance(value, list) and not more


def _lines(upload: Upload, lines: Iterator[str], repeats: _RepeatedKeys,
           skipped: list[int] | None) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield number, json.loads(line, object_pairs_hook=repeats)
            except (ValueError, RecursionError) as error:
                if skipped is None:
                    raise _broken(upload, number, line, error) from None
                skipped.append(number)
                repeats.seen = False


def _array(upload: Upload, text: str, repeats: _RepeatedKeys) -> Iterator[tuple[int, Any]]:
    try:
        value = json.loads(text, object_pairs_hook=repeats)
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        raise _broken(upload, line, (text.splitlines() or [""])[line - 1:line], error) from None
    if not isinstance(value, list):
        raise InputError("JSON_LAYOUT", f"{upload.name} must be one JSON object per line or one "
                                        "array of objects, got one object.",
                         Where(file=upload.name, row=1),
                         "Write [ {...}, {...} ], or each row on a line of its own.")
    yield from enumerate(value, 1)


def _broken(upload: Upload, line: int, text: object, error: Exception) -> InputError:
    reason = "brackets nested too deep" if isinstance(error, RecursionError) else str(error)
    return InputError("JSON_LINE", f"Line {line} of {upload.name} must be JSON, got {shown(text)}: "
                                   f"{reason[:200]}.", Where(file=upload.name, row=line),
                      "Correct or remove the line, or leave out rows that are no JSON.")


def _is_like(rows: _Rows, value: Any) -> bool:
    """Whether it is an object, or a bare value, as the first row was."""
    if rows.objects is None:
        rows.objects = isinstance(value, dict)
    return rows.objects == isinstance(value, dict)


def _other_kind(upload: Upload, rows: _Rows, place: int, value: Any) -> InputError:
    return InputError("JSON_LINE", f"Row {place} of {upload.name} must be "
                                   f"{'an object' if rows.objects else 'a value'} like those "
                                   f"before it, got {shown(value)}.",
                      Where(file=upload.name, row=place),
                      "Correct or remove the row, or leave out rows of another kind.")


def _add(upload: Upload, rows: _Rows, place: int, value: Any) -> None:
    index = len(rows.places)
    for key, cell in (value if rows.objects else {"value": value}).items():
        column = rows.columns.get(key)
        if column is None:
            column = rows.columns[key] = TypedColumn(json_text, _MERGED)
            if len(rows.columns) > MAX_COLUMNS:
                raise InputError("TOO_MANY_COLUMNS",
                                 f"{upload.name} must have at most {MAX_COLUMNS:,} different keys, "
                                 "got more.", Where(file=upload.name, row=place),
                                 "Write long vectors as lists.")
        column.pad(index)
        column.append(cell)
    rows.places.append(place)
    if index >= MAX_ROWS:
        raise InputError("TOO_MANY_ROWS", f"{upload.name} must have at most {MAX_ROWS:,} rows, got "
                                          "more.", Where(file=upload.name), "Upload a part of it.")


def _share(file: Any, upload: Upload) -> float:
    return min(1.0, file.buffer.raw.tell() / max(1, upload.bytes))


def _issues(rows: _Rows, whole: bool) -> Iterator[Issue]:
    mixed = tuple(name for name, column in rows.columns.items() if column.mixed_scalars)
    if mixed:
        yield Issue("note", "MIXED_TYPES",
                    f"{number_of(len(mixed), 'column')} held values of several types and were kept "
                    "as JSON text.", len(mixed), entries=mixed[:MAX_PLACES])
    lone = sum(column.lone_surrogates for column in rows.columns.values())
    lone += sum(whole_text(name) != name for name in rows.columns)
    if lone:
        yield Issue("warning", "LONE_SURROGATES",
                    f"{number_of(lone, 'text or name')} held half of a surrogate pair, which is no "
                    "character; it was replaced by U+FFFD.", lone)
    if rows.skipped:
        yield Issue("warning", "ROWS_SKIPPED",
                    f"{number_of(len(rows.skipped), 'row')} no JSON, or of another kind than the "
                    "first, were left out.", len(rows.skipped),
                    first_places(rows.skipped, MAX_SKIPPED_LISTED))
    if rows.repeated:
        yield Issue("warning", "REPEATED_KEYS",
                    f"{number_of(len(rows.repeated), 'row')} had a key twice; the last value was "
                    "kept.", len(rows.repeated), first_places(rows.repeated))
    if whole:
        yield Issue("note", "JSON_ARRAY", "The file is one JSON array: rows are counted by their "
                                          "place in it, from 1.")
