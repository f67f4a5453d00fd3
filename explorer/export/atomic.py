"""A file is there whole, or not at all."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from explorer.errors import StoreError, Where


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """An open binary file that becomes `path` when the block ends; on any error nothing stays.

    Raises StoreError DISK when the disk refuses.
    """
    part = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        with open(part, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        raise StoreError("DISK", f"Could not write {path.name}: {error.strerror or error}.",
                         Where(file=path.name),
                         "Free some space and export again; nothing else was changed.") from error
    finally:
        part.unlink(missing_ok=True)


def write_json(path: Path, data: dict[str, Any]) -> None:
    """`data` as indented UTF-8 JSON, atomically."""
    with writing(path) as file:
        file.write(to_json(data))


def to_json(data: dict[str, Any]) -> bytes:
    """The one form of a manifest: the same data gives the same bytes."""
    return json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False).encode()
