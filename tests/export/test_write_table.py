"""What was uploaded is what is taken away: CSV, Parquet, JSONL read back by other readers."""

from __future__ import annotations

import csv
import io
import json
import math
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.dataset import Dataset
from explorer.errors import DataError, ParameterError
from explorer.escape import uncsv_cell
from explorer.export import table
from explorer.export.manifest import make_manifest
from explorer.export.rows import Export, bundle, write_csv, write_jsonl, write_parquet
from explorer.store import Store
from tests.builders import build_dataset

TEXT = st.text(max_size=20) | st.sampled_from([
    "=cmd|' /C calc'!A0", "-5.2", "+49 123", "007", "1e5", "NA", "a,b", 'say "hi"', "two\nlines",
    "lone\rreturn", "crlf\r\n", "", " ", " = 1", "'=1", "''", "😀", "\u2028", "@x", "\t", "＝1",
    "9007199254740993", "nan", "\ufeffx"])
CELLS = st.lists(st.none() | TEXT, min_size=1, max_size=6)


def export_of(dataset: Dataset, rows: Any = None, extra: dict[str, Any] | None = None) -> Export:
    rows = np.arange(dataset.n) if rows is None else np.asarray(rows)
    ours = pa.table(extra) if extra else pa.table({})
    return Export(dataset, rows.astype(np.int64), ours, make_manifest({}, dataset, len(rows)))


def read_csv(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))


@settings(max_examples=30, deadline=None)
@given(CELLS)
def test_texts_come_back_from_every_format(cells: list[str | None]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        dataset = build_dataset(Store(folder / "store"),
                                {"text": [*cells, "end"]})
        expected, export = [*cells, "end"], export_of(dataset)
        write_csv(export, folder / "exact.csv", excel_safe=False)
        write_csv(export, folder / "safe.csv", excel_safe=True)
        write_parquet(export, folder / "rows.parquet")
        write_jsonl(export, folder / "rows.jsonl")
        texts = ["" if cell is None else cell for cell in expected]
        plain = (folder / "exact.csv").read_bytes().decode()
        assert [row[1] for row in csv.reader(io.StringIO(plain, newline=""))] == ["text", *texts]
        safe = (folder / "safe.csv").read_bytes()
        assert safe.startswith(b"\xef\xbb\xbfrow_id,text\r\n")
        body = [row[1] for row in csv.reader(io.StringIO(safe.decode()[1:], newline=""))][1:]
        numbers = {"-5.2"}
        assert [cell if cell in numbers else uncsv_cell(cell) for cell in body] == texts
        assert not [cell for cell in body if cell not in numbers
                    and cell.lstrip().startswith(tuple("=+-@\t\r\n＝＋－＠"))]
        assert pq.read_table(folder / "rows.parquet").column("text").to_pylist() == expected
        lines = (folder / "rows.jsonl").read_bytes().decode().split("\n")
        assert [json.loads(line)["text"] for line in lines[:-1]] == expected


def test_missing_and_empty_differ_in_csv(store: Store, tmp_path: Path) -> None:
    dataset = build_dataset(store, {"a": ["", None, "x"]})
    write_csv(export_of(dataset), tmp_path / "a.csv", excel_safe=False)
    assert (tmp_path / "a.csv").read_bytes() == b'row_id,a\n1,""\n2,\n3,x\n'


NUMBERS = st.integers(-2**63, 2**63 - 1)


@settings(max_examples=20, deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=5),
       st.lists(st.floats(), min_size=1, max_size=5), st.lists(st.floats(width=32), min_size=1))
def test_numbers_come_back_bit_for_bit(integers: list[int], floats: list[float],
                                       narrow: list[float]) -> None:
    n = min(len(integers), len(floats), len(narrow))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        dataset = build_dataset(Store(folder / "store"),
                                {"i": integers[:n], "f": floats[:n]},
                                matrices={"v": np.array([narrow[:n], narrow[:n]],
                                                        dtype=np.float32).T})
        export = export_of(dataset, extra={"x": pa.array(np.array(narrow[:n], np.float32))})
        write_jsonl(export, folder / "rows.jsonl")
        write_parquet(export, folder / "rows.parquet")
        write_csv(export, folder / "rows.csv")
        lines = [json.loads(line) for line in
                 (folder / "rows.jsonl").read_bytes().decode().strip().split("\n")]
        back = pq.read_table(folder / "rows.parquet")
        for at, (line, cells) in enumerate(zip(lines, read_csv(folder / "rows.csv")[1:],
                                               strict=True)):
            assert line["i"] == integers[at] == int(cells[1])
            assert same(line["f"], floats[at])
            assert same(float(cells[2]), floats[at])
            vector = np.array(line["v"], dtype=np.float32)
            np.testing.assert_array_equal(vector, dataset.matrix("v")[at])
            np.testing.assert_array_equal(np.array(back.column("v")[at].as_py(), np.float32),
                                          vector)
            if math.isnan(narrow[at]):
                assert line["x"] is None
                assert cells[3] == ""
            else:
                assert np.float32(line["x"]) == np.float32(cells[3]) == np.float32(narrow[at])
        assert back.column("v").type == pa.list_(pa.float32())


def same(left: float, right: float) -> bool:
    return left == right or (math.isnan(left) and math.isnan(right))


def test_the_small_table_looks_as_expected(store: Store, tmp_path: Path) -> None:
    dataset = build_dataset(store, {"id": ["b7", "a1", "c9"], "price": [-1.5, None, 2.0]},
                            roles={"id": "id"})
    export = export_of(dataset, [0, 2], {
        "cluster": pa.array([0, -1], pa.int32()), "cluster_name": ["-best", "Noise"],
        "silhouette": [0.25, float("nan")]})
    write_csv(export, tmp_path / "rows.csv")
    assert (tmp_path / "rows.csv").read_bytes().decode("utf-8-sig") == (
        "row_id,id,price,cluster,cluster_name,silhouette\r\n"
        "b7,b7,-1.5,0,'-best,0.25\r\n"
        "c9,c9,2.0,-1,Noise,\r\n")
    write_jsonl(export, tmp_path / "rows.jsonl")
    assert (tmp_path / "rows.jsonl").read_text() == (
        '{"row_id": "b7", "id": "b7", "price": -1.5, "cluster": 0, "cluster_name": "-best", '
        '"silhouette": 0.25}\n'
        '{"row_id": "c9", "id": "c9", "price": 2.0, "cluster": -1, "cluster_name": "Noise", '
        '"silhouette": null}\n')


def test_duplicate_headers_and_our_names(store: Store, tmp_path: Path) -> None:
    dataset = build_dataset(store, {"a": ["1"], "a (2)": ["2"], "cluster": ["mine"],
                                    "row_id": ["r"]})
    columns = tuple(replace(column, original="a" if column.name == "a (2)" else column.name)
                    for column in dataset.columns)
    export = export_of(replace(dataset, columns=columns), extra={"cluster": [4]})
    written = write_csv(export, tmp_path / "rows.csv", excel_safe=False)
    assert read_csv(tmp_path / "rows.csv") == [
        ["row_id (explorer)", "a", "a", "cluster", "row_id", "cluster (explorer)"],
        ["1", "1", "2", "mine", "r", "4"]]
    assert [column["from"] for column in written.manifest["file"]["columns"]] == [
        "explorer", "data", "data", "data", "data", "explorer"]
    parquet = write_parquet(export, tmp_path / "rows.parquet")
    assert pq.read_table(tmp_path / "rows.parquet").column_names == [
        "row_id (explorer)", "a", "a (2)", "cluster", "row_id", "cluster (explorer)"]
    assert {"name": "a (2)", "from": "data", "header": "a"} in parquet.manifest["file"]["columns"]


def test_blocks_are_the_same_as_one_block(store: Store, tmp_path: Path,
                                          monkeypatch: pytest.MonkeyPatch) -> None:
    n = 53
    dataset = build_dataset(store, {"t": [f"row, {i}" for i in range(n)]},
                            matrices={"v": np.arange(2 * n, dtype=np.float32).reshape(n, 2)})
    rows = np.flatnonzero(np.arange(n) % 3)
    export = export_of(dataset, rows, {"x": np.arange(len(rows)) / 7})
    write = {"csv": write_csv, "parquet": write_parquet, "jsonl": write_jsonl}
    for ending, call in write.items():
        call(export, tmp_path / f"one.{ending}")
    monkeypatch.setattr(table, "BLOCK_ROWS", 7)
    seen: list[float] = []
    for ending, call in write.items():
        call(export, tmp_path / f"many.{ending}", progress=lambda part, text: seen.append(part))
    assert seen.count(1.0) == 3
    for ending in ("csv", "jsonl"):
        assert (tmp_path / f"one.{ending}").read_bytes() == \
            (tmp_path / f"many.{ending}").read_bytes()
    left, right = (pq.read_table(tmp_path / f"{name}.parquet") for name in ("one", "many"))
    assert left.equals(right)
    assert left.column("row_id").to_pylist() == [str(row + 1) for row in rows]


def test_odd_arrow_types(store: Store, tmp_path: Path) -> None:
    from datetime import UTC, datetime
    from decimal import Decimal

    values = {"when": [datetime(2024, 5, 6, 7, 8, tzinfo=UTC)], "money": [Decimal("1.10")],
              "raw": [b"\x00\xff"], "list": [["a", None]], "flag": [True],
              "nested": [{"k": [1.5, 2.0]}]}
    dataset = build_dataset(store, values)
    export = export_of(dataset)
    write_csv(export, tmp_path / "o.csv", excel_safe=False)
    assert read_csv(tmp_path / "o.csv")[1] == [
        "1", "2024-05-06T07:08:00+00:00", "1.10", "AP8=", '["a", null]', "True",
        '{"k": [1.5, 2.0]}']
    write_jsonl(export, tmp_path / "o.jsonl")
    line = json.loads((tmp_path / "o.jsonl").read_text())
    assert (line["list"], line["flag"], line["raw"]) == (["a", None], True, "AP8=")
    write_parquet(export, tmp_path / "o.parquet")
    assert pq.read_table(tmp_path / "o.parquet").drop_columns(["row_id"]).equals(dataset.table)


def test_vectors_are_left_out_of_csv_and_the_manifest_says_so(store: Store,
                                                              tmp_path: Path) -> None:
    dataset = build_dataset(store, {"a": ["x"]}, matrices={"v": np.ones((1, 3), np.float64)})
    written = write_csv(export_of(dataset), tmp_path / "rows.csv")
    assert read_csv(tmp_path / "rows.csv")[0] == ["row_id", "a"]
    assert written.manifest["file"]["left_out"] == [
        {"column": "v", "why": "a vector does not fit into a CSV cell"}]


def test_manifest_lies_beside_and_inside(store: Store, tmp_path: Path) -> None:
    dataset = build_dataset(store, {"a": ["x", "y"]})
    written = write_parquet(export_of(dataset, [1]), tmp_path / "rows.parquet")
    beside = json.loads((tmp_path / "rows.parquet.manifest.json").read_text())
    inside = json.loads(pq.read_schema(tmp_path / "rows.parquet").metadata[b"embedding_explorer"])
    assert beside == inside == written.manifest
    assert beside["file"]["rows"] == 1
    assert beside["data"]["id"] == dataset.id


def test_the_same_export_gives_the_same_bytes(store: Store, tmp_path: Path) -> None:
    dataset = build_dataset(store, {"a": ["x", "y"]}, matrices={"v": np.eye(2, dtype="f4")})
    archives = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        export = export_of(dataset, extra={"cluster": [0, 1]})
        written = [write(export, folder / f"rows.{ending}") for write, ending in
                   ((write_csv, "csv"), (write_parquet, "parquet"), (write_jsonl, "jsonl"))]
        files = [path for item in written for path in (item.path, item.manifest_path) if path]
        archives.append(bundle(files if name == "one" else files[::-1], folder / "all.zip"))
    assert archives[0].read_bytes() == archives[1].read_bytes()


def test_wrong_exports_are_refused(store: Store, tmp_path: Path) -> None:
    dataset = build_dataset(store, {"a": ["x", "y"]})
    for rows, kind, code in (([], DataError, "NO_ROWS"), ([1, 0], ParameterError, "ROW_ORDER"),
                             ([0, 0], ParameterError, "ROW_ORDER"),
                             ([2], ParameterError, "ROW_ORDER")):
        with pytest.raises(kind) as caught:
            write_csv(export_of(dataset, rows), tmp_path / "rows.csv")
        assert caught.value.code == code
    with pytest.raises(ParameterError) as caught:
        write_csv(export_of(dataset, extra={"cluster": [1]}), tmp_path / "rows.csv")
    assert caught.value.code == "LENGTHS"
    assert not list(tmp_path.glob("rows*"))
