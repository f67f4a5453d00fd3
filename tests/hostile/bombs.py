"""Small files that unpack to huge ones, each through a real reader process, with the figures.

    python -m tests.hostile.bombs [--large]

Prints for each bomb its size, what it claims or unpacks to, how it ended, after how long, and how
much the memory of this process (it stands for the server) rose. `--large` adds those that are
stopped only by the memory limit or the clock.
"""

from __future__ import annotations

import argparse
import io
import shutil
import struct
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from explorer.errors import ExplorerError
from explorer.load import ReadOptions, Upload, read_files
from explorer.store import Store
from tests.hostile.makers import claim, laughing, npz_bomb, png_header, text_chunk

_BLOCK = bytes(1 << 20)


@dataclass(frozen=True)
class Bomb:
    """`unpacked` in bytes; `codes` are the ways it may end ('read' for a data set)."""

    name: str
    unpacked: int
    make: Callable[[], bytes]
    codes: tuple[str, ...]
    large: bool = False
    claim: bool = False
    """Whether the size is only told: no library would get so much out of it."""


@dataclass(frozen=True)
class Blast:
    """What came of one bomb: seconds to the refusal, and by how many bytes this process grew."""

    name: str
    size: int
    unpacked: int
    code: str
    seconds: float
    rise: int
    claim: bool

    @property
    def ratio(self) -> float:
        return self.unpacked / self.size


def zeros(name: str, size: int) -> bytes:
    """A zip with one honest entry of zeros."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target, \
            target.open(name, "w", force_zip64=True) as member:
        for _ in range(size >> 20):
            member.write(_BLOCK)
    return out.getvalue()


def overlapping_zeros(count: int, size: int) -> bytes:
    """`count` entries of the directory that are all the same bytes (CVE-2024-0450)."""
    data = zeros("0000.png", size)
    start, end = data.find(b"PK\x01\x02"), data.find(b"PK\x06\x06")
    end = end if end >= 0 else data.find(b"PK\x05\x06")
    entry = data[start:end]
    twins = b"".join(entry.replace(b"0000.png", b"%04d.png" % i) for i in range(count))
    tail = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count, count, len(twins), start, 0)
    return data[:start] + twins + tail


def repeated_columns(rows: int, columns: int) -> bytes:
    """One value, told once and repeated by run length."""
    table = pa.table({f"c{i}": pa.array(np.zeros(rows, dtype=np.int64)) for i in range(columns)})
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd", row_group_size=rows)
    return out.getvalue()


def blank_images(count: int, side: int) -> bytes:
    """Pictures as large as is allowed, blank."""
    picture = io.BytesIO()
    rows = zlib.compress(bytes((side // 8 + 1) * side), 9)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))

    picture.write(b"\x89PNG\r\n\x1a\n"
                  + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
                  + chunk(b"IDAT", rows) + chunk(b"IEND", b""))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for i in range(count):
            target.writestr(f"{i}.png", picture.getvalue())
    return out.getvalue()


BOMBS = (
    Bomb("overlap.zip", 1000 * (64 << 20), lambda: overlapping_zeros(1000, 64 << 20),
         ("OVERLAPPING_ENTRIES",)),
    Bomb("bomb.npz", 4_000_000_000, npz_bomb, ("SHAPE_LIES",), claim=True),
    Bomb("pebibyte.npy", 4 * 10**12 * 384, lambda: claim((10**12, 384), bytes(100)),
         ("SHAPE_LIES",), claim=True),
    Bomb("zeros.zip", 1 << 30, lambda: zeros("a.png", 1 << 30), ("NO_IMAGES",)),
    Bomb("zeros.xlsx", 1 << 30, lambda: zeros("xl/workbook.xml", 1 << 30), ("DAMAGED",
                                                                            "TOO_LARGE")),
    Bomb("laugh.xlsx", 3 * 10**9, laughing, ("DAMAGED",)),
    Bomb("pixels.png", 3 * 50_000**2, lambda: png_header(50_000, 50_000), ("NO_IMAGES",),
         claim=True),
    Bomb("note.png", 3_000_000, lambda: text_chunk(3_000_000), ("NO_IMAGES",)),
    Bomb("gzip.csv", 1 << 20, lambda: b"\x1f\x8b" + zlib.compress(_BLOCK, 9), ("COMPRESSED",)),
    Bomb("brackets.jsonl", 10_000_000, lambda: b"[" * 10_000_000, ("JSON_LINE",)),
    Bomb("columns.parquet", 8 * 5_000_000 * 200, lambda: repeated_columns(5_000_000, 200),
         ("TOO_LARGE",), large=True),
    Bomb("blank.zip", 60 * 7000**2, lambda: blank_images(60, 7000), ("TIME_LIMIT", "read"),
         large=True),
)


def explode(bomb: Bomb, home: Path) -> Blast:
    """Upload one; nothing of it may stay."""
    store = Store(home)
    data = bomb.make()
    path = home / "upload"
    path.write_bytes(data)
    size = len(data)
    del data
    process = psutil.Process()
    before = process.memory_info().rss
    highest = before

    def watch(fraction: float, text: str) -> None:
        nonlocal highest
        highest = max(highest, process.memory_info().rss)

    start = time.monotonic()
    try:
        read_files([Upload(bomb.name, path)], ReadOptions(), store, watch)
        code = "read"
    except ExplorerError as error:
        code = error.code
    seconds = time.monotonic() - start
    highest = max(highest, process.memory_info().rss)
    assert list((home / "tmp").iterdir()) == [], f"{bomb.name} left files behind"
    return Blast(bomb.name, size, bomb.unpacked, code, seconds, highest - before,
                 bomb.claim)


def main() -> int:
    """The command; 1 when one ended in another way than it should."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--large", action="store_true", help="also those that take a minute")
    given = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="bombs-"))
    blasts, wrong = [], []
    try:
        # The first start of a reader reads Python from the disk; that is no bomb's doing.
        explode(Bomb("warm.csv", 8, lambda: b"a,b\n1,x y\n", ("read",)), home)
        for bomb in BOMBS:
            if bomb.large and not given.large:
                continue
            blast = explode(bomb, home)
            blasts.append(blast)
            if blast.code not in bomb.codes:
                wrong.append(blast.name)
            print(f"{blast.name:16} {blast.size:>12,} B -> {blast.unpacked:>21,} B "
                  f"({blast.ratio:>16,.0f} : 1)  {blast.code:20} {blast.seconds:6.2f} s  "
                  f"parent {blast.rise / 2**20:+.1f} MiB", flush=True)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    real, told = (max(blast.ratio for blast in blasts if blast.claim is claimed)
                  for claimed in (False, True))
    slowest = max(blast.seconds for blast in blasts if blast.code != "read")
    print(f"bombs: {len(blasts)} tried, largest expansion {real:,.0f} : 1 (told only: "
          f"{told:,.0f} : 1), slowest refusal {slowest:.1f} s, parent's "
          f"memory at most +{max(b.rise for b in blasts) / 2**20:.1f} MiB; "
          f"wrong: {wrong or 'none'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
