"""Edits as part of a recipe: the same labels headless, scores as of any labels, steps reused."""

from __future__ import annotations

import json
import zipfile
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import explorer
from explorer import exports
from explorer.cli import main
from explorer.cluster import clusterers
from explorer.dataset import Dataset
from explorer.encode import encoders
from explorer.errors import DataError, ExplorerError, InputError, ParameterError
from explorer.judge import judges
from explorer.judge.describe import describe_columns, typical_rows
from explorer.plan import make_plan
from explorer.project import projectors
from explorer.recipe import Recipe, open_recipe, recipe_from_data, recipe_from_yaml
from explorer.row_sets import pack_rows
from explorer.run import Run, run
from explorer.spec import silent
from explorer.store import Store
from explorer.values import NOISE, Clustering, by_size
from tests.builders import build_dataset

N = 60


@pytest.fixture
def dataset(store: Store, blobs: np.ndarray) -> Dataset:
    columns: dict[str, Any] = {f"c{place}": blobs[:, place].tolist() for place in range(5)}
    columns["c0"][7] = None  # a row without a vector, so that rows and places differ
    return build_dataset(store, columns)


@pytest.fixture
def recipe(dataset: Dataset) -> Recipe:
    return Recipe.of(encoders().create("features", {"missing": "drop rows"}),
                     projectors().create("pca"),
                     clusterers().create("kmeans", {"clusters": 3, "restarts": 1}),
                     dataset=dataset.id, dataset_name=dataset.name, roles=dataset.roles)


def call(method: str, **parameters: Any) -> dict[str, Any]:
    return {"method": method, "parameters": parameters}


def packed(rows: Any, total: int = N) -> dict[str, Any]:
    return {"rows": pack_rows(np.array(rows), total), "total": total}


def kmeans(clusters: int = 2) -> dict[str, Any]:
    return {"method": "kmeans", "parameters": clusterers().create(
        "kmeans", {"clusters": clusters, "restarts": 1}).values()}


STEPS = [call("split", cluster=0, clusterer=kmeans()), call("merge", clusters=[1, 3], into=1),
         call("assign", **packed([5, 6, 7, 8]), to=-1), call("separate", **packed([30, 31, 50]))]


def by_hand(plain: Run) -> np.ndarray:
    """STEPS, the slow way."""
    assert plain.clustering is not None
    assert plain.embedding is not None
    labels = {int(row): int(label)
              for row, label in zip(plain.rows, plain.clustering.labels, strict=True)}
    inside = [row for row in labels if labels[row] == 0]
    vectors = plain.embedding.vectors[np.isin(plain.rows, inside)]
    parts = clusterers().create("kmeans", {"clusters": 2, "restarts": 1}).cluster(vectors, silent)
    for row, part in zip(inside, parts.labels, strict=True):
        labels[row] = 3 + int(part)
    for row in labels:
        if labels[row] == 3:
            labels[row] = 1
    for row in (5, 6, 8):
        labels[row] = NOISE
    for row in (30, 31, 50):
        labels[row] = 5
    return np.array([labels[int(row)] for row in plain.rows])


def test_a_recipe_with_edits_gives_what_is_done_by_hand(recipe: Recipe, dataset: Dataset,
                                                        store: Store) -> None:
    plain = run(recipe, dataset, store)
    assert len(plain.rows) == N - 1
    result = run(recipe.using(edits=STEPS), dataset, store)
    assert result.clustering is not None
    assert result.original is not None
    assert plain.clustering is not None
    assert result.clustering.labels.tolist() == by_hand(plain).tolist()
    assert result.original.labels.tolist() == plain.clustering.labels.tolist()
    assert result.plan.original == plain.plan.clustering
    assert result.clustering.next == 6
    assert result.rows_edited == np.count_nonzero(by_hand(plain) != plain.clustering.labels)
    assert result.clustering.clusters == tuple(sorted(set(by_hand(plain).tolist()) - {NOISE}))
    assert result.clustering.count == len(result.clustering.clusters)
    assert sum(result.clustering.sizes.values()) + result.clustering.noise == N - 1


def test_nothing_changes_for_a_recipe_without_edits(recipe: Recipe, dataset: Dataset,
                                                    store: Store) -> None:
    assert "edits" not in recipe.to_data()
    assert recipe.using(edits=STEPS).unedited == recipe
    plan = make_plan(recipe, dataset, store)
    edited = make_plan(recipe.using(edits=STEPS), dataset, store)
    assert plan.clustering == plan.original == edited.original
    assert {step.key for step in plan.steps if step.kind not in ("judge", "describe")} \
        < {step.key for step in edited.steps}
    assert not {*plan.judgements.values()} & {*edited.judgements.values()}


def test_a_later_edit_computes_no_earlier_one_again(recipe: Recipe, dataset: Dataset,
                                                    store: Store) -> None:
    run(recipe.using(edits=STEPS[:2]), dataset, store)
    missing = make_plan(recipe.using(edits=STEPS[:3]), dataset, store).missing(store)
    assert [step.kind for step in missing].count("edit") == 1
    assert {step.kind for step in missing} == {"edit", "judge", "describe"}
    undone = make_plan(recipe.using(edits=STEPS[:2]), dataset, store)
    assert not undone.missing(store)
    assert make_plan(recipe.using(edits=STEPS[:3]), dataset, store).edited[:2] == undone.edited


@pytest.mark.parametrize("judge", judges(), ids=lambda judge: judge.key)
def test_scores_are_those_of_the_renumbered_labels(judge: Any, blobs: np.ndarray) -> None:
    gaps = np.array([9, 4, 200, -1], dtype=np.int32)[np.arange(N) // 5 % 4]
    plain = by_size(gaps)
    told = [judge.create().judge(blobs, labels, "euclidean", "", silent)
            for labels in (gaps, plain)]
    assert [score.value for score in told[0].scores] == pytest.approx(
        [score.value for score in told[1].scores])
    back = {int(new): int(old) for new, old in zip(plain, gaps, strict=True)}
    for name, values in told[0].per_row.items():
        other = told[1].per_row[name]
        expected = [back.get(int(value), value) for value in other] if name == "second" else other
        np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-6)
    for name, values in told[0].per_cluster.items():
        for new, old in back.items():
            if old != NOISE:
                np.testing.assert_allclose(values[old], told[1].per_cluster[name][new],
                                           rtol=1e-5, atol=1e-6)


def test_descriptions_are_those_of_the_renumbered_labels(blobs: np.ndarray) -> None:
    gaps = np.repeat(np.array([9, 4, 2], dtype=np.int32), 20)
    plain = np.repeat(np.array([0, 1, 2], dtype=np.int32), 20)
    typical = typical_rows(blobs, gaps, "euclidean")
    np.testing.assert_array_equal(typical[[9, 4, 2]], typical_rows(blobs, plain, "euclidean"))
    assert (typical[[0, 1, 3, 5, 6, 7, 8]] == -1).all()
    columns = {"a": blobs[:, 0].astype(np.float64)}
    told = {found.cluster: found.columns for found in describe_columns(columns, gaps)}
    other = {found.cluster: found.columns for found in describe_columns(columns, plain)}
    assert told == {9: other[0], 4: other[1], 2: other[2]}


def test_clusters_of_labels_with_gaps_and_huge_numbers() -> None:
    labels = np.array([7, -1, 7, 2_000_000_000, 0], dtype=np.int32)
    clustering = Clustering(labels, "euclidean")
    assert clustering.sizes == {0: 1, 7: 2, 2_000_000_000: 1}
    assert (clustering.count, clustering.noise, clustering.next) == (3, 1, 2_000_000_001)
    empty = Clustering(np.full(3, NOISE, dtype=np.int32), "euclidean")
    assert (empty.sizes, empty.count, empty.next) == ({}, 0, 0)


def test_a_recipe_file_keeps_its_edits_and_drops_them_with_their_clustering(
        recipe: Recipe) -> None:
    edited = recipe.using(edits=STEPS)
    assert recipe_from_yaml(edited.to_yaml()) == edited
    assert recipe_from_data(json.loads(json.dumps(edited.to_data()))) == edited
    assert edited.using(dataset_name="x", projector=projectors().create("tsne")).edits
    assert not edited.using(clusterer=clusterers().create("hdbscan")).edits
    assert not edited.using(cluster_in="projection").edits
    assert not edited.using(encoder=encoders().create("features")).edits
    assert edited.using(clusterer=edited.clustering).edits == edited.edits


@pytest.mark.parametrize(("steps", "kind", "code"), [
    ([call("dissolve")], ParameterError, "UNKNOWN_METHOD"),
    ([call("merge", clusters=[0], into=0)], ParameterError, "OUT_OF_RANGE"),
    ([call("split", cluster=0, clusterer={"method": "magic"})], ParameterError, "UNKNOWN_METHOD"),
    ([call("split", cluster=0, clusterer={"method": "kmeans", "parameters": {"clusters": 0}})],
     ParameterError, "OUT_OF_RANGE"),
    ([{"method": "merge", "code": "import os"}], InputError, "BAD_RECIPE"),
    ("merge", InputError, "BAD_RECIPE"), ([None], InputError, "BAD_RECIPE"),
    ([call("merge", clusters=[0, 1], into=0)] * 501, InputError, "BAD_RECIPE"),
])
def test_hostile_edits_are_refused_when_the_recipe_is_read(
        steps: Any, kind: type[ExplorerError], code: str, recipe: Recipe) -> None:
    with pytest.raises(kind) as refused:
        recipe_from_data({**recipe.to_data(), "edits": steps})
    assert refused.value.code == code
    assert len(str(refused.value)) < 600


@pytest.mark.parametrize(("step", "code"), [
    (call("merge", clusters=[0, 7], into=0), "NO_CLUSTER"),
    (call("assign", **packed([1], 61), to=0), "ROW_COUNT"),
    (call("assign", rows="####", total=N, to=0), "BAD_ROWS"),
    (call("assign", rows=packed(range(900), 900)["rows"], total=N, to=0), "BAD_ROWS"),
    (call("separate", **packed([7])), "NO_ROWS"),
    (call("split", cluster=0, clusterer=kmeans(99)), "OUT_OF_RANGE"),
    (call("split", **packed([1]), clusterer=kmeans()), "TOO_FEW_ROWS"),
])
def test_edits_that_do_not_fit_the_data_are_refused_by_name(
        step: dict[str, Any], code: str, recipe: Recipe, dataset: Dataset, store: Store) -> None:
    with pytest.raises((DataError, ParameterError)) as refused:
        run(recipe.using(edits=[step]), dataset, store)
    assert refused.value.code == code


def test_a_saved_workspace_drops_edits_of_another_version_and_says_so(recipe: Recipe) -> None:
    data = {**recipe.to_data(), "edits": [STEPS[0], call("dissolve"), STEPS[1]]}
    opened = open_recipe(data)
    assert [edit.method for edit in opened.recipe.edits] == ["split"]
    assert "Step 2" in opened.notes[0]
    assert "1 after it" in opened.notes[0]


def test_an_export_replays_by_the_command_line(tmp_path: Any, store: Store, blobs: np.ndarray,
                                               capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "blobs.csv"
    np.savetxt(file, blobs, delimiter=",", header="a,b,c,d,e", comments="")
    data = explorer.open_data(file, home=store.root)
    base = Recipe.of(encoders().create("features"), projectors().create("pca"),
                     clusterers().create("kmeans", {"clusters": 3}), dataset=data.id,
                     dataset_name=data.name, roles=data.roles, read=dict(data.options))
    edited = run(base.using(edits=[
        call("split", cluster=0, clusterer=kmeans()),
        call("assign", **packed(range(7)), to=-1)]), data, store)
    assert edited.clustering is not None
    assert edited.original is not None
    everything = np.arange(N)
    names, notes = {3: "first part"}, {3: "look again"}
    step = exports.export_step(edited, everything, names, "parquet", notes)
    assert step.key != exports.export_step(edited, everything, names, "parquet").key
    exports.keep_rows(edited, everything)
    exports.execute(step.payload, str(store.root), silent)
    with zipfile.ZipFile(store.get(step.key).path("export.zip")) as archive:
        archive.extractall(tmp_path / "taken")
    manifest = json.loads((tmp_path / "taken" / "manifest.json").read_text())
    assert manifest["edits"]["steps"] == 2
    assert manifest["edits"]["rows_changed"] == edited.rows_edited > 0
    assert manifest["edits"]["original_clustering"]["key"] == edited.plan.original
    assert manifest["cluster_notes"] == {"3": "look again"}
    assert "edited by hand in 2 steps" in manifest["meanings"]["cluster"]
    taken = pq.read_table(tmp_path / "taken" / "rows.parquet")
    assert taken["cluster"].to_pylist() == edited.clustering.labels.tolist()
    assert taken["original_cluster"].to_pylist() == edited.original.labels.tolist()
    replayed = tmp_path / "replayed"
    assert main(["run", str(tmp_path / "taken" / "recipe.yaml"), "--data", str(file), "--format",
                 "parquet", "--home", str(tmp_path / "another"), "--out", str(replayed)]) == 0
    assert "Edited by hand in 2 steps" in capsys.readouterr().out
    again = pq.read_table(replayed / "rows.parquet")
    assert again["cluster"].to_pylist() == edited.clustering.labels.tolist()
    assert again["original_cluster"].to_pylist() == edited.original.labels.tolist()
    assert again["silhouette"].to_pylist() == taken["silhouette"].to_pylist()
