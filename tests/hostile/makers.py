"""How the hostile files are written, byte by byte where a library would refuse to."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


def parquet(rows: pa.Table | None = None) -> bytes:
    out = io.BytesIO()
    pq.write_table(rows if rows is not None else pa.table({"a": list(range(1000))}), out)
    return out.getvalue()


def many_rows() -> bytes:
    out = io.BytesIO()
    table = pa.table({"a": pa.array(np.zeros(2_000_000, dtype=np.int8))})
    with pq.ParquetWriter(out, table.schema, compression="zstd") as writer:
        for _ in range(3):
            writer.write_table(table)
    return out.getvalue()


def lying_footer() -> bytes:
    data = parquet()
    return data[:-8] + struct.pack("<I", 2**31) + b"PAR1"


def npy(array: np.ndarray, **options: bool) -> bytes:
    out = io.BytesIO()
    np.save(out, array, **options)
    return out.getvalue()


def npy_header(text: str, body: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    width = "<H" if version[0] == 1 else "<I"
    return b"\x93NUMPY" + version + struct.pack(width, len(text)) + text.encode() + body


def claim(shape: tuple[int, ...], body: bytes = b"", descr: str = "<f4") -> bytes:
    return npy_header(repr({"descr": descr, "fortran_order": False, "shape": shape}), body)


def objects() -> np.ndarray:
    return np.array([[1, "x"], [2, None]], dtype=object)


def archive(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as target:
        for name, data in files:
            target.writestr(name, data)
    return out.getvalue()


def npz_bomb() -> bytes:
    """4 GB of zeros, honestly declared, without ever holding them."""
    out = io.BytesIO()
    header = claim((1_000_000, 1000))
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target, \
            target.open("a.npy", "w", force_zip64=True) as member:
        member.write(header)
        member.write(bytes(1_000_000))
    data = bytearray(out.getvalue())
    at = data.rfind(b"PK\x01\x02")
    data[at + 24:at + 28] = struct.pack("<I", len(header) + 4_000_000_000)
    return bytes(data)


def bad_checksum(name: str, content: bytes) -> bytes:
    data = bytearray(archive((name, content), method=zipfile.ZIP_STORED))
    at = data.find(content) + len(content) - 3
    data[at] ^= 0xFF
    return bytes(data)


def overlapping() -> bytes:
    """Two directory entries that point at the same bytes."""
    data = archive(("a.png", b"x" * 5000), method=zipfile.ZIP_STORED)
    start, end = data.find(b"PK\x01\x02"), data.find(b"PK\x05\x06")
    entry = data[start:end]
    twin = entry.replace(b"a.png", b"b.png")
    tail = bytearray(data[end:])
    tail[8:12] = struct.pack("<HH", 2, 2)
    tail[12:16] = struct.pack("<I", 2 * len(entry))
    return data[:end] + twin + bytes(tail)


def claims_entries(count: int) -> bytes:
    data = bytearray(archive(("a.png", b"x")))
    at = data.rfind(b"PK\x05\x06")
    data[at + 8:at + 12] = struct.pack("<HH", count, count)
    return bytes(data)


def encrypted() -> bytes:
    data = bytearray(archive(("a.png", b"x" * 100)))
    data[6] |= 1
    data[data.find(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))

    size = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size)
            + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b""))


def repeats() -> bytes:
    """2.4 GB in memory out of one repeated value, in columns and rows that are both allowed."""
    column = pa.array(np.zeros(300_000, dtype=np.int64))
    return parquet(pa.table({f"c{i}": column for i in range(1000)}))


def claims_bytes() -> bytes:
    """A small file whose footer tells of 8 GB in its row group."""
    def number(value: int) -> bytes:  # Thrift's compact form: zigzag, seven bits a byte
        value, out = 2 * value, b""
        while value > 127:
            value, out = value >> 7, out + bytes([value & 127 | 128])
        return out + bytes([value])

    data = parquet()
    group = pq.ParquetFile(io.BytesIO(data)).metadata.row_group(0)
    told = b"\x16" + number(group.total_byte_size) + b"\x16" + number(group.num_rows)
    lie = b"\x16" + number(8_000_000_000) + b"\x16" + number(group.num_rows)
    assert data.count(told) == 1
    length = int.from_bytes(data[-8:-4], "little") + len(lie) - len(told)
    return data[:-8].replace(told, lie) + struct.pack("<I", length) + b"PAR1"


def declares(file: tuple[str, bytes], size: int) -> bytes:
    """An archive whose directory says the one entry has `size` bytes."""
    data = bytearray(archive(file))
    at = data.rfind(b"PK\x01\x02")
    data[at + 24:at + 28] = struct.pack("<I", size)
    return bytes(data)


def rotten(count: int) -> bytes:
    """Entries whose checksums are all wrong."""
    data = bytearray(archive(*((f"{i}.png", b"content") for i in range(count)),
                             method=zipfile.ZIP_STORED))
    at = data.find(b"content")
    while at >= 0:
        data[at] ^= 0xFF
        at = data.find(b"content", at)
    return bytes(data)


def many_folders(count: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        for i in range(count):
            target.writestr(f"{i}/", b"")
    return out.getvalue()


def half_jpeg() -> bytes:
    from PIL import Image

    out = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(out, "JPEG")
    return out.getvalue()[:len(out.getvalue()) // 2]


def text_chunk(size: int) -> bytes:
    """A sound picture with a compressed note of `size` characters."""
    from PIL import Image, PngImagePlugin

    note = PngImagePlugin.PngInfo()
    note.add_text("note", "x" * size, zip=True)
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG", pnginfo=note)
    return out.getvalue()


def workbook_with(edit: Callable[[str], str]) -> bytes:
    """A workbook of one text cell with its sheet changed."""
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(["head"])
    book.active.append(["word"])
    made, out = io.BytesIO(), io.BytesIO()
    book.save(made)
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            data = source.read(name)
            if name == "xl/worksheets/sheet1.xml":
                data = edit(data.decode()).encode()
            target.writestr(name, data)
    return out.getvalue()


def laughing() -> bytes:
    """Entities of entities: a billion words out of a kilobyte."""
    entities = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 10))
    head = f'<!DOCTYPE worksheet [<!ENTITY e0 "lol">{entities}]>'
    return workbook_with(lambda text: head + text[text.find("<worksheet"):].replace("word", "&e9;"))


def outer_entity() -> bytes:
    """An entity that stands for a file of the machine."""
    head = '<!DOCTYPE worksheet [<!ENTITY secret SYSTEM "file:///etc/passwd">]>'
    return workbook_with(
        lambda text: head + text[text.find("<worksheet"):].replace("word", "&secret;"))


def empty_workbook() -> bytes:
    import openpyxl

    out = io.BytesIO()
    openpyxl.Workbook().save(out)
    return out.getvalue()


class Canary:
    """Unpickling it would create the file."""

    def __reduce__(self) -> tuple[object, ...]:
        return (open, ("canary-was-here", "w"))


def text(content: str) -> Callable[[], bytes]:
    return content.encode


def lines(*rows: object) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()
