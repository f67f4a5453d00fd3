"""Exports of a run as jobs: the files, what the manifest says, and what a cancel leaves."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from explorer.cluster import clusterers
from explorer.dataset import Dataset
from explorer.encode import encoders
from explorer.errors import Cancelled
from explorer.escape import uncsv_cell
from explorer.exports import (
    FORMATS,
    execute,
    export_step,
    keep_rows,
    make_export,
    write_files,
)
from explorer.imports import open_data
from explorer.project import projectors
from explorer.recipe import Recipe
from explorer.run import Run, run
from explorer.spec import silent
from explorer.store import Store
from tests.builders import build_dataset, png

NAMES = {0: "=1+1", 1: "Größe, \"quoted\""}
ODD = ["007", " left", "right ", "", None, "-5", "=SUM(A1)", "a\nb", "1e5", "ü,;"]


@pytest.fixture(scope="module")
def dataset(shared_store: Store) -> Dataset:
    """60 rows, of which two have no number, hence no vector; every row has a small image."""
    draws = np.random.default_rng(3)
    sizes = np.concatenate([draws.normal(group * 9, 1, 20) for group in range(3)]).tolist()
    sizes[7] = sizes[31] = None
    shades = draws.integers(0, 255, (60, 4, 4), dtype=np.uint8)
    return build_dataset(
        shared_store,
        {"code": [f"r{row:03}" for row in range(60)], "odd": [ODD[row % 10] for row in range(60)],
         "size": sizes, "width": draws.normal(size=60).tolist()},
        {"code": "id", "odd": "text"}, images=[png(shade) for shade in shades])


def run_of(dataset: Dataset, store: Store, clusterer: str, **parameters: int) -> Run:
    recipe = Recipe.of(encoders().create("features", {"missing": "drop rows"}),
                       projectors().create("pca"), clusterers().create(clusterer, parameters))
    return run(recipe, dataset, store)


@pytest.fixture(scope="module")
def kmeans(dataset: Dataset, shared_store: Store) -> Run:
    return run_of(dataset, shared_store, "kmeans", clusters=3)


@pytest.fixture(scope="module")
def hdbscan(dataset: Dataset, shared_store: Store) -> Run:
    found = run_of(dataset, shared_store, "hdbscan", min_cluster_size=5)
    assert found.clustering is not None
    assert found.clustering.noise
    return found


def members(current: Run, store: Store, form: str, rows: np.ndarray) -> dict[str, bytes]:
    """The files of export.zip, by name."""
    step = export_step(current, rows, NAMES, form)
    keep_rows(current, rows)
    execute(step.payload, str(store.root), silent)
    with zipfile.ZipFile(store.get(step.key).path("export.zip")) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def expected(current: Run, rows: np.ndarray) -> dict[str, list]:
    """What the cells must say, straight from the results; None: an empty cell."""
    assert current.clustering is not None
    assert current.silhouette is not None
    assert current.projection is not None
    place = {row: at for at, row in enumerate(current.rows.tolist())}
    at = [place.get(row) for row in rows.tolist()]
    labels = [None if i is None else int(current.clustering.labels[i]) for i in at]
    values = current.silhouette.per_row["silhouette"]
    second = [None if i is None or current.silhouette.per_row["second"][i] < 0
              else int(current.silhouette.per_row["second"][i]) for i in at]
    called = {None: None, -1: "Noise", 2: "Cluster 2", **NAMES}
    return {
        "cluster": labels, "cluster_name": [called[label] for label in labels],
        "silhouette": [None if i is None or np.isnan(values[i]) else values[i] for i in at],
        "second_best_cluster": second, "second_best_name": [called[label] for label in second],
        "x": [None if i is None else current.projection.points[i, 0] for i in at],
        "y": [None if i is None else current.projection.points[i, 1] for i in at]}


ROWS = np.r_[0:10, 25:35]


@pytest.mark.parametrize("form", ["csv", "csv_exact"])
def test_csv_holds_the_rows_as_uploaded_and_our_columns(kmeans, dataset, shared_store, form):
    files = members(kmeans, shared_store, form, ROWS)
    assert sorted(files) == ["manifest.json", "recipe.yaml", "rows.csv"]
    text = files["rows.csv"].decode("utf-8-sig" if form == "csv" else "utf-8")
    cells = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["row_id"] for row in cells] == [f"r{row:03}" for row in ROWS]
    ours = expected(kmeans, ROWS)
    for name, values in ours.items():
        for row, value in zip(cells, values, strict=True):
            if value is None:
                assert row[name] == ""
            elif isinstance(value, str):
                safe = f"'{value}" if form == "csv" and value.startswith("=") else value
                assert row[name] == safe
            else:
                assert float(row[name]) == pytest.approx(float(value), rel=1e-6)
    if form == "csv_exact":
        assert [row["odd"] for row in cells] == [ODD[row % 10] or "" for row in ROWS]
        raw = text.split("\n")
        assert ',"",' in raw[4]  # an empty text ...
        assert ',,' in raw[5]  # ... is not a missing one
    else:
        assert cells[6]["odd"] == "'=SUM(A1)"
        assert cells[5]["odd"] == "-5"


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_parquet_and_jsonl_keep_values_and_come_back(kmeans, dataset, shared_store, tmp_path, form):
    files = members(kmeans, shared_store, form, ROWS)
    name = FORMATS[form].file
    path = tmp_path / name
    path.write_bytes(files[name])
    table = pq.read_table(path) if form == "parquet" else pa.Table.from_pylist(
        [json.loads(line) for line in path.read_text().splitlines()])
    for column in ("code", "odd", "size", "width"):
        assert table[column].to_pylist() == [dataset.values(column)[row] for row in ROWS]
    ours = expected(kmeans, ROWS)
    for column, values in ours.items():
        got = table[column].to_pylist()
        if column in ("x", "y", "silhouette"):
            assert [value is None for value in got] == [value is None for value in values]
            assert [value for value in got if value is not None] == pytest.approx(
                [value for value in values if value is not None], rel=1e-6)
        else:
            assert got == values
    again = open_data([path], Store(tmp_path / "other"))
    assert again.n == len(ROWS)
    assert again.row_ids == [f"r{row:03}" for row in ROWS]
    assert again.values("odd") == [ODD[row % 10] for row in ROWS]
    np.testing.assert_array_equal(again.numbers("size"), dataset.numbers("size")[ROWS])
    np.testing.assert_array_equal(again.numbers("x").astype(np.float32),
                                  np.array(ours["x"], dtype=np.float32))


@pytest.mark.parametrize("form", list(FORMATS))
def test_manifest_explains_every_column_and_the_noise(hdbscan, dataset, shared_store, form):
    rows = np.arange(dataset.n)
    files = members(hdbscan, shared_store, form, rows)
    manifest = json.loads(files["manifest.json"])
    ours = {column["name"]: column["meaning"] for column in manifest["file"]["columns"]
            if column["from"] == "explorer"}
    wanted = {"row_id", "cluster", "cluster_name", "strength", "silhouette", "second_best_cluster",
              "second_best_name", "outlier", "x", "y"}
    wanted |= {"image_file"} if form == "images" else set()
    assert set(ours) == wanted
    assert all(len(meaning) > 15 for meaning in ours.values())
    assert "HDBSCAN in standardised columns" in ours["cluster"]
    assert "HDBSCAN" in ours["strength"]
    assert "euclidean distance in standardised columns" in ours["silhouette"]
    assert "PC 1" in ours["x"]
    assert "PC 2" in ours["y"]
    assert manifest["space"] == hdbscan.space
    assert f"{hdbscan.clustering.noise} of 58 clustered rows are noise" in manifest["noise"]
    assert manifest["rows_without_vector"] == 2
    assert manifest["data"]["rows_exported"] == 60
    assert manifest["recipe"]["clusterer"]["parameters"]["min_cluster_size"] == 5
    assert manifest["data"]["sources"][0]["sha256"]
    assert "recipe.yaml" in files


def test_no_noise_is_said(kmeans, shared_store):
    manifest = json.loads(members(kmeans, shared_store, "jsonl", ROWS)["manifest.json"])
    assert manifest["noise"].startswith("There are no noise rows.")


@pytest.mark.parametrize("form", list(FORMATS))
def test_writers_report_and_a_cancel_leaves_nothing(kmeans, shared_store, form):
    rows = np.arange(40, 52)  # no other test exports these
    step = export_step(kmeans, rows, {}, form)
    keep_rows(kmeans, rows)
    before = sorted(path.name for path in (shared_store.root / "tmp").iterdir())
    said: list[str] = []

    def stop_at_rows(fraction: float, text: str) -> None:
        said.append(text)
        if " of 12 " in text:
            raise Cancelled

    with pytest.raises(Cancelled):
        execute(step.payload, str(shared_store.root), stop_at_rows)
    assert shared_store.find(step.key) is None
    assert sorted(path.name for path in (shared_store.root / "tmp").iterdir()) == before
    fractions: list[float] = []
    execute(step.payload, str(shared_store.root), lambda fraction, _: fractions.append(fraction))
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert len(fractions) > 3
    assert shared_store.find(step.key) is not None


def test_images_of_the_chosen_rows_lie_in_a_folder_per_cluster(kmeans, dataset, shared_store):
    files = members(kmeans, shared_store, "images", ROWS)
    with zipfile.ZipFile(io.BytesIO(files["images.zip"])) as archive:
        listed = list(csv.DictReader(io.StringIO(archive.read("rows.csv").decode("utf-8-sig"))))
        assert [row["row_id"] for row in listed] == [f"r{row:03}" for row in ROWS]
        for row, at in zip(listed, ROWS, strict=True):
            file = uncsv_cell(row["image_file"])  # a folder may be called =1+1
            assert archive.read(file) == dataset.image(int(at))
            folder = file.split("/")[0]
            assert (folder == "no cluster") == (row["cluster"] == "")
        folders = {name.split("/")[0] for name in archive.namelist() if "/" in name}
        assert len(folders) == len({row["cluster"] for row in listed})


def test_e05_twenty_exports_at_once_are_the_same_bytes(kmeans, shared_store, tmp_path):
    step = export_step(kmeans, ROWS, NAMES, "images")
    keep_rows(kmeans, ROWS)
    homes = [shared_store.root] * 10 + [_copy_of(shared_store, tmp_path / str(at))
                                        for at in range(3)]
    with ThreadPoolExecutor(len(homes)) as pool:  # of one store and of several
        list(pool.map(lambda home: execute(step.payload, str(home), silent), homes))
    made = {Store(home).get(step.key).path("export.zip").read_bytes() for home in homes}
    assert len(made) == 1
    for home in homes:
        assert not list((home / "tmp").iterdir())
    export = make_export(kmeans, ROWS, dict(NAMES), step.key)
    folders = [tmp_path / f"side by side {at}" for at in range(20)]
    for folder in folders:
        folder.mkdir()
    with ThreadPoolExecutor(len(folders)) as pool:
        list(pool.map(lambda folder: write_files(export, folder, "csv"), folders))
    assert len({(folder / "rows.csv").read_bytes() for folder in folders}) == 1
    assert all(len(list(folder.iterdir())) == 3 for folder in folders)


def _copy_of(store: Store, home: Path) -> Path:
    shutil.copytree(store.root, home)
    return home


def test_e07_a_full_disk_offers_no_partial_file_and_leaves_none(kmeans, shared_store):
    rows = np.arange(20, 55)  # no other test exports these
    step = export_step(kmeans, rows, NAMES, "images")
    keep_rows(kmeans, rows)
    code = ("import json, resource, sys\n"
            "from explorer.errors import StoreError\n"
            "from explorer.exports import execute\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))\n"
            "try:\n    execute(json.loads(sys.argv[1]), sys.argv[2], lambda *_: None)\n"
            "except StoreError as error:\n    print(error.code)\n")
    said = subprocess.run([sys.executable, "-c", code, json.dumps(step.payload),
                           str(shared_store.root)], capture_output=True, text=True, check=True)
    assert said.stdout.startswith("DISK")
    assert shared_store.find(step.key) is None
    assert not list((shared_store.root / "tmp").iterdir())
    execute(step.payload, str(shared_store.root), silent)  # and with room it works
    assert shared_store.find(step.key) is not None


def test_e08_the_result_is_named_in_the_manifest(kmeans, shared_store):
    step = export_step(kmeans, ROWS, NAMES, "parquet")
    files = members(kmeans, shared_store, "parquet", ROWS)
    manifest = json.loads(files["manifest.json"])
    assert manifest["export"] == step.key
    assert manifest["results"]["clustering"]["key"] == kmeans.plan.clustering
    inside = pq.read_schema(io.BytesIO(files["rows.parquet"])).metadata[b"embedding_explorer"]
    assert json.loads(inside)["export"] == step.key


def test_looking_at_an_export_stores_nothing(kmeans, shared_store):
    rows = np.arange(11, 57)
    step = export_step(kmeans, rows, NAMES, "csv")
    assert shared_store.find(step.payload["rows"]) is None
    keep_rows(kmeans, rows)
    kept = shared_store.get(step.payload["rows"]).array("rows")
    np.testing.assert_array_equal(kept, rows)
    assert export_step(kmeans, rows + 1, NAMES, "csv").payload["rows"] != step.payload["rows"]
