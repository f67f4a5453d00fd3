"""What a file may be at most. Every number a refusal names stands here."""

from __future__ import annotations

import os
import re

from explorer.errors import ParameterError, Where

MAX_FILE_BYTES = 500_000_000
MAX_TOTAL_BYTES = 1_000_000_000
MAX_FILES = 10_000
MAX_ROWS = 5_000_000
MAX_COLUMNS = 2_000
MAX_CELL_CHARACTERS = 1_000_000
MAX_NAME_CHARACTERS = 1_000
"""Of a column: names stand on pages, in recipes and in every manifest."""
MAX_ENTRIES = 50_000
MAX_DIRECTORY_BYTES = 32_000_000
"""Of a zip's table of contents: the entry count in its end record can lie, this cannot."""
MAX_ENTRY_BYTES = 100_000_000
MAX_UNPACKED_BYTES = 2_000_000_000
MAX_IMAGE_PIXELS = 50_000_000
MAX_NPY_HEADER_BYTES = 65_536
MAX_RESULT_BYTES = 4_000_000_000
MAX_META_BYTES = 16_000_000
MAX_PLACES = 20
"""How many line numbers or entry names one line of the report holds."""
MAX_SKIPPED_LISTED = 1_000
MAX_OFFERED = 1_000
MAX_OFFERED_NAME = 300
"""How many names a refusal offers to choose from, and how long each may be."""
THUMBNAIL_SIDE = 96

READER_MEMORY_BYTES = 4 * 2**30
READER_CPU_SECONDS = 600
READER_WALL_SECONDS = 900

UPLOADS_BYTES = 20_000_000_000

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30}


def reader_memory() -> int:
    """Bytes of address space of the reader process: EXPLORER_READER_MEMORY ('4GiB', '512M' or
    bytes), else 4 GiB."""
    return _size_given("EXPLORER_READER_MEMORY", READER_MEMORY_BYTES)


def uploads_quota() -> int:
    """Bytes all kept uploads may have together: EXPLORER_UPLOADS_BYTES, else 20 GB."""
    return _size_given("EXPLORER_UPLOADS_BYTES", UPLOADS_BYTES)


def size_of(name: str, given: str) -> int:
    """'4GiB', '512M' or '1000' in bytes. Raises ParameterError BAD_MEMORY in the name of `name`."""
    match = re.fullmatch(r"(\d+)\s*([KMG]?)(?:i?B)?", given.strip(), re.IGNORECASE)
    if match is None:
        raise ParameterError("BAD_MEMORY", f"{name} must be a size such as 4GiB, got "
                                           f"{given[:40]!r}.", Where(parameter=name))
    return int(match[1]) * _UNITS[match[2].upper()]


def _size_given(name: str, default: int) -> int:
    given = os.environ.get(name, "")
    return size_of(name, given) if given else default
