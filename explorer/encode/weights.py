"""The header of a safetensors file, held against the file before any library reads it.

Format: https://github.com/huggingface/safetensors#format: 8 bytes with the length of the header
(little endian), the header as JSON, then the numbers of all tensors without holes.
"""

from __future__ import annotations

import json
from math import prod
from pathlib import Path
from typing import Any

from explorer.errors import DataError, Where

_LARGEST_HEADER = 25_000_000
_BYTES = {"BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "U16": 2, "I16": 2, "F16": 2,
          "BF16": 2, "U32": 4, "I32": 4, "F32": 4, "U64": 8, "I64": 8, "F64": 8}


def check_weights(name: str, path: Path) -> None:
    """Refuse a file whose header lies: too long, no JSON, tensors that overlap, leave holes, or
    end outside the file. Raises DataError MODEL_DAMAGED."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        most = min(max(size - 8, 0), _LARGEST_HEADER)
        if size < 8 or length > most:
            raise _damaged(name, path, f"a header of at most {most:,} bytes", f"one of {length:,}")
        text = file.read(length)
    try:
        header = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise _damaged(name, path, "a header in JSON, each tensor once", "something else"
                       ) from error
    if not isinstance(header, dict):
        raise _damaged(name, path, "a header that lists tensors", type(header).__name__)
    spans = sorted(_span(name, path, key, entry) for key, entry in header.items()
                   if key != "__metadata__")
    end = 0
    for start, stop in spans:
        if start != end:
            raise _damaged(name, path, "tensors one after the other, without overlap or hole",
                           f"one that starts at byte {start:,} where {end:,} was due")
        end = stop
    if end != size - 8 - length:
        raise _damaged(name, path, f"{end:,} bytes of numbers", f"{size - 8 - length:,}")


def _span(name: str, path: Path, key: str, entry: Any) -> tuple[int, int]:
    try:
        start, stop = entry["data_offsets"]
        shape, width = entry["shape"], _BYTES.get(entry["dtype"])
        whole = all(type(number) is int and number >= 0 for number in (start, stop, *shape))
    except (TypeError, KeyError, ValueError) as error:
        raise _damaged(name, path, "type, shape and place of every tensor",
                       f"{key[:80]!r} without") from error
    if not whole or stop < start or (width is not None and prod(shape) * width != stop - start):
        raise _damaged(name, path, "as many bytes for a tensor as its shape needs",
                       f"others for {key[:80]!r}")
    return start, stop


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name twice")
    return found


def _damaged(name: str, path: Path, allowed: str, given: str) -> DataError:
    return DataError("MODEL_DAMAGED", f"Weights must have {allowed}, got {given}.",
                     Where(file=name, entry=path.name, parameter="model"),
                     "Copy the model again or choose another one.")
