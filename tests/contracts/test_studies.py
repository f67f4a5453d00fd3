"""What every study promises: same result twice, order, stopping, titles, odd runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from explorer import steps
from explorer.cluster import clusterers
from explorer.dataset import Dataset
from explorer.encode import encoders
from explorer.errors import Cancelled, DataError, ExplorerError, ResultError
from explorer.project import projectors
from explorer.recipe import Call, Recipe, recipe_from_yaml
from explorer.run import Run, run
from explorer.store import Store
from explorer.study import Study, studies
from explorer.study.step import study_key, study_step
from explorer.values import Finding
from tests.builders import build_dataset
from tests.contracts.cases import arrays

each_study = pytest.mark.parametrize("kind", list(studies()), ids=lambda kind: kind.key)
FEW = {"runs": 2, "seeds": 1, "subsamples": 1, "folds": 2, "references": 2, "splits": 1,
       "rounds": 2, "places": 10, "shuffles": 1, "k": 5, "neighbors": 5, "lowest": 2, "highest": 3}
"""Small numbers, raised to the smallest that is allowed."""


def small(kind: type[Study]) -> Study:
    """The study with few repetitions and, where it wants a column, one of its roles."""
    given: dict[str, Any] = {}
    for parameter in kind.parameters():
        if parameter.kind == "int" and parameter.name in FEW:
            given[parameter.name] = max(FEW[parameter.name], int(parameter.low or 0))
    for name, info in kind.model_fields.items():
        extra = info.json_schema_extra
        if isinstance(extra, dict) and "roles" in extra:
            given[name] = "colour"
    return kind.create(**given)


def dataset(store: Store, vectors: np.ndarray) -> Dataset:
    """Number columns, a category that follows the groups, and a short text."""
    draws = np.random.default_rng(3)
    group = np.arange(len(vectors)) * 3 // len(vectors)
    columns: dict[str, list[Any]] = {
        f"n{place}": column.tolist() for place, column in enumerate(vectors.T)}
    columns["colour"] = [("red", "green", "blue")[label] for label in group]
    columns["text"] = [" ".join(draws.choice(["dog", "cat", "bread", "goal"], size=4))
                       for _ in group]
    return build_dataset(store, columns, {"colour": "category", "text": "ignore"})


def ran(kind: type[Study], store: Store, vectors: np.ndarray, **parameters: Any) -> Run:
    """A finished run of PCA and k-means: of number columns, or of a small VAE trained on them where
    the study needs a network (it has all that one may ask of a network)."""
    encoder = encoders().create("vae", {"dimensions": 2, "epochs": 2, "layers": 0}) \
        if kind.needs_network() else encoders().create("features")
    recipe = Recipe.of(encoder, projectors().create("pca"),
                       clusterers().create("kmeans", parameters or {"clusters": 3}))
    return run(recipe, dataset(store, vectors), store)


def found_by(result: Run, study: Study, progress: Callable[[float, str], None]) -> Finding:
    steps.execute(study_step(result.plan, study).payload, str(result.store.root), progress)
    found = result.finding(study)
    assert found is not None
    return found


@each_study
def test_same_twice_and_stopping(kind: type[Study], blobs: np.ndarray, tmp_path: Any) -> None:
    study = small(kind)
    results, reports = [], []
    for name in ("one", "two"):
        result = ran(kind, Store(tmp_path / name), blobs)
        seen: list[float] = []
        found = found_by(result, study, lambda part, _, seen=seen: seen.append(part))
        results.append(arrays(found))
        reports.append(seen)
    assert results[0].keys() == results[1].keys()
    for name, values in results[0].items():
        np.testing.assert_array_equal(values, results[1][name], err_msg=name)
    assert reports[0], "it never reports"
    assert all(0 <= part <= 1 for part in reports[0])
    assert reports[0] == sorted(reports[0]), "it goes backwards"

    result = ran(kind, Store(tmp_path / "three"), blobs)
    for stop_at in {1, (len(reports[0]) + 1) // 2}:
        calls = iter(range(1, 10**6))

        def stop(part: float, text: str, calls: Any = calls, stop_at: int = stop_at) -> None:
            if next(calls) == stop_at:
                raise Cancelled

        with pytest.raises(Cancelled):
            found_by(result, study, stop)
        assert result.finding(study) is None


@each_study
def test_what_it_says(kind: type[Study], blobs: np.ndarray, store: Store) -> None:
    study = small(kind)
    result = ran(kind, store, blobs)
    found = found_by(result, study, lambda part, text: None)
    assert kind.question.endswith("?")
    assert set(found.per_row) <= set(kind.rows_say), "a number per row without a title"
    for value in kind.rows_say.values():
        assert value.title
        assert value.about
    json.dumps(found.tables, allow_nan=False)
    recipe = result.recipe.using(studies=(Call.of(study),))
    assert recipe_from_yaml(recipe.to_yaml()) == recipe
    again = run(recipe, result.dataset, store)  # found, not computed
    assert [made.study for made in again.findings] == [study]


@each_study
def test_its_key_follows_what_it_reads(kind: type[Study], blobs: np.ndarray, store: Store) -> None:
    study = small(kind)
    first = ran(kind, store, blobs)
    other = ran(kind, store, blobs, clusters=4, seed=1)
    reads_labels = {"clustering", "original"} & set(kind.reads) or "clusterer" in kind.repeats
    same = study_key(first.plan, study) == study_key(other.plan, study)
    assert same != bool(reads_labels)


@each_study
@pytest.mark.parametrize("rows", [1, 2, 3, 60])
def test_odd_runs_have_an_answer(kind: type[Study], rows: int, blobs: np.ndarray,
                                 store: Store) -> None:
    # 60: copies of two rows.
    vectors = blobs[:rows] if rows < 60 else np.repeat(blobs[[0, 30]], 30, axis=0)
    try:
        result = ran(kind, store, vectors, clusters=min(2, rows))
    except ExplorerError:
        pytest.skip("the recipe itself is refused")
    try:
        found = found_by(result, small(kind), lambda part, text: None)
    except ExplorerError as error:
        refused = error
    else:
        assert all(score.value is not None or score.why for score in found.scores)
        return
    assert not isinstance(refused, ResultError), "a mistake of the study"
    assert str(refused)


@pytest.mark.parametrize("kind", [kind for kind in studies() if kind.needs_network()],
                         ids=lambda kind: kind.key)
def test_it_says_that_it_needs_a_network(kind: type[Study], blobs: np.ndarray,
                                         store: Store) -> None:
    recipe = Recipe.of(encoders().create("features"), projectors().create("pca"),
                       clusterers().create("kmeans", {"clusters": 3}), ())
    with pytest.raises(DataError) as refused:
        found_by(run(recipe, dataset(store, blobs), store), small(kind), lambda part, text: None)
    assert refused.value.code == "NOT_TRAINED"
