"""HOSTILE.md 3.7, T01 to T09, for every encoder that reads texts."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from huggingface_hub import constants

from explorer import single
from explorer.cluster import clusterers
from explorer.encode import Encoder, encoders
from explorer.encode.reading import ReadingEncoder
from explorer.errors import DataError
from explorer.project import projectors
from explorer.store import Store
from tests.builders import build_dataset
from tests.encode.tiny import save_sentence_model

MAKES = {"tfidf": {"min_count": 1}, "minilm": {}, "static_minilm": {},
         "sentence_transformer": {"model": "tiny"}}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("models")
    save_sentence_model(root / "tiny")
    return root


@pytest.fixture(autouse=True)
def only_these_models(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_MODEL_ROOTS", str(root))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture(params=MAKES)
def encoder(request: pytest.FixtureRequest) -> Encoder:
    return encoders().create(request.param, MAKES[request.param])


def of(store: Store, values: list[Any]) -> Any:
    return build_dataset(store, {"words": values}, {"words": "text"})


def test_every_text_encoder_is_here(store: Store) -> None:
    data = of(store, ["red cat", "blue dog"])
    reading = set()
    for method in encoders():
        if issubclass(method, ReadingEncoder):
            continue  # its reader is another encoder
        try:
            method.create().columns(data)
        except DataError:
            continue
        reading.add(method.key)
    assert reading == set(MAKES), "a new text encoder: add it to MAKES"


EMPTY = ["", "  ", "\t\r\n", "\u00a0\u2003", None, "\u200b\ufeff", "\u202e", "\x00"]


def test_t01_t02_empty_rows_are_listed_and_left_out(encoder: Encoder, store: Store) -> None:
    found = single.encode(encoder, of(store, [*EMPTY, "red cat", "blue dog", "red dog"]), store)
    assert found.rows.tolist() == [8, 9, 10]
    assert any("8 rows left out (no text): rows 1, 2, 3, 4, 5 and 3 more" in note
               for note in found.notes)


def test_t01_nothing_but_empty_rows(encoder: Encoder, store: Store) -> None:
    with pytest.raises(DataError) as refused:
        single.encode(encoder, of(store, EMPTY), store)
    assert refused.value.code == "NO_TEXT"
    assert refused.value.where.column == "words"
    assert "8" in refused.value.message


@pytest.mark.parametrize("texts", [["1", "22 3", "4.5"], ["a", "b c", "d"],
                                   ["\u2764\ufe0f", "\U0001f431", "\U0001f436!"],
                                   ["the", "of and", "a the"], ["?!", "...", "--"]], ids=str)
def test_t03_texts_without_words(encoder: Encoder, texts: list[str], store: Store) -> None:
    if encoder.key != "tfidf":
        found = single.encode(encoder, of(store, texts), store)
        assert np.isfinite(found.vectors).all()
        assert len(found.vectors) == 3
        return
    strict = encoder.model_copy(update={"stop_words": "english"})
    with pytest.raises(DataError) as refused:
        single.encode(strict, of(store, texts), store)
    assert refused.value.code == "NO_TEXT"
    assert any(word in refused.value.message for word in ("numbers", "single letters",
                                                          "stop words"))
    assert any(word in refused.value.hint for word in ("MiniLM", "category"))


def test_t05_composed_and_decomposed_letters_are_the_same(encoder: Encoder, store: Store) -> None:
    words = ["café crème", "naïve résumé", "Ångström unit", "plain words here"]
    both = [unicodedata.normalize(form, word) for form in ("NFC", "NFD") for word in words]
    assert both[:3] != both[4:7]
    found = single.encode(encoder, of(store, both), store)
    np.testing.assert_array_equal(found.vectors[:4], found.vectors[4:])


def test_t06_t07_strange_characters_harm_nothing(encoder: Encoder, store: Store) -> None:
    texts = ["red\x00cat", "\x1b[31mred cat", "\u202ered cat\u202c", "مرحبا red بالعالم", "red cat",
             "z\u0351\u0346" * 500 + " red", "red " * 3000, "x" * 100_000 + " red",
             "\U0001f468\u200d\U0001f469\u200d\U0001f467 red", "\ufffd\ufffe red"]
    found = single.encode(encoder, of(store, texts), store)
    assert np.isfinite(found.vectors).all()
    assert len(found.vectors) == len(texts)


def test_t09_one_text_in_all_rows(encoder: Encoder, store: Store) -> None:
    found = single.encode(encoder, of(store, ["red cat and dog"] * 12), store)
    assert len(np.unique(found.vectors, axis=0)) == 1
    assert any("same vector" in note for note in found.notes)
    for projector in ("pca", "tsne", "umap"):
        with pytest.raises(DataError) as refused:
            single.project(projectors().create(projector), found.vectors, store)
        assert refused.value.code == "IDENTICAL_ROWS"
    with pytest.raises(DataError) as refused:
        single.cluster(clusterers().create("kmeans"), found.vectors, store)
    assert refused.value.code == "IDENTICAL_ROWS"
