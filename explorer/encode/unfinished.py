"""Vectors of an encoding that has not ended: kept on disk, batch by batch, and taken up again.

The step that encodes says where (`kept_under`), the encoder adds every batch as it is made
(`unfinished`). A batch is one record: its rows and columns, its checksum, its float32 numbers. The
file only grows; what a crash left half written ends it, and the next attempt writes on from there.
Batches must be the same, in the same order, in every attempt: the result then is, to the bit, what
one attempt without an interruption gives.
"""

from __future__ import annotations

import hashlib
import shutil
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.metadata import version
from pathlib import Path

import numpy as np

from explorer.disk import disk_error

FOLDER = "encoding"
_HEAD = struct.Struct("<III")
_WIDEST = 1_000_000
_folder: ContextVar[Path | None] = ContextVar("_folder", default=None)


@contextmanager
def kept_under(home: Path, key: str) -> Iterator[None]:
    """Within it, encoders keep their finished batches in the folder of the result `key`."""
    before = _folder.set(Path(home) / FOLDER / key)
    try:
        yield
    finally:
        _folder.reset(before)


def forget(home: Path, key: str) -> None:
    """The result is stored: its batches are needed no more."""
    shutil.rmtree(Path(home) / FOLDER / key, ignore_errors=True)


class Unfinished:
    """The batches made so far, in their order. Without a file (None) nothing is kept."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._blocks = list(_read(path)) if path is not None else []

    def taken(self) -> list[np.ndarray]:
        """What earlier attempts finished: rows x d float32 of each batch."""
        return self._blocks

    def add(self, block: np.ndarray) -> None:
        """Keep one more batch. Raises StoreError where the disk refuses."""
        if self._path is None:
            return
        block = np.ascontiguousarray(block, dtype="<f4")
        content = block.tobytes()
        record = _HEAD.pack(*block.shape, zlib.crc32(content)) + content
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with open(self._path, "ab") as file:
                file.write(record)
        except OSError as error:
            raise disk_error("keep the vectors made so far", self._path.parent, error) from error


def unfinished(*what: str) -> Unfinished:
    """The batches of this encoding. `what` names all that decides them besides the result's key
    (the order of the inputs, the size of a batch); other libraries begin anew as well."""
    folder = _folder.get()
    if folder is None:
        return Unfinished(None)
    told = "\0".join((*what, version("torch"), version("transformers")))
    return Unfinished(folder / f"{hashlib.sha256(told.encode()).hexdigest()[:32]}.part")


def _read(path: Path) -> Iterator[np.ndarray]:
    """The whole records of the file; what follows the last of them is cut off."""
    if not path.is_file():
        return
    whole = 0
    with open(path, "r+b") as file:
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            rows, width, checksum = _HEAD.unpack(head)
            if not 0 < width <= _WIDEST or rows > _WIDEST:
                break
            content = file.read(4 * rows * width)
            if len(content) < 4 * rows * width or zlib.crc32(content) != checksum:
                break
            whole = file.tell()
            yield np.frombuffer(content, dtype="<f4").reshape(rows, width)
        file.truncate(whole)
