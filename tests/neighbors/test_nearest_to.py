"""The rows nearest to one vector against scikit-learn and against all distances in double."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from explorer.errors import DataError, ParameterError
from explorer.neighbors import nearest_to as module
from explorer.neighbors.nearest_to import METRICS, centre_of, nearest_to


def rows(n: int, d: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("block", [7 * 16, 1 << 19])
def test_equals_scikit_learn(metric: str, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK_VALUES", block)
    vectors = rows(500, 16)
    search = NearestNeighbors(n_neighbors=31, metric=metric, algorithm="brute")
    distances, places = search.fit(vectors.astype(np.float64)).kneighbors(
        vectors[42:43].astype(np.float64))
    found = nearest_to(vectors, vectors[42], 30, metric, without=np.array([42]))
    assert found.places.tolist() == places[0, 1:].tolist()
    np.testing.assert_allclose(found.distances, distances[0, 1:], rtol=1e-9)
    assert (found.compared, found.directionless) == (499, 0)


@pytest.mark.parametrize("metric", METRICS)
def test_ties_stand_in_the_order_of_rows_across_blocks(metric: str,
                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK_VALUES", 3 * 4)
    base = rows(3, 4, seed=1)
    vectors = np.tile(base, (20, 1))  # rows 0, 3, 6 ... are equal
    found = nearest_to(vectors, vectors[0], 25, metric)
    assert found.places[:20].tolist() == list(range(0, 60, 3))
    assert (found.distances[:20] == 0).all()
    assert found.places[20:].tolist() in ([1, 4, 7, 10, 13], [2, 5, 8, 11, 14])
    assert len(set(found.distances[20:].tolist())) == 1


def test_zero_vectors_have_no_direction() -> None:
    vectors = rows(6, 3)
    vectors[[1, 4]] = 0
    found = nearest_to(vectors, vectors[0], 10, "cosine", without=np.array([0, 4]))
    assert sorted(found.places.tolist()) == [2, 3, 5]
    assert (found.compared, found.directionless) == (3, 1)
    assert 1 in nearest_to(vectors, vectors[0], 10, "euclidean").places
    with pytest.raises(DataError) as caught:
        nearest_to(vectors, vectors[1], 3, "cosine")
    assert caught.value.code == "ZERO_VECTORS"


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
@pytest.mark.parametrize("metric", METRICS)
def test_magnitude_changes_no_order(metric: str, scale: float) -> None:
    vectors = rows(80, 5)
    expected = nearest_to(vectors, vectors[3], 12, metric).places
    scaled = (vectors * np.float32(scale)).astype(np.float32)
    assert nearest_to(scaled, scaled[3], 12, metric).places.tolist() == expected.tolist()


def test_a_large_offset_costs_no_digit() -> None:
    spread = rows(200, 6).astype(np.float64) * 1e-3
    vectors = (spread + 1000).astype(np.float32)
    truth = np.linalg.norm(vectors.astype(np.float64) - vectors[9].astype(np.float64), axis=1)
    found = nearest_to(vectors, vectors[9], 20, "euclidean")
    np.testing.assert_array_equal(found.places, np.argsort(truth, kind="stable")[:20])
    np.testing.assert_allclose(found.distances, np.sort(truth)[:20], rtol=1e-12)


def test_fewer_rows_than_asked_for_and_none() -> None:
    vectors = rows(4, 2)
    assert len(nearest_to(vectors, vectors[0], 50, "euclidean").places) == 4
    alone = nearest_to(vectors[:1], vectors[0], 5, "manhattan", without=np.array([0]))
    assert (len(alone.places), alone.compared) == (0, 0)


def test_the_vectors_stay_as_they_are_and_may_be_read_only() -> None:
    vectors = rows(50, 3)
    vectors.setflags(write=False)
    before = vectors.copy()
    for metric in METRICS:
        nearest_to(vectors, vectors[0], 5, metric)
    np.testing.assert_array_equal(vectors, before)


def test_centres() -> None:
    vectors = rows(40, 5)
    places = np.array([3, 7, 20])
    np.testing.assert_allclose(centre_of(vectors, places, "euclidean"),
                               vectors[places].astype(np.float64).mean(axis=0), rtol=1e-12)
    wide = vectors[places].astype(np.float64)
    unit = wide / np.linalg.norm(wide, axis=1, keepdims=True)
    np.testing.assert_allclose(centre_of(vectors, places, "cosine"), unit.mean(axis=0), rtol=1e-12)
    with pytest.raises(DataError) as caught:
        centre_of(vectors, np.empty(0, dtype=np.int64), "euclidean")
    assert caught.value.code == "NO_ROWS"
    opposite = np.array([[1, 2], [-1, -2]], dtype=np.float32)
    with pytest.raises(DataError) as caught:
        centre_of(opposite, np.array([0, 1]), "cosine")
    assert caught.value.code == "ZERO_VECTORS"


@pytest.mark.parametrize(("count", "metric", "code"), [
    (0, "euclidean", "OUT_OF_RANGE"), (3, "hamming", "UNKNOWN_METRIC")])
def test_what_is_refused(count: int, metric: str, code: str) -> None:
    vectors = rows(5, 2)
    with pytest.raises(ParameterError) as caught:
        nearest_to(vectors, vectors[0], count, metric)
    assert caught.value.code == code
