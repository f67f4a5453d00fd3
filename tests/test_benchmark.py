"""The benchmark: fresh processes, honest refusals, the exponent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from explorer import benchmark, benchmark_encoders, benchmark_silhouette, benchmark_texts
from explorer.cli import main


def test_benchmark_measures_and_says_what_it_could_not(
        capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["benchmark", "--rows", "400,800", "--columns", "6", "--steps",
                 "pca,hdbscan@3"]) == 0
    said = capsys.readouterr().out
    rows = [line for line in said.splitlines() if line.startswith(("| pca", "| hdbscan"))]
    assert len(rows) == 2
    assert "400 rows" in said
    assert rows[0].count(" s, ") == 2
    assert rows[0].split("|")[-2].strip() != "-"


def test_benchmark_refusals(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["benchmark", "--rows", "20001", "--columns", "2", "--steps",
                 "agglomerative"]) == 0
    assert "refused: Agglomerative" in capsys.readouterr().out
    assert main(["benchmark", "--rows", "500", "--steps", "pca", "--limit", "0.05"]) == 0
    assert "stopped after 0.05 s" in capsys.readouterr().out
    for words, code in ((["--steps", "soup"], "UNKNOWN_METHOD"),
                        (["--rows", "many"], "OUT_OF_RANGE"), (["--rows", "0"], "OUT_OF_RANGE")):
        assert main(["benchmark", *words]) == 2
        assert code in capsys.readouterr().err


def test_growth_is_the_slope_of_the_logarithms() -> None:
    outcomes = [benchmark.Outcome(3e-6 * n**1.7, 1) for n in (100, 1000, 5000)]
    assert benchmark.growth([100, 1000, 5000], outcomes) == "1.70"
    assert benchmark.growth([100, 1000], [outcomes[0], benchmark.Outcome(refused="x")]) == "-"


def test_silhouettes_beside_scikit_learn(capsys: pytest.CaptureFixture[str]) -> None:
    few = benchmark_silhouette.Match(700, 6, "euclidean")
    times = benchmark_silhouette.measure(few)
    assert 0 < times.difference < 1e-5
    assert min(times.ours, times.single, times.double) > 0
    assert main(["benchmark", "--silhouette", "--rows", "300", "--limit", "0.01"]) == 0
    said = capsys.readouterr().out
    assert said.count("stopped after 0.01 s") == 5
    assert "| euclidean | 300 x 50 | 1 |" in said
    assert "| cosine | 300 x 784 | 10 |" in said
    _, labelings = benchmark_silhouette.make_sample(
        benchmark_silhouette.Match(400, 5, "cosine", sweep=True))
    assert [len(np.unique(labels)) for labels in labelings] == list(range(2, 12))


def test_texts_are_measured_in_turns_and_probed() -> None:
    draws = np.random.default_rng(0)
    classes = np.repeat([0, 1], 20)
    vectors = draws.standard_normal((40, 3)) + 6 * classes[:, None]
    order: list[str] = []

    def way(name: str, found: np.ndarray):
        return lambda texts: order.append(name) or found

    texts = benchmark_texts.Texts([str(row) for row in range(40)], np.arange(40), "t", ())
    found = benchmark_texts.measure({"a": way("a", vectors), "b": way("b", 2 * vectors)}, texts)
    assert order == ["a", "b"] + ["a", "b"] * benchmark_texts.TURNS
    assert len(found["a"].seconds) == benchmark_texts.TURNS
    assert benchmark_texts.least_cosine(vectors, 2 * vectors) == pytest.approx(1)
    turned = vectors.copy()
    turned[3] = np.cross(vectors[3], [1.0, 2.0, 3.0])
    assert benchmark_texts.least_cosine(vectors, turned) == pytest.approx(0, abs=1e-12)
    assert benchmark_texts.probed(vectors, classes) == ("1.0000", "1.0000")


def test_encoders_beside_pca(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["benchmark", "--encoders", "--data", "sample:digits", "--dimensions", "3", "--only",
             "pca", "--sample", "200", "--home", str(tmp_path), "--keep",
             str(tmp_path / "kept.jsonl")]
    assert main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    pca = next(line for line in lines if "| pca |" in line).split(" | ")
    assert 0.5 < float(pca[3]) < 1  # three directions tell most digits apart
    trial = benchmark_encoders.Trial(("sample:digits",), "autoencoder", 3, 1, str(tmp_path), 200)
    network = benchmark_encoders.measure(trial)
    assert network.epochs == 1
    assert network.every is not None
    assert float(pca[6]) < network.every  # one epoch teaches less than the best lines know
    assert main([*words, "--limit", "0.01"]) == 0  # kept: nothing is measured again
    assert capsys.readouterr().out.splitlines() == [
        line.replace("limit 300 s", "limit 0.01 s") for line in lines]
    for wrong, code in ((["--only", "soup", "--data", "x"], "UNKNOWN_METHOD"), ([], "NO_DATA"),
                        (["--dimensions", "0", "--data", "x"], "OUT_OF_RANGE")):
        assert main(["benchmark", "--encoders", *wrong]) == 2
        assert code in capsys.readouterr().err


def test_every_encoder_that_is_trained_here_is_compared() -> None:
    assert set(benchmark_encoders.every_encoder()) >= {"pca", "vae", "contrastive", "masked"}
