"""A tree is grown once, stored under its own name, and cut by whoever asks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import datasets

from explorer import steps, values
from explorer.cluster import clusterers
from explorer.cluster.agglomerative import Agglomerative
from explorer.cluster.hdbscan import HDBSCAN
from explorer.cluster.tree import TreeClusterer
from explorer.dataset import Dataset
from explorer.encode import encoders
from explorer.plan import make_plan
from explorer.project import projectors
from explorer.recipe import Recipe
from explorer.run import Run, run
from explorer.spec import silent
from explorer.store import Store
from explorer.sweep_step import sweep_step
from tests.builders import build_dataset


@pytest.fixture
def wine(store: Store) -> Dataset:
    bunch = datasets.load_wine()
    return build_dataset(store, {name: bunch.data[:, index].tolist()
                                 for index, name in enumerate(bunch.feature_names)})


def recipe_of(clusterer: str, **parameters: Any) -> Recipe:
    return Recipe.of(encoders().create("features"), projectors().create("pca"),
                     clusterers().create(clusterer, parameters))


@pytest.mark.parametrize(("key", "change", "other"), [
    ("agglomerative", {"clusters": 5}, {"linkage": "average"}),
    ("agglomerative", {"distance_threshold": 9.0}, {"neighbors": 7}),
    ("hdbscan", {"min_cluster_size": 8, "min_samples": 10}, {"min_samples": 3}),
    ("hdbscan", {"method": "leaf"}, {"metric": "cosine"})])
def test_another_cut_computes_no_tree(wine: Dataset, store: Store, key: str,
                                      change: dict[str, Any], other: dict[str, Any]) -> None:
    first = run(recipe_of(key), wine, store)
    assert first.tree is not None
    assert first.tree.merges.shape == (177, 4)
    plan = make_plan(recipe_of(key, **change), wine, store)
    assert plan.tree == first.plan.tree
    assert plan.original != first.plan.original
    assert "tree" not in {step.kind for step in plan.missing(store)}
    result = run(recipe_of(key, **change), wine, store)
    assert result.clustering is not None
    assert result.embedding is not None
    alone = clusterers().create(key, change).cluster(result.embedding.vectors, silent)
    np.testing.assert_array_equal(result.clustering.labels, alone.labels)
    assert make_plan(recipe_of(key, **other), wine, store).tree != plan.tree


def test_a_sweep_cuts_the_stored_tree(wine: Dataset, store: Store,
                                      monkeypatch: pytest.MonkeyPatch) -> None:
    plan = run(recipe_of("agglomerative"), wine, store).plan
    monkeypatch.setattr(Agglomerative, "grow", lambda *given: pytest.fail("grown again"))
    step = sweep_step(plan, [2, 3, 5])
    steps.execute(step.payload, str(store.root), silent)


def test_a_sweep_leaves_the_tree_it_grew(wine: Dataset, store: Store) -> None:
    plan = run(recipe_of("kmeans"), wine, store).plan
    step = sweep_step(plan, [2, 3], [Agglomerative()])
    steps.execute(step.payload, str(store.root), silent)
    there = make_plan(recipe_of("agglomerative", clusters=3), wine, store)
    assert {step.kind for step in there.missing(store)} <= {"describe", "judge"}
    assert Run(there, store).tree is not None
    assert plan.tree is None


@pytest.mark.parametrize("method", [Agglomerative, HDBSCAN])
def test_the_tree_is_most_of_the_work(method: type[TreeClusterer]) -> None:
    made = method.create()
    tree, cut = made.estimate_tree(9000, 60), made.estimate_cut(9000)
    whole = made.estimate(9000, 60)
    assert cut.seconds < 0.3
    assert cut.seconds < tree.seconds < whole.seconds == tree.seconds + cut.seconds


def test_provenance_names_what_decides_the_tree(wine: Dataset, store: Store) -> None:
    found = run(recipe_of("agglomerative", clusters=7), wine, store)
    assert found.plan.tree is not None
    told = store.get(found.plan.tree).meta["provenance"]
    assert (told["step"], told["method"]) == ("tree", "agglomerative")
    assert told["parameters"]["linkage"] == "ward"
    assert values.read(values.Tree, store.get(found.plan.tree)).metric == "euclidean"
