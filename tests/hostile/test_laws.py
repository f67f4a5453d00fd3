"""Law 1: what we write, we read back as it was. Law 7 for bytes made up on the spot."""

from __future__ import annotations

import io
import json
import math
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from explorer.dataset import Dataset, open_dataset
from explorer.errors import ExplorerError
from explorer.export.manifest import make_manifest
from explorer.export.rows import Export, write_csv, write_jsonl, write_parquet
from explorer.load import ReadOptions, Upload
from explorer.load.child import read
from explorer.load.read_files import adopt
from explorer.spec import silent
from explorer.store import Store

# Derandomized: the same examples in every run of CI.
LAW = settings(max_examples=40, deadline=None, derandomize=True,
               suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

TEXT = st.text(max_size=12) | st.sampled_from([
    "007", "1e5", "1_000", "NA", "null", "nan", "", " ", '"', '""', "a,b", "x\ry", "x\r\ny", "\n",
    "9007199254740993", "03/04/2025", "\ufeffx", "\u2028", "\x1b[31m", "\x85", "\x0b", "=1+1", "é",
    "e\u0301", "\u202eabc", "1,5", "TRUE"])
WHOLE = st.integers(-2**63, 2**63 - 1)
HUGE = st.integers(-2**70, 2**70)
REAL = st.floats(width=64)


@st.composite
def tables(draw: st.DrawFn) -> dict[str, list[Any]]:
    """Up to five columns of 1 to 8 rows: texts, whole numbers, huge ones, floats, yes and no."""
    n = draw(st.integers(1, 8))
    made: dict[str, list[Any]] = {}
    for number in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from([TEXT, WHOLE, HUGE, REAL, st.booleans()]))
        cell = st.none() | kind if draw(st.booleans()) else kind
        made[f"c{number}"] = draw(st.lists(cell, min_size=n, max_size=n))
    return made


def opened(folder: Path, name: str, data: bytes, **options: Any) -> Dataset:
    store = Store(folder / "store")
    (folder / "upload").write_bytes(data)
    work = store.new_folder()
    try:
        meta = read([Upload(name, folder / "upload")], ReadOptions(**options), work, silent)
        return open_dataset(store, adopt(store, work, meta))
    finally:
        shutil.rmtree(work, ignore_errors=True)


def same(left: Any, right: Any) -> bool:
    """Equal, NaN to NaN, a float only to a float of the same bits."""
    if isinstance(left, float) and isinstance(right, float):
        return np.float64(left).tobytes() == np.float64(right).tobytes() or (
            math.isnan(left) and math.isnan(right))
    return type(left) is type(right) and bool(left == right)


def written(dataset: Dataset, folder: Path, kind: str) -> bytes:
    rows = np.arange(dataset.n, dtype=np.int64)
    export = Export(dataset, rows, pa.table({}), make_manifest({}, dataset, dataset.n))
    path = folder / f"out.{kind}"
    if kind == "csv":
        write_csv(export, path, excel_safe=False)
    else:
        {"parquet": write_parquet, "jsonl": write_jsonl}[kind](export, path)
    return path.read_bytes()


@LAW
@given(tables())
@example({"c0": [2**70, -1, 2**63]})
@example({"c0": [math.inf, -0.0, 5e-324], "c1": ["\0", "\ud83d\ude00".encode(
    "utf-16", "surrogatepass").decode("utf-16"), None]})
def test_law_1_jsonl_as_uploaded_and_written_again(rows: dict[str, list[Any]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        n = len(rows["c0"])
        lines = [json.dumps({key: values[i] for key, values in rows.items()}) for i in range(n)]
        first = opened(folder, "t.jsonl", "\n".join(lines).encode())
        for key, values in rows.items():
            kept = first.values(key)
            if all(isinstance(value, (int, type(None))) and (
                    value is None or -2**63 <= value < 2**63) for value in values) or all(
                    isinstance(value, (str, float, type(None))) for value in values):
                assert all(map(same, kept, values)), (key, kept, values)
            else:  # too large for any number type: the digits themselves
                assert kept == [None if value is None else json.dumps(value) for value in values]
        again = opened(folder, "u.jsonl", written(first, folder, "jsonl"))
        for key in rows:
            assert all(map(same, again.values(key), first.values(key))), key


@LAW
@given(tables())
def test_law_1_parquet(rows: dict[str, list[Any]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sound = {key: [str(value) if isinstance(value, int) and abs(value) >= 2**63 else value
                       for value in values] for key, values in rows.items()}
        sound = {key: list(map(_text_or_none, values)) if len({type(value) for value in values}
                                                              - {type(None)}) > 1 else values
                 for key, values in sound.items()}
        out = io.BytesIO()
        pq.write_table(pa.table(sound), out)
        first = opened(folder, "t.parquet", out.getvalue())
        again = opened(folder, "u.parquet", written(first, folder, "parquet"))
        for key, values in sound.items():
            assert all(map(same, first.values(key), values)), key
            assert all(map(same, again.values(key), values)), key


@LAW
@given(tables())
def test_law_1_csv_exact(rows: dict[str, list[Any]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        texts = {key: [_text_or_none(value) for value in values] for key, values in rows.items()}
        texts = {key: [None if value is None else value.replace("\0", "") for value in values]
                 for key, values in texts.items()}
        out = io.BytesIO()
        pq.write_table(pa.table({key: pa.array(values, pa.string())
                                 for key, values in texts.items()}), out)
        first = opened(folder, "t.parquet", out.getvalue())
        again = opened(folder, "u.csv", written(first, folder, "csv"), header="yes",
                       delimiter=",")
        for key, values in texts.items():
            assert again.values(key) == ["" if value is None else value for value in values]


def _text_or_none(value: Any) -> str | None:
    return None if value is None else repr(value) if isinstance(value, float) else str(value)


PIECES = st.sampled_from([
    b"a,b\n", b"1,2\n", b'"', b"\r", b"\n", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\x80", b'{"a":',
    b"1}", b"[", b"]", b"\n{", b"PK\x03\x04", b"PK\x05\x06", b"PAR1", b"\x93NUMPY\x01\x00",
    b"v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)}", b"\x89PNG\r\n\x1a\n",
    b"\x00\x00\x00\rIHDR", b"GIF89a", b"BM", b"RIFF", b"WEBP", b"II*\x00", b"\xff\xd8\xff",
    b"<html", b"\x80\x04", b"\xf8", b";", b"\t", b"1e999", b"9" * 50]) | st.binary(max_size=40)
NAMES = st.sampled_from(["a.csv", "a.txt", "a.tsv", "a.jsonl", "a.json", "a.parquet", "a.npy",
                         "a.npz", "a.xlsx", "a.zip", "a.png", "a.gif", "a", "a.bin", ".csv"])


@settings(LAW, max_examples=250)
@given(st.lists(st.tuples(NAMES, st.lists(PIECES, max_size=8)), min_size=1, max_size=2),
       st.sampled_from([None, "order", "a"]))
def test_law_7_any_bytes_give_a_data_set_or_a_refusal(files: list[tuple[str, list[bytes]]],
                                                      join: str | None) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "work").mkdir()
        uploads = []
        for number, (title, pieces) in enumerate(files):
            uploads.append(Upload(title, folder / str(number)))
            uploads[-1].path.write_bytes(b"".join(pieces))
        known = {None, *(upload.name for upload in uploads)}
        try:
            sound = read(uploads, ReadOptions(join=join), folder / "work", silent)["n"] >= 1
        except ExplorerError as refusal:
            sound = refusal.code.isupper() and refusal.where.file in known
        assert sound
