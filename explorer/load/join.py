"""Several files of one data set put side by side: by row order, by an id, or by image names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from explorer.dataset import Issue, as_text
from explorer.errors import InputError, Where
from explorer.load.compare_rows import differences
from explorer.load.content import (
    Block,
    Content,
    Field,
    first_places,
    number_of,
    offer,
    shown,
    take,
)
from explorer.load.limits import MAX_PLACES
from explorer.load.measure_text import TextCells
from explorer.load.write_pictures import reorder

_EXAMPLES = 3
_WIDE = 8
"""A second table with an id and a numbered series of at least so many columns holds vectors."""
_SERIES = re.compile(r"(.*?)([0-9]+)")


def join(contents: Sequence[Content], by: str | None, folder: Path) -> Content:
    """One content with the columns of all. The first table gives rows and order; without one, the
    first file does.

    Raises InputError ROW_COUNT, SAME_COLUMNS, NO_JOIN_COLUMN, MISSING_IDS, DUPLICATE_IDS.
    """
    if len(contents) == 1:
        return contents[0]
    ranked = sorted(contents, key=_rank)
    joined = ranked[0]
    for other in ranked[1:]:
        if by not in (None, "order"):
            joined = _by_id(joined, other, str(by), folder)
        elif other.pictures is not None and _file_column(joined, other) is not None:
            joined = _by_file(joined, other, folder)
        else:
            joined = _by_order(joined, other)
    return joined


def _rank(content: Content) -> int:
    if content.pictures is not None:
        return 1
    return 2 if all(isinstance(field, Block) for field in content.fields) else 0


def _by_order(first: Content, other: Content) -> Content:
    if first.n != other.n:
        raise InputError("ROW_COUNT", f"{other.source} must have the {first.n:,} rows of "
                                      f"{first.source}, got {other.n:,}.",
                         Where(file=other.source),
                         "Join by an id column that both files have, or bring files that belong "
                         "together.")
    names = set(first.names)
    if other.fields and all(name in names for name in other.names) \
            and all(isinstance(field, Field) for field in other.fields):
        raise InputError("SAME_COLUMNS", f"{other.source} must bring new columns to "
                                         f"{first.source}, got the same ones.",
                         Where(file=other.source),
                         "Files with more rows of the same kind belong into one file.")
    issue = Issue("note", "JOINED_BY_ORDER", f"{other.source} was put beside {first.source} row by "
                                             "row, in the order of the files.", first.n)
    return _beside(first, other, other.fields, issue).with_issues(differences(first, other))


def _by_id(first: Content, other: Content, name: str, folder: Path) -> Content:
    _check_column(first, other, name)
    left, right = _ids(first, name), _ids(other, name)
    for content, ids in ((first, left), (other, right)):
        _check_different(content, ids, name)
    positions = {value: row for row, value in enumerate(right)}
    missing = [row for row, value in enumerate(left) if value not in positions]
    if missing:
        field = _field(first, name)
        raise InputError("MISSING_IDS", f"{other.source} must have a row for every id of "
                                        f"{first.source}, got none for "
                                        f"{number_of(len(missing), 'id')} such as "
                                        f"{_examples([left[row] for row in missing])}.",
                         Where(file=first.source, row=field.place(missing[0]), column=name),
                         "Add the rows, or remove these ids.")
    rows = np.array([positions[value] for value in left], dtype=np.int64)
    fields = tuple(take(field, rows) for field in other.fields if field.original != name)
    issue = Issue("note", "JOINED_BY_ID", f"{other.source} was joined to {first.source} by {name}.",
                  first.n)
    extra = len(right) - len(left)
    issues = [Issue("warning", "EXTRA_IDS", f"{number_of(extra, 'row')} of {other.source} have ids "
                                            f"that {first.source} does not have; they were left "
                                            "out.", extra)] if extra else []
    if other.pictures is not None:
        other = replace(other, pictures=reorder(folder, other.pictures, rows))
    vectors = _as_vectors(other, fields)
    if len(vectors) < len(fields):
        issues.append(Issue("note", "COLUMNS_AS_VECTORS",
                            f"{other.source}: the {len(fields)} columns {shown(fields[0].original)}"
                            f" to {shown(fields[-1].original)} are one vector column.",
                            len(fields)))
    return _beside(first, other, vectors, issue).with_issues(issues)


def _by_file(table: Content, images: Content, folder: Path) -> Content:
    """Each table row gets the image its file column names; rows whose image could not be read are
    left out and listed."""
    assert images.pictures is not None
    column = _file_column(table, images)
    assert column is not None
    wanted = _ids(table, column)
    positions = _by_names({value: row for row, value in enumerate(_ids(images, "file"))})
    lost = [row for row, value in enumerate(wanted) if value not in positions]
    kept = np.array([row for row, value in enumerate(wanted) if value in positions],
                    dtype=np.int64)
    if not len(kept):
        raise InputError("NO_ROWS", f"{table.source} must name at least one image that can be "
                                    "read, got none.", Where(file=table.source, column=column))
    rows = np.array([positions[wanted[row]] for row in kept], dtype=np.int64)
    issues = [Issue("note", "JOINED_BY_FILE", f"Rows of {table.source} got the image that {column} "
                                              "names.", len(kept))]
    if lost:
        place = _field(table, column)
        issues.append(Issue("warning", "ROWS_WITHOUT_IMAGE",
                            f"{number_of(len(lost), 'row')} of {table.source} name images that "
                            "could not be read; they were left out.", len(lost),
                            first_places([place.place(row) for row in lost[:MAX_PLACES]]),
                            tuple(wanted[row] for row in lost[:MAX_PLACES])))
    unused = images.n - len(set(rows.tolist()))
    if unused:
        issues.append(Issue("warning", "IMAGES_WITHOUT_ROW",
                            f"{number_of(unused, 'image')} of {images.source} are named by no row; "
                            "they were left out.", unused))
    fields = (*(take(field, kept) for field in table.fields),
              *(take(field, rows) for field in images.fields if field.original != "file"))
    return replace(table, n=len(kept), fields=fields,
                   pictures=reorder(folder, images.pictures, rows),
                   issues=(*table.issues, *images.issues, *issues), left_out=images.left_out)


def _file_column(table: Content, images: Content) -> str | None:
    """The table's column whose every cell names an image of the archive, read or left out."""
    if table.pictures is not None or images.pictures is None:
        return None
    known = set(_by_names(dict.fromkeys([*_ids(images, "file"), *images.left_out], 0)))
    for field in table.fields:
        if isinstance(field, Field) and pa.types.is_string(field.values.type):
            cells = field.values.to_pylist()
            if len(set(cells)) == len(cells) and known.issuperset(cells):
                return field.original
    return None


def _by_names(rows: dict[str, int]) -> dict[str, int]:
    """Rows by path, and by the bare file name where only one path ends with it."""
    counts = Counter(Path(name).name for name in rows)
    return {Path(name).name: row for name, row in rows.items()
            if counts[Path(name).name] == 1} | rows


def _beside(first: Content, other: Content, fields: Sequence[Field | Block],
            issue: Issue) -> Content:
    return replace(first, fields=(*first.fields, *fields),
                   pictures=first.pictures or other.pictures,
                   issues=(*first.issues, *other.issues, issue),
                   left_out=(*first.left_out, *other.left_out))


def _as_vectors(other: Content, fields: Sequence[Field | Block]) -> tuple[Field | Block, ...]:
    """A table of an id and one numbered series of number columns (v0, v1, ...) as one matrix;
    anything else, columns with names of their own above all, as it is."""
    if len(fields) < _WIDE or not _numbered([field.original for field in fields]):
        return tuple(fields)
    columns = []
    for field in fields:
        numbers = _all_numbers(field) if isinstance(field, Field) else None
        if numbers is None:
            return tuple(fields)
        columns.append(numbers)
    return (Block(Path(other.source).stem, np.stack(columns, axis=1), fields[0].places),)


def _numbered(names: Sequence[str]) -> bool:
    parts = [_SERIES.fullmatch(name.strip()) for name in names]
    if not all(parts):
        return False
    stems = {part[1] for part in parts if part}
    numbers = [int(part[2]) for part in parts if part]
    return len(stems) == 1 and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def _all_numbers(field: Field) -> np.ndarray | None:
    kind = field.values.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return np.asarray(field.values.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)
    if not pa.types.is_string(kind):
        return None
    cells = TextCells(field.values).numbers(field.delimiter)
    if cells.decimal != "." or not (cells.plain | cells.infinite).all() or cells.codes.any():
        return None
    return np.array([float(value) for value in field.values.to_pylist()])


def _check_column(first: Content, other: Content, name: str) -> None:
    for content in (first, other):
        if name not in _tables(content):
            known = _tables(other)
            shared = [column for column in dict.fromkeys(_tables(first)) if column in known]
            raise InputError("NO_JOIN_COLUMN", f"{content.source} must have the column {name!r} to "
                                               "be joined by it, got "
                                               f"{', '.join(content.names)[:200]}.",
                             Where(file=content.source, column=name, parameter="join"),
                             "Join by row order, or choose a column both files have.",
                             offer(shared))


def _tables(content: Content) -> list[str]:
    return [field.original for field in content.fields if isinstance(field, Field)]


def _field(content: Content, name: str) -> Field:
    return next(field for field in content.fields
                if field.original == name and isinstance(field, Field))


def _ids(content: Content, name: str) -> list[str]:
    return ["" if value is None else value if isinstance(value, str) else as_text(value)
            for value in _field(content, name).values.to_pylist()]


def _check_different(content: Content, ids: Sequence[str], name: str) -> None:
    seen: set[str] = set()
    for row, value in enumerate(ids):
        if value in seen:
            repeated = sorted({other for other in ids[row:] if other in seen})
            raise InputError("DUPLICATE_IDS", f"The column {name!r} of {content.source} must have "
                                              "different values to join by, got "
                                              f"{_examples(repeated)} more than once.",
                             Where(file=content.source, row=_field(content, name).place(row),
                                   column=name), "Remove the rows that repeat.")
        seen.add(value)


def _examples(values: Sequence[str]) -> str:
    more = ", …" if len(values) > _EXAMPLES else ""
    return ", ".join(map(shown, values[:_EXAMPLES])) + more
