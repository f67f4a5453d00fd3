"""TF-IDF + SVD against scikit-learn called directly."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from explorer.encode.tfidf import Tfidf
from explorer.errors import DataError
from explorer.spec import silent
from explorer.store import Store
from tests.builders import build_dataset

TEXTS = ["the cat sat on the mat", "the dog ate the cat food", "stocks fell on monday",
         "stocks rose and bonds fell", "a dog and a cat sat", "bonds and stocks on monday",
         "the mat and the food", "monday the dog sat on stocks"]


def test_equals_scikit_learn_whatever_the_order_of_rows(store: Store) -> None:
    method = Tfidf(dimensions=4)
    found = method.encode(build_dataset(store, {"t": TEXTS}), silent)
    order = np.argsort(np.array(TEXTS, dtype=object))
    weights = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True,
                              strip_accents="unicode").fit_transform(sorted(TEXTS))
    expected = np.empty((8, 4))
    expected[order] = normalize(TruncatedSVD(4, random_state=0).fit_transform(weights))
    np.testing.assert_allclose(found.vectors, expected, atol=1e-6)
    backwards = method.encode(build_dataset(store, {"t": TEXTS[::-1]}), silent)
    np.testing.assert_array_equal(backwards.vectors[::-1], found.vectors)


@pytest.mark.parametrize(("parameters", "options"), [
    ({"longest_phrase": 1}, {"ngram_range": (1, 1)}),
    ({"min_count": 3}, {"min_df": 3}),
    ({"max_share": 0.5}, {"max_df": 0.5}),
    ({"sublinear": False}, {"sublinear_tf": False}),
    ({"stop_words": "english"}, {"stop_words": "english"}),
    ({"vocabulary": 10}, {"max_features": 10}),
])
def test_every_parameter_arrives(store: Store, parameters: dict, options: dict) -> None:
    found = Tfidf(dimensions=3, normalize=False, seed=5, **parameters).encode(
        build_dataset(store, {"t": TEXTS}), silent)
    settings = {"ngram_range": (1, 2), "min_df": 2, "sublinear_tf": True, **options}
    texts = sorted(TEXTS)
    weights = TfidfVectorizer(**settings).fit_transform(texts)
    expected = TruncatedSVD(3, random_state=5).fit_transform(weights)
    np.testing.assert_allclose(found.vectors[[TEXTS.index(text) for text in texts]],
                               expected, atol=1e-6)


def test_composed_and_decomposed_letters_are_one_word(store: Store) -> None:
    texts = ["café noir", unicodedata.normalize("NFD", "café noir"), "the noir", "the café"]
    for accents in ("kept", "stripped"):
        found = Tfidf(accents=accents, dimensions=5).encode(build_dataset(store, {"t": texts}),
                                                            silent)
        np.testing.assert_allclose(found.vectors[0], found.vectors[1], atol=1e-6)


def test_accents(store: Store) -> None:
    data = build_dataset(store, {"t": ["café noir", "cafe noir", "noir vin", "vin cafe"]})
    stripped = Tfidf(min_count=1, dimensions=3).encode(data, silent).vectors
    kept = Tfidf(min_count=1, dimensions=3, accents="kept").encode(data, silent).vectors
    assert np.allclose(stripped[0], stripped[1])
    assert not np.allclose(kept[0], kept[1], atol=0.1)


def test_empty_texts_and_texts_without_known_words_are_left_out(store: Store) -> None:
    data = build_dataset(store, {"t": ["red apple", "", "red apple", None, "  ", "zebra",
                                       "apple pie", "pie red"]})
    found = Tfidf().encode(data, silent)
    assert found.rows.tolist() == [0, 2, 6, 7]
    assert "3 rows left out (no text): rows 2, 4, 5." in found.notes
    assert "1 row left out (no counted word in the text): row 6." in found.notes
    assert np.allclose(np.linalg.norm(found.vectors, axis=1), 1)


def test_fewer_dimensions_than_asked_for_are_said(store: Store) -> None:
    found = Tfidf().encode(build_dataset(store, {"t": TEXTS}), silent)
    assert found.vectors.shape == (8, 8)
    assert any(note.startswith("100 dimensions asked for, 8 possible") for note in found.notes)


@pytest.mark.parametrize(("texts", "parameters", "words"), [
    (["1 2 3", "4 5", "☃ 🎉"], {}, "only numbers"),
    (["a b", "c", "d e"], {}, "only single letters"),
    (["the and of", "of the"], {"stop_words": "english"}, "only stop words"),
    (["red", "blue", "green"], {}, "none in at least 2"),
    (["red"], {"max_share": 0.5}, "none in at least 2"),
])
def test_no_words_says_why(store: Store, texts: list[str], parameters: dict, words: str) -> None:
    with pytest.raises(DataError) as caught:
        Tfidf(**parameters).encode(build_dataset(store, {"t": texts}), silent)
    assert caught.value.code == "NO_TEXT"
    assert caught.value.where.column == "t"
    assert words in caught.value.message


@pytest.mark.parametrize("texts", [["", ""], [None, "  "], ["\n", "\t"]])
def test_nothing_but_empty_texts(store: Store, texts: list) -> None:
    with pytest.raises(DataError) as caught:
        Tfidf().encode(build_dataset(store, {"t": texts}, {"t": "text"}), silent)
    assert caught.value.code == "NO_TEXT"


def test_text_columns_are_joined_in_file_order(store: Store) -> None:
    title, body = ["red", "", "big pie"], ["apple red", "pie apple", None]
    split = build_dataset(store, {"title": title, "kind": ["1", "2", "3"], "body": body},
                          {"kind": "label"})
    joined = build_dataset(store, {"t": ["red\napple red", "pie apple", "big pie"]})
    method = Tfidf(min_count=1)
    assert [column.name for column in method.columns(split)] == ["title", "body"]
    np.testing.assert_array_equal(method.encode(split, silent).vectors,
                                  method.encode(joined, silent).vectors)


def test_identical_texts_give_identical_vectors(store: Store) -> None:
    found = Tfidf().encode(build_dataset(store, {"t": ["same words here"] * 5}), silent)
    assert np.isfinite(found.vectors).all()
    assert np.ptp(found.vectors, axis=0).max() < 1e-6


def test_no_text_column(store: Store) -> None:
    with pytest.raises(DataError) as caught:
        Tfidf().columns(build_dataset(store, {"a": [1, 2]}))
    assert caught.value.code == "NO_TEXT"
