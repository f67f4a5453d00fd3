"""A map that starts from another projector's: the same as doing it by hand, and it replays."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.errors import ParameterError
from explorer.neighbors.nearest import Nearest
from explorer.project import projectors
from explorer.project.tsne import TSNE
from explorer.spec import Facts, result_key, silent

DRAWS = np.random.default_rng(7)
VECTORS = (DRAWS.normal(size=(150, 8)) + 6 * DRAWS.integers(3, size=(150, 1))).astype(np.float32)
SHORT = {"early_iterations": 30, "iterations": 40, "perplexity": 10}


def test_tsne_starts_where_the_other_map_is() -> None:
    from openTSNE import TSNE as Library
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    graph = Nearest.create(count=90).find(VECTORS, silent)
    heard: list[tuple[float, str]] = []
    found = TSNE.create(initialization="som_grid", seed=4, **SHORT).project(
        VECTORS, lambda *said: heard.append(said), graph)
    before = projectors().create("som_grid", {"seed": 4}).project(VECTORS, silent)
    points = before.points.astype(np.float64) - before.points.astype(np.float64).mean(axis=0)
    affinities = PerplexityBasedNN(perplexity=10, knn_index=PrecomputedNeighbors(
        graph.indices[:, :30], graph.distances[:, :30]))
    direct = Library(early_exaggeration_iter=30, n_iter=40, random_state=4,
                     initialization=1e-4 * points / points[:, 0].std()).fit(
                         VECTORS, affinities=affinities)
    np.testing.assert_array_equal(found.points, np.asarray(direct, dtype=np.float32))
    assert [fraction for fraction, _ in heard] == sorted(fraction for fraction, _ in heard)
    assert any("start by SOM grid" in text for _, text in heard)


@pytest.mark.parametrize("n", [8, 40])
def test_few_rows_start_too(n: int) -> None:
    method = projectors().create("umap", {"init": "tsne", "n_neighbors": 5, "epochs": 20})
    method.check(Facts(n, 8))
    assert method.project(VECTORS[:n], silent).points.shape == (n, 2)


def test_the_recipe_names_the_start_and_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    method = TSNE.create(initialization="umap")
    name = result_key("step", method.identity())
    assert method.identity()["start"]["method"] == "umap"
    assert "start" not in TSNE.create().identity()
    monkeypatch.setattr(projectors().get("umap"), "version", 99)
    assert result_key("step", method.identity()) != name


def test_a_flat_start_in_space_is_refused() -> None:
    with pytest.raises(ParameterError) as refused:
        TSNE.create(initialization="som_grid", dimensions=3).check(Facts(100, 8))
    assert refused.value.where.parameter == "initialization"


def test_two_perplexities_are_the_librarys_multiscale() -> None:
    from openTSNE import TSNE as Library
    from openTSNE.affinity import Multiscale
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    method = TSNE.create(wide_perplexity=30, **SHORT)
    assert method.neighbors_needed(150) == 90
    graph = Nearest.create(count=90).find(VECTORS, silent)
    affinities = Multiscale(perplexities=[10, 30], knn_index=PrecomputedNeighbors(
        graph.indices, graph.distances))
    direct = Library(early_exaggeration_iter=30, n_iter=40, random_state=0).fit(
        VECTORS, affinities=affinities)
    np.testing.assert_array_equal(method.project(VECTORS, silent, graph).points,
                                  np.asarray(direct, dtype=np.float32))


def test_many_rows_are_told_of_exaggeration() -> None:
    said = TSNE.create().check(Facts(200_000, 50))
    assert any("exaggeration 4" in note for note in said)
    assert not TSNE.create(exaggeration=4).check(Facts(200_000, 50))
