"""Zip archives before they are trusted: counts, sizes, overlaps; and reading with a budget."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Sequence
from itertools import pairwise

from explorer.errors import InputError, Where
from explorer.load.limits import (
    MAX_DIRECTORY_BYTES,
    MAX_ENTRIES,
    MAX_ENTRY_BYTES,
    MAX_UNPACKED_BYTES,
)
from explorer.load.options import Upload

_END, _END_BYTES = b"PK\x05\x06", 22
_END64, _END64_BYTES = b"PK\x06\x06", 56
_LOCATOR, _LOCATOR_BYTES = b"PK\x06\x07", 20
_MAX_COMMENT = 65_535
_LOCAL_HEADER_BYTES = 30
_UTF8_FLAG = 0x800
_BLOCK = 1 << 20
BROKEN = (zipfile.BadZipFile, RuntimeError, EOFError, zlib.error, OSError, UnicodeDecodeError,
          ValueError, struct.error)
"""What reading an entry may raise; encryption and unknown methods are RuntimeErrors."""


class EntryTooLarge(Exception):
    """An entry holds more bytes than allowed; the declared size does not matter."""


class Budget:
    """Bytes that may still be unpacked from one archive."""

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self._left = MAX_UNPACKED_BYTES

    def spend(self, count: int) -> None:
        """Take `count` bytes, or InputError TOO_LARGE."""
        self._left -= count
        if self._left < 0:
            raise InputError("TOO_LARGE", f"{self._upload.name} must unpack to at most "
                                          f"{MAX_UNPACKED_BYTES:,} bytes, got more.",
                             Where(file=self._upload.name), "Upload it in parts.")


def check_zip(upload: Upload) -> list[zipfile.ZipInfo]:
    """The entries, once the archive's own claims hold.

    Raises InputError TRUNCATED, TOO_MANY_ENTRIES, OVERLAPPING_ENTRIES.
    """
    _check_end(upload)
    try:
        with zipfile.ZipFile(upload.path) as archive:
            entries = archive.infolist()
    except BROKEN as error:
        raise _truncated(upload, str(error)[:100]) from None
    if len(entries) > MAX_ENTRIES:
        raise _too_many(upload, len(entries))
    _check_overlaps(upload, entries)
    return entries


def is_folder(entry: zipfile.ZipInfo) -> bool:
    """Whether it is a folder; an entry without a name (ZipInfo.is_dir fails on it) is none."""
    return entry.filename.endswith("/")


def check_unpacked_size(upload: Upload, entries: Sequence[zipfile.ZipInfo]) -> None:
    """InputError TOO_LARGE when the entries declare more than may be unpacked."""
    Budget(upload).spend(sum(entry.file_size for entry in entries))


def read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: Budget) -> bytes:
    """The bytes of an entry, counted as they come. Raises EntryTooLarge, InputError TOO_LARGE or
    one of BROKEN."""
    if entry.file_size > MAX_ENTRY_BYTES:
        raise EntryTooLarge
    parts, size = [], 0
    with archive.open(entry) as file:
        while block := file.read(_BLOCK):
            size += len(block)
            if size > MAX_ENTRY_BYTES:
                raise EntryTooLarge
            budget.spend(len(block))
            parts.append(block)
    return b"".join(parts)


def _check_end(upload: Upload) -> None:
    """The entry count and the directory size from the end record, before the directory is read:
    opening 200,000 entries costs 250 MB."""
    size = upload.bytes
    with open(upload.path, "rb") as file:
        start = max(0, size - _END_BYTES - _MAX_COMMENT)
        file.seek(start)
        tail = file.read()
        at = tail.rfind(_END)
        if at < 0 or len(tail) - at < _END_BYTES:
            raise _truncated(upload, "no end record")
        count, directory = struct.unpack("<HI", tail[at + 10:at + 16])
        locator = tail[max(0, at - _LOCATOR_BYTES):at]
        if locator.startswith(_LOCATOR) and len(locator) == _LOCATOR_BYTES:
            file.seek(min(size, struct.unpack("<Q", locator[8:16])[0]))
            end = file.read(_END64_BYTES)
            if len(end) < _END64_BYTES or not end.startswith(_END64):
                raise _truncated(upload, "no 64-bit end record")
            count, directory = struct.unpack("<QQ", end[32:48])
    if count > MAX_ENTRIES or directory > MAX_DIRECTORY_BYTES:
        raise _too_many(upload, count)


def _check_overlaps(upload: Upload, entries: Sequence[zipfile.ZipInfo]) -> None:
    ordered = sorted(entries, key=lambda entry: entry.header_offset)
    for entry, following in pairwise(ordered):
        encoding = "utf-8" if entry.flag_bits & _UTF8_FLAG else "cp437"
        name = len(entry.orig_filename.encode(encoding, "replace"))
        end = entry.header_offset + _LOCAL_HEADER_BYTES + name + entry.compress_size
        if end > following.header_offset:
            raise InputError("OVERLAPPING_ENTRIES",
                             f"The entries of {upload.name} must lie one after the other, got two "
                             "that share bytes.",
                             Where(file=upload.name, entry=following.filename),
                             "This archive was made to unpack to far more than it holds.")


def _truncated(upload: Upload, reason: str) -> InputError:
    return InputError("TRUNCATED", f"{upload.name} must be a whole zip archive, got {reason} in "
                                   f"{upload.bytes:,} bytes.", Where(file=upload.name),
                      "The file is cut off or damaged: copy it again.")


def _too_many(upload: Upload, count: int) -> InputError:
    return InputError("TOO_MANY_ENTRIES", f"{upload.name} must have at most {MAX_ENTRIES:,} "
                                          f"entries, got {count:,}.", Where(file=upload.name),
                      "Upload it in parts.")
