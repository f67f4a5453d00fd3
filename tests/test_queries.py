"""Questions about an embedding: neighbours and meaning, as jobs and at once, against oracles."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize

from explorer import queries, values
from explorer.cluster import clusterers
from explorer.encode import encoders
from explorer.encode.counted_words import pack_words, unpack_words
from explorer.encode.tfidf import Tfidf
from explorer.errors import DataError, ExplorerError, ParameterError, ResultError
from explorer.jobs import Step
from explorer.project import projectors
from explorer.queries import (
    Answer,
    default_metric,
    find_nearest,
    learned_key,
    meaning_step,
    nearest_step,
)
from explorer.recipe import Recipe
from explorer.run import Run, run
from explorer.spec import silent
from explorer.store import Store
from tests.builders import build_dataset
from tests.encode.tiny import save_sentence_model

TOPICS = [["stocks", "bonds", "market", "bank"], ["goal", "match", "league", "coach"],
          ["planet", "rocket", "orbit", "moon"]]
DRAWS = np.random.default_rng(0)
TEXTS = [" ".join(DRAWS.choice(TOPICS[row % 3], size=6)) + " and the rest" for row in range(60)]


def recipe_of(encoder: str, **parameters: object) -> Recipe:
    return Recipe.of(encoders().create(encoder, parameters), projectors().create("pca"),
                     clusterers().create("kmeans", {"clusters": 3}))


@pytest.fixture
def texts(store: Store) -> Run:
    return run(recipe_of("tfidf", dimensions=6), build_dataset(store, {"t": TEXTS}), store)


def answer(step: Step, store: Store) -> Answer:
    queries.execute(json.loads(json.dumps(step.payload)), str(store.root), silent)
    return values.read(Answer, store.get(step.key))


def test_the_job_finds_what_is_found_at_once(texts: Run, store: Store) -> None:
    assert texts.embedding is not None
    vectors = texts.embedding.vectors
    for places in (np.array([5]), np.array([3, 9, 12])):
        for metric in ("cosine", "euclidean", "manhattan"):
            asked = vectors[places].astype(np.float64).mean(axis=0)
            search = NearestNeighbors(n_neighbors=60, metric=metric, algorithm="brute")
            order = search.fit(vectors.astype(np.float64)).kneighbors(asked[None, :])
            expected = [place for place in order[1][0].tolist() if place not in places.tolist()]
            found = answer(nearest_step(texts, places, metric), store)
            direct = find_nearest(vectors, places, metric)
            assert found.places.tolist() == direct.places.tolist()
            np.testing.assert_array_equal(found.distances, direct.distances)
            assert found.compared == 60 - len(places)
            distances = order[0][0][np.isin(order[1][0], expected)]
            np.testing.assert_allclose(found.distances, distances, atol=1e-7)


def test_the_name_of_a_question_is_its_content(texts: Run) -> None:
    keys = {nearest_step(texts, np.array(rows), metric).key
            for rows in ([1], [2], [1, 2]) for metric in ("cosine", "euclidean")}
    assert len(keys) == 6
    assert nearest_step(texts, np.array([1]), "cosine").key in keys
    assert meaning_step(texts, "moon").key != meaning_step(texts, "moons").key


def test_the_recipes_distance(store: Store) -> None:
    dataset = build_dataset(store, {"t": TEXTS})
    made = [recipe_of("tfidf", dimensions=6)]
    made.append(made[0].using(clusterer=clusterers().create("hdbscan", {"metric": "cosine"})))
    made.append(made[1].using(cluster_in="projection"))
    assert [default_metric(run(recipe, dataset, store)) for recipe in made] == [
        "euclidean", "cosine", "euclidean"]


def test_tfidf_places_a_text_as_scikit_learn_would(texts: Run, store: Store) -> None:
    found = answer(meaning_step(texts, "Rocket to the moon"), store)
    order = sorted(TEXTS)
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True,
                                 strip_accents="unicode")
    svd = TruncatedSVD(6, random_state=0)
    turned = normalize(svd.fit_transform(vectorizer.fit_transform(order)))
    asked = normalize(svd.transform(vectorizer.transform(["Rocket to the moon"])))
    cosine = (turned @ asked.T)[:, 0]
    truth = np.array([cosine[order.index(text)] for text in TEXTS])
    np.testing.assert_allclose(1 - found.distances, truth[found.places], atol=1e-5)
    np.testing.assert_allclose(1 - found.distances, np.sort(truth)[::-1], atol=1e-5)
    assert {int(place) % 3 for place in found.places[:10]} == {2}
    assert found.notes == ("3 of its 4 words are in the vocabulary; not: to.",)


def test_what_was_learned_is_kept(texts: Run, store: Store,
                                  monkeypatch: pytest.MonkeyPatch) -> None:
    first = answer(meaning_step(texts, "moon"), store)
    assert store.get(learned_key(texts.plan.embedding)).meta["type"] == "Learned"
    monkeypatch.setattr(Tfidf, "learn", lambda *given: pytest.fail("learned twice"))
    answer(meaning_step(texts, "market"), store)
    again = values.read(Answer, store.get(meaning_step(texts, "moon").key))
    np.testing.assert_array_equal(again.places, first.places)


def test_other_vectors_than_those_learned_are_refused(texts: Run, store: Store) -> None:
    assert texts.embedding is not None
    turned = values.Embedding(texts.embedding.vectors[:, ::-1].copy(), texts.embedding.rows)
    with pytest.raises(ResultError) as caught:
        texts.recipe.encoding.learn(texts.dataset, turned, silent)
    assert caught.value.code == "OTHER_VECTORS"


@pytest.mark.parametrize(("typed", "kind", "code"), [
    ("zebra unknown", DataError, "NO_KNOWN_WORD"), ("a b c", DataError, "NO_KNOWN_WORD"),
    ("12 34", DataError, "NO_KNOWN_WORD"), ("", ParameterError, "EMPTY_TEXT"),
    ("\u200b\x07", ParameterError, "EMPTY_TEXT"), ("moon " * 30_000, ParameterError, "TOO_LONG"),
    ("שלום עולם", DataError, "NO_KNOWN_WORD"), ("\u202emoon", None, ""), ("\ud800 moon", None, ""),
    ("moon\x00\x1b[31m", None, ""), ("MÓÓN", None, "")])
def test_strange_questions(texts: Run, store: Store, typed: str,
                           kind: type[ExplorerError] | None, code: str) -> None:
    if kind is None:
        assert int(answer(meaning_step(texts, typed), store).places[0]) % 3 == 2
        return
    with pytest.raises(kind) as caught:
        answer(meaning_step(texts, typed), store)
    assert caught.value.code == code
    assert caught.value.hint


def test_only_stop_words(store: Store) -> None:
    recipe = recipe_of("tfidf", dimensions=6, stop_words="english")
    current = run(recipe, build_dataset(store, {"t": TEXTS}), store)
    with pytest.raises(DataError) as caught:
        answer(meaning_step(current, "the and of"), store)
    assert caught.value.code == "NO_KNOWN_WORD"
    assert "no word of it is in the vocabulary" in caught.value.message


def test_rows_left_out_do_not_shift_the_answer(store: Store) -> None:
    cells = [*TEXTS[:6], "", None, "zebra", *TEXTS[6:]]
    current = run(recipe_of("tfidf", dimensions=6), build_dataset(store, {"t": cells}), store)
    found = answer(meaning_step(current, "orbit"), store)
    best = cells[int(current.rows[found.places[0]])]
    assert best is not None
    assert "orbit" in best


def test_a_sentence_model_places_a_text_like_a_row(store: Store, tmp_path: Path,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    save_sentence_model(tmp_path / "models" / "tiny")
    monkeypatch.setenv("EXPLORER_MODEL_ROOTS", str(tmp_path / "models"))
    rows = ["the cat sat", "a dog", "red", "blue cat", "dog dog", "the red dog sat", "blue", "sat"]
    for normalized in (False, True):
        recipe = recipe_of("sentence_transformer", model="tiny", normalize=normalized)
        current = run(recipe, build_dataset(store, {"t": rows}), store)
        assert current.embedding is not None
        for row, text in enumerate(rows):
            placed = recipe.encoding.place(text, {})
            np.testing.assert_allclose(placed.vector, current.embedding.vectors[row], atol=1e-5)
        found = answer(meaning_step(current, "blue cat"), store)
        assert found.places[0] == 3
        assert abs(found.distances[0]) < 1e-9
    assert recipe.encoding.place("red " * 60, {}).notes == (
        "The text is longer than this model reads: its end was cut off.",)


def test_another_model_under_the_same_name(store: Store, tmp_path: Path,
                                           monkeypatch: pytest.MonkeyPatch) -> None:
    save_sentence_model(tmp_path / "models" / "tiny")
    monkeypatch.setenv("EXPLORER_MODEL_ROOTS", str(tmp_path / "models"))
    rows = ["the cat sat", "a dog", "red", "blue cat", "dog dog", "the red dog sat"]
    current = run(recipe_of("sentence_transformer", model="tiny"),
                  build_dataset(store, {"t": rows}), store)
    shutil.rmtree(tmp_path / "models" / "tiny")
    save_sentence_model(tmp_path / "models" / "tiny", seed=1)
    with pytest.raises(DataError) as caught:
        answer(meaning_step(current, "cat"), store)
    assert caught.value.code == "MODEL_CHANGED"


def test_encoders_without_texts_say_so(store: Store) -> None:
    vectors = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    current = run(recipe_of("vectors"), build_dataset(store, {}, matrices={"v": vectors}), store)
    with pytest.raises(DataError) as caught:
        meaning_step(current, "moon")
    assert caught.value.code == "NO_TEXT_SPACE"
    assert "Vectors as uploaded" in caught.value.message


def test_encoders_that_read_texts_place_them() -> None:
    assert {method.key for method in encoders() if method.places_texts} == {
        "minilm", "sentence_transformer", "static_minilm", "tfidf"}


def test_words_of_any_length_and_letters_are_kept() -> None:
    words = ["a", "x" * 10_000, "été", "中", "\ud800"]
    packed = pack_words(words, np.arange(5.0), np.ones((2, 5)))
    assert sum(array.nbytes for array in packed.values()) < 11_000
    assert unpack_words(packed) == words


def test_a_text_goes_on_through_the_network_of_its_reader(store: Store) -> None:
    recipe = recipe_of("autoencoder", reads="words", dimensions=3, epochs=2)
    current = run(recipe, build_dataset(store, {"t": TEXTS}), store)
    assert current.recipe.encoding.places_words(current.dataset)
    found = answer(meaning_step(current, TEXTS[7]), store)
    assert current.embedding is not None
    unit = normalize(current.embedding.vectors.astype(np.float64))
    order = np.argsort(-(unit @ unit[7]), kind="stable")
    assert found.places[:5].tolist() == order[:5].tolist()
    assert found.distances[0] < 1e-6
