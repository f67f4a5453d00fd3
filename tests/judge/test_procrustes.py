"""Maps laid over each other against scipy, shared neighbours against sets."""

import numpy as np
import pytest
from scipy.spatial import procrustes
from scipy.spatial.distance import cdist

from explorer.judge.procrustes import align, nearest_on_map, shared_neighbors


@pytest.mark.parametrize("d", [2, 3])
def test_distance_is_scipys_disparity(d):
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 80, d)) + 5
    assert align(first, second).distance == pytest.approx(procrustes(first, second)[2], abs=1e-12)
    assert align(second, first).distance == pytest.approx(align(first, second).distance)


def test_a_moved_turned_mirrored_and_scaled_map_is_the_same_map():
    rng = np.random.default_rng(1)
    points = rng.normal(size=(60, 2)).astype(np.float32)
    turn = np.array([[0.6, -0.8], [0.8, 0.6]]) @ np.diag([1, -1])
    found = align(points, 7 * points @ turn + 100)
    assert found.distance == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(found.points, points, atol=1e-4)
    assert align(points, np.ones((60, 2))) is None


def test_neighbours_equal_a_full_search_and_their_overlap_sets():
    rng = np.random.default_rng(2)
    first, second = rng.normal(size=(2, 70, 2))
    near, other = nearest_on_map(first, 8), nearest_on_map(second, 8)
    apart = cdist(first, first)
    np.fill_diagonal(apart, np.inf)
    np.testing.assert_array_equal(near, np.argsort(apart, axis=1)[:, :8])
    expected = [len(set(mine) & set(theirs)) / 8 for mine, theirs in zip(near, other, strict=True)]
    np.testing.assert_allclose(shared_neighbors(near, other), expected)
    assert (shared_neighbors(near, near) == 1).all()


def test_among_many_copies_no_row_is_its_own_neighbour_twice():
    near = nearest_on_map(np.zeros((20, 2)), 3)
    assert near.shape == (20, 3)
    assert all(len(set(row)) == 3 for row in near.tolist())
