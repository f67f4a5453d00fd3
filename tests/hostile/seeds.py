"""A small sound file of every format: what mutations start from and what must always be read."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Callable
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.hostile.makers import archive, npy

_WORDS = ("plain words", "naïve ☃", "a, b; c", 'quoted "x"', "two\nlines", "NA", "007", "")


def table(sign: str = ",", encoding: str = "utf-8", end: str = "\n") -> bytes:
    """Ids, numbers, a class and texts with every sign that needs quotes."""
    rows = [sign.join(("id", "amount", "class", "note"))]
    for i in range(24):
        note = _WORDS[i % len(_WORDS)].replace('"', '""')
        rows.append(sign.join((f"{i:03}", f"{i / 7:.4f}", "xy"[i % 2], f'"{note}"')))
    return end.join([*rows, ""]).encode(encoding)


def json_rows() -> list[dict[str, object]]:
    """Every kind of value, a missing key, a vector."""
    return [{"id": i, "text": _WORDS[i % len(_WORDS)], "v": [i / 3, 1.0, -2e-9], "ok": i % 2 == 0,
             **({"more": {"deep": [i]}} if i % 5 else {})} for i in range(12)]


def parquet(compression: str = "snappy") -> bytes:
    """Scalars, dates, vectors, dictionaries, nested and binary values, with and without nulls."""
    n = 40
    rows = pa.table({
        "id": pa.array(range(n), pa.int64()), "amount": pa.array([i / 7 for i in range(n)]),
        "text": pa.array([_WORDS[i % len(_WORDS)] if i % 6 else None for i in range(n)]),
        "class": pa.array([f"c{i % 3}" for i in range(n)]).dictionary_encode(),
        "v": pa.array([[i / 2, 1.0, 2.0] for i in range(n)], pa.list_(pa.float32())),
        "fixed": pa.array([[i, 1] for i in range(n)], pa.list_(pa.int16(), 2)),
        "day": pa.array([dt.date(2020, 1, 1 + i % 28) for i in range(n)]),
        "at": pa.array([dt.datetime(2020, 1, 1, i % 24) for i in range(n)], pa.timestamp("us")),
        "raw": pa.array([bytes([i]) for i in range(n)]),
        "deep": pa.array([{"a": i, "b": ["x"]} for i in range(n)])})
    out = io.BytesIO()
    pq.write_table(rows, out, compression=compression, row_group_size=25)
    return out.getvalue()


def workbook() -> bytes:
    """Two sheets with texts, numbers, dates, formulas and gaps."""
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["id", "amount", "note", "when", "sum"])
    for i in range(12):
        sheet.append([f"{i:03}", i / 7, _WORDS[i % len(_WORDS)], dt.datetime(2024, 1, 1 + i),
                      f"=B{i + 2}*2"])
    book.create_sheet("second").append(["a", 1, True, None, "z"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def picture(kind: str, mode: str = "RGB", size: tuple[int, int] = (31, 24)) -> bytes:
    """Noise with metadata, as that kind of image file."""
    from PIL import Image

    width, height = size
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a camera"
    out = io.BytesIO()
    options = {"exif": exif} if kind in ("JPEG", "PNG", "WEBP", "TIFF") else {}
    if kind == "TIFF":
        options = {"compression": "tiff_lzw"}
    Image.fromarray(pixels).convert(mode).save(out, kind, **options)
    return out.getvalue()


def animation(kind: str) -> bytes:
    """Four frames."""
    from PIL import Image

    frames = [Image.new("RGB", (12, 9), colour) for colour in ("red", "blue", "green", "white")]
    out = io.BytesIO()
    frames[0].save(out, kind, save_all=True, append_images=frames[1:])
    return out.getvalue()


def images() -> bytes:
    """A zip with a folder per class."""
    return archive(*((f"set/{name}/{i}.{kind.lower()}", picture(kind, size=(9, 7)))
                     for i, kind in enumerate(("PNG", "JPEG", "BMP")) for name in ("cat", "dog")))


def arrays(compressed: bool = False) -> bytes:
    """One matrix in an .npz."""
    out = io.BytesIO()
    save = np.savez_compressed if compressed else np.savez
    save(out, vectors=np.random.default_rng(1).normal(size=(20, 5)).astype(np.float32))
    return out.getvalue()


SEEDS: dict[str, Callable[[], bytes]] = {
    "comma.csv": table, "semicolon.csv": partial(table, ";"), "tab.tsv": partial(table, "\t"),
    "wide.csv": partial(table, encoding="utf-16"), "returns.csv": partial(table, end="\r\n"),
    "latin.csv": lambda: "a,b\ncafé,1\nthé,2\n".encode("cp1252"),
    "texts.txt": lambda: "\n".join(f"A line {i} of text, and more." for i in range(9)).encode(),
    "rows.jsonl": lambda: "\n".join(map(json.dumps, json_rows())).encode(),
    "rows.json": lambda: json.dumps(json_rows(), indent=1).encode(),
    "rows.parquet": parquet, "zstd.parquet": partial(parquet, "zstd"),
    "plain.parquet": partial(parquet, "none"),
    "book.xlsx": workbook,
    "f4.npy": lambda: npy(np.random.default_rng(2).normal(size=(12, 4)).astype("<f4")),
    "fortran.npy": lambda: npy(np.asfortranarray(np.arange(24.0).reshape(6, 4))),
    "numbers.npy": lambda: npy(np.arange(9)),
    "one.npz": arrays, "packed.npz": partial(arrays, True),
    "images.zip": images,
    **{f"a.{kind.lower()}": partial(picture, kind)
       for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")},
    "palette.png": partial(picture, "PNG", "P"), "grey16.png": partial(picture, "PNG", "I;16"),
    "cmyk.jpeg": partial(picture, "JPEG", "CMYK"), "float.tiff": partial(picture, "TIFF", "F"),
    "bits.tiff": partial(picture, "TIFF", "1"),
    "moving.gif": partial(animation, "GIF"), "moving.webp": partial(animation, "WEBP"),
}
