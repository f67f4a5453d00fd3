"""The plane of the vectors: what stands in them, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.errors import DataError, ParameterError
from explorer.project.plane import Plane
from explorer.spec import Facts, silent

VECTORS = np.random.default_rng(0).normal(size=(30, 5)).astype(np.float32)


def test_two_dimensions_are_the_map_itself() -> None:
    latent = VECTORS[:, :2].copy()
    found = Plane.create().project(latent, silent)
    assert found.points.tobytes() == latent.tobytes()
    assert found.points.dtype == np.float32
    assert found.axes == ("dimension 1", "dimension 2")
    assert not np.shares_memory(found.points, latent)


@pytest.mark.parametrize(("parameters", "columns"), [
    ({"x": 5, "y": 2}, [4, 1]), ({"dimensions": 3}, [0, 1, 2]),
    ({"dimensions": 3, "x": 3, "y": 1, "z": 5}, [2, 0, 4])])
def test_chosen_dimensions_in_the_chosen_order(parameters: dict[str, int],
                                               columns: list[int]) -> None:
    found = Plane.create(**parameters).project(VECTORS, silent)
    np.testing.assert_array_equal(found.points, VECTORS[:, columns])
    assert found.axes == tuple(f"dimension {column + 1}" for column in columns)


def test_the_same_dimension_twice_is_refused() -> None:
    with pytest.raises(ParameterError, match="must be different dimensions, got 2, 2"):
        Plane.create(x=2, y=2).project(VECTORS, silent)


def test_a_dimension_a_network_left_unused_is_named() -> None:
    vectors = VECTORS.copy()
    vectors[:, 1] = 3
    with pytest.raises(DataError, match="Dimension 2 must differ between rows") as error:
        Plane.create().project(vectors, silent)
    assert error.value.code == "CONSTANT_DIMENSION"


@pytest.mark.parametrize(("parameters", "name"), [
    ({"x": 6}, "x"), ({"y": 6}, "y"), ({"dimensions": 3, "z": 6}, "z")])
def test_a_dimension_that_is_not_there_is_refused_by_name(parameters: dict[str, int],
                                                          name: str) -> None:
    for act in (lambda: Plane.create(**parameters).check(Facts(30, 5)),
                lambda: Plane.create(**parameters).project(VECTORS, silent)):
        with pytest.raises(ParameterError, match=f"{name} must be between 1 and 5") as error:
            act()
        assert error.value.where.parameter == name


def test_a_space_of_two_dimensions_is_refused() -> None:
    with pytest.raises(ParameterError, match="dimensions must be between 2 and 2"):
        Plane.create(dimensions=3).check(Facts(30, 2))


def test_one_dimension_has_no_plane() -> None:
    with pytest.raises(DataError) as error:
        Plane.create().project(VECTORS[:, :1], silent)
    assert error.value.code == "TOO_FEW_COLUMNS"


def test_z_plays_no_part_on_a_plane() -> None:
    assert Plane.create(z=9).project(VECTORS, silent).points.shape == (30, 2)
