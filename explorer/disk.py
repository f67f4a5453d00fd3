"""What the disk refuses, in words; how much is free; files that are on it before we say so."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from explorer.errors import StoreError, Where

_FULL = {errno.ENOSPC, errno.EDQUOT}
_SHUT = {errno.EROFS, errno.EACCES, errno.EPERM}
_MANY = {errno.EMFILE, errno.ENFILE}
_NO_RESERVE = {errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}
_KEPT = "What was saved before is intact."
LEAST_FREE = 64 * 1024
"""Below that a disk is full, whatever words the failing call found for it."""


def disk_error(what: str, path: Path, error: OSError, needed: int | None = None) -> StoreError:
    """The StoreError for an OSError met while doing `what` ('save a result') at `path`: DISK_FULL,
    READ_ONLY, TOO_MANY_FILES, FILE_TOO_LARGE, HOME_GONE, else DISK. `needed` in bytes."""
    where, number = Where(file=path.name), error.errno
    if number in _FULL or (number is None and free_bytes(path) < (needed or LEAST_FREE)):
        return _full(what, path, needed, quota=number == errno.EDQUOT)
    if number in _SHUT:
        return StoreError("READ_ONLY", f"Could not {what}: the folder cannot be written.", where,
                          f"{_KEPT} Check its permissions or choose another by EXPLORER_HOME.")
    if number in _MANY:
        return StoreError("TOO_MANY_FILES", f"Could not {what}: too many files are open.", where,
                          f"{_KEPT} Try again in a moment; the limit is raised by `ulimit -n`.")
    if number == errno.EFBIG:
        return StoreError("FILE_TOO_LARGE", f"Could not {what}: the file would be larger than this "
                                            "system allows.", where,
                          f"{_KEPT} Raise the limit (`ulimit -f`) or take fewer rows.")
    if number == errno.ENOENT:
        return home_gone(path)
    return StoreError("DISK", f"Could not {what}: {error.strerror or error}.", where,
                      f"{_KEPT} Look after the disk or choose another folder by EXPLORER_HOME.")


def home_gone(path: Path) -> StoreError:
    """The folder of results and workspaces was there and is not any more."""
    return StoreError("HOME_GONE", "The folder of results and workspaces must stay where it is, "
                                   "but it was moved or deleted.", Where(file=path.name),
                      "Nothing was made in its place. Bring it back (is its disk mounted?), then "
                      "reload; or restart with another folder in EXPLORER_HOME.")


def free_bytes(path: Path) -> int:
    """Bytes free for us on the disk of `path` or its nearest folder that is there."""
    for folder in (path, *path.parents):
        try:
            return shutil.disk_usage(folder).free
        except OSError:
            continue
    return 0


def check_space(what: str, path: Path, needed: int) -> None:
    """Raises StoreError DISK_FULL when `needed` bytes cannot be there."""
    if free_bytes(path) < needed:
        raise _full(what, path, needed)


def write_synced(path: Path, write: Callable[[BinaryIO], object], size: int = 0) -> None:
    """Make the file `path` (0600; there must be none) with what `write` puts into it; `size`
    bytes are reserved first, so that a full disk is known before the first is written."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        if size:
            try:
                os.posix_fallocate(descriptor, 0, size)
            except OSError as error:
                if error.errno not in _NO_RESERVE:
                    raise
        write(file)
        file.truncate()  # never longer than what was written, whatever was reserved
        file.flush()
        os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Names in a folder survive a power cut only when the folder itself is synced."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def writable(folder: Path) -> bool:
    """Whether this process may make files there (False on a read-only disk, for root too)."""
    return os.access(folder, os.W_OK | os.X_OK)


def size_in_words(size: int) -> str:
    """'12 kB', '3.4 MB', '1.2 GB'."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size / 1e3:.0f} kB"


def _full(what: str, path: Path, needed: int | None, quota: bool = False) -> StoreError:
    free = size_in_words(free_bytes(path))
    share = f"; {size_in_words(needed)} needed" if needed else ""
    reason = "your quota is used up" if quota else "the disk is full"
    return StoreError("DISK_FULL", f"Could not {what}: {reason} ({free} free{share}).",
                      Where(file=path.name),
                      f"{_KEPT} Free some space, then do it again; `explorer tidy` removes results "
                      "nobody uses.")
