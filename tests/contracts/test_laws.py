"""Law 5: what must not change a result does not. (The order of rows: test_behaviour.)"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from explorer.cluster import clusterers
from explorer.encode import encoders
from explorer.project import projectors
from explorer.recipe import Recipe
from explorer.run import run
from explorer.spec import Method
from explorer.store import Store
from tests.builders import build_dataset
from tests.contracts.cases import IDS, METHODS, Data, execute, small
from tests.contracts.test_behaviour import SAME

each_method = pytest.mark.parametrize(("family", "method"), METHODS, ids=IDS)


def data_of(vectors: np.ndarray) -> Data:
    """Vectors in three groups of equal size, one after the other."""
    labels = np.repeat(np.arange(3, dtype=np.int32), len(vectors) // 3)
    return Data(vectors, labels, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [0.0, 7.0, -1000.0])
@each_method
def test_law_5_a_constant_column_changes_nothing(family: str, method: type[Method], value: float,
                                                 blobs: np.ndarray, store: Store) -> None:
    if family == "encode" or getattr(method, "reads", "") == "coordinates":
        pytest.skip("reads a data set: the next test")
    if not method.follows_rows:
        pytest.skip("rounding of another sum ends in another map; its neighbours are held to this")
    if method.sees_origin and value:
        pytest.skip("it says that it looks from zero, which such a column moves; 0 it may not see")
    wider = np.hstack([blobs, np.full((60, 1), value, dtype=np.float32)])
    SAME[family](execute(family, small(method), data_of(blobs), store),
                 execute(family, small(method), data_of(wider), store), np.arange(60))


def test_law_5_a_constant_column_of_a_table_is_listed_and_left_out(store: Store) -> None:
    columns: dict[str, Any] = {"a": [1.0, 2.0, 5.0], "b": ["x", "y", "x"]}
    more = {**columns, "same": [7.0] * 3, "word": ["w"] * 3, "empty": [None] * 3}
    roles = {"b": "category", "word": "category", "empty": "number"}
    method = encoders().create("features")
    plain = execute("encode", method, Data(np.empty(0), np.empty(0), build_dataset(
        store, columns, {"b": "category"})), store)
    wider = execute("encode", method, Data(np.empty(0), np.empty(0), build_dataset(
        store, more, roles)), store)
    assert wider.vectors.tobytes() == plain.vectors.tobytes()
    assert wider.features == plain.features
    for name in ("same", "word", "empty"):
        assert any(f"{name}: " in note for note in wider.notes)


@each_method
def test_law_5_copies_get_what_the_row_gets(family: str, method: type[Method],
                                            blobs: np.ndarray, store: Store) -> None:
    if family not in ("cluster", "judge"):
        pytest.skip("no answer per group of copies")
    labels = np.repeat(np.arange(3, dtype=np.int32), 20)
    twice = Data(np.repeat(blobs, 3, axis=0), np.repeat(labels, 3), None)  # type: ignore[arg-type]
    found = execute(family, small(method), twice, store)
    per_row = [found.labels] if family == "cluster" else list(found.per_row.values())
    for values in per_row:
        groups = values.reshape(60, 3)
        np.testing.assert_array_equal(groups, groups[:, [0, 0, 0]])


@pytest.mark.parametrize("key", ["pca", "tsne", "umap"])
def test_law_5_labels_never_touch_the_map(key: str, blobs: np.ndarray, store: Store) -> None:
    columns: dict[str, Any] = {f"c{index}": blobs[:, index].astype(float).tolist()
                               for index in range(5)}
    labels = {name: [str(row % 3) for row in range(60)] for name in ("kind", "kind again")}
    recipe = Recipe.of(encoders().create("features"), small(projectors().get(key)),  # type: ignore[arg-type]
                       clusterers().create("kmeans", {"clusters": 3}))
    plain = run(recipe, build_dataset(store, columns), store)
    more = run(recipe, build_dataset(store, columns | labels, dict.fromkeys(labels, "label")),
               store)
    assert plain.dataset.id != more.dataset.id
    assert more.projection is not None
    assert plain.projection is not None
    assert more.projection.points.tobytes() == plain.projection.points.tobytes()
    assert more.clustering is not None
    assert plain.clustering is not None
    assert more.clustering.labels.tobytes() == plain.clustering.labels.tobytes()
