"""The kNN graph against scikit-learn and against all distances written out."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.errors import Cancelled, DataError, ParameterError
from explorer.neighbors import nearest as module
from explorer.neighbors.nearest import Nearest, shared_count
from explorer.spec import Facts, silent


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(400, 12)).astype(np.float32)


def slow(vectors: np.ndarray, count: int, metric: str = "euclidean") -> np.ndarray:
    """Neighbours by sorting all float64 distances of each row, ties by row."""
    rows = vectors.astype(np.float64)
    if metric == "cosine":
        rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    found = []
    for index, row in enumerate(rows):
        distances = ((rows - row) ** 2).sum(axis=1)
        distances[index] = np.inf
        found.append(np.argsort(distances, kind="stable")[:count])
    return np.array(found)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_equals_scikit_learn(vectors: np.ndarray, metric: str) -> None:
    from sklearn.neighbors import NearestNeighbors

    graph = Nearest.create(count=20, metric=metric).find(vectors, silent)
    distances, indices = NearestNeighbors(n_neighbors=20, algorithm="brute",
                                          metric=metric).fit(vectors).kneighbors()
    np.testing.assert_array_equal(graph.indices, indices)
    np.testing.assert_allclose(graph.distances, distances, atol=2e-6)
    assert graph.indices.dtype == np.int32
    assert graph.distances.dtype == np.float32
    assert graph.exact
    assert graph.recall == 1.0


def test_equal_distances_come_in_the_order_of_the_rows() -> None:
    grid = np.stack(np.meshgrid(*[np.arange(6.0)] * 3), axis=-1).reshape(-1, 3).astype(np.float32)
    graph = Nearest.create(count=30).find(grid, silent)
    np.testing.assert_array_equal(graph.indices, slow(grid, 30))


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_duplicates_are_at_distance_zero_in_the_order_of_the_rows(metric: str) -> None:
    draws = np.random.default_rng(2)
    few = draws.normal(size=(7, 40)).astype(np.float32) * 1000
    rows = few[draws.integers(7, size=300)]
    graph = Nearest.create(count=10, metric=metric).find(rows, silent)
    assert not graph.distances.any()
    for index, row in enumerate(rows):
        same = np.flatnonzero((rows == row).all(axis=1))
        np.testing.assert_array_equal(graph.indices[index], same[same != index][:10])


def test_parallel_vectors_have_cosine_distance_zero(vectors: np.ndarray) -> None:
    short = np.round(vectors[:50] * 256) / 256  # so that three times each is a float32 too
    both = np.concatenate([short, 3 * short])
    graph = Nearest.create(count=1, metric="cosine").find(both, silent)
    np.testing.assert_array_equal(graph.indices[:, 0], np.roll(np.arange(100), 50))
    assert not graph.distances.any()


@pytest.mark.parametrize("count", [1, 5, 90, 399])
def test_any_count(vectors: np.ndarray, count: int) -> None:
    graph = Nearest.create(count=count).find(vectors, silent)
    np.testing.assert_array_equal(graph.indices, slow(vectors, count))
    assert not (graph.indices == np.arange(400)[:, None]).any()


@pytest.mark.parametrize("move", ["offset", "outlier", "groups", "tiny", "huge"])
def test_stays_exact_where_float32_products_would_not(move: str) -> None:
    draws = np.random.default_rng(3)
    rows = draws.normal(size=(200, 6))
    if move == "offset":
        rows = np.round(rows * 64) / 8 + 1e6
    elif move == "outlier":
        rows[17] = 1e9
    elif move == "groups":
        rows = rows * 1e-2 + draws.integers(4, size=(200, 1)) * 1e4
    else:
        rows *= 1e-25 if move == "tiny" else 1e18
    rows = rows.astype(np.float32)
    graph = Nearest.create(count=12).find(rows, silent)
    np.testing.assert_array_equal(graph.indices, slow(rows, 12))


def test_blocks_do_not_change_the_result(vectors: np.ndarray,
                                         monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Nearest.create(count=15).find(vectors, silent)
    monkeypatch.setattr(module, "_BLOCK_BYTES", 4 * 400 * 7)
    heard: list[float] = []
    blocks = Nearest.create(count=15).find(vectors, lambda fraction, text: heard.append(fraction))
    np.testing.assert_array_equal(whole.indices, blocks.indices)
    np.testing.assert_array_equal(whole.distances, blocks.distances)
    assert len(heard) == 59  # 58 blocks of 7 rows and the end
    assert heard == sorted(heard)
    assert heard[-1] == 1.0


def test_progress_stops_the_search(vectors: np.ndarray) -> None:
    def stop(fraction: float, text: str) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        Nearest.create(count=15).find(vectors, stop)


def test_input_is_left_alone(vectors: np.ndarray) -> None:
    before = vectors.copy()
    vectors.setflags(write=False)
    Nearest.create(count=15, metric="cosine").find(vectors, silent)
    np.testing.assert_array_equal(before, vectors)


@pytest.mark.slow  # nn-descent compiles for half a minute in every new process
def test_approximate_search_measures_its_recall() -> None:
    draws = np.random.default_rng(4)
    rows = (draws.normal(size=(3000, 5)) @ draws.normal(size=(5, 30))).astype(np.float32)
    rows[100:120] = rows[0]
    for metric in ("euclidean", "cosine"):
        method = Nearest.create(count=15, metric=metric, search="approximate", seed=5)
        graph = method.find(rows, silent)
        again = method.find(rows, silent)
        exact = Nearest.create(count=15, metric=metric, search="exact").find(rows, silent)
        shared = np.mean([len(np.intersect1d(one, other)) / 15 for one, other
                          in zip(graph.indices, exact.indices, strict=True)])
        np.testing.assert_array_equal(graph.indices, again.indices)
        assert not graph.exact
        assert graph.recall_rows == 200
        assert abs(graph.recall - shared) < 0.05
        assert graph.recall > 0.9
        assert not (graph.indices == np.arange(3000)[:, None]).any()
        assert (np.diff(graph.distances, axis=1) >= 0).all()
        right = graph.indices == exact.indices
        np.testing.assert_array_equal(graph.distances[right], exact.distances[right])


def test_approximate_search_fills_what_it_did_not_find(monkeypatch: pytest.MonkeyPatch) -> None:
    import pynndescent

    class Lost:
        def __init__(self, rows: np.ndarray, n_neighbors: int, **options: object) -> None:
            found = np.tile(np.arange(n_neighbors), (len(rows), 1))
            found[3, 2:] = -1
            found[4, 2] = found[4, 1]
            self.neighbor_graph = (found, None)

    monkeypatch.setattr(pynndescent, "NNDescent", Lost)
    rows = np.random.default_rng(6).normal(size=(30, 4)).astype(np.float32)
    graph = Nearest.create(count=6, search="approximate").find(rows, silent)
    np.testing.assert_array_equal(graph.indices[3:5], slow(rows, 6)[3:5])
    assert graph.recall < 0.6


def test_named_refusals(vectors: np.ndarray) -> None:
    with pytest.raises(ParameterError) as error:
        Nearest.create(count=400).find(vectors, silent)
    assert error.value.code == "OUT_OF_RANGE"
    assert error.value.where.parameter == "count"
    with pytest.raises(DataError) as zero:
        Nearest.create(count=3, metric="cosine").find(np.eye(5, 4, dtype=np.float32), silent)
    assert zero.value.code == "ZERO_VECTORS"
    assert Nearest.create().limits(Facts(n=50, d=3)) == {"count": (1, 49)}


@pytest.mark.parametrize(("needed", "n", "count"), [
    (14, 1000, 90), (90, 1000, 90), (91, 1000, 180), (360, 1000, 360), (700, 1000, 720),
    (721, 1000, 999), (14, 50, 49), (200, 100, 99), (0, 100, 0), (5, 1, 0)])
def test_the_shared_graph_grows_in_steps(needed: int, n: int, count: int) -> None:
    assert shared_count(needed, n) == count
