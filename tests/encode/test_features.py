"""Number and category columns against scikit-learn and known answers."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, RobustScaler, StandardScaler

from explorer.encode.features import Features
from explorer.errors import DataError
from explorer.spec import silent
from explorer.store import Store
from explorer.values import Embedding
from tests.builders import build_dataset


def encode(store: Store, columns: dict, roles: dict | None = None, **parameters: object
           ) -> Embedding:
    return Features.create(**parameters).encode(build_dataset(store, columns, roles), silent)


@pytest.mark.parametrize(("scaling", "oracle"), [
    ("standard", StandardScaler()), ("robust", RobustScaler()), ("min-max", MinMaxScaler())])
def test_scaling_equals_scikit_learn(store: Store, scaling: str, oracle: object) -> None:
    numbers = np.random.default_rng(1).normal(size=(40, 3)) ** 3 * [1, 1e-9, 1e9] + [5, 0, -1e8]
    found = encode(store, {name: numbers[:, i].tolist() for i, name in enumerate("abc")},
                   scaling=scaling)
    np.testing.assert_allclose(found.vectors, oracle.fit_transform(numbers), rtol=1e-5, atol=1e-6)
    assert found.vectors.dtype == np.float32
    assert found.features == ("a", "b", "c")


def test_no_scaling_keeps_the_values(store: Store) -> None:
    found = encode(store, {"a": [1.5, -2.0, 7.25]}, scaling="none")
    assert found.vectors.ravel().tolist() == [1.5, -2.0, 7.25]
    assert found.title == "columns as they are (1)"


def test_a_large_offset_keeps_its_differences(store: Store) -> None:
    found = encode(store, {"a": [1e9, 1e9 + 1, 1e9 + 3]}, scaling="none")
    assert np.diff(found.vectors.ravel()).tolist() == [1.0, 2.0]
    assert "mean was subtracted" in " ".join(found.notes)


@pytest.mark.parametrize("scaling", ["standard", "robust", "min-max"])
@pytest.mark.parametrize("factor", [1e308, 1e-308, 1e200])
def test_scaling_does_not_depend_on_the_magnitude(store: Store, scaling: str,
                                                  factor: float) -> None:
    plain = [-1.0, 0.25, 0.5, 1.5]
    expected = encode(store, {"a": plain}, scaling=scaling).vectors
    found = encode(store, {"a": [value * factor for value in plain]}, scaling=scaling).vectors
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_values_beyond_single_precision_are_refused_without_scaling(store: Store) -> None:
    with pytest.raises(DataError) as caught:
        encode(store, {"a": [0.0, 1e39, -1e39]}, scaling="none")
    assert caught.value.code == "TOO_LARGE_VALUES"
    assert caught.value.where.column == "a"


def test_robust_scaling_of_a_flat_middle(store: Store) -> None:
    numbers = [0.0] * 8 + [1.0, 5.0]
    found = encode(store, {"a": numbers}, scaling="robust")
    expected = RobustScaler().fit_transform(np.array(numbers)[:, None])
    np.testing.assert_allclose(found.vectors, expected)
    assert "not scaled" in " ".join(found.notes)


@pytest.mark.parametrize("most", [2, 3, 4, 10])
def test_one_hot_equals_scikit_learn(store: Store, most: int) -> None:
    draws = np.random.default_rng(2)
    cells = draws.choice(["red", "blue", "green", "a b", "ü"], 60, p=[.4, .3, .1, .1, .1]).tolist()
    found = encode(store, {"colour": cells}, {"colour": "category"}, max_levels=most)
    oracle = OneHotEncoder(max_categories=most, sparse_output=False)
    expected = oracle.fit_transform(np.array(cells, dtype=object)[:, None])
    np.testing.assert_array_equal(found.vectors, expected)
    if most == 10:
        assert found.features == tuple(f"colour = {level}" for level in sorted(set(cells)))
    if most == 3:
        assert found.features[-1] == "colour = other (3 rare levels)"
        assert "3 rarest of 5 levels" in " ".join(found.notes)


MIXED = {
    "age": ["1", "2", "", "9", "inf", "n/a"],
    "size": [1.0, 3.0, 2.0, None, 5.0, 4.0],
    "colour": ["red", "", "red", "blue", "blue", None],
    "always": [7, 7, 7, 7, 7, 7],
    "never": [None, None, None, None, None, None],
    "note": ["x", "y", "z", "x", "y", "z"],
}
ROLES = {"age": "number", "colour": "category", "never": "number", "note": "text"}


def test_missing_values_become_the_median(store: Store) -> None:
    found = encode(store, MIXED, ROLES, scaling="none")
    assert found.features == ("age", "size", "colour = blue", "colour = red",
                              "colour is missing")
    assert found.vectors.tolist() == [[1, 1, 0, 1, 0], [2, 3, 0, 0, 1], [2, 2, 0, 1, 0],
                                      [9, 3, 1, 0, 0], [2, 5, 1, 0, 0], [2, 4, 0, 0, 1]]
    said = " ".join(found.notes)
    assert "age: 1 infinite value taken as missing (row 5)" in said
    assert "age: 1 cell not a number, taken as missing (row 6)" in said
    assert "age: 3 missing values filled with the median 2" in said
    assert "always: constant, always 7; never: no numbers in it" in said
    assert found.rows.tolist() == list(range(6))


def test_a_flag_says_where_values_were_missing(store: Store) -> None:
    found = encode(store, MIXED, ROLES, missing="median and flag")
    assert found.features[:4] == ("age", "age is missing", "size", "size is missing")
    assert found.vectors[:, 1].tolist() == [0, 0, 1, 0, 1, 1]
    assert found.vectors[:, 3].tolist() == [0, 0, 0, 1, 0, 0]


def test_rows_with_gaps_can_be_dropped(store: Store) -> None:
    found = encode(store, MIXED, ROLES, missing="drop rows", scaling="min-max",
                   categories="leave out")
    assert found.rows.tolist() == [0, 1]  # row 3 lacks the age, 4 the size, 5 and 6 the age
    assert found.vectors.tolist() == [[0, 0], [1, 1]]
    assert "4 rows left out (missing values): rows 3, 4, 5, 6." in found.notes


def test_the_scale_is_that_of_the_kept_rows(store: Store) -> None:
    found = encode(store, {"a": [0.0, 1.0, 100.0], "b": [1.0, 2.0, None]}, missing="drop rows",
                   scaling="min-max")
    assert found.vectors.tolist() == [[0, 0], [1, 1]]


def test_no_row_left(store: Store) -> None:
    with pytest.raises(DataError) as caught:
        encode(store, {"a": [1.0, None], "b": [None, 2.0]}, missing="drop rows")
    assert caught.value.code == "NO_ROWS"


def test_nothing_left_names_the_reason_per_column(store: Store) -> None:
    with pytest.raises(DataError) as caught:
        encode(store, {"a": [1, 1], "b": [None, None], "c": ["x", "x"]},
               {"b": "number", "c": "category"})
    assert caught.value.code == "NO_FEATURES"
    for words in ("a: constant, always 1", "b: no numbers", "c: constant, always x"):
        assert words in caught.value.message


def test_no_column_of_a_fitting_role(store: Store) -> None:
    data = build_dataset(store, {"a": ["x", "y"], "b": ["1", "2"]}, {"b": "id"})
    with pytest.raises(DataError) as caught:
        Features().columns(data)
    assert caught.value.code == "NO_FEATURES"
    assert "a: text; b: id" in caught.value.message


def test_names_are_not_levels(store: Store) -> None:
    found = encode(store, {"name": [f"n{i}" for i in range(9)], "a": list(range(9))},
                   {"name": "category"}, max_levels=4)
    assert found.features == ("a",)
    assert "name: every value is different" in " ".join(found.notes)


def test_decimal_commas_and_booleans(store: Store) -> None:
    data = build_dataset(store, {"a": ["1,5", "2.000,5"], "b": [True, False]},
                         {"a": "number", "b": "number"}, decimal=",")
    found = Features(scaling="none").encode(data, silent)
    assert found.vectors.tolist() == [[1.5, 1], [2000.5, 0]]


def test_unit_length_leaves_out_zero_rows(store: Store) -> None:
    found = encode(store, {"a": [3.0, 0.0, 1.0], "b": [4.0, 0.0, 0.0]}, scaling="none",
                   normalize=True)
    np.testing.assert_allclose(found.vectors, [[0.6, 0.8], [1, 0]], rtol=1e-6)
    assert found.rows.tolist() == [0, 2]
    assert "1 row left out (all zero, so without a direction): row 2." in found.notes


def test_progress_rises_to_one_and_can_stop(store: Store) -> None:
    seen: list[float] = []
    data = build_dataset(store, MIXED, ROLES)
    Features().encode(data, lambda fraction, text: seen.append(fraction))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
