"""Strangeness by neighbours, against scikit-learn and slow references."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.neighbors import LocalOutlierFactor

from explorer.judge.local_outlier import (
    local_outlier_factors,
    mean_distances,
    relative_distances,
)
from explorer.neighbors.nearest import Nearest
from explorer.spec import silent


@pytest.fixture(scope="module")
def points():
    draws = np.random.default_rng(1)
    dense, sparse = draws.normal(size=(120, 6)), 4 * draws.normal(size=(80, 6)) + 20
    return np.vstack([dense, sparse, [[5.0] * 6]]).astype(np.float32)


def near(points, count, metric="euclidean"):
    return Nearest(count=count, metric=metric).find(points, silent)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("count", [2, 20])
def test_lof_is_scikit_learns(points, metric, count):
    ours = local_outlier_factors(near(points, count, metric), count)
    theirs = LocalOutlierFactor(n_neighbors=count, metric=metric, algorithm="brute").fit(
        points.astype(np.float64))
    np.testing.assert_allclose(ours, -theirs.negative_outlier_factor_, rtol=2e-4)
    if metric == "euclidean" and count == 20:
        assert ours.argmax() == 200  # the row between the groups


def test_lof_does_not_change_with_the_scale_or_the_order_of_rows(points):
    given = local_outlier_factors(near(points, 10), 10)
    np.testing.assert_allclose(local_outlier_factors(near(points * 8, 10), 10), given, rtol=1e-5)
    order = np.random.default_rng(2).permutation(len(points))
    np.testing.assert_allclose(local_outlier_factors(near(points[order], 10), 10), given[order],
                               rtol=1e-6)


def test_a_neighbour_with_too_many_copies_leaves_lof_undefined(points):
    crowd = np.vstack([points, np.repeat(points[:1], 5, axis=0)])
    found = local_outlier_factors(near(crowd, 3), 3)
    copies = np.flatnonzero((crowd == points[0]).all(axis=1))
    assert (found[copies] == 1).all()
    beside = np.isin(near(crowd, 3).indices, copies).any(axis=1)
    beside[copies] = False
    assert beside.any()
    assert (np.isnan(found) == beside).all()


def test_mean_distances(points):
    far = np.sort(cdist(points.astype(float), points.astype(float)), axis=1)
    np.testing.assert_allclose(mean_distances(near(points, 7), 7), far[:, 1:8].mean(axis=1),
                               rtol=1e-6)


def test_distances_are_relative_to_the_median_of_the_cluster():
    distances = np.array([1.0, 2, 3, 8, 0, 0, 5, 7])
    labels = np.array([4, 4, 4, -1, 1, 1, 1, 0])
    found = relative_distances(distances, labels)
    np.testing.assert_array_equal(found, [0.5, 1, 1.5, np.nan, np.nan, np.nan, np.nan, 1])
    assert len(relative_distances(np.zeros(0), np.zeros(0, dtype=int))) == 0
