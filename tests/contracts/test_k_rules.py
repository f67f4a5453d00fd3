"""HOSTILE.md 3.8, by id: parameters and data that must be refused, or answered honestly."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from explorer import single
from explorer.cluster import Clusterer, clusterers
from explorer.encode import encoders
from explorer.errors import DataError, ExplorerError, ParameterError
from explorer.judge import Judge, judges
from explorer.project import projectors
from explorer.recipe import OpenedRecipe, Recipe, open_recipe, recipe_from_data
from explorer.spec import Facts
from explorer.store import Store
from explorer.values import NOISE, Judgement
from tests.builders import build_dataset
from tests.contracts.cases import METHODS, arrays, execute, of, small

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
    if method.create().limits(Facts(60, 5, 60))[method.sweeps][1] < 60:
        pytest.skip("it declares that fewer are possible, and test_parameters holds it to that")
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


@pytest.mark.parametrize("key", ["umap", "tsne"])
def test_k15_copies_on_one_spot_when_asked(key: str, blobs: np.ndarray, store: Store) -> None:
    rows = np.random.default_rng(1).permutation(np.repeat(np.arange(60), 10))
    method = small(projectors().get(key), unique=True)
    found = single.project(method, blobs[rows], store)  # type: ignore[arg-type]
    first = np.sort(np.unique(rows, return_index=True)[1])
    alone = single.project(small(projectors().get(key)), blobs[rows[first]], store)  # type: ignore[arg-type]
    np.testing.assert_array_equal(found.points[first], alone.points)
    for row in range(60):
        assert len(np.unique(found.points[rows == row], axis=0)) == 1
    assert len(np.unique(found.points, axis=0)) == 60
    assert any("540 copies" in note for note in found.notes)
    with pytest.raises(ExplorerError) as refused:  # bounds count the different rows
        single.project(projectors().create(key, {"unique": True, "perplexity": 60}
                                           if key == "tsne" else
                                           {"unique": True, "n_neighbors": 60}), blobs[rows], store)
    assert code_of(refused) == "OUT_OF_RANGE"


def test_k16_zero_rows_are_listed_and_can_be_left_out(blobs: np.ndarray, store: Store) -> None:
    vectors = blobs.copy()
    vectors[[3, 17]] = 0
    data = build_dataset(store, {"a": ["x"] * 60}, None, {"vector": vectors})
    kept = single.encode(encoders().create("vectors"), data, store)
    with pytest.raises(DataError) as refused:
        single.cluster(clusterers().create("hdbscan", {"metric": "cosine"}), kept.vectors, store)
    assert code_of(refused) == "ZERO_VECTORS"
    assert "(rows 4, 18)" in refused.value.message
    assert "normalize" in refused.value.hint
    left = single.encode(encoders().create("vectors", {"normalize": True}), data, store)
    assert any("2 rows left out" in note and "rows 4, 18" in note for note in left.notes)
    assert not set(left.rows) & {3, 17}
    found = single.cluster(clusterers().create("hdbscan", {"metric": "cosine"}), left.vectors,
                           store)
    assert len(found.labels) == 58


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
    share = 57 / 60 if judge.counts_noise else 1
    for one, other in zip(noisy.scores, clean.scores, strict=True):
        assert one.value == pytest.approx(other.value * share, rel=1e-9)
        assert (one.sample, one.total) == (57, 60)
        assert "3" in one.noise


def test_k24_more_components_than_columns(blobs: np.ndarray, store: Store) -> None:
    with pytest.raises(ExplorerError) as refused:
        single.project(projectors().create("pca", {"dimensions": 3}), blobs[:, :2], store)
    assert code_of(refused) in ("OUT_OF_RANGE", "TOO_FEW_COLUMNS")


@pytest.mark.parametrize("exponent", [63, 100, 120])
@pytest.mark.parametrize(("family", "method"), [
    pair for pair in METHODS if pair[0] in ("project", "cluster", "judge")
    and getattr(pair[1], "reads", "embedding") == "embedding"],
    ids=lambda value: value if isinstance(value, str) else value.key)
def test_k26_huge_values_are_rescaled_and_said(family: str, method: Any, exponent: int,
                                               blobs: np.ndarray, store: Store) -> None:
    # A power of two changes no digit, so the answer must be the one without it.
    top = np.float32(2.0 ** -np.frexp(np.abs(blobs).max())[1])
    plain, huge = blobs * top, blobs * np.float32(2.0**exponent)
    given = [of(vectors, None) for vectors in (plain, huge)]  # type: ignore[arg-type]
    first, second = (execute(family, small(method), data, store) for data in given)
    for name, values in arrays(first).items():
        np.testing.assert_array_equal(arrays(second)[name], values)
    if family == "judge":
        assert first.scores == second.scores
    else:
        assert not any("divided by" in note for note in first.notes)
        assert any("divided by" in note and "power of two" in note for note in second.notes)


def test_k26_what_measures_in_the_datas_unit_is_refused(blobs: np.ndarray, store: Store) -> None:
    method = clusterers().create("agglomerative", {"distance_threshold": 5.0})
    with pytest.raises(DataError) as refused:
        single.cluster(method, blobs * np.float32(1e19), store)
    assert code_of(refused) == "TOO_LARGE_VALUES"


def test_k32_a_recipe_file_is_read_strictly() -> None:
    data = Recipe.of(*_three()).to_data()
    data["clusterer"]["parameters"]["gone"] = 1
    with pytest.raises(ParameterError) as refused:
        recipe_from_data(data)
    assert code_of(refused) == "UNKNOWN_PARAMETER"
    assert refused.value.where.parameter == "gone"


@pytest.mark.parametrize(("slot", "change", "words"), [
    ("clusterer", {"gone": 1}, "K-means no longer has the parameter gone"),
    ("clusterer", {"clusters": 500}, "clusters was 500 in the saved recipe, which is not allowed: "
                                     "200 is set"),
    ("clusterer", {"clusters": -3}, "2 is set"), ("clusterer", {"init": "magic"}, "'k-means++'"),
    ("clusterer", {"seed": "x", "restarts": None, "old": [1]}, "10 is set"),
    ("projector", {"dimensions": 2.5}, "2 is set"), ("encoder", {"scaling": 3}, "'standard'"),
    ("judges", {"sample": 1000}, "Silhouette no longer has the parameter sample")])
def test_k32_a_workspace_opens_with_a_note(slot: str, change: dict[str, Any], words: str) -> None:
    whole = Recipe.of(*_three())
    data = whole.to_data()
    call = data[slot][0] if slot == "judges" else data[slot]
    call["parameters"] |= change
    opened = open_recipe(data)
    assert any(words in note for note in opened.notes)
    assert len(opened.notes) == len(change)
    kept = opened.recipe.clustering.values()
    if slot == "clusterer" and "clusters" in change:
        assert kept["clusters"] in (2, 200)
    else:
        assert opened.recipe == whole


def test_k32_methods_that_no_longer_exist() -> None:
    data = Recipe.of(*_three()).to_data()
    data["clusterer"] = {"method": "magic", "parameters": {"wand": 1}}
    data["judges"].append({"method": "oracle", "parameters": {}})
    opened = open_recipe(data)
    assert opened.recipe == Recipe.of(*_three()[:2], clusterers().create("kmeans"))
    assert len(opened.notes) == 2
    assert "'magic'" in opened.notes[0]
    assert "'oracle'" in opened.notes[1]


def test_k32_nothing_is_said_of_a_recipe_of_today() -> None:
    recipe = Recipe.of(*_three())
    assert open_recipe(recipe.to_data()) == OpenedRecipe(recipe, ())


def _three() -> tuple[Any, Any, Any]:
    return (encoders().create("features"), projectors().create("pca"),
            clusterers().create("kmeans"))
