"""The k sweep: every result under its own key, so that picking a number computes nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import datasets

from explorer import steps, values
from explorer.cluster import clusterers
from explorer.dataset import Dataset
from explorer.encode import encoders
from explorer.errors import DataError, ParameterError
from explorer.judge.silhouette import Silhouette
from explorer.plan import make_plan
from explorer.project import projectors
from explorer.recipe import Recipe
from explorer.run import Run, run
from explorer.spec import silent
from explorer.steps import Sweep
from explorer.store import Store
from explorer.sweep_step import sweep_step, swept_methods
from tests.builders import build_dataset


@pytest.fixture
def wine(store: Store) -> Dataset:
    return build_wine(store)


def build_wine(store: Store) -> Dataset:
    bunch = datasets.load_wine()
    return build_dataset(store, {name: bunch.data[:, index].tolist()
                                 for index, name in enumerate(bunch.feature_names)})


def recipe_of(clusterer: str = "kmeans", **parameters: Any) -> Recipe:
    return Recipe.of(encoders().create("features"), projectors().create("pca"),
                     clusterers().create(clusterer, parameters))


@pytest.mark.parametrize("key", ["kmeans", "agglomerative"])
def test_a_sweep_leaves_nothing_to_compute(wine: Dataset, store: Store, key: str) -> None:
    recipe = recipe_of(key)
    plan = run(recipe, wine, store).plan
    step = sweep_step(plan, [2, 3, 5])
    steps.execute(step.payload, str(store.root), silent)
    found = values.read(Sweep, store.get(step.key))
    assert found.counts.tolist() == [2, 3, 5]
    for index, count in enumerate((2, 3, 5)):
        chosen = recipe.using(clusterer=clusterers().create(key, {"clusters": count}))
        there = make_plan(chosen, wine, store)
        assert {step.kind for step in there.missing(store)} <= {"describe"}
        assert sweep_step(there, [2, 3, 5]).key == step.key, "picking a number loses the sweep"
        result = Run(there, store)
        alone = _alone(chosen, wine, store)
        np.testing.assert_array_equal(result.clustering.labels, alone.labels)  # type: ignore[union-attr]
        silhouette = result.judgements["silhouette"]
        assert found.indices["silhouette"][0, index] == silhouette.scores[0].value
        assert (found.indices["davies_bouldin"][0, index]
                == result.judgements["davies_bouldin"].scores[0].value)
        rows = np.asarray(silhouette.per_row["silhouette"], dtype=np.float64)
        np.testing.assert_allclose(found.profiles[0, index, [0, 50, 100]],
                                   [rows.min(), np.median(rows), rows.max()], rtol=1e-6)
        assert found.negative[0, index] == (rows < 0).mean()


def _alone(recipe: Recipe, dataset: Dataset, store: Store) -> values.Clustering:
    embedding = Run(make_plan(recipe, dataset, store), store).embedding
    assert embedding is not None
    return recipe.clustering.cluster(embedding.vectors, silent)


def test_a_threshold_plays_no_part_in_a_sweep(wine: Dataset, store: Store) -> None:
    method = clusterers().create("agglomerative", {"distance_threshold": 10.0})
    recipe = recipe_of().using(clusterer=method)
    plan = run(recipe, wine, store).plan
    by_threshold = store.get(plan.clustering).array("labels").copy()
    step = sweep_step(plan, [2, 8])
    steps.execute(step.payload, str(store.root), silent)
    chosen = Run(make_plan(recipe.using(clusterer=method.with_count(2)), wine, store), store)
    assert chosen.clustering is not None
    assert chosen.clustering.count == 2
    assert chosen.plan.clustering != plan.clustering
    np.testing.assert_array_equal(store.get(plan.clustering).array("labels"), by_threshold)


def test_no_sweep_without_a_number(wine: Dataset, store: Store) -> None:
    plan = make_plan(recipe_of("hdbscan"), wine, store)
    with pytest.raises(ParameterError) as refused:
        sweep_step(plan, [2, 3])
    assert refused.value.code == "NO_SWEEP"


def test_a_sweep_judges_all_at_once_and_as_alone(wine: Dataset, store: Store,
                                                 tmp_path: Path,
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    plan = run(recipe_of(), wine, store).plan
    asked: list[int] = []
    whole = Silhouette.judge_all

    def counted(self: Silhouette, vectors: Any, labelings: Any, *given: Any) -> Any:
        asked.append(len(labelings))
        return whole(self, vectors, labelings, *given)

    monkeypatch.setattr(Silhouette, "judge_all", counted)
    step = sweep_step(plan, [2, 3, 5])
    seen: list[tuple[float, str]] = []
    steps.execute(step.payload, str(store.root), lambda *report: seen.append(report))
    assert asked == [3], "once for all counts"
    fractions = [fraction for fraction, _ in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    for count in (2, 3, 5):
        chosen = recipe_of(clusters=count)
        swept = Run(make_plan(chosen, wine, store), store).judgements
        monkeypatch.setattr(Silhouette, "judge_all", whole)
        fresh = run(chosen, build_wine(Store(tmp_path / str(count))), Store(tmp_path / str(count)))
        for name, judgement in fresh.judgements.items():
            # Sums over several labelings at once may round in another order.
            for one, other in zip(swept[name].scores, judgement.scores, strict=True):
                assert one.value == pytest.approx(other.value, abs=1e-6)
                assert replace(one, value=None) == replace(other, value=None)
            assert swept[name].notes == judgement.notes
            for values_, others in ((swept[name].per_row, judgement.per_row),
                                    (swept[name].per_cluster, judgement.per_cluster)):
                assert values_.keys() == others.keys()
                for key in values_:
                    np.testing.assert_allclose(values_[key], others[key], rtol=1e-5, atol=1e-5)


def test_the_estimate_of_a_sweep_follows_its_methods_and_this_machine(wine: Dataset,
                                                                      store: Store) -> None:
    def seconds(key: str, counts: list[int], **factors: float) -> float:
        return sweep_step(make_plan(recipe_of(key), wine, store, factors), counts).seconds

    # One tree serves all counts; k-means starts anew for each.
    for key, method in (("agglomerative", clusterers().get("agglomerative")),
                        ("kmeans", clusterers().get("kmeans"))):
        one, many = seconds(key, [8]), seconds(key, list(range(2, 16)))
        fit = method.create().estimate(178, 13).seconds
        assert one < many
        if key == "agglomerative":
            assert many - one < 13 * fit
        assert seconds(key, [8], **{key: 3.0}) == pytest.approx(one + 2 * fit)


def test_a_sweep_that_lies_fails(wine: Dataset, store: Store) -> None:
    from typing import ClassVar

    from explorer.cluster.kmeans import KMeans
    from explorer.errors import ResultError

    class Short(KMeans):
        """Leaves one clustering out."""

        key: ClassVar[str] = "short"

        def sweep(self, vectors: Any, counts: Any, progress: Any) -> Any:
            return super().sweep(vectors, counts, progress)[:-1]

    clusterers()._methods["short"] = Short
    try:
        plan = run(recipe_of("short"), wine, store).plan
        step = sweep_step(plan, [2, 3])
        with pytest.raises(ResultError) as refused:
            steps.execute(step.payload, str(store.root), silent)
        assert refused.value.code == "ROW_COUNT"
    finally:
        del clusterers()._methods["short"]


def test_several_methods_in_one_job_and_more_later_computes_only_what_is_new(
        wine: Dataset, store: Store) -> None:
    recipe = recipe_of("kmeans", restarts=2)
    plan = run(recipe, wine, store).plan
    every = {method.key: method for method in swept_methods(recipe)}
    assert every["kmeans"] == recipe.clustering.with_count(8)
    some = [every["kmeans"], every["gaussian_mixture"]]
    first = sweep_step(plan, [2, 4], some)
    steps.execute(first.payload, str(store.root), silent)
    kept = {variant["clustering"]: store.get(variant["clustering"]).meta["provenance"]
            for variant in first.payload["variants"]}
    more = sweep_step(plan, [2, 3, 4], [*some, every["agglomerative"]])
    steps.execute(more.payload, str(store.root), silent)
    for key, made in kept.items():
        assert store.get(key).meta["provenance"] == made, "computed again"
    found = values.read(Sweep, store.get(more.key))
    assert found.methods == ("kmeans", "gaussian_mixture", "agglomerative")
    assert found.metrics == ("euclidean",) * 3
    assert found.found.tolist() == [[2, 3, 4]] * 3
    assert set(found.lower) == {"davies_bouldin", "inertia", "bic", "model_bic"}
    for place, key in enumerate(found.methods):
        for index, count in enumerate((2, 3, 4)):
            chosen = recipe.using(clusterer=every[key].with_count(count))
            there = Run(make_plan(chosen, wine, store), store)
            assert there.silhouette is not None
            assert found.indices["silhouette"][place, index] == there.silhouette.scores[0].value
    mixture = _alone(recipe.using(clusterer=every["gaussian_mixture"].with_count(3)), wine, store)
    assert found.indices["model_bic"][1, 1] == mixture.extras["bic"][0]
    assert np.isnan(found.indices["model_bic"][[0, 2]]).all()
    falling = found.indices["inertia"]
    assert np.all(np.diff(falling[[0, 2]], axis=1) < 0)


def test_a_method_that_refuses_the_data_is_left_out_in_words(wine: Dataset, store: Store,
                                                             ) -> None:
    from typing import ClassVar

    from explorer.cluster.agglomerative import Agglomerative

    class Small(Agglomerative):
        """Takes few rows only."""

        key: ClassVar[str] = "small"
        title: ClassVar[str] = "Small"
        max_rows: ClassVar[int] = 100

    clusterers()._methods["small"] = Small
    try:
        plan = run(recipe_of(), wine, store).plan
        step = sweep_step(plan, [2, 3], [recipe_of().clustering, Small.create()])
        steps.execute(step.payload, str(store.root), silent)
        found = values.read(Sweep, store.get(step.key))
        assert "Small is left out" in found.notes[0]
        assert found.metrics == ("euclidean", "")
        assert found.found.tolist() == [[2, 3], [0, 0]]
        assert np.isnan(found.indices["silhouette"][1]).all()
        alone = sweep_step(plan, [2, 3], [Small.create()])
        with pytest.raises(DataError) as refused:
            steps.execute(alone.payload, str(store.root), silent)
        assert refused.value.code == "TOO_MANY_ROWS"
    finally:
        del clusterers()._methods["small"]


def test_the_picture_is_judged_beside_the_clusters(wine: Dataset, store: Store) -> None:
    from sklearn.metrics import silhouette_samples

    from explorer.judging import every_judge, judge_step, picture_judge_step

    recipe = recipe_of("agglomerative", linkage="average", metric="cosine")
    there = run(recipe, wine, store)
    silhouette, *others = every_judge(recipe)
    step = picture_judge_step(there.plan, silhouette)
    assert step.key not in there.plan.judgements.values()
    steps.execute(step.payload, str(store.root), silent)
    found = values.read(values.Judgement, store.get(step.key))
    assert there.projection is not None
    assert there.clustering is not None
    np.testing.assert_allclose(found.per_row["silhouette"], silhouette_samples(
        there.projection.points.astype(np.float64), there.clustering.labels), atol=1e-5)
    assert found.scores[0].metric == "euclidean"
    assert found.scores[0].space.startswith("picture")
    assert "speaks of the picture" in found.notes[0]
    assert judge_step(there.plan, silhouette).key == there.plan.judgements["silhouette"]
    assert {judge.key for judge in others} >= {"inertia", "bic", "dbcv"}
