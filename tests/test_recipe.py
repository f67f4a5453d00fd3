"""A recipe as a file people write, break and send each other; and the one that is proposed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer.cluster import clusterers
from explorer.dataset import Dataset
from explorer.encode import encoders
from explorer.errors import DataError, InputError, ParameterError
from explorer.judge import judges
from explorer.project import projectors
from explorer.propose import fitting_encoders, propose
from explorer.recipe import Recipe, read_recipe, recipe_from_data, recipe_from_yaml
from explorer.run import run
from explorer.store import Store
from tests.builders import build_dataset, png


@pytest.fixture
def recipe() -> Recipe:
    return Recipe.of(encoders().create("features"), projectors().create("tsne"),
                     clusterers().create("kmeans", {"clusters": 5}), dataset="a" * 32,
                     dataset_name="wörter: № 1\n", roles={"no": "number", "yes: [": "text"},
                     read={"delimiter": ";"})


def test_all_parameters_are_written_out(recipe: Recipe) -> None:
    data = recipe.to_data()
    assert data["projector"]["parameters"] == projectors().create("tsne").values()
    assert data["clusterer"]["parameters"]["clusters"] == 5
    assert [judge["method"] for judge in data["judges"]] == [
        judge.key for judge in judges() if judge.default]
    assert recipe_from_yaml(recipe.to_yaml()) == recipe


def test_using_changes_one_part(recipe: Recipe) -> None:
    other = recipe.using(clusterer=clusterers().create("hdbscan"), cluster_in="projection")
    assert (other.clusterer.method, other.cluster_in) == ("hdbscan", "projection")
    assert other.clustering == clusterers().create("hdbscan")
    assert other.encoder == recipe.encoder
    assert recipe.clusterer.method == "kmeans"


_BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{after}: &{after} [{','.join(['*' + before] * 9)}]\n"
    for before, after in zip("abcdefgh", "bcdefghi", strict=True))


@pytest.mark.parametrize("text", [
    "", "- 1\n- 2", "just words", "a: [1", "encoder: {method: features}", "\t\tx", _BOMB,
    "[" * 5000, "x: 2020-13-45", "version: 2", "!!python/object/apply:os.system [echo]"])
def test_what_is_no_recipe_is_said_so(text: str) -> None:
    with pytest.raises(InputError) as refused:
        recipe_from_yaml(text)
    assert refused.value.code == "BAD_RECIPE"
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize(("path", "value", "code", "parameter"), [
    (("encoder", "method"), "word2vec", "UNKNOWN_METHOD", "encoder"),
    (("projector", "method"), "kmeans", "UNKNOWN_METHOD", "projector"),
    (("clusterer", "parameters", "clusters"), 0, "OUT_OF_RANGE", "clusters"),
    (("clusterer", "parameters", "gone"), 1, "UNKNOWN_PARAMETER", "gone"),
    (("cluster_in",), "soup", "BAD_RECIPE", "cluster_in"),
    (("surprise",), 1, "BAD_RECIPE", "surprise")])
def test_what_is_wrong_is_named(recipe: Recipe, path: tuple[str, ...], value: Any, code: str,
                                parameter: str) -> None:
    data = recipe.to_data()
    inner = data
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    with pytest.raises((InputError, ParameterError)) as refused:
        recipe_from_data(data)
    assert (refused.value.code, refused.value.where.parameter) == (code, parameter)


def test_files(recipe: Recipe, tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(recipe.to_yaml(), encoding="utf-8")
    assert read_recipe(file) == recipe
    file.write_bytes(b"\xff\xfe\x00a")
    with pytest.raises(InputError, match="UTF-8"):
        read_recipe(file)
    file.write_bytes(b"a" * 8_000_001)
    with pytest.raises(InputError) as refused:
        read_recipe(file)
    assert refused.value.code == "TOO_LARGE"
    with pytest.raises(InputError) as refused:
        read_recipe(tmp_path / "nothing.yaml")
    assert (refused.value.code, refused.value.where.file) == ("NO_FILE", "nothing.yaml")


@pytest.mark.parametrize("columns", [1, 2, 5])
@pytest.mark.parametrize("rows", [1, 2, 3, 4, 6, 12, 29, 30, 31, 60, 92])
def test_what_is_proposed_runs(rows: int, columns: int, store: Store) -> None:
    numbers = np.random.default_rng(0).normal(size=(rows, columns))
    dataset = build_dataset(store, {f"c{index}": numbers[:, index].tolist()
                                    for index in range(columns)})
    if rows < 3 or (columns == 1 and rows < 6):
        with pytest.raises(DataError) as refused:
            propose(dataset)
        assert refused.value.code == "TOO_FEW_ROWS"
        assert refused.value.hint
        return
    proposal = propose(dataset)
    assert proposal.recipe.dataset == dataset.id
    assert len(proposal.reasons) == 3
    assert recipe_from_yaml(proposal.recipe.to_yaml()) == proposal.recipe
    result = run(proposal.recipe, dataset, store)
    assert result.complete
    assert not any("perplexity" in note for note in result.projection.notes)  # type: ignore[union-attr]


@pytest.mark.parametrize(("first", "second"), [("ab", "x"), ("ab", "xy"), ("abc", "xyz")])
def test_what_is_proposed_for_few_different_rows_runs(first: str, second: str,
                                                      store: Store) -> None:
    dataset = build_dataset(store, {"a": [*first] * 20,
                                    "b": [*second] * (20 * len(first) // len(second))},
                            {"a": "category", "b": "category"})
    result = run(propose(dataset).recipe, dataset, store)
    assert result.complete


def test_copies_of_one_row_are_refused_before_a_run(store: Store) -> None:
    dataset = build_dataset(store, {"a": [1.5] * 40, "b": [2.5] * 40},
                            {"a": "number", "b": "number"})
    with pytest.raises(DataError) as refused:
        propose(dataset)
    assert refused.value.code == "IDENTICAL_ROWS"
    assert "a, b" in refused.value.message


def texts(store: Store) -> Dataset:
    return build_dataset(store, {"note": ["some words here", "other words there"] * 3})


def vectors(store: Store) -> Dataset:
    return build_dataset(store, {"note": ["a b", "c d"] * 3},
                         matrices={"v": np.eye(6, 4, dtype=np.float32)})


def images(store: Store) -> Dataset:
    squares = np.random.default_rng(0).integers(255, size=(6, 8, 8), dtype=np.uint8)
    return build_dataset(store, {"label": list("aabbcc")}, {"label": "label"},
                         images=[png(square) for square in squares])


def numbers(store: Store) -> Dataset:
    return build_dataset(store, {"a": [1.0, 2, 3, 4, 5, 6], "kind": list("xyxyxy")},
                         {"kind": "label"})


@pytest.mark.parametrize(("make", "encoder", "clusters"), [
    (texts, "minilm", 2), (vectors, "vectors", 2), (images, "pixels", 3),
    (numbers, "features", 2)])
def test_the_encoder_fits_the_data(make: Any, encoder: str, clusters: int, store: Store) -> None:
    dataset = make(store)
    recipe = propose(dataset).recipe
    assert recipe.encoder.method == encoder
    assert recipe.clusterer.parameters["clusters"] == clusters
    assert encoder in [method.key for method in fitting_encoders(dataset)]


def test_nothing_to_encode_names_the_columns_and_what_to_do(store: Store) -> None:
    dataset = build_dataset(store, {"id": ["1", "2", "3"]}, {"id": "id"})
    with pytest.raises(DataError) as refused:
        propose(dataset)
    assert refused.value.code == "NO_FEATURES"
    assert "id: id" in refused.value.message
    assert "role number" in refused.value.hint
    assert fitting_encoders(dataset) == []


def test_coordinates_alone_are_to_become_numbers(store: Store) -> None:
    dataset = build_dataset(store, {"x": [1.0, 2, 3, 4], "y": [4.0, 2, 1, 0]},
                            {"x": "coordinate", "y": "coordinate"})
    with pytest.raises(DataError) as refused:
        propose(dataset)
    assert refused.value.hint.startswith("Give x, y the role number")


def test_ready_made_coordinates_are_taken(store: Store) -> None:
    draws = np.random.default_rng(0).normal(size=(12, 3)).tolist()
    columns = {name: [row[index] for row in draws] for index, name in enumerate("axy")}
    dataset = build_dataset(store, columns, {"x": "coordinate", "y": "coordinate"})
    assert propose(dataset).recipe.projector.method == "given"
