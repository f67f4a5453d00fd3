"""An encoding that was stopped goes on where it was; precision, cutting and prompts of texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from huggingface_hub import constants

from explorer import steps
from explorer.encode import forward, precision, unfinished
from explorer.encode.sentence_transformer import SentenceTransformerModel
from explorer.errors import Cancelled
from explorer.keys import embedding_key
from explorer.spec import silent
from explorer.store import Store
from explorer.values import Embedding, read
from tests.builders import build_dataset
from tests.encode.tiny import save_sentence_model

VALUES = [" ".join(["cat", "dog", "red", "blue", "sat"][(i + j) % 5] for j in range(1 + i % 7))
          + f" {i}" for i in range(60)] + ["blue " * 50]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("models")
    save_sentence_model(root / "tiny")
    return root


@pytest.fixture(autouse=True)
def only_these_models(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_MODEL_ROOTS", str(root))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("explorer.encode.tokens.BUDGET", 64)


def payload_of(method: SentenceTransformerModel, data: Any) -> dict[str, Any]:
    return {"step": "encode", "key": embedding_key(method, data), "method": method.identity(),
            "dataset": data.id, "roles": data.roles, "inputs": {}}


def stop_at(share: float) -> Any:
    def stop(done: float, text: str) -> None:
        if done > share:
            raise Cancelled
    return stop


@pytest.mark.parametrize("torn", [False, True])
def test_interrupted_and_continued_equals_uninterrupted(store: Store, tmp_path: Path,
                                                        monkeypatch: pytest.MonkeyPatch,
                                                        torn: bool) -> None:
    data = build_dataset(store, {"t": VALUES}, {"t": "text"})
    method = SentenceTransformerModel(model="tiny")
    payload = payload_of(method, data)
    whole = method.encode(data, silent).vectors
    ran: list[int] = []
    real = forward.Forward.vectors
    monkeypatch.setattr(forward.Forward, "vectors",
                        lambda self, batch: ran.append(len(batch)) or real(self, batch))
    with pytest.raises(Cancelled):
        steps.compute(payload, store, stop_at(0.5))
    first = len(ran)
    [part] = (store.root / unfinished.FOLDER / payload["key"]).iterdir()
    if torn:  # a crash in the middle of a write
        part.write_bytes(part.read_bytes()[:-7])
    steps.compute(payload, store, silent)
    found = read(Embedding, store.get(payload["key"]))
    np.testing.assert_array_equal(found.vectors, whole)
    assert first > 3
    assert sum(ran) == len(VALUES) + (ran[first] if torn else 0)  # nothing else is made twice
    assert not part.parent.exists()


def test_without_a_step_nothing_is_kept(store: Store) -> None:
    kept = unfinished.unfinished("x")
    kept.add(np.ones((2, 3), dtype=np.float32))
    assert kept.taken() == []


def test_records_of_a_foreign_file_are_dropped(tmp_path: Path) -> None:
    with unfinished.kept_under(tmp_path, "k"):
        kept = unfinished.unfinished("x")
        kept.add(np.arange(6, dtype=np.float32).reshape(2, 3))
        [part] = (tmp_path / unfinished.FOLDER / "k").iterdir()
        part.write_bytes(part.read_bytes() + b"\xff" * 40)
        again = unfinished.unfinished("x")
        assert [block.tolist() for block in again.taken()] == [[[0, 1, 2], [3, 4, 5]]]
        assert unfinished.unfinished("y").taken() == []
    assert unfinished.unfinished("x").taken() == []


def test_bfloat16_is_another_result_close_to_the_first(store: Store) -> None:
    data = build_dataset(store, {"t": VALUES}, {"t": "text"})
    whole = SentenceTransformerModel(model="tiny", precision="float32")
    half = SentenceTransformerModel(model="tiny", precision="bfloat16")
    exact, rough = whole.encode(data, silent), half.encode(data, silent)
    cosines = (exact.vectors * rough.vectors).sum(axis=1) / np.linalg.norm(
        exact.vectors, axis=1) / np.linalg.norm(rough.vectors, axis=1)
    assert 0.99 < cosines.min() < 1
    assert np.abs(exact.vectors - rough.vectors).max() > 1e-5
    assert rough.title == "tiny (16-d, bfloat16)"
    assert any("bfloat16" in note for note in rough.notes)
    assert any("float32" in note for note in exact.notes)
    assert len({whole.fingerprint(), half.fingerprint()}) == 2
    assert embedding_key(whole, data) != embedding_key(half, data)


@pytest.mark.parametrize(("flags", "expected"), [({"amx_bf16", "avx512_bf16"}, "bfloat16"),
                                                 ({"avx512_bf16"}, "float32"), (set(), "float32")])
def test_automatic_is_decided_by_the_processor(monkeypatch: pytest.MonkeyPatch, flags: set[str],
                                               expected: str) -> None:
    monkeypatch.setattr(precision, "_processor", lambda: frozenset(flags))
    assert precision.resolve("automatic") == expected
    assert SentenceTransformerModel(model="tiny").fingerprint().endswith(expected)


def test_fewer_tokens_equal_the_library_told_so(store: Store, root: Path) -> None:
    from sentence_transformers import SentenceTransformer

    data = build_dataset(store, {"t": VALUES}, {"t": "text"})
    found = SentenceTransformerModel(model="tiny", max_tokens=6, prompt="query ").encode(
        data, silent)
    model = SentenceTransformer(str(root / "tiny"), device="cpu", local_files_only=True)
    model.max_seq_length = 6
    np.testing.assert_allclose(found.vectors, model.encode(["query " + text for text in VALUES]),
                               atol=1e-5)
    tokens = [len(ids) for ids in model.tokenizer(["query " + text for text in VALUES]).input_ids]
    over = [count for count in tokens if count > 6]
    lost = sum(count - 6 for count in over) / sum(tokens)
    said = " ".join(found.notes)
    assert f"{len(over)} of {len(VALUES)} texts are longer than the 6 tokens" in said
    assert f"{len(over) / len(VALUES):.1%} of the texts and {lost:.1%} of all tokens" in said
    assert "Before every text stood 'query '." in said


def test_what_the_library_reads_otherwise_goes_through_it(
        store: Store, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = build_dataset(store, {"t": VALUES}, {"t": "text"})
    direct = SentenceTransformerModel(model="tiny").encode(data, silent).vectors
    monkeypatch.setattr(forward.Forward, "_agreed", lambda self, batch: None)
    by_library = SentenceTransformerModel(model="tiny").encode(data, silent).vectors
    np.testing.assert_allclose(direct, by_library, atol=1e-6)


def test_too_little_memory_halves_the_batch(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    data = build_dataset(store, {"t": VALUES}, {"t": "text"})
    whole = SentenceTransformerModel(model="tiny").encode(data, silent)
    real = forward.Forward._direct

    def short(self: Any, batch: np.ndarray) -> np.ndarray:
        if len(batch) > 2:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return real(self, batch)

    monkeypatch.setattr(forward.Forward, "_direct", short)
    found = SentenceTransformerModel(model="tiny").encode(data, silent)
    np.testing.assert_allclose(found.vectors, whole.vectors, atol=1e-6)
    assert any("halved" in note for note in found.notes)
