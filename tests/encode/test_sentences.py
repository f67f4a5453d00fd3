"""Sentence models against the library called directly; MiniLM on board."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from huggingface_hub import constants

from explorer.encode import minilm
from explorer.encode.minilm import MiniLM, minilm_folder
from explorer.encode.sentence_transformer import SentenceTransformerModel
from explorer.errors import Cancelled, DataError
from explorer.spec import silent
from explorer.store import Store
from tests.builders import build_dataset
from tests.encode.tiny import change_json, save_sentence_model, save_transformer

TEXTS = ["the cat sat", "a dog", "http://127.0.0.1:9/x.png", "the cat sat", "", "blue " * 50,
         "/etc/hostname", "  ", "red", "dog cat"]
FULL = [0, 1, 2, 3, 5, 6, 8, 9]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of tiny models: 'tiny' with modules.json, 'plain' without."""
    root = tmp_path_factory.mktemp("models")
    save_sentence_model(root / "tiny")
    save_transformer(root / "plain")
    return root


@pytest.fixture(autouse=True)
def only_these_models(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_MODEL_ROOTS", str(root))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


def library(folder: Path) -> Any:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu", local_files_only=True)


def texts(store: Store, values: list) -> Any:
    return build_dataset(store, {"t": values}, {"t": "text"})


@pytest.mark.parametrize("name", ["tiny", "plain"])
def test_equals_the_library(store: Store, root: Path, name: str) -> None:
    found = SentenceTransformerModel(model=name).encode(texts(store, TEXTS), silent)
    expected = library(root / name).encode([{"text": TEXTS[row]} for row in FULL])
    np.testing.assert_allclose(found.vectors, expected, atol=1e-5)
    assert found.vectors.dtype == np.float32
    assert found.rows.tolist() == FULL
    assert found.title == f"{name} (16-d)"
    said = " ".join(found.notes)
    assert "2 rows left out (no text): rows 5, 8." in said
    assert "1 text repeat another one" in said
    assert "1 of 8 texts are longer than the 32 tokens" in said
    assert "the longest has 52 tokens" in said
    assert ("averaged" in said) == (name == "plain")


def test_order_of_rows_and_batches_changes_nothing(store: Store,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.encode.tokens.BUDGET", 24)
    method = SentenceTransformerModel(model="tiny")
    found = method.encode(texts(store, TEXTS), silent).vectors
    backwards = method.encode(texts(store, TEXTS[::-1]), silent).vectors
    np.testing.assert_array_equal(backwards[::-1], found)
    np.testing.assert_array_equal(found[0], found[3])


def test_prompt_and_unit_length(store: Store, root: Path) -> None:
    found = SentenceTransformerModel(model="tiny", prompt="query ", normalize=True).encode(
        texts(store, ["red cat", "blue"]), silent)
    expected = library(root / "tiny").encode(["query red cat", "query blue"],
                                             normalize_embeddings=True)
    np.testing.assert_allclose(found.vectors, expected, atol=1e-5)
    assert found.title.endswith("length 1")


def test_other_weights_are_another_result(store: Store, root: Path) -> None:
    save_sentence_model(root / "changing", seed=1)
    method = SentenceTransformerModel(model="changing")
    data = texts(store, ["red cat", "blue"])
    first, name = method.encode(data, silent).vectors, method.fingerprint()
    shutil.rmtree(root / "changing")
    save_sentence_model(root / "changing", seed=2)
    assert method.fingerprint() != name
    assert np.abs(method.encode(data, silent).vectors - first).max() > 0.1
    shutil.rmtree(root / "changing")


@pytest.mark.parametrize("damage", ["short", "huge header", "config"])
def test_damaged_models_are_refused_in_words(store: Store, root: Path, damage: str) -> None:
    folder = root / f"damaged-{damage.replace(' ', '-')}"
    save_sentence_model(folder)
    weights = folder / "model.safetensors"
    if damage == "short":
        weights.write_bytes(weights.read_bytes()[:-500])
    elif damage == "huge header":
        weights.write_bytes((2**32).to_bytes(8, "little") + b"{}")
    else:
        change_json(folder / "config.json", hidden_size=24)
    with pytest.raises(DataError) as caught:
        SentenceTransformerModel(model=folder.name).encode(texts(store, ["red"]), silent)
    assert caught.value.code == "MODEL_DAMAGED"
    shutil.rmtree(folder)


def test_code_of_a_model_does_not_run(store: Store, root: Path, tmp_path: Path) -> None:
    folder, canary = root / "own-code", tmp_path / "canary"
    save_transformer(folder, model_type="own", auto_map={"AutoConfig": "own.Own",
                                                         "AutoModel": "own.Own"})
    (folder / "own.py").write_text(f"open({str(canary)!r}, 'w').close()\nclass Own: pass\n")
    with pytest.raises(DataError) as caught:
        SentenceTransformerModel(model="own-code").encode(texts(store, ["red"]), silent)
    assert caught.value.code == "UNSAFE_MODEL"
    assert not canary.exists()
    shutil.rmtree(folder)


def test_nothing_is_read_or_fetched_for_a_text(store: Store, monkeypatch: pytest.MonkeyPatch
                                               ) -> None:
    from sentence_transformers.base import modality

    asked: list[str] = []
    monkeypatch.setattr(modality, "_is_media_url_or_path",
                        lambda text, endings: asked.append(text) or False)
    SentenceTransformerModel(model="tiny").encode(texts(store, TEXTS), silent)
    assert asked == []


def test_progress_rises_and_stops(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.encode.tokens.BUDGET", 1)
    data, seen = texts(store, TEXTS), []
    SentenceTransformerModel(model="tiny").encode(data, lambda done, text: seen.append(done))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert len(seen) >= 7

    def stop(done: float, text: str) -> None:
        if done > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        SentenceTransformerModel(model="tiny").encode(data, stop)


def test_minilm_places_by_meaning(store: Store) -> None:
    values = ["A cat sleeps on the sofa.", "A kitten naps on the couch.",
              "Stock markets fell on Monday.", "", "word " * 300]
    found = MiniLM().encode(texts(store, values), silent)
    expected = library(minilm_folder()).encode([value for value in values if value])
    cosines = (found.vectors * expected).sum(axis=1)
    assert cosines.min() > 0.9999
    assert found.vectors[0] @ found.vectors[1] > 0.5 > found.vectors[0] @ found.vectors[2] + 0.3
    assert np.allclose(np.linalg.norm(found.vectors, axis=1), 1)
    assert "1 of 4 texts are longer than the 256 tokens" in " ".join(found.notes)
    assert MiniLM().fingerprint().startswith("53aa51172d142c89")
    assert os.environ["HF_HUB_OFFLINE"] == "1"


def test_minilm_damaged_or_absent(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
                                  ) -> None:
    data = texts(store, ["red"])
    damaged = tmp_path / "damaged"
    shutil.copytree(minilm_folder(), damaged, ignore=shutil.ignore_patterns("*.safetensors"))
    with open(damaged / "model.safetensors", "wb") as file:
        file.write(b"x" * 1000)
    with monkeypatch.context() as patch:
        patch.setattr(minilm, "minilm_folder", lambda: damaged)
        with pytest.raises(DataError) as caught:
            MiniLM().encode(data, silent)
    assert caught.value.code == "MODEL_DAMAGED"
    assert caught.value.where.file == "model.safetensors"
    monkeypatch.setattr(minilm, "_PACKAGE", "no_such_package")
    with pytest.raises(DataError) as caught:
        MiniLM().encode(data, silent)
    assert caught.value.code == "NO_MODEL"
    assert "TF-IDF" in caught.value.hint


def test_threads_follow_the_engine_and_change_nothing(
        store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    dataset, before, seen, vectors = texts(store, TEXTS), torch.get_num_threads(), [], []
    for threads in ("1", "2"):
        monkeypatch.setenv("EXPLORER_THREADS", threads)
        found = SentenceTransformerModel(model="tiny").encode(
            dataset, lambda fraction, text: seen.append((text, torch.get_num_threads())))
        assert {count for text, count in seen if "of 7" in text} == {int(threads)}
        assert torch.get_num_threads() == before
        vectors.append(found.vectors)
        seen.clear()
    np.testing.assert_array_equal(*vectors)
