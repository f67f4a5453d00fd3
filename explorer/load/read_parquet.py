"""Parquet: the columns with their types, after a look at what the footer claims."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from explorer.dataset import Issue
from explorer.errors import InputError, Where
from explorer.load.content import Content, Field, number_of
from explorer.load.limits import MAX_COLUMNS, MAX_ROWS, MAX_UNPACKED_BYTES
from explorer.load.options import ReadOptions, Upload
from explorer.spec import Progress

_SMALLEST = 12
_WIDTHS = {"INT32": 4, "INT64": 8, "INT96": 8, "FLOAT": 4, "DOUBLE": 8, "BYTE_ARRAY": 4}
"""Bytes of one value in Arrow; of a text its offset."""
T = TypeVar("T")


def read_parquet(upload: Upload, options: ReadOptions, progress: Progress) -> Content:
    """n rows of columns in their Parquet types; extension types as what they are stored as.

    Raises InputError TRUNCATED, DAMAGED, ENCRYPTED, NO_ROWS, TOO_MANY_ROWS, TOO_MANY_COLUMNS,
    TOO_LARGE.
    """
    _check_ends(upload)
    with open(upload.path, "rb") as file:
        parquet = _attempt(upload, lambda: pq.ParquetFile(file, page_checksum_verification=True))
        _check_claims(upload, parquet.metadata)
        progress(0.1, "Footer checked")
        table = _attempt(upload, lambda: parquet.read(use_threads=False))
        _attempt(upload, lambda: table.validate(full=True))
    if not table.num_rows or not table.num_columns:
        raise InputError("NO_ROWS", f"{upload.name} must have rows and columns, got "
                                    f"{number_of(table.num_rows, 'row')} and "
                                    f"{number_of(table.num_columns, 'column')}.",
                         Where(file=upload.name))
    changed: list[str] = []
    fields = tuple(Field(name, _storable(name, column, changed))
                   for name, column in zip(table.column_names, table.columns, strict=True))
    issues = (Issue("note", "TYPES_CHANGED", "These columns had types that cannot be shown as "
                                             "they are and are kept as what they store or as text.",
                    len(changed), entries=tuple(changed)),) if changed else ()
    return Content(upload.name, table.num_rows, fields, options, issues)


def _check_ends(upload: Upload) -> None:
    where = Where(file=upload.name)
    size = upload.bytes
    with open(upload.path, "rb") as file:
        head = file.read(4)
        file.seek(max(0, size - 8), os.SEEK_SET)
        tail = file.read(8)
    if b"PARE" in (head, tail[-4:]):
        raise InputError("ENCRYPTED", f"{upload.name} must be readable, got an encrypted footer.",
                         where, "Write it without encryption.")
    claimed = int.from_bytes(tail[:4], "little")
    if size < _SMALLEST or tail[-4:] != b"PAR1" or claimed + _SMALLEST > size:
        raise InputError("TRUNCATED", f"{upload.name} must end with a Parquet footer, got "
                                      f"{size:,} bytes without a whole one.", where,
                         "The file is cut off or damaged: copy it again.")


def _check_claims(upload: Upload, claims: pq.FileMetaData) -> None:
    where = Where(file=upload.name)
    if claims.num_rows > MAX_ROWS:
        raise InputError("TOO_MANY_ROWS", f"{upload.name} must have at most {MAX_ROWS:,} rows, got "
                                          f"{claims.num_rows:,}.", where, "Upload a part of it.")
    if claims.num_columns > MAX_COLUMNS:
        raise InputError("TOO_MANY_COLUMNS", f"{upload.name} must have at most {MAX_COLUMNS:,} "
                                             f"columns, got {claims.num_columns:,}.", where,
                         "Write long vectors as a list column.")
    groups = [claims.row_group(i) for i in range(claims.num_row_groups)]
    size = max(sum(group.total_byte_size for group in groups),
               claims.num_rows * _row_bytes(claims.schema))
    if size > MAX_UNPACKED_BYTES:
        raise InputError("TOO_LARGE", f"{upload.name} must unpack to at most "
                                      f"{MAX_UNPACKED_BYTES:,} bytes, got {size:,}.", where,
                         "Upload fewer rows or columns.")


def _row_bytes(schema: pq.ParquetSchema) -> int:
    """What a row takes in memory at least: told sizes count a value repeated a million times
    once."""
    columns = [schema.column(i) for i in range(len(schema))]
    return sum(_WIDTHS.get(column.physical_type, 0) for column in columns
               if not column.max_repetition_level)


def _attempt(upload: Upload, read: Callable[[], T]) -> T:
    try:
        return read()
    except MemoryError:
        raise
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise InputError("DAMAGED", f"{upload.name} must be sound Parquet, got: "
                                    f"{str(error)[:200]}.", Where(file=upload.name),
                         "Write the file again, or copy it again.") from None


def _storable(name: str, column: pa.ChunkedArray, changed: list[str]) -> pa.ChunkedArray:
    """The column in types that Parquet keeps and Python can show."""
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        changed.append(name)
        return _storable(name, pa.chunked_array(
            [chunk.storage for chunk in column.chunks], kind.storage_type), [])
    if pa.types.is_temporal(kind) and not _is_showable(column):
        changed.append(name)
        whole = pa.int32() if kind.bit_width == 32 else pa.int64()
        return column.cast(whole).cast(pa.string())
    return column


def _is_showable(column: pa.ChunkedArray) -> bool:
    """Whether the earliest and the latest time fit Python's years 1 to 9999."""
    try:
        bounds = pc.min_max(column)
        return column.null_count == len(column) or None not in (bounds["min"].as_py(),
                                                                bounds["max"].as_py())
    except (OverflowError, ValueError, pa.ArrowException):
        return False
