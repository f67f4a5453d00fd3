"""`explorer train` and what is done with its file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from explorer.cli import main
from explorer.encode.saved_model import read_model_file

WORDS = ["--epochs=3", "--layers=0", "--dimensions=2", "--reads=vectors"]


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    path = tmp_path / "rows.npy"
    np.save(path, np.random.default_rng(2).normal(size=(30, 4)).astype(np.float32))
    return path


def test_a_network_is_written_and_encodes_other_rows(vectors: Path, tmp_path: Path,
                                                     capsys: pytest.CaptureFixture[str]) -> None:
    out, made = tmp_path / "net.safetensors", tmp_path / "codes.npy"
    assert main(["train", "autoencoder", "--data", str(vectors), "--out", str(out), *WORDS]) == 0
    assert "3 epochs" in capsys.readouterr().out
    network = read_model_file(out)
    new = np.random.default_rng(3).normal(size=(7, 4)).astype(np.float32)
    other = tmp_path / "new.npy"
    np.save(other, new)
    assert main(["encode", "saved_model", "--network", str(out), "--data", str(other), "--out",
                 str(made)]) == 0
    # A linear network: its codes by hand.
    scaled = (new - network.center) / network.spread
    weight, bias = network.weights["encoder.0.weight"], network.weights["encoder.0.bias"]
    expected = scaled @ weight.T + bias
    np.testing.assert_allclose(np.load(made), expected, rtol=1e-4, atol=1e-5)


def test_refusals_are_one_line(vectors: Path, tmp_path: Path,
                               capsys: pytest.CaptureFixture[str]) -> None:
    data, out = ["--data", str(vectors)], ["--out", str(tmp_path / "o.npy")]
    for words, code in (
            (["--network", str(tmp_path / "no.safetensors")], "NO_FILE"),
            (["--network", "no such"], "NO_MODEL"), ([], "NO_MODEL"),
            (["--network", "../x"], "BAD_MODEL_NAME")):
        assert main(["encode", "saved_model", *words, *data, *out]) == 2
        assert f"explorer: {code}:" in capsys.readouterr().err
    junk = tmp_path / "junk.safetensors"
    junk.write_bytes(b"not a network")
    assert main(["encode", "saved_model", "--network", str(junk), *data, *out]) == 2
    assert "MODEL_DAMAGED" in capsys.readouterr().err
    assert not (tmp_path / "o.npy").exists()
