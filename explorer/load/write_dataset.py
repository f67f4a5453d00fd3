"""The canonical files of a data set, and what its manifest says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from explorer.dataset import Column, Source, dataset_meta
from explorer.errors import InputError, Where
from explorer.load.content import Content, Field
from explorer.load.find_roles import find_roles
from explorer.load.limits import MAX_CELL_CHARACTERS, MAX_NAME_CHARACTERS
from explorer.spec import Progress, part

_GROUP_ROWS = 65_536


def write_dataset(content: Content, name: str, sources: Sequence[Source], folder: Path,
                  progress: Progress) -> dict[str, Any]:
    """Write rows.parquet, matrix-<i>.npy and the image offsets into `folder` (images.bin and
    thumbs.bin are there already); returns the manifest's meta.

    Raises InputError CELL_TOO_LONG, NAME_TOO_LONG.
    """
    _check_names(content)
    _check_cells(content)
    roles = find_roles(content, part(progress, 0.0, 0.5))
    progress(0.5, "Writing the table")
    _write_table(content, [column for column in roles.columns if column.place != "images"], folder)
    for i, vectors in enumerate(roles.matrices):
        np.save(folder / f"matrix-{i}.npy", vectors, allow_pickle=False)
    if content.pictures is not None:
        np.save(folder / "images.npy", content.pictures.images, allow_pickle=False)
        np.save(folder / "thumbs.npy", content.pictures.thumbs, allow_pickle=False)
    progress(1.0, "Written")
    return dataset_meta(name, content.n, roles.columns, tuple(sources),
                        (*content.issues, *roles.issues), asdict(content.options))


def _write_table(content: Content, columns: Sequence[Column], folder: Path) -> None:
    table = {column.name: field.values
             for column, field in zip(columns, content.fields, strict=True)
             if isinstance(field, Field)}
    if table:
        pq.write_table(pa.table(table), folder / "rows.parquet", compression="zstd",
                       row_group_size=_GROUP_ROWS, write_page_checksum=True)


def _check_names(content: Content) -> None:
    for number, name in enumerate(content.names, 1):
        if len(name) > MAX_NAME_CHARACTERS:
            raise InputError("NAME_TOO_LONG", f"The name of a column must have at most "
                                              f"{MAX_NAME_CHARACTERS:,} characters, got "
                                              f"{len(name):,}.",
                             Where(file=content.source, column=f"column {number}"),
                             "If the first line is data, say that there is no header.")


def _check_cells(content: Content) -> None:
    """Typed files may hold cells as long as they like; here is the limit for all."""
    for field in content.fields:
        if not isinstance(field, Field):
            continue
        kind = field.values.type
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)
                or pa.types.is_binary(kind)):
            continue
        lengths = pc.binary_length(field.values)
        longest = pc.max(lengths).as_py() or 0
        if longest > 4 * MAX_CELL_CHARACTERS:  # UTF-8 takes up to four bytes a character
            row = int(pc.index(lengths, longest).as_py())
            raise InputError("CELL_TOO_LONG", "A cell must have at most "
                                              f"{MAX_CELL_CHARACTERS:,} characters, got about "
                                              f"{longest:,} bytes.",
                             Where(file=content.source, row=field.place(row),
                                   column=field.original), "Shorten it.")
