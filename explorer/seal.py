"""Checksums of what is ours, so that damage is found before it is believed."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_HEAD = b'{"seal": "'
_HEX = 64
_UNSEALED_KEYS = {"key", "files", "meta", "written"}
"""What a manifest of the versions without a seal holds, and nothing else."""


def seal_json(plain: Mapping[str, Any]) -> bytes:
    """`plain` (not empty) as JSON whose first field is the sha256 of every byte after it."""
    body = b'",' + json.dumps(plain, allow_nan=False, indent=1).encode()[1:]
    return _HEAD + hashlib.sha256(body).hexdigest().encode() + body


def open_sealed(data: bytes) -> dict[str, Any]:
    """The inverse of `seal_json`. Raises ValueError where a byte is not what was written."""
    plain = json.loads(data)
    if not data.startswith(_HEAD):
        if set(plain) != _UNSEALED_KEYS:
            raise ValueError("no seal")
        return dict(plain)
    digest, body = data[len(_HEAD):len(_HEAD) + _HEX], data[len(_HEAD) + _HEX:]
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise ValueError("the seal is broken")
    return {name: value for name, value in plain.items() if name != "seal"}


def digest_of(path: Path) -> str:
    """The sha256 of a file's bytes. Raises OSError, also where `path` is a link."""
    try:
        return _digest(path)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return _digest(path)  # a disk may stumble once; twice, and the file is lost


def _digest(path: Path) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seal_row(*values: object) -> str:
    """The sha256 of the values of a database row, of their types and order."""
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()
