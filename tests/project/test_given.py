"""Ready-made coordinates."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.errors import DataError
from explorer.project.given import Given
from explorer.spec import Facts, silent


@pytest.mark.parametrize("columns", [2, 3])
def test_shows_the_columns_as_they_are(columns: int) -> None:
    vectors = np.random.default_rng(0).normal(size=(30, columns))
    found = Given.create().project(vectors, silent)
    np.testing.assert_array_equal(found.points, vectors.astype(np.float32))
    assert found.points.dtype == np.float32
    assert found.axes == ("x", "y", "z")[:columns]
    assert found.notes == ()
    assert not np.shares_memory(found.points, vectors)


def test_says_when_float32_is_too_coarse() -> None:
    vectors = np.stack([np.linspace(0, 1, 50), 4e6 + np.linspace(0, 10, 50)], axis=1)
    notes = Given.create().project(vectors, silent).notes
    assert len(notes) == 1
    assert notes[0].startswith("y is drawn in steps of 0.25")


@pytest.mark.parametrize("columns", [1, 4])
def test_refuses_other_numbers_of_columns(columns: int) -> None:
    for act in (lambda: Given.create().check(Facts(n=9, d=columns)),
                lambda: Given.create().project(np.zeros((9, columns)), silent)):
        with pytest.raises(DataError) as error:
            act()
        assert error.value.code == "COORDINATE_COLUMNS"
