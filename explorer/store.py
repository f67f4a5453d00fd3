"""Results by content key: written whole or not at all, checked on every first read.

Layout under `root`: `entries/<2 hex>/<key>/` with the files and `entry.json`; `tmp/` for what is
being written; `quarantine/` for what failed its checksum. A result never changes once written.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from explorer.errors import StoreError, Where

# Not manifest.json: that name belongs to the files of an export.
_SEAL = "entry.json"
_STALE_SECONDS = 24 * 3600


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


@dataclass(frozen=True)
class Entry:
    """One stored result: its files on disk and its manifest."""

    key: str
    folder: Path
    meta: dict[str, Any]
    files: tuple[str, ...]

    def array(self, name: str, *, mapped: bool = True) -> np.ndarray:
        """The array of that name, read-only (memory-mapped unless `mapped` is False)."""
        array: np.ndarray = np.load(self.folder / f"{name}.npy", allow_pickle=False,
                                    mmap_mode="r" if mapped else None)
        array.setflags(write=False)
        return array

    def has(self, name: str) -> bool:
        return name in self.files

    def path(self, name: str) -> Path:
        return self.folder / name


class Store:
    """A folder of immutable results. Safe for several processes at once: the last step of a write
    is one rename, and two writers of one key write the same thing."""

    def __init__(self, root: Path | str | None = None) -> None:
        self.root = Path(root).resolve() if root is not None else home()
        self._verified: set[str] = set()
        try:
            for name in ("entries", "tmp", "quarantine"):
                (self.root / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise _disk_error("open the store", self.root, error) from error

    def new_folder(self) -> Path:
        """An empty private folder on the store's own disk, for `adopt`."""
        folder = self.root / "tmp" / uuid.uuid4().hex
        try:
            folder.mkdir(mode=0o700)
        except OSError as error:
            raise _disk_error("write", folder, error) from error
        return folder

    def put(self, key: str, arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> Entry:
        """Write arrays (`<name>.npy`) and meta under `key`; atomic; a no-op when it is there."""
        found = self.find(key)
        if found is not None:
            return found
        folder = self.new_folder()
        try:
            for name, array in arrays.items():
                np.save(folder / f"{name}.npy", np.ascontiguousarray(array), allow_pickle=False)
            return self.adopt(key, folder, meta)
        except OSError as error:
            raise _disk_error("save a result", folder, error) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def adopt(self, key: str, folder: Path, meta: Mapping[str, Any]) -> Entry:
        """Make `folder` (from `new_folder`, files already in it) the result `key`."""
        if (folder / _SEAL).exists():
            raise StoreError("BAD_FILES", f"A result must not bring a file named {_SEAL}.")
        try:
            files = {path.relative_to(folder).as_posix(): _seal(path)
                     for path in sorted(folder.rglob("*")) if path.is_file()}
            manifest = {"key": key, "files": files, "meta": dict(meta), "written": time.time()}
            _write_synced(folder / _SEAL,
                          json.dumps(manifest, allow_nan=False, indent=1).encode())
            target = self._folder(key)
            target.parent.mkdir(exist_ok=True, mode=0o700)
            if target.exists() and not (target / _SEAL).exists():
                self._quarantine(key)  # damaged from outside: we rename whole folders
            try:
                os.rename(folder, target)
            except OSError:
                if not (target / _SEAL).exists():
                    raise
                shutil.rmtree(folder, ignore_errors=True)
            _sync_folder(target.parent)
        except OSError as error:
            raise _disk_error("save a result", folder, error) from error
        self._verified.add(key)
        return self.get(key)

    def has(self, key: str) -> bool:
        """Whether a result of that name is there (not yet verified)."""
        return (self._folder(key) / _SEAL).exists()

    def find(self, key: str) -> Entry | None:
        """The result, verified at this process' first read; None when absent or damaged (a damaged
        one is moved to quarantine, so that the next run computes it again)."""
        folder = self._folder(key)
        try:
            text = (folder / _SEAL).read_bytes()
        except FileNotFoundError:
            return None
        try:
            manifest = json.loads(text)
            files: dict[str, dict[str, Any]] = manifest["files"]
            if key not in self._verified:
                for name, seal in files.items():
                    if _digest(folder / name) != seal["sha256"]:
                        raise ValueError(name)
                self._verified.add(key)
        except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
            self._quarantine(key)
            return None
        return Entry(key, folder, manifest["meta"], tuple(files))

    def get(self, key: str) -> Entry:
        """The result, or StoreError NOT_STORED."""
        entry = self.find(key)
        if entry is None:
            raise StoreError("NOT_STORED", "This result is not in the store any more.",
                             Where(entry=key), "Run the step again: nothing else is lost.")
        return entry

    def sweep(self) -> int:
        """Remove temporary folders a killed process left behind; returns how many."""
        limit = time.time() - _STALE_SECONDS
        removed = 0
        for path in (self.root / "tmp").iterdir():
            try:
                stale = path.stat().st_mtime < limit
            except FileNotFoundError:
                continue  # another process has just finished with it
            if stale:
                shutil.rmtree(path, ignore_errors=True)
                removed += 1
        return removed

    def _folder(self, key: str) -> Path:
        if not key.isalnum():
            raise StoreError("BAD_KEY", f"A result name must be hex digits, got {key[:40]!r}.")
        return self.root / "entries" / key[:2] / key

    def _quarantine(self, key: str) -> None:
        self._verified.discard(key)
        try:
            os.rename(self._folder(key), self.root / "quarantine" / f"{key}-{uuid.uuid4().hex[:8]}")
        except FileNotFoundError:
            return  # another process was faster


def store_of(entry: Entry) -> Store:
    """The store an entry lives in."""
    return Store(entry.folder.parents[2])


def _seal(path: Path) -> dict[str, Any]:
    with open(path, "rb") as file:
        os.fsync(file.fileno())
    return {"sha256": _digest(path), "bytes": path.stat().st_size}


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_synced(path: Path, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _disk_error(what: str, path: Path, error: OSError) -> StoreError:
    return StoreError("DISK", f"Could not {what}: {error.strerror or error}.",
                      Where(file=path.name),
                      "Free some space or choose another folder by EXPLORER_HOME; "
                      "what was saved before is intact.")
