"""HOSTILE.md 3.8, by id: parameters and data that must be refused, or answered honestly."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from explorer import single
from explorer.cluster import Clusterer, clusterers
from explorer.errors import DataError, ExplorerError, ParameterError
from explorer.judge import Judge, judges
from explorer.project import projectors
from explorer.recipe import Recipe, recipe_from_data
from explorer.spec import Facts
from explorer.store import Store
from explorer.values import NOISE, Judgement
from tests.contracts.cases import METHODS, of, small

COUNTING = [method for method in clusterers() if method.sweeps]
each_counting = pytest.mark.parametrize("method", COUNTING, ids=lambda method: method.key)
each_judge = pytest.mark.parametrize("judge", list(judges()), ids=lambda judge: judge.key)
ONES = np.ones((50, 4), dtype=np.float32)


def code_of(refused: pytest.ExceptionInfo[ExplorerError]) -> str:
    return refused.value.code


def judged(judge: type[Judge], vectors: np.ndarray, labels: Any, store: Store) -> Judgement:
    return single.judge(judge.create(), vectors, np.asarray(labels, dtype=np.int32), "euclidean",
                        store)


@each_counting
def test_k01_k_above_n_or_zero(method: type[Clusterer], blobs: np.ndarray, store: Store) -> None:
    with pytest.raises(ParameterError) as refused:
        method.create(**{method.sweeps: 0})
    assert code_of(refused) == "OUT_OF_RANGE"
    with pytest.raises(ParameterError) as refused:
        single.cluster(method.create(**{method.sweeps: 61}), blobs, store)
    assert code_of(refused) == "OUT_OF_RANGE"
    assert refused.value.where.parameter == method.sweeps
    assert "60" in refused.value.message


@each_judge
def test_k02_one_cluster_is_not_defined(judge: type[Judge], blobs: np.ndarray,
                                        store: Store) -> None:
    for score in judged(judge, blobs, np.zeros(60), store).scores:
        assert score.value is None
        assert score.why


@each_judge
def test_k03_as_many_clusters_as_rows(judge: type[Judge], blobs: np.ndarray,
                                      store: Store) -> None:
    for score in judged(judge, blobs, np.arange(60), store).scores:
        assert score.value is None
        assert score.why


@each_counting
def test_k03_k_equal_to_n_is_allowed(method: type[Clusterer], blobs: np.ndarray,
                                     store: Store) -> None:
    result = single.cluster(method.create(**{method.sweeps: 60}), blobs, store)
    assert result.count == 60


@pytest.mark.parametrize("method", list(clusterers()), ids=lambda method: method.key)
def test_k04_identical_points(method: type[Clusterer], store: Store) -> None:
    with pytest.raises(DataError) as refused:
        single.cluster(small(method), ONES, store)  # type: ignore[arg-type]
    assert code_of(refused) == "IDENTICAL_ROWS"
    assert "1" in refused.value.message


def test_k05_perplexity_from_n_on(blobs: np.ndarray, store: Store) -> None:
    with pytest.raises(ParameterError) as refused:
        single.project(projectors().create("tsne", {"perplexity": 60}), blobs, store)
    assert code_of(refused) == "OUT_OF_RANGE"
    assert refused.value.where.parameter == "perplexity"


def test_k06_perplexity_above_a_third_is_noted() -> None:
    method = projectors().create("tsne", {"perplexity": 25})
    assert any("perplexity" in note for note in method.check(Facts(60, 5, 60)))
    assert not method.check(Facts(600, 5, 600))


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
def test_k07_impossible_perplexity(value: float) -> None:
    with pytest.raises(ParameterError) as refused:
        projectors().create("tsne", {"perplexity": value})
    assert refused.value.where.parameter == "perplexity"


def test_k09_tsne_of_one_row_names_the_least(store: Store) -> None:
    with pytest.raises(DataError) as refused:
        single.project(projectors().create("tsne", {"perplexity": 1}), ONES[:1] * 2, store)
    assert code_of(refused) in ("TOO_FEW_ROWS", "OUT_OF_RANGE")


def test_k10_a_map_has_two_or_three_dimensions() -> None:
    found = [parameter for method in projectors() for parameter in method.parameters()
             if parameter.name == "dimensions"]
    assert len(found) >= 3
    assert all((parameter.low, parameter.high) == (2, 3) for parameter in found)


def test_k11_more_neighbors_than_rows(blobs: np.ndarray, store: Store) -> None:
    with pytest.raises(ParameterError) as refused:
        single.project(projectors().create("umap", {"n_neighbors": 61}), blobs, store)
    assert refused.value.where.parameter == "n_neighbors"


@pytest.mark.parametrize("parameters", [
    {"n_neighbors": 0}, {"n_neighbors": 1}, {"dimensions": 0}, {"min_dist": -0.1},
    {"min_dist": 0.9, "spread": 0.5}])
def test_k12_impossible_umap(parameters: dict[str, Any]) -> None:
    with pytest.raises(ParameterError) as refused:
        projectors().create("umap", parameters)
    assert refused.value.where.parameter in parameters


@pytest.mark.parametrize("key", ["umap", "tsne", "pca"])
def test_k14_k25_no_picture_of_identical_rows(key: str, store: Store) -> None:
    with pytest.raises(DataError) as refused:
        single.project(small(projectors().get(key)), ONES, store)  # type: ignore[arg-type]
    assert code_of(refused) == "IDENTICAL_ROWS"


@pytest.mark.parametrize("key", ["umap", "tsne"])
def test_k15_the_share_of_copies_is_said(key: str) -> None:
    notes = small(projectors().get(key)).check(Facts(100, 5, 10))
    assert any("90%" in note.replace(" ", "") for note in notes)


@pytest.mark.parametrize(("family", "method"), [
    pair for pair in METHODS if "metric" in pair[1].model_fields], ids=str)
def test_k16_cosine_of_zero_vectors(family: str, method: Any) -> None:
    more = {"linkage": "average"} if "linkage" in method.model_fields else {}
    with pytest.raises(DataError) as refused:
        small(method, metric="cosine", **more).check(Facts(60, 5, 50, zeros=2))
    assert code_of(refused) == "ZERO_VECTORS"


@each_judge
def test_k17_k21_all_noise(judge: type[Judge], store: Store) -> None:
    vectors = np.random.default_rng(0).uniform(size=(60, 8)).astype(np.float32)
    clustering = single.cluster(clusterers().create("hdbscan", {"min_cluster_size": 30}), vectors,
                                store)
    assert (clustering.labels == NOISE).all()
    assert any("noise" in note for note in clustering.notes)
    for score in judged(judge, vectors, clustering.labels, store).scores:
        assert score.value is None
        assert score.why


def test_k17_fewer_rows_than_the_smallest_cluster(blobs: np.ndarray, store: Store) -> None:
    for parameters in ({"min_cluster_size": 61}, {"min_samples": 61}):
        with pytest.raises(ParameterError) as refused:
            single.cluster(clusterers().create("hdbscan", parameters), blobs, store)
        assert refused.value.where.parameter in parameters


def test_k19_a_cluster_of_one() -> None:
    with pytest.raises(ParameterError):
        clusterers().create("hdbscan", {"min_cluster_size": 1})


@each_judge
def test_k22_noise_takes_no_part_and_is_counted(judge: type[Judge], blobs: np.ndarray,
                                                store: Store) -> None:
    labels = np.repeat(np.arange(3), 20)
    labels[[0, 25, 50]] = NOISE
    kept = labels != NOISE
    noisy, clean = (judged(judge, blobs, labels, store),
                    judged(judge, blobs[kept], labels[kept], store))
    for one, other in zip(noisy.scores, clean.scores, strict=True):
        assert one.value == pytest.approx(other.value, rel=1e-9)
        assert (one.sample, one.total) == (57, 60)
        assert "3" in one.noise


def test_k24_more_components_than_columns(blobs: np.ndarray, store: Store) -> None:
    with pytest.raises(ExplorerError) as refused:
        single.project(projectors().create("pca", {"dimensions": 3}), blobs[:, :2], store)
    assert code_of(refused) in ("OUT_OF_RANGE", "TOO_FEW_COLUMNS")


@pytest.mark.parametrize("scale", [1e19, 1e30])
@pytest.mark.parametrize(("family", "method"), [
    pair for pair in METHODS if pair[0] in ("project", "cluster")
    and getattr(pair[1], "reads", "embedding") == "embedding"], ids=str)
def test_k26_huge_values_are_refused(family: str, method: Any, scale: float,
                                     blobs: np.ndarray, store: Store) -> None:
    from tests.contracts.cases import execute

    with pytest.raises(DataError) as refused:
        execute(family, small(method), of(blobs * np.float32(scale), None), store)  # type: ignore[arg-type]
    assert code_of(refused) == "TOO_LARGE_VALUES"


def test_k32_a_parameter_that_no_longer_exists() -> None:
    data = Recipe.of(*_three()).to_data()
    data["clusterer"]["parameters"]["gone"] = 1
    with pytest.raises(ParameterError) as refused:
        recipe_from_data(data)
    assert code_of(refused) == "UNKNOWN_PARAMETER"
    assert refused.value.where.parameter == "gone"


def _three() -> tuple[Any, Any, Any]:
    from explorer.encode import encoders

    return (encoders().create("features"), projectors().create("pca"),
            clusterers().create("kmeans"))
