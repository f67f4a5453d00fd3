"""t-SNE against openTSNE called directly."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from explorer.errors import Cancelled, DataError, ParameterError
from explorer.flight import after_projecting
from explorer.neighbors.nearest import Nearest
from explorer.project.tsne import TSNE
from explorer.spec import silent
from explorer.values import Graph, facts_of

SHORT = {"early_iterations": 30, "iterations": 40, "perplexity": 10}


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    draws = np.random.default_rng(7)
    return (draws.normal(size=(200, 8)) + 6 * draws.integers(3, size=(200, 1))).astype(np.float32)


def shared(vectors: np.ndarray, metric: str = "euclidean") -> Graph:
    return Nearest.create(count=90, metric=metric).find(vectors, silent)


def direct(vectors: np.ndarray, graph: Graph, **options: Any) -> np.ndarray:
    from openTSNE import TSNE as Library
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    perplexity = options.pop("perplexity", 10)
    count = min(3 * perplexity, len(vectors) - 1)
    affinities = PerplexityBasedNN(perplexity=perplexity, knn_index=PrecomputedNeighbors(
        graph.indices[:, :count], graph.distances[:, :count]))
    options = {"early_exaggeration_iter": 30, "n_iter": 40, "random_state": 0, **options}
    return np.asarray(Library(**options).fit(vectors, affinities=affinities), dtype=np.float32)


@pytest.mark.parametrize(("ours", "theirs"), [
    ({}, {}),
    ({"seed": 3, "initialization": "random"}, {"random_state": 3, "initialization": "random"}),
    ({"initialization": "spectral"}, {"initialization": "spectral"}),
    ({"dimensions": 3}, {"n_components": 3, "negative_gradient_method": "bh"}),
    ({"forces": "grid"}, {"negative_gradient_method": "fft"}),
    ({"theta": 0.2, "early_exaggeration": 4, "exaggeration": 2, "learning_rate": 50},
     {"theta": 0.2, "early_exaggeration": 4, "exaggeration": 2, "learning_rate": 50}),
    ({"perplexity": 5, "iterations": 7, "early_iterations": 0},
     {"perplexity": 5, "n_iter": 7, "early_exaggeration_iter": 0}),
])
def test_equals_the_library(vectors: np.ndarray, ours: dict[str, Any],
                            theirs: dict[str, Any]) -> None:
    graph = shared(vectors)
    before = vectors.copy(), graph.indices.copy(), graph.distances.copy()
    for array in (vectors, graph.indices, graph.distances):
        array.setflags(write=False)
    found = TSNE.create(**{**SHORT, **ours}).project(vectors, silent, graph)
    np.testing.assert_array_equal(found.points, direct(vectors, graph, **theirs))
    for array, copy in zip((vectors, graph.indices, graph.distances), before, strict=True):
        np.testing.assert_array_equal(array, copy)
    assert found.points.dtype == np.float32
    assert len(found.axes) == found.points.shape[1]
    assert np.isfinite(found.extras["kl_divergence"]).all()


def test_cosine_uses_cosine_neighbours(vectors: np.ndarray) -> None:
    graph = shared(vectors, "cosine")
    found = TSNE.create(metric="cosine", **SHORT).project(vectors, silent, graph)
    np.testing.assert_array_equal(found.points, direct(vectors, graph))
    with pytest.raises(DataError) as error:
        TSNE.create(**SHORT).project(vectors, silent, graph)
    assert error.value.code == "WRONG_GRAPH"


def test_searches_neighbours_itself_when_none_are_given(vectors: np.ndarray) -> None:
    heard: list[tuple[float, str]] = []
    found = TSNE.create(**SHORT).project(vectors, lambda *said: heard.append(said))
    given = TSNE.create(**SHORT).project(vectors, silent, shared(vectors))
    np.testing.assert_array_equal(found.points, given.points)
    fractions = [fraction for fraction, _ in heard]
    assert fractions == sorted(fractions)
    assert fractions[-1] <= 1
    assert heard[-1][1] == "step 70 of 70"


def test_a_stop_is_prompt_and_the_next_run_is_right(vectors: np.ndarray) -> None:
    graph = shared(vectors)
    heard: list[str] = []

    def stop(fraction: float, text: str) -> None:
        heard.append(text)
        if text.startswith("step"):
            raise Cancelled

    started = time.monotonic()
    with pytest.raises(Cancelled):
        TSNE.create(iterations=10000).project(vectors, stop, graph)
    assert time.monotonic() - started < 5
    assert heard[-1] == "step 10 of 10,250"
    found = TSNE.create(**SHORT).project(vectors, silent, graph)
    np.testing.assert_array_equal(found.points, direct(vectors, graph))


def test_perplexity_has_bounds_and_notes(vectors: np.ndarray) -> None:
    facts = facts_of(vectors[:40])
    assert TSNE.create(perplexity=13).check(facts) == ()
    assert "above a third of the 40 rows" in TSNE.create(perplexity=14).check(facts)[0]
    with pytest.raises(ParameterError) as error:
        TSNE.create(perplexity=40).check(facts)
    assert (error.value.code, error.value.where.parameter) == ("OUT_OF_RANGE", "perplexity")
    found = TSNE.create(perplexity=20, iterations=20).project(vectors[:40], silent)
    assert found.notes == ()  # all 39 neighbours, at the perplexity asked for
    lowered = TSNE.create(perplexity=60, iterations=20).project(vectors[:40], silent)
    assert lowered.notes == ("perplexity 13 was used in place of 60: there are only 40 rows",)


def test_size_and_offset_of_the_numbers_do_not_matter(vectors: np.ndarray) -> None:
    from sklearn.manifold import trustworthiness

    grid = np.round(vectors * 8) / 8
    cases = [(np.float32(1e12) * vectors, vectors, "distances were multiplied"),
             (np.float32(1e-20) * vectors, vectors, "distances were multiplied"),
             (grid + np.float32(2**18), grid, "columns were centred")]
    for moved, plain, note in cases:
        found = TSNE.create().project(moved, silent)
        assert found.notes[0].startswith(note)
        assert trustworthiness(plain, found.points, n_neighbors=10) > 0.9


def test_named_refusals(vectors: np.ndarray) -> None:
    cases = [(vectors[:5], {"perplexity": 2}, "TOO_FEW_ROWS"),
             (np.repeat(vectors[:1], 50, axis=0), {}, "IDENTICAL_ROWS"),
             (vectors[:, :1], {}, "TOO_FEW_COLUMNS"),
             (vectors[:, :2], {"dimensions": 3}, "TOO_FEW_COLUMNS"),
             (vectors, {"dimensions": 3, "forces": "grid"}, "OUT_OF_RANGE")]
    for rows, parameters, code in cases:
        with pytest.raises((DataError, ParameterError)) as error:
            TSNE.create(**parameters).check(facts_of(rows))
        assert error.value.code == code
    with pytest.raises(DataError) as identical:
        TSNE.create().project(np.repeat(vectors[:1], 50, axis=0), silent)
    assert identical.value.code == "IDENTICAL_ROWS"


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("initialization", ["pca", "spectral", "random"])
def test_the_smallest_data_and_many_copies(vectors: np.ndarray, initialization: str,
                                           dimensions: int) -> None:
    method = TSNE.create(perplexity=2, iterations=20, early_iterations=20, dimensions=dimensions,
                         initialization=initialization)
    for rows in (vectors[:6], np.repeat(vectors[:4], 30, axis=0)):
        method.check(facts_of(rows))
        after_projecting(method.project(rows, silent), rows, facts_of(rows))
    assert "97% of the rows are copies" in method.check(facts_of(rows))[0]
