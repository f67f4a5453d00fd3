"""Files -> dataset: read in the reader process, adopted by the store under their content."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

from explorer.dataset import (
    ROLES,
    Column,
    Dataset,
    Issue,
    Place,
    Source,
    dataset_meta,
    open_dataset,
)
from explorer.errors import InputError, Where
from explorer.load.limits import MAX_FILE_BYTES, MAX_FILES, MAX_TOTAL_BYTES
from explorer.load.options import ReadOptions, Upload
from explorer.load.process import run_reader
from explorer.spec import Progress, part, result_key
from explorer.store import Store

_FORMAT = 1
"""Of the canonical files; part of every id."""
_DERIVED = ("thumbs.bin", "thumbs.npy")
_IDENTITY = ("name", "original", "role", "place", "decimal", "dimensions")
"""What of a column makes a data set another one; wording and counts do not."""


def read_files(uploads: Sequence[Upload], options: ReadOptions, store: Store,
               progress: Progress) -> Dataset:
    """The data set in these files, named by its content: the same content gives the same id,
    whatever the files are called.

    Raises InputError with a code and a place (see the readers), Cancelled when `progress` raises
    it, StoreError. Nothing is left behind on any of these paths.
    """
    sources = tuple(_check(upload) for upload in uploads)
    _check_together(sources)
    folder = store.new_folder()
    try:
        meta = run_reader(uploads, options, folder, part(progress, 0.0, 0.9))
        progress(0.9, "Storing the data set")
        told = _checked_meta(meta, sources)
        key = adopt(store, folder, told)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    progress(1.0, "Data set stored")
    # Other files may have brought the same content: these names and this report are of ours.
    return open_dataset(store, key).retold(told)


def adopt(store: Store, folder: Path, meta: dict[str, Any]) -> str:
    """Give a folder of canonical files to the store under the id of its content; the id."""
    files = {path.name: _digest(path) for path in sorted(folder.iterdir())
             if path.name not in _DERIVED}
    columns = [{name: column[name] for name in _IDENTITY} for column in meta["columns"]]
    key = result_key("dataset", _FORMAT, files, columns)
    if store.find(key) is None:
        store.adopt(key, folder, meta)
    return key


def _check(upload: Upload) -> Source:
    where = Where(file=upload.name)
    if not upload.path.is_file():  # a pipe or a device has no end
        raise InputError("NO_FILE", f"{upload.name} must be a plain file that is there.", where)
    try:
        size = upload.bytes
        if size > MAX_FILE_BYTES:
            raise InputError("FILE_TOO_LARGE", f"{upload.name} must have at most "
                                               f"{MAX_FILE_BYTES:,} bytes, got {size:,}.", where,
                             "Upload a part of it.")
        return Source(upload.name, size, _digest(upload.path))
    except OSError as error:
        raise InputError("NO_FILE", f"{upload.name} must be a readable file, got: "
                                    f"{error.strerror or error}.", where) from None


def _check_together(sources: Sequence[Source]) -> None:
    if not sources or len(sources) > MAX_FILES:
        raise InputError("NO_FILES" if not sources else "TOO_MANY_FILES",
                         f"There must be 1 to {MAX_FILES:,} files, got {len(sources):,}.",
                         hint="Many images go into one zip.")
    total = sum(source.bytes for source in sources)
    if total > MAX_TOTAL_BYTES:
        raise InputError("FILE_TOO_LARGE", f"All files together must have at most "
                                           f"{MAX_TOTAL_BYTES:,} bytes, got {total:,}.",
                         hint="Upload fewer files.")


def _checked_meta(meta: dict[str, Any], sources: tuple[Source, ...]) -> dict[str, Any]:
    """The reader's words rebuilt through our own classes, so that nothing else gets in."""
    try:
        columns = tuple(Column(**column) for column in meta["columns"])
        report = tuple(Issue(**{**issue, "rows": tuple(map(int, issue["rows"])),
                                "entries": tuple(map(str, issue["entries"]))})
                       for issue in meta["report"])
        options = asdict(ReadOptions(**meta["options"]))
        sound = all(column.role in ROLES and column.place in get_args(Place) for column in columns)
        name, n = str(meta["name"]), int(meta["n"])
    except (KeyError, TypeError, ValueError) as error:
        raise _unsound(str(error)) from None
    if not sound or n < 1:
        raise _unsound("an unknown role or no rows")
    return dataset_meta(name, n, columns, sources, report, options)


def _unsound(what: str) -> InputError:
    return InputError("READER_CRASHED", f"The reader must describe a data set, got {what[:100]}.",
                      hint="Try again; if it happens again, the file is to blame.")


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
