"""Recipes from data to clusters, against the libraries called directly; nothing computed twice."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import cluster, datasets, decomposition, metrics, preprocessing

from explorer.cluster import clusterers
from explorer.dataset import Dataset
from explorer.encode import encoders
from explorer.errors import Cancelled, DataError
from explorer.plan import make_plan
from explorer.project import projectors
from explorer.recipe import Recipe
from explorer.run import Run, name_of, rows_of_clusters, run
from explorer.store import Store
from explorer.values import by_size
from tests.builders import build_dataset

WINE = datasets.load_wine()


@pytest.fixture
def digits(store: Store) -> Dataset:
    bunch = datasets.load_digits()
    return build_dataset(store, {"digit": [str(label) for label in bunch.target]},
                         {"digit": "label"}, {"pixels": bunch.data.astype(np.float32)})


@pytest.fixture
def wine(store: Store) -> Dataset:
    return build_dataset(store, {name: WINE.data[:, index].tolist()
                                 for index, name in enumerate(WINE.feature_names)})


def recipe_of(encoder: str = "features", projector: str = "pca", clusterer: str = "kmeans",
              clusters: int | None = 3, **rest: Any) -> Recipe:
    chosen = {"clusters": clusters} if clusters and clusterer != "hdbscan" else {}
    return Recipe.of(encoders().create(encoder), projectors().create(projector),
                     clusterers().create(clusterer, chosen), **rest)


def stamps(store: Store) -> dict[str, int]:
    """Every file of every result, with the time it was written."""
    return {path.as_posix(): path.stat().st_mtime_ns
            for path in (store.root / "entries").rglob("*") if path.is_file()}


def test_digits_equal_the_libraries(digits: Dataset, store: Store) -> None:
    bunch = datasets.load_digits()
    vectors = bunch.data.astype(np.float32)
    result = run(recipe_of("vectors", clusters=10), digits, store)
    assert result.complete
    direct = cluster.KMeans(10, n_init=10, random_state=0).fit(vectors)
    assert result.clustering is not None
    np.testing.assert_array_equal(result.clustering.labels, by_size(direct.labels_))
    ours = metrics.adjusted_rand_score(bunch.target, result.clustering.labels)
    assert ours == pytest.approx(metrics.adjusted_rand_score(bunch.target, direct.labels_))
    assert ours > 0.6
    pca = decomposition.PCA(2, svd_solver="full").fit(vectors.astype(np.float64))
    points = pca.transform(vectors.astype(np.float64))
    assert result.projection is not None
    np.testing.assert_allclose(np.abs(result.projection.points), np.abs(points), rtol=1e-3,
                               atol=1e-3)
    labels = result.clustering.labels
    wide = vectors.astype(np.float64)
    expected = {"silhouette": metrics.silhouette_score(wide, labels),
                "davies_bouldin": metrics.davies_bouldin_score(wide, labels),
                "calinski_harabasz": metrics.calinski_harabasz_score(wide, labels)}
    for key, value in expected.items():
        score = result.judgements[key].scores[0]
        assert score.value == pytest.approx(value, rel=1e-6)
        assert (score.sample, score.total) == (1797, 1797)
    assert result.silhouette is not None
    np.testing.assert_allclose(result.silhouette.per_row["silhouette"],
                               metrics.silhouette_samples(wide, labels), atol=1e-6)


def test_the_same_labels_by_run_by_command_and_by_library(store: Store, tmp_path: Path) -> None:
    import explorer
    from explorer.cli import main

    file = tmp_path / "wine.csv"
    with open(file, "w", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(WINE.feature_names)
        writer.writerows(WINE.data.tolist())
    dataset = explorer.open_data(file)
    recipe = recipe_of(dataset=dataset.id, roles=dataset.roles, read=dict(dataset.options))
    by_run = explorer.run_recipe(recipe, dataset).clustering.labels  # type: ignore[union-attr]
    scaled = preprocessing.StandardScaler().fit_transform(WINE.data).astype(np.float32)
    by_library = by_size(cluster.KMeans(3, n_init=10, random_state=0).fit(scaled).labels_)
    np.testing.assert_array_equal(by_run, by_library)
    (tmp_path / "recipe.yaml").write_text(recipe.to_yaml())
    assert main(["run", str(tmp_path / "recipe.yaml"), "--data", str(file), "--out",
                 str(tmp_path / "out"), "--exact", "--home", str(tmp_path / "elsewhere")]) == 0
    with open(tmp_path / "out" / "rows.csv", encoding="utf-8-sig", newline="") as source:
        rows = list(csv.DictReader(source))
    assert [int(row["cluster"]) for row in rows] == by_library.tolist()
    assert [float(row["alcohol"]) for row in rows] == WINE.data[:, 0].tolist()


def test_a_second_run_computes_nothing(wine: Dataset, store: Store) -> None:
    recipe = recipe_of()
    first = run(recipe, wine, store)
    before = stamps(store)
    reports: list[tuple[float, str]] = []
    second = run(recipe, wine, Store(store.root), lambda *report: reports.append(report))
    assert reports == [(1.0, "done")]
    assert stamps(store) == before
    assert first.plan == second.plan
    assert first.table().equals(second.table())


def test_a_parameter_changed_back_finds_its_result(wine: Dataset, store: Store) -> None:
    run(recipe_of(clusters=3), wine, store)
    run(recipe_of(clusters=4), wine, store)
    before = stamps(store)
    back = make_plan(recipe_of(clusters=3), wine, store)
    assert back.missing(store) == ()
    assert back.seconds(store) == 0
    run(recipe_of(clusters=3), wine, store)
    assert stamps(store) == before


def test_a_change_computes_only_what_depends_on_it(wine: Dataset, store: Store) -> None:
    run(recipe_of(clusters=3), wine, store)

    def kinds(recipe: Recipe) -> list[str]:
        return [step.kind for step in make_plan(recipe, wine, store).missing(store)]

    assert kinds(recipe_of(clusters=4)) == ["cluster", "judge", "judge", "judge", "describe"]
    assert kinds(recipe_of(projector="umap")) == ["graph", "project"]
    assert "encode" in kinds(recipe_of().using(
        encoder=encoders().create("features", {"scaling": "robust"})))
    other = recipe_of().using(roles={WINE.feature_names[0]: "ignore"})
    assert "encode" in kinds(other)


def test_keys_are_known_before_anything_is_computed(wine: Dataset, store: Store) -> None:
    recipe = recipe_of(projector="tsne")
    before = make_plan(recipe, wine, store)
    missing = before.missing(store)
    assert [step.key for step in missing] == [step.key for step in before.steps]
    seen: set[str] = set()
    for step in missing:
        assert set(step.after) <= seen, "a step waits for one that comes later"
        seen.add(step.key)
    after = run(recipe, wine, store).plan
    assert [step.key for step in after.steps] == [step.key for step in before.steps]


def test_neighbours_are_searched_once(wine: Dataset, store: Store) -> None:
    maps = [make_plan(recipe_of(projector=key), wine, store) for key in ("tsne", "umap")]
    assert maps[0].graph == maps[1].graph is not None
    assert make_plan(recipe_of(projector="pca"), wine, store).graph is None


@pytest.mark.parametrize("which", ["embedding", "projection", "clustering", "silhouette"])
def test_a_damaged_result_is_computed_again(wine: Dataset, store: Store, which: str) -> None:
    first = run(recipe_of(), wine, store)
    table = first.table().to_pylist()
    key = first.plan.judgements[which] if which == "silhouette" else getattr(first.plan, which)
    file = next(store.get(key).folder.glob("*.npy"))
    before = stamps(store)
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    again = run(recipe_of(), wine, Store(store.root))
    assert again.table().to_pylist() == table
    assert [path.name[:32] for path in (store.root / "quarantine").iterdir()] == [key]
    others = {path: time for path, time in stamps(store).items() if key not in path}
    assert others == {path: time for path, time in before.items() if key not in path}


def test_clustering_on_the_picture_says_so(wine: Dataset, store: Store) -> None:
    plain = run(recipe_of(), wine, store)
    picture = run(recipe_of(cluster_in="projection"), wine, store)
    assert picture.plan.clustering != plain.plan.clustering
    assert picture.clustering is not None
    assert picture.projection is not None
    points = picture.projection.points
    direct = cluster.KMeans(3, n_init=10, random_state=0).fit(points)
    np.testing.assert_array_equal(picture.clustering.labels, by_size(direct.labels_))
    assert len(picture.scores) >= 3
    assert all(score.space == "picture: 2-D PCA" for score in picture.scores)
    assert all("picture" not in score.space for score in plain.scores)
    assert any("picture" in note for note in picture.clustering.notes)
    assert picture.judgements["silhouette"].scores[0].value == pytest.approx(
        metrics.silhouette_score(points.astype(np.float64), picture.clustering.labels), rel=1e-6)


def test_a_stopped_run_goes_on_where_it_was(wine: Dataset, store: Store) -> None:
    def stop_at_cluster(fraction: float, text: str) -> None:
        if text.startswith("K-means"):
            raise Cancelled

    with pytest.raises(Cancelled):
        run(recipe_of(), wine, store, stop_at_cluster)
    before = stamps(store)
    missing = make_plan(recipe_of(), wine, store).missing(store)
    assert [step.kind for step in missing] == ["cluster", "judge", "judge", "judge", "describe"]
    assert run(recipe_of(), wine, store).complete
    assert before.items() <= stamps(store).items()


def test_progress_of_a_run_never_goes_back(wine: Dataset, store: Store) -> None:
    seen: list[float] = []
    run(recipe_of(projector="tsne"), wine, store, lambda fraction, _: seen.append(fraction))
    assert seen == sorted(seen)
    assert (seen[0] >= 0, seen[-1]) == (True, 1.0)


@pytest.fixture
def holed(store: Store) -> Dataset:
    """Ten rows, of which 2 and 5 have no number."""
    numbers: list[float | None] = [0, 0.1, None, 0.2, 0.1, None, 9, 9.1, 9.3, 9.2]
    return build_dataset(store, {"a": numbers, "b": [float(row % 3) for row in range(10)]})


def drop_rows() -> Recipe:
    return recipe_of(clusters=2).using(
        encoder=encoders().create("features", {"missing": "drop rows"}))


def test_rows_left_out_stay_left_out(holed: Dataset, store: Store) -> None:
    result = run(drop_rows(), holed, store)
    assert result.rows.tolist() == [0, 1, 3, 4, 6, 7, 8, 9]
    assert result.table().num_rows == 8
    assert result.positions(np.array([1, 2, 3, 5, 9])).tolist() == [1, 2, 7]
    assert rows_of_clusters(result, {0, 1}).tolist() == result.rows.tolist()
    near = set(rows_of_clusters(result, {int(result.clustering.labels[0])}))  # type: ignore[union-attr]
    assert near == {0, 1, 3, 4}


def test_the_table_has_a_name_and_a_second_best_for_every_row(holed: Dataset,
                                                              store: Store) -> None:
    table = run(drop_rows(), holed, store).table({0: "low"})
    assert table.column_names == ["cluster", "cluster_name", "silhouette", "second_best_cluster",
                                  "second_best_name", "x", "y"]
    for row in table.to_pylist():
        assert row["cluster_name"] == name_of(row["cluster"], {0: "low"})
        assert row["second_best_cluster"] == 1 - row["cluster"]
    assert {row["cluster_name"] for row in table.to_pylist()} == {"low", name_of(1, {})}
    assert name_of(-1, {-1: "x"}) == "Noise"


def test_nothing_is_there_before_a_run(wine: Dataset, store: Store) -> None:
    empty = Run(make_plan(recipe_of(), wine, store), store)
    assert (empty.embedding, empty.clustering, empty.projection) == (None, None, None)
    assert (empty.scores, empty.rows.tolist(), empty.complete) == ((), [], False)
    assert empty.table().num_columns == 0
    with pytest.raises(DataError):
        rows_of_clusters(empty, {0})


def test_all_noise_is_said_and_scores_are_not_defined(wine: Dataset, store: Store) -> None:
    recipe = recipe_of().using(clusterer=clusterers().create("hdbscan", {"min_cluster_size": 89}))
    result = run(recipe, wine, store)
    assert result.clustering is not None
    assert result.clustering.noise == 178
    assert all(score.value is None and score.why for score in result.scores)
    assert result.table().column("silhouette").null_count == 178
    assert result.description is not None
    assert result.description.clusters == ()


def test_what_sets_clusters_apart(store: Store) -> None:
    draws = np.random.default_rng(0)
    words = [["cats purr", "dogs bark"], ["bread bakes", "dough rises"]]
    group = np.repeat([0, 1], 20)
    dataset = build_dataset(store, {
        "size": (group * 10 + draws.normal(size=40)).tolist(),
        "weight": draws.normal(size=40).tolist(),
        "note": [words[label][row % 2] for row, label in enumerate(group)],
        "place": [("garden", "kitchen")[label] for label in group]},
        {"note": "text", "place": "label"})
    result = run(recipe_of(clusters=2), dataset, store)
    assert result.description is not None
    first = result.description.clusters[int(result.clustering.labels[0])]  # type: ignore[union-attr]
    assert {"purr", "bark", "cats", "dogs"} & set(" ".join(first["words"]).split())
    assert any("garden" in text for text in first["columns"])
    assert result.description.typical.shape == (2, 3)


def test_coordinates_of_the_data_are_the_map(store: Store) -> None:
    draws = np.random.default_rng(0)
    columns = {name: draws.normal(size=20).tolist() for name in ("a", "b", "x", "y")}
    dataset = build_dataset(store, columns, {"x": "coordinate", "y": "coordinate"})
    result = run(recipe_of(projector="given"), dataset, store)
    assert result.projection is not None
    np.testing.assert_allclose(result.projection.points[:, 0], columns["x"], rtol=1e-6)
    broken = build_dataset(store, {**columns, "y": [None, *columns["y"][1:]]},
                           {"x": "coordinate", "y": "coordinate"})
    with pytest.raises(DataError) as refused:
        run(recipe_of(projector="given"), broken, store)
    assert refused.value.code == "NOT_FINITE"
    with pytest.raises(DataError) as refused:
        run(recipe_of(projector="given").using(roles={"x": "ignore"}), dataset, store)
    assert refused.value.code == "NO_COORDINATES"


def test_roles_of_other_data_are_refused(wine: Dataset, store: Store) -> None:
    with pytest.raises(DataError) as refused:
        make_plan(recipe_of(roles={"nowhere": "number"}), wine, store)
    assert refused.value.code == "NO_COLUMN"
