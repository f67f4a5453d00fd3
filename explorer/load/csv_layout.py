"""How a table in a text file is laid out: its delimiter, its header, its width."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from explorer.load.decode import NulCount, lines_of, open_text
from explorer.load.limits import MAX_CELL_CHARACTERS
from explorer.load.options import ReadOptions, Upload

Delimiter = Literal[",", ";", "tab", "|"]
SIGNS: dict[Delimiter, str] = {"tab": "\t", ";": ";", "|": "|", ",": ","}
"""In order of preference when two fit equally: a decimal comma makes the comma fit by accident."""

_SAMPLE_LINES = 300
_SAMPLE_ROWS = 100
_NO_LIMIT = 2**31 - 1
_TEXT_CHARACTERS = 40
_TEXT_WORDS = 6
_USUAL_NAMES = {"id", "key", "index", "name", "title", "text", "label", "class", "target", "topic",
                "category", "date"}


@dataclass(frozen=True)
class Layout:
    """`share` of the first rows have `width` cells."""

    delimiter: Delimiter
    header: bool
    width: int
    share: float


def find_layout(upload: Upload, encoding: str, options: ReadOptions) -> Layout:
    """The layout found in the first lines, or asked for by the options."""
    lines = _sample(upload, encoding)
    if options.delimiter != "auto":
        delimiter = options.delimiter
    else:
        delimiter = _best_delimiter(lines, upload.ending)
    rows = _parse(lines, delimiter)
    width, share = _width(rows)
    header = looks_like_header(rows) if options.header == "auto" else options.header == "yes"
    return Layout(delimiter, header, len(rows[0]) if header and rows else width, share)


def looks_like_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns: it does unless it looks like the rows below."""
    if not rows:
        return True
    first, below = rows[0], rows[1:]
    if not below:
        return not any(_is_number(cell) or _is_prose(cell) for cell in first)
    columns = [[row[i] for row in below if i < len(row) and row[i].strip()]
               for i in range(len(first))]
    numeric = [bool(cells) and sum(map(_is_number, cells)) >= 0.9 * len(cells)
               for cells in columns]
    if any(is_numeric and cell.strip() and not _is_number(cell)
           for cell, is_numeric in zip(first, numeric, strict=True)):
        return True
    if any(cell.strip().lower() in _USUAL_NAMES and cell not in cells
           for cell, cells in zip(first, columns, strict=True)):
        return True
    numbers = [cell.strip() for cell in first if _is_number(cell)]
    if numbers:  # pandas names unnamed columns 0, 1, 2 ...; everything else is data
        counted = [str(start + i) for start in (0, 1) for i in range(len(numbers))]
        return len(numbers) > 2 and numbers in (counted[:len(numbers)], counted[len(numbers):])
    if any(_is_prose(cell) for cell in first):
        return False
    return not any(cell.strip() and cell in cells
                   for cell, cells in zip(first, columns, strict=True))


def _best_delimiter(lines: Sequence[str], ending: str) -> Delimiter:
    best: Delimiter = "tab" if ending in ("tsv", "tab") else ","
    best_share, best_width = 0.0, 1
    for delimiter in SIGNS:
        rows = _parse(lines, delimiter)
        width, share = _width(rows)
        if width < 2 or len(rows[0]) < 2 or share < 0.5:
            continue
        better = share > best_share + 0.05
        if better or (share >= best_share and best_share < 1.0 and width > best_width):
            best, best_share, best_width = delimiter, share, width
    return best


def _sample(upload: Upload, encoding: str) -> list[str]:
    with open_text(upload, encoding) as file:
        return [line[:MAX_CELL_CHARACTERS]
                for line in islice(lines_of(file, NulCount()), _SAMPLE_LINES)]


def _parse(lines: Sequence[str], delimiter: Delimiter) -> list[list[str]]:
    csv.field_size_limit(_NO_LIMIT)
    rows = [row for row in islice(csv.reader(lines, delimiter=SIGNS[delimiter]), _SAMPLE_ROWS + 1)
            if row]
    # The sample may end inside a quoted cell.
    return rows[:-1] if len(lines) == _SAMPLE_LINES and 1 < len(rows) <= _SAMPLE_ROWS else rows


def _width(rows: Sequence[Sequence[str]]) -> tuple[int, float]:
    if not rows:
        return 0, 0.0
    width, count = Counter(map(len, rows)).most_common(1)[0]
    return width, count / len(rows)


def _is_number(cell: str) -> bool:
    text = cell.strip()
    if "_" in text or not text:
        return False
    try:
        float(text.replace(",", ".", 1))
    except ValueError:
        return False
    return True


def _is_prose(cell: str) -> bool:
    return len(cell) > _TEXT_CHARACTERS and len(cell.split()) > _TEXT_WORDS
