"""Sets of rows as short text: one bit a row, compressed, base64.

Saved selections, links and edits keep rows this way: a million rows are 125 kB of bits at most, and
a run of neighbours or a few rows far less.
"""

from __future__ import annotations

import binascii
import zlib
from base64 import b64decode, b64encode

import numpy as np

from explorer.errors import DataError

_LEVEL = 6


def pack_rows(rows: np.ndarray, n: int) -> str:
    """The text of a set of rows of `n`: `rows` are integers in [0, n), ascending, each once.

    The same rows of as many give the same text. Raises DataError BAD_ROWS.
    """
    rows = np.asarray(rows)
    if rows.ndim != 1 or (rows.size and not np.issubdtype(rows.dtype, np.integer)):
        raise _bad("a list of whole numbers", f"{rows.dtype} of shape {rows.shape}")
    if rows.size and (int(rows[0]) < 0 or int(rows[-1]) >= n or (np.diff(rows) <= 0).any()):
        raise _bad(f"ascending, each once, between 0 and {n - 1}",
                   f"{rows.size} from {rows.min()} to {rows.max()}")
    bits = np.zeros(n, dtype=bool)
    bits[rows.astype(np.int64)] = True
    packed = np.packbits(bits, bitorder="little").tobytes()
    return b64encode(zlib.compress(packed, _LEVEL)).decode("ascii")


def unpack_rows(text: str, n: int) -> np.ndarray:
    """The rows of a text of `pack_rows` for the same `n`: int64, ascending.

    Never holds more than n bits, whatever the text claims to unfold to. Raises DataError BAD_ROWS
    for a text of another number of rows, a damaged or a foreign one.
    """
    expected = (n + 7) // 8
    reader = zlib.decompressobj()
    try:
        packed = reader.decompress(b64decode(text.encode("ascii"), validate=True), expected + 1)
    except (ValueError, binascii.Error, zlib.error) as error:
        raise _bad("a packed set of rows", "a text that cannot be read") from error
    whole = reader.eof and not reader.unused_data
    if len(packed) != expected or not whole:
        raise _bad(f"packed for {n:,} rows", "a text of another number of rows")
    bits = np.unpackbits(np.frombuffer(packed, dtype=np.uint8), bitorder="little")
    if bits[n:].any():
        raise _bad(f"below {n:,}", "a row beyond the last")
    return np.flatnonzero(bits[:n]).astype(np.int64)


def _bad(allowed: str, given: str) -> DataError:
    return DataError("BAD_ROWS", f"The set of rows must be {allowed}, got {given}.",
                     hint="It was made for other data, or changed outside the app: choose the rows "
                          "again.")
