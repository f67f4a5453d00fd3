"""Which encoding a text file is in, said when it is a guess."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

from explorer.dataset import Issue
from explorer.errors import InputError, ParameterError, Where
from explorer.load.content import shown
from explorer.load.options import Upload

_BLOCK = 1 << 20
_SAMPLE = 80


@dataclass(frozen=True)
class Encoding:
    """The encoding to open the file with, and what to say about it."""

    name: str
    issues: tuple[Issue, ...] = ()


@dataclass
class NulCount:
    """How many NUL characters were replaced, and on which line the first was."""

    count: int = 0
    first: int = 0

    def issues(self) -> tuple[Issue, ...]:
        """One line for the report, or none."""
        if not self.count:
            return ()
        return (Issue("warning", "NUL_REPLACED",
                      f"{self.count:,} NUL characters were replaced by U+FFFD, the first on line "
                      f"{self.first}.", self.count, (self.first,)),)


def find_encoding(upload: Upload, asked: str) -> Encoding:
    """The encoding of a text file: the one asked for when the file obeys it, else UTF-8, UTF-16 by
    its mark, else cp1252 with a warning that names the first line and shows it.

    Raises InputError ENCODING and ParameterError BAD_ENCODING.
    """
    if asked != "auto":
        name = _known(asked)
        if codecs.lookup(name).name == "utf-8":
            name = "utf-8-sig"  # the same, and a byte order mark is not part of the first cell
        broken = _first_error(upload, name)
        if broken is not None:
            raise InputError("ENCODING", f"{upload.name} must be {asked} text, got bytes that are "
                                         f"not, first {shown(_sample(upload, broken))}.",
                             Where(file=upload.name, row=_line_of(upload, broken), byte=broken),
                             "Choose another encoding, or 'auto'.")
        return Encoding(name)
    with open(upload.path, "rb") as file:
        head = file.read(4096)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _marked(upload, "utf-16")
    if head.count(0) > len(head) // 4:
        guess = "utf-16-be" if head[:1] == b"\0" else "utf-16-le"
        if _first_error(upload, guess) is None:
            return Encoding(guess, (Issue("warning", "ENCODING_GUESSED",
                                          f"{upload.name} looks like UTF-16 without its mark."),))
    name = "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else "utf-8"
    broken = _first_error(upload, name)
    if broken is None:
        return Encoding(name)
    name = "cp1252" if _first_error(upload, "cp1252") is None else "latin-1"
    line = _line_of(upload, broken)
    return Encoding(name, (Issue(
        "warning", "ENCODING_GUESSED",
        f"{upload.name} is not UTF-8 from line {line} on and was read as {name}: "
        f"{shown(_sample(upload, broken, name), 100)}. Choose another encoding if that looks "
        "wrong.", 1, (line,)),))


def open_text(upload: Upload, encoding: str) -> TextIO:
    """The file as text with its line ends untouched."""
    return open(upload.path, encoding=encoding, newline="")


def lines_of(file: TextIO, nuls: NulCount) -> Iterator[str]:
    """Physical lines with their ends, NUL replaced and counted."""
    for number, line in enumerate(file, 1):
        if "\0" in line:
            nuls.first = nuls.first or number
            nuls.count += line.count("\0")
            line = line.replace("\0", "\ufffd")
        yield line


def _known(name: str) -> str:
    try:
        codecs.lookup(name)
        "".encode(name)
    except (LookupError, UnicodeError):
        raise ParameterError("BAD_ENCODING", "encoding must be one Python knows (utf-8, cp1252, "
                                             f"utf-16 ...), got {name[:40]!r}.",
                             Where(parameter="encoding")) from None
    return name


def _marked(upload: Upload, name: str) -> Encoding:
    broken = _first_error(upload, name)
    if broken is not None:
        raise InputError("ENCODING", f"{upload.name} must be UTF-16 text as its first bytes say, "
                                     f"got a broken character at byte {broken}.",
                         Where(file=upload.name, byte=broken), "The file is cut off or damaged.")
    return Encoding(name)


def _first_error(upload: Upload, encoding: str) -> int | None:
    decoder = codecs.getincrementaldecoder(encoding)()
    done = 0
    with open(upload.path, "rb") as file:
        while True:
            block = file.read(_BLOCK)
            waiting = len(decoder.getstate()[0])
            try:
                decoder.decode(block, final=not block)
            except UnicodeError as error:
                return max(0, done - waiting + int(getattr(error, "start", 0)))
            if not block:
                return None
            done += len(block)


def _line_of(upload: Upload, byte: int) -> int:
    line, left, last = 1, byte, b""
    with open(upload.path, "rb") as file:
        while left > 0:
            block = file.read(min(_BLOCK, left))
            left -= len(block)
            line += block.count(b"\n") + block.count(b"\r") - block.count(b"\r\n")
            line -= last == b"\r" and block[:1] == b"\n"
            last = block[-1:]
    return line


def _sample(upload: Upload, byte: int, encoding: str = "latin-1") -> str:
    with open(upload.path, "rb") as file:
        file.seek(max(0, byte - _SAMPLE // 2))
        data = file.read(_SAMPLE)
    before = data[:min(byte, _SAMPLE // 2)]
    start = max(before.rfind(b"\n"), before.rfind(b"\r")) + 1
    return data[start:].decode(encoding, errors="replace").splitlines()[0]
