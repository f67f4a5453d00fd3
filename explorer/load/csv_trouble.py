"""Where exactly a quoted cell went wrong: the csv module only says that it did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from explorer.load.limits import MAX_CELL_CHARACTERS


@dataclass(frozen=True)
class Trouble:
    """`opened` is the line where the cell began, `line` where it broke, `column` counts from 0."""

    kind: Literal["UNCLOSED_QUOTE", "BAD_QUOTE", "CELL_TOO_LONG"]
    opened: int
    line: int
    column: int


def find_trouble(lines: Iterator[str], start: int, sign: str) -> Trouble | None:
    """The first broken cell of the record that begins with the next of `lines`, line `start`.

    None when the record is sound. Quoting as in RFC 4180: a quote opens a cell only at its start
    and is doubled inside.
    """
    column, line, at = 0, start, 0
    text = next(lines, "")
    while True:
        if text[at:at + 1] != '"':
            end = text.find(sign, at)
            length = (end if end >= 0 else len(text)) - at
            if length > MAX_CELL_CHARACTERS:
                return Trouble("CELL_TOO_LONG", line, line, column)
            if end < 0:
                return None
            at, column = end + 1, column + 1
            continue
        opened, length, at = line, 0, at + 1
        while True:
            end = text.find('"', at)
            if end < 0:
                length += len(text) - at
                text, at, line = next(lines, ""), 0, line + 1
                if not text:
                    return Trouble("UNCLOSED_QUOTE", opened, line - 1, column)
            elif text[end + 1:end + 2] == '"':
                length, at = length + end + 1 - at, end + 2
            else:
                length, at = length + end - at, end + 1
                break
        after = text[at:at + 1]
        if after not in ("", sign, "\r", "\n"):
            kind: Literal["UNCLOSED_QUOTE", "BAD_QUOTE"]
            kind = "UNCLOSED_QUOTE" if line > opened else "BAD_QUOTE"
            return Trouble(kind, opened, line, column)
        if length > MAX_CELL_CHARACTERS:
            return Trouble("CELL_TOO_LONG", opened, line, column)
        if after != sign:
            return None
        at, column = at + 1, column + 1
