"""UMAP against umap-learn called directly. One compilation for the whole file."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
import pytest

from explorer.errors import Cancelled, DataError, ParameterError
from explorer.flight import after_projecting
from explorer.neighbors.nearest import Nearest
from explorer.project.umap import UMAP, warm_up
from explorer.spec import silent
from explorer.values import Graph, facts_of

pytestmark = pytest.mark.slow
SHORT = {"n_neighbors": 8, "epochs": 30}


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    warm_up()
    draws = np.random.default_rng(7)
    return (draws.normal(size=(200, 8)) + 6 * draws.integers(3, size=(200, 1))).astype(np.float32)


def shared(vectors: np.ndarray, metric: str = "euclidean") -> Graph:
    return Nearest.create(count=90, metric=metric).find(vectors, silent)


def direct(vectors: np.ndarray, graph: Graph, **options: Any) -> np.ndarray:
    from umap import UMAP as Library

    count = options.get("n_neighbors", 8) - 1
    own = np.arange(len(vectors))[:, None]
    known = (np.hstack([own, graph.indices[:, :count]]),
             np.hstack([0.0 * own, graph.distances[:, :count]]))
    options = {"n_neighbors": 8, "n_epochs": 30, "random_state": 0, "n_jobs": 1, **options}
    return Library(precomputed_knn=known, **options).fit_transform(vectors)


@pytest.mark.parametrize(("ours", "theirs"), [
    ({}, {}),
    ({"seed": 3, "init": "random"}, {"random_state": 3, "init": "random"}),
    ({"init": "pca", "dimensions": 3}, {"init": "pca", "n_components": 3}),
    ({"n_neighbors": 20, "min_dist": 0.5, "spread": 2}, {"n_neighbors": 20, "min_dist": 0.5,
                                                         "spread": 2}),
    ({"repulsion_strength": 2, "negative_sample_rate": 3, "epochs": 12},
     {"repulsion_strength": 2, "negative_sample_rate": 3, "n_epochs": 12}),
    ({"epochs": None}, {"n_epochs": None}),
    ({"density": True}, {"densmap": True}),
])
def test_equals_the_library(vectors: np.ndarray, ours: dict[str, Any],
                            theirs: dict[str, Any]) -> None:
    graph = shared(vectors)
    before = vectors.copy(), graph.indices.copy(), graph.distances.copy()
    for array in (vectors, graph.indices, graph.distances):
        array.setflags(write=False)
    found = UMAP.create(**{**SHORT, **ours}).project(vectors, silent, graph)
    np.testing.assert_array_equal(found.points, direct(vectors, graph, **theirs))
    for array, copy in zip((vectors, graph.indices, graph.distances), before, strict=True):
        np.testing.assert_array_equal(array, copy)
    assert found.points.dtype == np.float32
    assert found.axes == ("UMAP 1", "UMAP 2", "UMAP 3")[:found.points.shape[1]]


def test_cosine_uses_cosine_neighbours(vectors: np.ndarray) -> None:
    graph = shared(vectors, "cosine")
    found = UMAP.create(metric="cosine", **SHORT).project(vectors, silent, graph)
    np.testing.assert_array_equal(found.points, direct(vectors, graph, metric="cosine"))
    with pytest.raises(DataError) as error:
        UMAP.create(**SHORT).project(vectors, silent, graph)
    assert error.value.code == "WRONG_GRAPH"


def test_opposite_vectors_are_drawn_too() -> None:
    rows = np.array([[1, 0, 0]] + [[-1, 0, 0]] * 6 + [[-1, 0.1, 0], [-1, 0, 0.1]], dtype=np.float32)
    method = UMAP.create(metric="cosine", n_neighbors=4)
    after_projecting(method.project(rows, silent), rows, facts_of(rows))


def test_reports_epochs_and_searches_neighbours_itself(vectors: np.ndarray) -> None:
    heard: list[tuple[float, str]] = []
    method = UMAP.create(n_neighbors=8, epochs=3000)
    found = method.project(vectors, lambda *said: heard.append(said))
    given = method.project(vectors, silent, shared(vectors))
    np.testing.assert_array_equal(found.points, given.points)
    fractions = [fraction for fraction, _ in heard]
    assert fractions == sorted(fractions)
    assert fractions[-1] <= 1
    assert sum(text.endswith("of 3000") for _, text in heard) > 3


@pytest.mark.parametrize("at", ["epoch 0", "epoch"])
def test_a_stop_is_prompt_and_the_next_run_works(vectors: np.ndarray, at: str) -> None:
    from umap.layouts import tqdm

    graph = shared(vectors)

    def stop(fraction: float, text: str) -> None:
        if text.startswith(at) and (at == "epoch 0" or fraction > 0.001):
            raise Cancelled

    started = time.monotonic()
    with pytest.raises(Cancelled):
        UMAP.create(n_neighbors=8, epochs=10000).project(vectors, stop, graph)
    assert time.monotonic() - started < 3
    taken: list[bool] = []

    def take() -> None:
        taken.append(tqdm.get_lock().th_lock.acquire(timeout=1))
        tqdm.get_lock().th_lock.release()

    other = threading.Thread(target=take)
    other.start()
    other.join()
    assert taken == [True]
    found = UMAP.create(**SHORT).project(vectors, silent, graph)
    np.testing.assert_array_equal(found.points, direct(vectors, graph))


def test_named_refusals(vectors: np.ndarray) -> None:
    cases = [(vectors[:4], {"n_neighbors": 2}, "TOO_FEW_ROWS"),
             (vectors[:10], {}, "OUT_OF_RANGE"),
             (np.repeat(vectors[:1], 50, axis=0), {}, "IDENTICAL_ROWS"),
             (vectors[:, :1], {"init": "pca"}, "TOO_FEW_COLUMNS")]
    for rows, parameters, code in cases:
        with pytest.raises((DataError, ParameterError)) as error:
            UMAP.create(**parameters).check(facts_of(rows))
        assert error.value.code == code
    with pytest.raises(DataError) as identical:
        UMAP.create().project(np.repeat(vectors[:1], 50, axis=0), silent)
    assert identical.value.code == "IDENTICAL_ROWS"
    with pytest.raises(ParameterError) as spread:
        UMAP.create(min_dist=0.5, spread=0.3)
    assert spread.value.message == "spread must be at least min_dist (0.5), got 0.3."


@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_smallest_data_and_many_copies(vectors: np.ndarray, dimensions: int) -> None:
    for rows in (vectors[:5], np.repeat(vectors[:4], 30, axis=0), np.repeat(vectors[:20], 15, 0)):
        for init in ("spectral", "pca", "random"):
            method = UMAP.create(n_neighbors=4, epochs=20, dimensions=dimensions, init=init)
            method.check(facts_of(rows))
            after_projecting(method.project(rows, silent), rows, facts_of(rows))
    assert "93% of the rows are copies" in method.check(facts_of(rows))[0]


def test_size_and_offset_of_the_numbers_do_not_matter(vectors: np.ndarray) -> None:
    from sklearn.manifold import trustworthiness

    grid = np.round(vectors * 8) / 8
    for moved, plain, note in [
            (np.float32(1e-20) * vectors, vectors, "distances were multiplied"),
            (grid + np.float32(2**18), grid, "columns were centred")]:
        found = UMAP.create().project(moved, silent)
        assert found.notes[0].startswith(note)
        assert trustworthiness(plain, found.points, n_neighbors=10) > 0.85
