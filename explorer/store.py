"""Results by content key: written whole or not at all, checked on every first read.

Layout under `root`: `entries/<2 hex>/<key>/` with the files and `entry.json`; `tmp/` for what is
being written; `quarantine/` for what failed its checksum. A result never changes once written.
`entry.json` is sealed and holds the sha256 of every file; its time of change is the last use.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import threading
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from explorer.disk import check_space, disk_error, home_gone, sync_folder, writable, write_synced
from explorer.errors import StoreError, Where
from explorer.seal import digest_of, open_sealed, seal_json
from explorer.temporary import is_abandoned, name_temporary

_SEAL = "entry.json"  # not manifest.json: that name belongs to the files of an export
_STALE_SECONDS = 24 * 3600
_USE_SECONDS = 3600  # the last use of a result is noted once in so long
_MAPPED_BYTES = 1 << 20
_loading = threading.Lock()  # numpy reads headers by `ast`: in two threads a SystemError (3.11.7)
_LOST = {errno.EIO, errno.ELOOP, errno.EISDIR, errno.ENOTDIR, errno.ENOENT}
"""A file that answers so is damaged; any other refusal is the system's, not the file's."""


def home() -> Path:
    """Where results and workspaces live: $EXPLORER_HOME, else data/results of the checkout, else
    ~/.embedding-explorer."""
    given = os.environ.get("EXPLORER_HOME")
    if given:
        return Path(given).expanduser().resolve()
    checkout = Path(__file__).resolve().parent.parent
    if (checkout / "app.py").exists():
        return checkout / "data" / "results"
    return Path.home() / ".embedding-explorer"


Marks = tuple[tuple[int, int, int], ...]
"""Size, time of change (ns) and inode of each file when its bytes were verified."""


@dataclass(frozen=True)
class Entry:
    """One stored result: its files on disk and its manifest."""

    key: str
    folder: Path
    meta: dict[str, Any]
    files: tuple[str, ...]

    def array(self, name: str, *, mapped: bool = True) -> np.ndarray:
        """The array of that name, read-only; mapped above _MAPPED_BYTES (a mapping holds a handle).

        Raises StoreError NOT_STORED when the entry was removed since it was found.
        """
        path = self.folder / f"{name}.npy"
        try:
            mode: Any = "r" if mapped and path.stat().st_size > _MAPPED_BYTES else None
            with _loading:
                array: np.ndarray = np.load(path, allow_pickle=False, mmap_mode=mode)
        except FileNotFoundError:
            raise _not_stored(self.key) from None
        except OSError as error:
            raise disk_error("read a result", self.folder, error) from error
        array.setflags(write=False)
        return array

    def has(self, name: str) -> bool:
        return name in self.files

    def path(self, name: str) -> Path:
        return self.folder / name


class Store:
    """A folder of immutable results. Safe for several processes at once: the last step of a write
    is one rename, and two writers of one key write the same thing.

    Every operation raises StoreError where the disk refuses: DISK_FULL, READ_ONLY, HOME_GONE,
    TOO_MANY_FILES, FILE_TOO_LARGE, DISK.
    """

    def __init__(self, root: Path | str | None = None, *, create: bool = True) -> None:
        """`create=False`: the folder must be there (HOME_GONE): a job never makes a new home in
        the place of one that was taken away."""
        self.root = Path(root).resolve() if root is not None else home()
        self._verified: dict[str, Marks] = {}
        if not create and not self._path("entries").is_dir():
            raise home_gone(self.root)
        try:
            for folder in (self.root, *map(self._path, ("entries", "tmp", "quarantine"))):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            if not self._path("entries").is_dir():
                raise disk_error("open the store", self.root, error) from error

    @property
    def read_only(self) -> bool:
        """Whether results can be read only."""
        return not writable(self.root)

    def new_folder(self) -> Path:
        """An empty private folder on the store's own disk, for `adopt`."""
        folder = self._path("tmp") / name_temporary()
        try:
            folder.mkdir(mode=0o700)
        except OSError as error:
            raise disk_error("write", folder, error) from error
        return folder

    def put(self, key: str, arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> Entry:
        """Write arrays (`<name>.npy`) and meta under `key`; atomic; a no-op when it is there."""
        found = self.find(key)
        if found is not None:
            return found
        needed = sum(array.nbytes for array in arrays.values())
        check_space("save a result", self.root, needed)
        folder = self.new_folder()
        try:
            for name, array in arrays.items():
                _save(folder / f"{name}.npy", array)
            return self.adopt(key, folder, meta)
        except OSError as error:
            raise disk_error("save a result", folder, error, needed) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def adopt(self, key: str, folder: Path, meta: Mapping[str, Any]) -> Entry:
        """Make `folder` (from `new_folder`, files already in it) the result `key`."""
        if (folder / _SEAL).exists():
            raise StoreError("BAD_FILES", f"A result must not bring a file named {_SEAL}.")
        try:
            files = {path.relative_to(folder).as_posix(): _settle(path)
                     for path in sorted(folder.rglob("*")) if path.is_file()}
            manifest = {"key": key, "files": files, "meta": dict(meta), "written": time.time()}
            write_synced(folder / _SEAL, lambda file: file.write(seal_json(manifest)))
            sync_folder(folder)
            self._move_in(key, folder)
        except OSError as error:
            raise disk_error("save a result", folder, error) from error
        return self.get(key)

    def has(self, key: str) -> bool:
        """Whether a result of that name is there (not yet verified)."""
        return (self._folder(key) / _SEAL).exists()

    def find(self, key: str) -> Entry | None:
        """The result; None when absent or damaged (a damaged one is moved to quarantine, so that
        the next run computes it again).

        Every byte is verified at this object's first read, and again whenever a file's size, time
        or inode is not what it was then.
        """
        folder = self._folder(key)
        try:
            data = (folder / _SEAL).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise disk_error("read a result", folder, error) from error
        try:
            manifest = open_sealed(data)
            if manifest["key"] != key:
                raise ValueError("another entry's manifest")
            files: dict[str, dict[str, Any]] = manifest["files"]
            self._verify(key, folder, files)
        except (ValueError, KeyError, TypeError, AttributeError):
            self._quarantine(key)
            return None
        except OSError as error:
            if error.errno not in _LOST:
                raise disk_error("read a result", folder, error) from error
            self._quarantine(key)
            return None
        return Entry(key, folder, manifest["meta"], tuple(files))

    def get(self, key: str) -> Entry:
        """The result, or StoreError NOT_STORED."""
        entry = self.find(key)
        if entry is None:
            raise _not_stored(key)
        return entry

    def sweep(self) -> int:
        """Remove temporary folders a killed process left behind; returns how many."""
        limit = time.time() - _STALE_SECONDS
        removed = 0
        for path in self._path("tmp").glob("*"):
            try:
                stale = is_abandoned(path.name) or path.stat().st_mtime < limit
            except FileNotFoundError:
                continue  # another process has just finished with it
            if stale:
                shutil.rmtree(path, ignore_errors=True)
                removed += 1
        return removed

    def _path(self, name: str) -> Path:
        return self.root / name

    def _folder(self, key: str) -> Path:
        if not key.isalnum():
            raise StoreError("BAD_KEY", f"A result name must be hex digits, got {key[:40]!r}.")
        return self.root / "entries" / key[:2] / key

    def _move_in(self, key: str, folder: Path) -> None:
        target = self._folder(key)
        if not target.parent.exists():
            target.parent.mkdir(exist_ok=True, mode=0o700)
            sync_folder(target.parent.parent)
        if target.exists() and not (target / _SEAL).exists():
            self._quarantine(key)  # damaged from outside: we rename whole folders
        for last in (False, True):
            try:
                os.rename(folder, target)
                break
            except OSError:
                # Another writer was faster; or what stands there is damaged, and `find` moves it.
                if self.find(key) is not None:
                    shutil.rmtree(folder, ignore_errors=True)
                    break
                if last or not self._path("tmp").exists():
                    raise
        sync_folder(target.parent)

    def _verify(self, key: str, folder: Path, files: Mapping[str, Mapping[str, Any]]) -> None:
        marks = tuple(_mark(folder / name) for name in files)
        if self._verified.get(key) == marks:
            return
        # No link below the root, which may be one itself and is resolved once.
        if folder.resolve() != folder:
            raise ValueError("a link")
        for name, seal in files.items():
            path = folder / name
            if path.parent.resolve() != path.parent or digest_of(path) != seal["sha256"]:
                raise ValueError(name)
        self._verified[key] = marks
        _note_use(folder / _SEAL)

    def _quarantine(self, key: str) -> None:
        self._verified.pop(key, None)
        try:
            os.rename(self._folder(key), self._path("quarantine") / f"{key}-{uuid.uuid4().hex[:8]}")
        except OSError:
            return  # another process was faster, or the disk is read-only: not found either way


def store_of(entry: Entry) -> Store:
    """The store an entry lives in."""
    return Store(entry.folder.parents[2], create=False)


def _not_stored(key: str) -> StoreError:
    return StoreError("NOT_STORED", "This result is not in the store any more.", Where(entry=key),
                      "Run the step again: nothing else is lost.")


def _save(path: Path, array: np.ndarray) -> None:
    array = np.ascontiguousarray(array)
    write_synced(path, lambda file: np.save(file, array, allow_pickle=False), array.nbytes)


def _settle(path: Path) -> dict[str, Any]:
    """Onto the disk and for us alone, whatever the umask of who wrote it; its seal."""
    with open(path, "rb") as file:
        os.fchmod(file.fileno(), 0o600)
        os.fsync(file.fileno())
    return {"sha256": digest_of(path), "bytes": path.stat().st_size}


def _mark(path: Path) -> tuple[int, int, int]:
    found = os.lstat(path)
    if not stat.S_ISREG(found.st_mode):
        raise ValueError("not a file")
    return found.st_size, found.st_mtime_ns, found.st_ino


def _note_use(seal: Path) -> None:
    if time.time() - seal.stat().st_mtime > _USE_SECONDS:
        with suppress(OSError):  # on a read-only disk nothing is ever removed for its age
            os.utime(seal)
