"""The hostile files of HOSTILE.md 3.1 to 3.6, written by code: each with the refusal it must meet.

A case is refused with a code and a place; files that must be read are in test_accepted.py.
"""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

Where = dict[str, object]


@dataclass(frozen=True)
class Case:
    """`where` holds the places that must be named; the file is always one of them."""

    id: str
    name: str
    make: Callable[[], bytes]
    code: str
    where: Where = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.id}-{self.name}"


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


class Canary:
    """Unpickling it would create the file."""

    def __reduce__(self) -> tuple[object, ...]:
        return (open, ("canary-was-here", "w"))


def text(content: str) -> Callable[[], bytes]:
    return content.encode


def lines(*rows: object) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()


CASES = (
    Case("C01", "empty.csv", text(""), "EMPTY_FILE"),
    Case("C02", "header.csv", text("a,b\n"), "NO_ROWS"),
    Case("C05", "long.csv", text("a,b\n1,2\n1,2,3\n"), "ROW_LENGTH", {"row": 3}),
    Case("C05b", "all-long.csv", text("a,b\n1,2,3\n4,5,6\n"), "ROW_LENGTH", {"row": 2}),
    Case("C12", "quote.csv", text('a,b\n1,x\n2,"y\n3,z\n4,w\n'), "UNCLOSED_QUOTE", {"row": 3}),
    Case("C12b", "quote2.csv", text('a,b\n1,"x\n2,"y"\n3,z\n'), "UNCLOSED_QUOTE", {"row": 2}),
    Case("C12c", "quote3.csv", text('a,b\n1,"x" y\n'), "BAD_QUOTE", {"row": 2}),
    Case("C23", "cell.csv", text("a,b\n1,2\n1," + "x" * 1_000_001 + "\n"), "CELL_TOO_LONG",
         {"row": 3, "column": "column 2"}),
    Case("C23b", "cell2.csv", text('a,b\n"' + "x\n" * 600_000 + '",2\n'), "CELL_TOO_LONG",
         {"row": 2, "column": "column 1"}),
    Case("C24", "x.csv.gz", lambda: b"\x1f\x8b\x08" + bytes(100), "COMPRESSED"),
    Case("C24b", "x.csv", lambda: b"\x1f\x8b\x08" + bytes(100), "COMPRESSED"),
    Case("C25", "page.csv", text("<!DOCTYPE html>\n<html><body>404</body></html>"),
         "LOOKS_LIKE_HTML"),
    Case("C-bin", "noise.csv", lambda: np.random.default_rng(1).bytes(5000), "WRONG_FORMAT"),
    Case("C-cols", "wide.csv", text(",".join(f"c{i}" for i in range(2001)) + "\n" + "1," * 2000
                                    + "1\n"), "TOO_MANY_COLUMNS"),
    Case("C-blank", "blank.csv", text("\n\n\n"), "NO_ROWS"),
    Case("J01", "bad.jsonl", text('{"a": 1}\n{"a": 2}\n{"a": \n{"a": 4}\n'), "JSON_LINE",
         {"row": 3}),
    Case("J02", "deep.jsonl", text('{"a": 1}\n' + "[" * 100_000 + "]" * 100_000 + "\n"),
         "JSON_LINE", {"row": 2}),
    Case("J03", "digits.jsonl", text('{"a": 1}\n{"a": ' + "9" * 5000 + "}\n"), "JSON_LINE",
         {"row": 2}),
    Case("J06", "vectors.jsonl", lambda: lines({"v": [1, 2, 3]}, {"v": [4, 5, 6]}, {"v": [7, 8]}),
         "VECTOR_LENGTH", {"row": 3, "column": "v"}),
    Case("J08", "pretty.json", text('{\n "a": [1, 2],\n "b": 3\n}\n'), "JSON_LAYOUT"),
    Case("J-kind", "mixed.jsonl", text('{"a": 1}\n[1, 2]\n'), "JSON_LINE", {"row": 2}),
    Case("P01a", "half.parquet", lambda: parquet()[:len(parquet()) // 2], "TRUNCATED"),
    Case("P01b", "cut.parquet", lambda: parquet()[:-1], "TRUNCATED"),
    Case("P01c", "zero.parquet", text(""), "EMPTY_FILE"),
    Case("P01d", "magic.parquet", text("PAR1"), "TRUNCATED"),
    Case("P02", "lies.parquet", lying_footer, "TRUNCATED"),
    Case("P02b", "garbage.parquet", lambda: b"PAR1" + b"\xff" * 50 + struct.pack("<I", 40)
         + b"PAR1", "DAMAGED"),
    Case("P05", "rows.parquet", many_rows, "TOO_MANY_ROWS"),
    Case("P08", "none.parquet", lambda: parquet(pa.table({"a": pa.array([], pa.int8())})),
         "NO_ROWS"),
    Case("P-text", "text.parquet", text("a,b\n1,2\n"), "WRONG_FORMAT"),
    Case("P12", "secret.parquet", lambda: b"PARE" + bytes(50) + b"PARE", "ENCRYPTED"),
    Case("N01", "objects.npy", lambda: npy(objects(), allow_pickle=True), "PICKLED_ARRAY"),
    Case("N02", "cut.npy", lambda: npy(np.zeros((100, 100)))[:5000], "TRUNCATED"),
    Case("N03", "huge.npy", lambda: claim((10**9, 384), bytes(100)), "SHAPE_LIES"),
    Case("N03b", "pib.npy", lambda: claim((10**12, 384), bytes(100)), "SHAPE_LIES"),
    Case("N03c", "more.npy", lambda: npy(np.zeros((10, 3))) + b"tail", "SHAPE_LIES"),
    Case("N04", "negative.npy", lambda: claim((-5, 3), bytes(100)), "BAD_HEADER"),
    Case("N04b", "header.npy", lambda: b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1),
         "BAD_HEADER"),
    Case("N04c", "long.npy", lambda: npy_header(" " * 100_000, version=b"\x02\x00"), "BAD_HEADER"),
    Case("N04d", "code.npy", lambda: npy_header("__import__('os').system('true')"), "BAD_HEADER"),
    Case("N06", "pickle.npy", lambda: pickle.dumps(Canary()), "PICKLED_ARRAY"),
    Case("N07a", "complex.npy", lambda: npy(np.zeros((3, 2), complex)), "DTYPE"),
    Case("N07b", "text.npy", lambda: npy(np.array([["a", "b"]])), "DTYPE"),
    Case("N07c", "dates.npy", lambda: npy(np.zeros((3, 2), "M8[s]")), "DTYPE"),
    Case("N07d", "fields.npy", lambda: npy(np.zeros(3, [("a", "f4")])), "DTYPE"),
    Case("N08a", "scalar.npy", lambda: npy(np.array(5.0)), "NOT_A_MATRIX"),
    Case("N08b", "cube.npy", lambda: npy(np.zeros((3, 4, 5))), "NOT_A_MATRIX"),
    Case("N08c", "flat.npy", lambda: npy(np.zeros((5, 0))), "NOT_A_MATRIX"),
    Case("N08d", "none.npy", lambda: npy(np.zeros((0, 384))), "NO_ROWS"),
    Case("N-text", "text.npy", text("a,b\n1,2\n"), "WRONG_FORMAT"),
    Case("N14", "objects.npz", lambda: archive(("a.npy", npy(objects(), allow_pickle=True))),
         "PICKLED_ARRAY", {"entry": "a.npy"}),
    Case("N15", "bomb.npz", npz_bomb, "SHAPE_LIES", {"entry": "a.npy"}),
    Case("N16", "bytes.npz", lambda: archive(("a.bin", b"hello world")), "NOT_AN_ARRAY",
         {"entry": "a.bin"}),
    Case("N17", "none.npz", lambda: archive(("folder/", b"")), "NO_ARRAY"),
    Case("N19", "crc.npz", lambda: bad_checksum("a.npy", npy(np.ones((40, 3)))), "DAMAGED_ENTRY",
         {"entry": "a.npy"}),
    Case("Z03", "secret.zip", encrypted, "NO_IMAGES", {"entry": "a.png"}),
    Case("Z13", "many.zip", lambda: claims_entries(60_000), "TOO_MANY_ENTRIES"),
    Case("Z14", "nested.zip", lambda: archive(("a.zip", archive(("b.png", b"x")))), "NO_IMAGES",
         {"entry": "a.zip"}),
    Case("Z15a", "empty.zip", lambda: archive(), "NO_IMAGES"),
    Case("Z15b", "folders.zip", lambda: archive(("a/", b""), ("b/", b"")), "NO_IMAGES"),
    Case("Z17a", "cut.zip", lambda: archive(("a.png", b"x" * 1000))[:60], "TRUNCATED"),
    Case("Z17b", "noise.zip", lambda: b"PK\x03\x04" + np.random.default_rng(2).bytes(2000),
         "TRUNCATED"),
    Case("Z-overlap", "overlap.zip", overlapping, "OVERLAPPING_ENTRIES"),
    Case("I01", "huge.png", lambda: png_header(50_000, 50_000), "NO_IMAGES",
         {"entry": "huge.png"}),
    Case("I02", "large.png", lambda: png_header(12_000, 9_000), "NO_IMAGES",
         {"entry": "large.png"}),
    Case("I11a", "zero.png", text(""), "EMPTY_FILE"),
    Case("I11b", "text.png", text("I am no picture"), "NO_IMAGES", {"entry": "text.png"}),
    Case("I12", "x.svg", text('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
         "UNSUPPORTED"),
    Case("I12b", "x.png", text('<svg onload="alert(1)"/>'), "NO_IMAGES"),
    Case("I15", "x.heic", lambda: bytes(4) + b"ftypheic" + bytes(100), "UNSUPPORTED"),
    Case("M13", "model.pt", lambda: archive(("data.pkl", b"x")), "NO_IMAGES"),
    Case("M13b", "model.pkl", lambda: pickle.dumps([Canary()]), "PICKLED_ARRAY"),
    Case("X-old", "old.xls", lambda: b"\xd0\xcf\x11\xe0" + bytes(600), "UNSUPPORTED"),
    Case("X-zip", "not.xlsx", lambda: archive(("a.txt", b"hello")), "DAMAGED"),
    Case("X-cut", "cut.xlsx", lambda: archive(("a.txt", b"hello" * 100))[:70], "TRUNCATED"),
    Case("X-text", "text.xlsx", text("a,b\n1,2\n"), "WRONG_FORMAT"),
)
