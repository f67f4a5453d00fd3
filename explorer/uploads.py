"""Uploaded files on disk, in `<home>/uploads`: whole and synced or not there, under one quota."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from explorer.disk import disk_error, sync_folder, write_synced
from explorer.errors import InputError, Where
from explorer.load.limits import uploads_quota
from explorer.seal import digest_of
from explorer.temporary import is_abandoned, name_temporary

_KEPT_SECONDS = 24 * 3600
"""Uploads stay so long after their last use, so that they can be read again in another way."""
_WAITING_SECONDS = 3600
"""One used so lately may be waiting for its turn to be read: it makes room for nobody."""
_PART = ".part"
_keeping = threading.Lock()
"""One server keeps all uploads: between the look at the quota and the write nobody else writes."""


@dataclass(frozen=True)
class Kept:
    """An uploaded file that waits in `<home>/uploads`, named there by its sha256."""

    name: str
    sha256: str


def keep_upload(name: str, content: bytes | memoryview, home: Path) -> Kept:
    """Put the bytes of an upload on disk (0600): synced when this returns, and never half of them.
    The same bytes are kept once. Those nobody used for a day are removed, and for want of room
    those nobody used for an hour, the longest unused first.

    Raises InputError UPLOAD_QUOTA and StoreError (DISK_FULL, READ_ONLY ...), with nothing left.
    """
    kept = Kept(name, hashlib.sha256(content).hexdigest())
    folder = home / "uploads"
    path = folder / kept.sha256
    size = memoryview(content).nbytes
    part = folder / f"{name_temporary()}{_PART}"
    with _keeping:
        try:
            folder.mkdir(mode=0o700, exist_ok=True)  # no parents: a home that is gone stays so
            sweep_uploads(home)
            if _is_whole(path, size):
                os.utime(path)
                return kept
            _make_room(folder, name, size)
            try:
                write_synced(part, lambda file: file.write(content), size)
                part.replace(path)
                sync_folder(folder)
            finally:
                part.unlink(missing_ok=True)
        except OSError as error:
            raise disk_error("keep the upload", path, error, size) from error
    return kept


def kept_path(file: Kept, home: Path) -> Path:
    """Where a kept upload is; this counts as a use. Raises InputError UPLOAD_GONE, also
    where the bytes are not the ones that were kept."""
    path = home / "uploads" / file.sha256
    if path.is_symlink() or not path.exists() or digest_of(path) != file.sha256:
        raise InputError("UPLOAD_GONE", f"{file.name} must still be here to be read again, but "
                                        "uploads are removed after a day.",
                         Where(file=file.name), "Upload it again.")
    with suppress(PermissionError, FileNotFoundError):  # a read-only home still reads
        os.utime(path)
    return path


def sweep_uploads(home: Path) -> int:
    """Remove uploads nobody used for a day and what a killed process left half written; returns
    how many."""
    limit = time.time() - _KEPT_SECONDS
    removed = 0
    for path, status in _files(home / "uploads"):
        if status.st_mtime < limit or (path.suffix == _PART and is_abandoned(path.stem)):
            path.unlink(missing_ok=True)
            removed += 1
    return removed


def _is_whole(path: Path, size: int) -> bool:
    return path.is_file() and not path.is_symlink() and path.stat().st_size == size


def _make_room(folder: Path, name: str, size: int) -> None:
    allowed = uploads_quota()
    files = sorted(_files(folder), key=lambda file: file[1].st_mtime)
    used = sum(status.st_size for _, status in files)
    limit = time.time() - _WAITING_SECONDS
    movable = [(path, status.st_size) for path, status in files
               if status.st_mtime < limit and path.suffix != _PART]
    if used + size - sum(size for _, size in movable) > allowed:
        raise InputError("UPLOAD_QUOTA", f"All uploads together must have at most {allowed:,} "
                                         f"bytes, got {used + size:,} with {name}.",
                         Where(file=name),
                         "Try again in an hour, when others are done, or raise "
                         "EXPLORER_UPLOADS_BYTES.")
    for path, freed in movable:
        if used + size <= allowed:
            return
        path.unlink(missing_ok=True)
        used -= freed


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # another process has just removed it
            if path.is_file() and not path.is_symlink():
                yield path, path.stat()
