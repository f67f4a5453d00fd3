"""Broken files without end: mutant number i of a seed is always the same file."""

from __future__ import annotations

import io
import random
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from tests.hostile.corpus import CASES
from tests.hostile.seeds import SEEDS

_LARGEST = 300_000
_LARGE = {"C23", "C23b", "C23c", "J03b", "J-cell", "P-cell", "P05", "P05d", "N-rows", "Z13b"}
"""Cases that take long to write; their faults are those of size."""
_TOKENS = (b'"', b"\n", b"\r", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"[" * 300, b"{", b"}", b",",
           b";", b"1e400", b"nan", b"-", b"\\ud800", b"9" * 400, b"PK\x01\x02", b"PK\x05\x06",
           b"PAR1", b"\x93NUMPY", b"<!ENTITY a 'b'>", b"IDAT", b"\xff\xd8", b"\x80\x04.", b"../../")
_NUMBERS = (0, 1, 2, 7, 127, 128, 255, 256, 32767, 65535, 65536, 2**24, 2**31 - 1, 2**31, 2**32 - 1,
            2**40, 2**63 - 1, 2**63, 2**64 - 1)
_ENDINGS = ("csv", "tsv", "txt", "json", "jsonl", "parquet", "xlsx", "npy", "npz", "zip", "png",
            "jpg", "tiff", "webp", "gif", "bmp", "")


@dataclass(frozen=True)
class Mutant:
    """A file, the name it is uploaded under, and how it is to be read."""

    name: str
    data: bytes
    options: dict[str, object]


@cache
def parents() -> dict[str, bytes]:
    """Sound files of every format and the hostile ones, as far as they are small."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = {case.name: case.make() for case in CASES if case.id not in _LARGE}
        made |= {name: make() for name, make in SEEDS.items()}
    return {name: data for name, data in made.items() if len(data) <= _LARGEST}


def mutant(seed: int, number: int) -> Mutant:
    """The same for the same seed and number."""
    draw = random.Random(f"{seed}:{number}")
    files = parents()
    # Half of the time a sound file: in the hostile ones the first fault hides what comes after it.
    name = draw.choice(sorted(SEEDS if draw.random() < 0.7 else files))
    data = files[name]
    for _ in range(draw.choice((1, 1, 1, 2, 3, 5))):
        data = draw.choice(_CHANGES)(draw, data)
    if draw.random() < 0.05:
        name = f"{name.rsplit('.', 1)[0]}.{draw.choice(_ENDINGS)}"
    return Mutant(name, data[:2 * _LARGEST], _options(draw))


def _options(draw: random.Random) -> dict[str, object]:
    if draw.random() < 0.7:
        return {}
    return {"header": draw.choice(("auto", "yes", "no")),
            "delimiter": draw.choice(("auto", ",", ";", "tab", "|")),
            "encoding": draw.choice(("auto", "utf-8", "cp1252", "latin-1", "utf-16")),
            "skip_bad_rows": draw.random() < 0.5,
            "array": draw.choice((None, None, "vectors", "second"))}


def _flip(draw: random.Random, data: bytes) -> bytes:
    if not data:
        return data
    changed = bytearray(data)
    for _ in range(draw.choice((1, 1, 3, 20))):
        changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def _set(draw: random.Random, data: bytes) -> bytes:
    if not data:
        return data
    changed = bytearray(data)
    changed[draw.randrange(len(changed))] = draw.choice((0, 1, 32, 34, 127, 128, 255))
    return bytes(changed)


def _cut(draw: random.Random, data: bytes) -> bytes:
    at = draw.randint(0, len(data))
    return draw.choice((data[:at], data[at:], data[:-1], data[:max(0, len(data) - 20)]))


def _remove(draw: random.Random, data: bytes) -> bytes:
    start, end = _span(draw, data)
    return data[:start] + data[end:]


def _repeat(draw: random.Random, data: bytes) -> bytes:
    start, end = _span(draw, data)
    return data[:end] + data[start:end] * draw.choice((1, 2, 50)) + data[end:]


def _insert(draw: random.Random, data: bytes) -> bytes:
    at = draw.randint(0, len(data))
    token = draw.choice(_TOKENS) if draw.random() < 0.7 else draw.randbytes(draw.randint(1, 40))
    return data[:at] + token + data[at:]


def _number(draw: random.Random, data: bytes) -> bytes:
    """A length, an offset, a count: somewhere a number that lies."""
    form = draw.choice(("<H", ">H", "<I", ">I", "<Q", ">Q"))
    size = struct.calcsize(form)
    if len(data) < size:
        return data
    # Headers and footers hold the lengths: look there more often.
    near = draw.choice((len(data), min(len(data), 200)))
    at = draw.randrange(near - size + 1) if near >= size else 0
    at = len(data) - size - at if draw.random() < 0.3 else at
    value = draw.choice(_NUMBERS) % 2**(8 * size)
    return data[:at] + struct.pack(form, value) + data[at + size:]


def _splice(draw: random.Random, data: bytes) -> bytes:
    other = draw.choice(sorted(parents().items()))[1]
    return data[:draw.randint(0, len(data))] + other[draw.randint(0, len(other)):]


def _inside(draw: random.Random, data: bytes) -> bytes:
    """A change behind the checksum: in a member of a zip, in a chunk of a PNG."""
    if data.startswith(b"\x89PNG"):
        return _png_chunk(draw, data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as source:
            members = [(name, source.read(name)) for name in source.namelist()]
    except (zipfile.BadZipFile, RuntimeError, OSError, ValueError, EOFError, zlib.error, KeyError,
            NotImplementedError, struct.error):
        return _flip(draw, data)
    if not members or sum(len(content) for _, content in members) > 4 * _LARGEST:
        return _flip(draw, data)
    chosen = draw.randrange(len(members))
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        warnings.simplefilter("ignore")
        for number, (name, content) in enumerate(members):
            changed = draw.choice(_PLAIN)(draw, content) if number == chosen else content
            target.writestr(name or "empty", changed)
    return out.getvalue()


def _png_chunk(draw: random.Random, data: bytes) -> bytes:
    chunks, at = [], 8
    while at + 12 <= len(data) and len(chunks) < 100:
        length = int.from_bytes(data[at:at + 4], "big")
        chunks.append((data[at + 4:at + 8], data[at + 8:at + 8 + length]))
        at += 12 + length
    if not chunks:
        return _flip(draw, data)
    chosen = draw.randrange(len(chunks))
    kind, body = chunks[chosen]
    if kind == b"IDAT" and draw.random() < 0.7:
        try:
            body = zlib.compress(draw.choice(_PLAIN)(draw, zlib.decompress(body)))
        except zlib.error:
            body = _flip(draw, body)
    else:
        body = draw.choice(_PLAIN)(draw, body)
    chunks[chosen] = (kind, body)
    return data[:8] + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks)


def _span(draw: random.Random, data: bytes) -> tuple[int, int]:
    start = draw.randint(0, len(data))
    return start, min(len(data), start + draw.choice((1, 4, 20, 200)))


_PLAIN: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    _flip, _flip, _set, _cut, _remove, _repeat, _insert, _number, _number)
_CHANGES = (*_PLAIN, _splice, _inside, _inside)
