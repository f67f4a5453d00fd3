"""The command line: results on stdout, progress and one line of error on stderr, exit codes."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn import cluster, datasets, decomposition, metrics

from explorer.cli import main
from explorer.cli_flags import FAMILIES, flag_of
from explorer.cli_write import Meter
from explorer.recipe import read_recipe, recipe_from_yaml
from explorer.values import by_size

IRIS = datasets.load_iris()


@pytest.fixture
def iris(tmp_path: Path) -> Path:
    """150 rows as a CSV: an id like 007, four numbers, a note that could be a formula."""
    file = tmp_path / "iris.csv"
    with open(file, "w", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(["id", "a", "b", "c", "d", "note"])
        writer.writerows([f"{row:03}", *map(float, values), "=1+1"]
                         for row, values in enumerate(IRIS.data))
    return file


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    file = tmp_path / "vectors.npy"
    np.save(file, IRIS.data.astype(np.float32))
    return file


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on stderr of a command that must fail with exit code 2."""
    try:
        code = main(words)
    except SystemExit as left:
        code = left.code  # type: ignore[assignment]
    captured = capsys.readouterr()
    errors = [line for line in captured.err.splitlines() if line.startswith("explorer:")]
    assert code == 2
    assert captured.out == ""
    assert "Traceback" not in captured.err
    assert len(errors) == 1
    assert captured.err.splitlines()[-1] == errors[0]
    return errors[0]


def test_propose_then_run(iris: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    roles = ["--role", "id=id", "--role", "note=ignore"]
    assert main(["propose", "--data", str(iris), *roles]) == 0
    text = capsys.readouterr().out
    recipe = recipe_from_yaml(text)
    assert recipe.encoder.method == "features"
    assert (recipe.roles["id"], recipe.roles["note"]) == ("id", "ignore")
    (tmp_path / "recipe.yaml").write_text(text)
    out = tmp_path / "out"
    assert main(["run", str(tmp_path / "recipe.yaml"), "--data", str(iris), "--out",
                 str(out)]) == 0
    said = capsys.readouterr().out
    assert "silhouette" in said.lower()
    assert "150 of 150" in said
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["recipe"]["clusterer"] == recipe.to_data()["clusterer"]
    assert read_recipe(out / "recipe.yaml").to_data()["encoder"] == recipe.to_data()["encoder"]
    with open(out / "rows.csv", encoding="utf-8-sig", newline="") as source:
        rows = list(csv.DictReader(source))
    assert [row["id"] for row in rows][:3] == ["000", "001", "002"]
    assert rows[0]["note"] == "'=1+1", "safe for Excel by default"
    assert {"cluster", "cluster_name", "silhouette", "x", "y"} <= set(rows[0])


@pytest.mark.parametrize(("form", "file"), [("parquet", "rows.parquet"), ("jsonl", "rows.jsonl")])
def test_other_formats_hold_the_same(iris: Path, tmp_path: Path, form: str, file: str,
                                     capsys: pytest.CaptureFixture[str]) -> None:
    import pandas as pd

    recipe = tmp_path / "recipe.yaml"
    assert main(["propose", "--data", str(iris)]) == 0
    recipe.write_text(capsys.readouterr().out)
    for name, words in (("one", []), ("two", ["--format", form])):
        exact = ["--exact"] if name == "one" else []
        assert main(["run", str(recipe), "--data", str(iris), "--out", str(tmp_path / name),
                     *words, *exact]) == 0
    path = tmp_path / "two" / file
    table = (pd.read_parquet(path) if form == "parquet" else
             pd.read_json(path, lines=True, dtype=False))
    plain = pd.read_csv(tmp_path / "one" / "rows.csv", dtype={"id": str})
    assert table["cluster"].tolist() == plain["cluster"].tolist()
    assert table["id"].tolist() == plain["id"].tolist()
    assert plain["note"].tolist() == ["=1+1"] * 150, "--exact writes what was uploaded"


def test_other_data_is_noticed(iris: Path, tmp_path: Path,
                               capsys: pytest.CaptureFixture[str]) -> None:
    main(["propose", "--data", str(iris)])
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(capsys.readouterr().out)
    other = tmp_path / "other.csv"
    other.write_text("".join(iris.read_text().splitlines(keepends=True)[:80]))
    words = ["run", str(recipe), "--data", str(other), "--out", str(tmp_path / "out")]
    line = refused(words, capsys)
    assert "OTHER_DATA" in line
    assert "iris" in line
    assert "other" in line
    assert not (tmp_path / "out").exists()
    assert main([*words, "--other-data"]) == 0
    captured = capsys.readouterr()
    assert "warning" in captured.err
    assert "79 of 79" in captured.out


def test_encode_project_cluster_judge(iris: Path, tmp_path: Path,
                                      capsys: pytest.CaptureFixture[str]) -> None:
    files = {name: str(tmp_path / name) for name in ("v.npy", "p.npy", "l.csv", "l.npy", "g.npz")}
    assert main(["encode", "features", "--data", str(iris), "--role", "id=id", "--role",
                 "note=ignore", "--scaling", "none", "--out", files["v.npy"]]) == 0
    made = np.load(files["v.npy"])
    np.testing.assert_array_equal(made, IRIS.data.astype(np.float32))
    with open(tmp_path / "v.rows.csv", newline="") as source:
        assert list(csv.reader(source))[:3] == [["row", "row_id"], ["1", "000"], ["2", "001"]]
    assert main(["project", "pca", "--vectors", files["v.npy"], "--out", files["p.npy"],
                 "--dimensions", "3"]) == 0
    expected = decomposition.PCA(3).fit_transform(IRIS.data)
    np.testing.assert_allclose(np.abs(np.load(files["p.npy"])), np.abs(expected), atol=1e-3)
    for out in ("l.csv", "l.npy"):
        assert main(["cluster", "kmeans", "--vectors", files["v.npy"], "--clusters", "3", "--seed",
                     "5", "--out", files[out]]) == 0
    direct = by_size(cluster.KMeans(3, n_init=10, random_state=5).fit(made).labels_)
    np.testing.assert_array_equal(np.load(files["l.npy"]), direct)
    with open(files["l.csv"], newline="") as source:
        assert [int(row["cluster"]) for row in csv.DictReader(source)] == direct.tolist()
    assert main(["neighbors", "nearest", "--vectors", files["v.npy"], "--count", "5", "--out",
                 files["g.npz"]]) == 0
    assert np.load(files["g.npz"])["indices"].shape == (150, 5)
    capsys.readouterr()
    for labels in ("l.csv", "l.npy"):
        assert main(["judge", "silhouette", "--vectors", files["v.npy"], "--labels",
                     files[labels], "--space", "petals", "--json"]) == 0
        score = json.loads(capsys.readouterr().out)[0]
        assert score["value"] == pytest.approx(metrics.silhouette_score(made, direct), rel=1e-6)
        assert (score["space"], score["sample"], score["total"]) == ("petals", 150, 150)
    assert main(["judge", "davies_bouldin", "--vectors", files["v.npy"], "--labels",
                 files["l.csv"]]) == 0
    assert "| petals |" not in (said := capsys.readouterr().out)
    for word in ("score", "metric", "noise", "seed", "150 of 150", "lower"):
        assert word in said


def test_strengths_and_noise_are_written(vectors: Path, tmp_path: Path,
                                         capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "l.csv"
    assert main(["cluster", "hdbscan", "--vectors", str(vectors), "--out", str(out)]) == 0
    with open(out, newline="") as source:
        rows = list(csv.DictReader(source))
    direct = cluster.HDBSCAN(min_cluster_size=10, copy=True).fit(IRIS.data)
    assert sum(row["cluster"] == "-1" for row in rows) == (direct.labels_ == -1).sum()
    assert all(0 <= float(row["strength"]) <= 1 for row in rows)
    assert "noise" in capsys.readouterr().out


@pytest.mark.parametrize(("words", "part"), [
    (["cluster", "kmeans", "--clusters", "0"], "OUT_OF_RANGE: clusters must be"),
    (["cluster", "kmeans", "--clusters", "many"], "OUT_OF_RANGE: clusters must be"),
    (["cluster", "kmeans", "--clusters", "151"], "150"),
    (["project", "pca", "--dimensions", "4"], "OUT_OF_RANGE: dimensions must be"),
    (["cluster", "agglomerative", "--metric", "cosine"], "WARD_NEEDS_EUCLIDEAN")])
def test_parameters_are_refused_in_one_line(words: list[str], part: str, vectors: Path,
                                            tmp_path: Path,
                                            capsys: pytest.CaptureFixture[str]) -> None:
    line = refused([*words, "--vectors", str(vectors), "--out", str(tmp_path / "o.npy")], capsys)
    assert part in line
    assert not (tmp_path / "o.npy").exists()


@pytest.mark.parametrize("words", [
    [], ["dance"], ["project"], ["project", "som"], ["run"], ["cluster", "kmeans", "--vectors"],
    ["import"], ["cluster", "kmeans", "--no-such-flag", "1"]])
def test_wrong_words_are_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert "--help" in refused(words, capsys)


def test_files_that_are_not_there_or_not_what_they_claim(
        tmp_path: Path, vectors: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ["--out", str(tmp_path / "out.npy")]
    assert "NO_FILE" in refused(["project", "pca", "--vectors", "gone.npy", *out], capsys)
    bad = tmp_path / "bad.npy"
    for content in (b"", b"\x93NUMPY\x01\x00", b"text"):
        bad.write_bytes(content)
        assert "NOT_NPY" in refused(["project", "pca", "--vectors", str(bad), *out], capsys)
    np.save(bad, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert "NOT_NPY" in refused(["project", "pca", "--vectors", str(bad), *out], capsys)
    np.save(bad, np.full((9, 2), np.nan))
    assert "NOT_FINITE" in refused(["project", "pca", "--vectors", str(bad), *out], capsys)
    labels = tmp_path / "labels.csv"
    labels.write_text("row,cluster\n1,0\n2,x\n")
    judging = ["judge", "silhouette", "--vectors", str(vectors), "--labels", str(labels)]
    assert "row 3" in refused(judging, capsys)
    labels.write_text("row,cluster\n1,0\n2,1\n")
    assert "BAD_LABELS" in refused(judging, capsys)
    assert "NO_FILE" in refused(["import", str(tmp_path / "gone.csv")], capsys)
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    assert "EMPTY_FILE" in refused(["import", str(empty)], capsys)
    assert "recipe" in refused(["run", str(labels), "--data", str(labels), "--out", "o"], capsys)
    assert "Could not write" in refused(
        ["cluster", "kmeans", "--vectors", str(vectors), "--out", "/proc/nowhere/l.csv"], capsys)


def test_a_mistake_of_ours_is_one_line_too(vectors: Path, tmp_path: Path,
                                           monkeypatch: pytest.MonkeyPatch,
                                           capsys: pytest.CaptureFixture[str]) -> None:
    from explorer.cluster.kmeans import KMeans

    def broken(*given: object) -> None:
        raise RuntimeError("boom\nboom")

    monkeypatch.setattr(KMeans, "cluster", broken)
    words = ["cluster", "kmeans", "--vectors", str(vectors), "--out", str(tmp_path / "l.csv")]
    assert main(words) == 1
    assert capsys.readouterr().err.count("\n") == 1
    monkeypatch.setenv("EXPLORER_DEBUG", "1")
    with pytest.raises(RuntimeError):
        main(words)


def test_the_home_is_chosen_by_flag(vectors: Path, tmp_path: Path, own_home: Path) -> None:
    there = tmp_path / "there"
    assert main(["project", "pca", "--vectors", str(vectors), "--out", str(tmp_path / "p.npy"),
                 "--home", str(there)]) == 0
    assert list((there / "entries").iterdir())
    assert not own_home.exists()


def test_import_prints_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "short.csv"
    file.write_text("a,b\n1,2\n3\n4,5\n")
    assert main(["import", str(file)]) == 0
    said = capsys.readouterr()
    assert "3 rows, 2 columns" in said.out
    assert "line 3" in said.out
    assert "%" in said.err
    assert main(["import", str(file), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["rows"], len(data["columns"])) == (3, 2)
    assert main(["import", str(file), "--header", "no"]) == 0
    assert "4 rows" in capsys.readouterr().out


def test_samples_stand_for_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "sample:wine"]) == 0
    assert "178 rows" in capsys.readouterr().out
    line = refused(["import", "sample:nothing"], capsys)
    assert "nothing" in line


def test_methods_lists_every_declaration(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["methods"]) == 0
    said = capsys.readouterr().out
    assert main(["methods", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    for family, registry in FAMILIES.items():
        assert [method["key"] for method in data[family]] == list(registry().keys())
        for method in registry():
            assert f"### {method.title} (`{method.key}`)" in said
            for parameter in method.parameters():
                assert f"| `{flag_of(parameter)}` |" in said


def test_progress_lines() -> None:
    stream = io.StringIO()
    meter = Meter(stream)
    for step in ("t-SNE", "K-means"):
        for index in range(101):
            meter(index / 100, f"{step}: round {index}\nmore")
    meter.close()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 10
    assert lines[0].split() == ["0%", "t-SNE:", "round", "0", "more"]


def test_as_a_program(vectors: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "explorer"]
    done = subprocess.run([*command, "cluster", "kmeans", "--clusters", "0", "--vectors",
                           str(vectors), "--out", "x"], capture_output=True, text=True,
                          env=os.environ | {"EXPLORER_HOME": str(tmp_path)}, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    done = subprocess.run([*command, "methods"], stdout=subprocess.PIPE, check=False, text=True)
    assert done.stdout.startswith("## explorer encode")


def test_no_heavy_library_for_help() -> None:
    script = ("import sys; from explorer.cli import build_parser; build_parser();"
              "sys.exit(' '.join({'torch', 'sklearn', 'scipy', 'pandas', 'umap', 'streamlit', "
              "'numba', 'distributed'} & set(sys.modules)) or 0)")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr


def test_t07_nothing_a_terminal_would_obey_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    from explorer.cli_write import remark, say, table

    say(table(("column",), [("a\x1b[2J\u202eb\r\nc",)]))
    say("two\nlines")
    remark("reading \x1b]0;x\x07.csv")
    found = capsys.readouterr()
    assert found.out.splitlines()[-2:] == ["two", "lines"]
    assert "a\ufffd[2J\ufffdb c" in found.out
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e]", found.out + found.err)
