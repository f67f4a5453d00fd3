"""Which models there are, and what is refused before anything is loaded."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import constants

from explorer.encode.models import digest_of, find_model, list_models, model_roots
from explorer.encode.sentence_transformer import SentenceTransformerModel
from explorer.errors import DataError, ExplorerError, ParameterError
from explorer.store import Store
from tests.builders import build_dataset
from tests.encode.tiny import change_json, fake_model, write_weights

BAD_NAMES = ["../../etc", "..", "a/../b", "/etc", "/etc/passwd", "C:\\x", "file:///etc", "a\0b",
             "http://169.254.169.254/", "https://x.y/z", "\\\\host\\s", "//host/s", "x" * 10_000,
             "a／b", "..／..", "~/models", "", ".hidden", "a//b", "a/", " a", "a ", "a\nb",
             "$HOME", "a;b", "./a"]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty root for models; the hub cache is empty too."""
    root = tmp_path / "models"
    root.mkdir()
    monkeypatch.setenv("EXPLORER_MODEL_ROOTS", os.pathsep.join([str(root),
                                                                str(tmp_path / "none")]))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return root


def refused(name: str) -> ExplorerError:
    with pytest.raises(ExplorerError) as caught:
        find_model(name)
    return caught.value


@pytest.mark.parametrize("name", BAD_NAMES)
def test_bad_names_are_refused_by_their_letters(root: Path, name: str) -> None:
    error = refused(name)
    assert isinstance(error, ParameterError)
    assert error.code == "BAD_MODEL_NAME"
    assert len(str(error)) < 1000


def test_bad_names_touch_no_file_and_no_network(root: Path) -> None:
    # Python's own audit events name every open, listing and connection.
    script = """
import json, sys
from explorer.encode import models
from explorer.errors import ParameterError
seen = []
sys.addaudithook(lambda event, given: seen.append((event, str(given)))
                 if event.startswith(("open", "os.", "socket.", "glob", "pathlib")) else None)
for name in json.loads(sys.argv[1]):
    try:
        models.find_model(name)
    except ParameterError:
        continue
print(json.dumps(seen))
"""
    done = subprocess.run([sys.executable, "-c", script, json.dumps(BAD_NAMES)],
                          capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_a_name_that_is_not_there_lists_what_is(root: Path) -> None:
    fake_model(root / "mine")
    error = refused("sentence-transformers/all-mpnet-base-v2")
    assert error.code == "NO_MODEL"
    assert "there are: mine" in error.message
    assert str(root) in error.hint


def test_folders_are_found_by_name_and_path(root: Path) -> None:
    fake_model(root / "mine")
    fake_model(root / "owner" / "other-1.5")
    assert [model.name for model in list_models()] == ["mine", "owner/other-1.5"]
    for name in ("owner/other-1.5", str(root / "owner" / "other-1.5")):
        model = find_model(name)
        assert (model.name, model.kind, model.bytes, model.dimensions) == (
            "owner/other-1.5", "text", 100, 16)
        assert model.path == root / "owner" / "other-1.5"


def test_the_hub_cache_is_searched(root: Path, tmp_path: Path) -> None:
    repo = tmp_path / "hub" / "models--org--tiny"
    fake_model(repo / "blobs" / "real")
    for revision in ("a" * 40, "b" * 40):
        (repo / "snapshots" / revision).mkdir(parents=True)
        for file in (repo / "blobs" / "real").iterdir():
            blob = repo / "blobs" / f"{file.name}-{revision[0]}"
            shutil.copy(file, blob)
            (repo / "snapshots" / revision / file.name).symlink_to(blob)
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text("a" * 40)
    shutil.rmtree(repo / "blobs" / "real")
    assert [model.name for model in list_models()] == ["org/tiny"]
    assert find_model("org/tiny").path.name == "a" * 40


def test_default_roots(monkeypatch: pytest.MonkeyPatch, own_home: Path) -> None:
    monkeypatch.delenv("EXPLORER_MODEL_ROOTS", raising=False)
    assert model_roots() == (Path.home() / "models", own_home / "models")


@pytest.mark.parametrize(("missing", "words"), [
    ("config.json", "modules.json or config.json"), ("model.safetensors", "model.safetensors"),
    ("tokenizer.json", "tokenizer.json")])
def test_what_is_missing_is_named(root: Path, missing: str, words: str) -> None:
    fake_model(root / "mine")
    (root / "mine" / missing).unlink()
    error = refused("mine")
    assert error.code == "NOT_A_MODEL"
    assert words in error.message
    assert error.where.file == "mine"
    assert list_models() == ()


@pytest.mark.parametrize("weights", ["pytorch_model.bin", "model.pt", "model.ckpt", "x.pkl"])
def test_weights_that_can_run_code(root: Path, weights: str) -> None:
    fake_model(root / "mine")
    (root / "mine" / "model.safetensors").rename(root / "mine" / weights)
    assert refused("mine").code == "UNSAFE_WEIGHTS"


def test_such_weights_in_a_later_module(root: Path) -> None:
    fake_model(root / "mine")
    (root / "mine" / "2_Dense").mkdir()
    (root / "mine" / "2_Dense" / "pytorch_model.bin").write_bytes(b"x")
    (root / "mine" / "2_Dense" / "config.json").write_text('{"out_features": 7}')
    modules = [{"path": "", "type": "sentence_transformers.models.Transformer"},
               {"path": "2_Dense", "type": "sentence_transformers.models.Dense"}]
    (root / "mine" / "modules.json").write_text(json.dumps(modules))
    assert refused("mine").code == "UNSAFE_WEIGHTS"
    (root / "mine" / "2_Dense" / "pytorch_model.bin").unlink()
    write_weights(root / "mine" / "2_Dense" / "model.safetensors")
    assert find_model("mine").dimensions == 7


@pytest.mark.parametrize("modules", [
    [{"path": "", "type": "mine.Evil"}],
    [{"path": "../..", "type": "sentence_transformers.models.Transformer"}],
    [{"path": "/etc", "type": "sentence_transformers.models.Transformer"}]])
def test_modules_of_its_own(root: Path, modules: list) -> None:
    fake_model(root / "mine")
    (root / "mine" / "modules.json").write_text(json.dumps(modules))
    assert refused("mine").code == "UNSAFE_MODEL"


@pytest.mark.parametrize("modules", ["[]", "{", "[1]", '[{"path": 1, "type": "x"}]', "[" * 100_000])
def test_broken_modules(root: Path, modules: str) -> None:
    fake_model(root / "mine")
    (root / "mine" / "modules.json").write_text(modules)
    assert refused("mine").code == "NOT_A_MODEL"


@pytest.mark.parametrize("field", ["_attn_implementation_internal", "attn_implementation"])
def test_kernels_from_the_hub(root: Path, field: str) -> None:
    fake_model(root / "mine")
    change_json(root / "mine" / "config.json", text_config={field: "evil/kernels"})
    assert refused("mine").code == "UNSAFE_MODEL"
    change_json(root / "mine" / "config.json", text_config={field: "sdpa"})
    assert find_model("mine").kind == "text"


def test_adapters_are_not_models(root: Path) -> None:
    fake_model(root / "mine")
    (root / "mine" / "adapter_config.json").write_text("{}")
    assert refused("mine").code == "NOT_A_MODEL"


def test_links_that_lead_out(root: Path, tmp_path: Path) -> None:
    fake_model(tmp_path / "elsewhere")
    (root / "linked").symlink_to(tmp_path / "elsewhere")
    assert refused("linked").code == "UNSAFE_MODEL"
    fake_model(root / "mine")
    (root / "mine" / "extra.json").symlink_to("/etc/passwd")
    assert refused("mine").code == "UNSAFE_MODEL"


def test_image_models_are_listed_but_read_no_text(root: Path, store: Store) -> None:
    fake_model(root / "vision")
    (root / "vision" / "tokenizer.json").rename(root / "vision" / "preprocessor_config.json")
    fake_model(root / "both")
    (root / "both" / "preprocessor_config.json").write_text("{}")
    assert {model.name: model.kind for model in list_models()} == {"both": "multimodal",
                                                                   "vision": "image"}
    data = build_dataset(store, {"t": ["x"]})
    assert SentenceTransformerModel.offers(data) == {"model": ["both"]}
    with pytest.raises(DataError) as caught:
        SentenceTransformerModel(model="vision").fingerprint()
    assert caught.value.code == "NOT_A_TEXT_MODEL"


def test_the_digest_follows_what_decides(root: Path) -> None:
    fake_model(root / "mine")
    first = digest_of(find_model("mine"))
    (root / "mine" / "README.md").write_text("words")
    assert digest_of(find_model("mine")) == first
    write_weights(root / "mine" / "model.safetensors", b"1")
    second = digest_of(find_model("mine"))
    change_json(root / "mine" / "config.json", hidden_size=8)
    assert len({first, second, digest_of(find_model("mine"))}) == 3


def test_no_model_chosen(root: Path) -> None:
    fake_model(root / "mine")
    with pytest.raises(ParameterError) as caught:
        SentenceTransformerModel().fingerprint()
    assert caught.value.code == "NO_MODEL"
    assert "mine" in caught.value.message
