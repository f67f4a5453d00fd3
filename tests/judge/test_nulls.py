"""Data without structure, and numbers set against it: closed forms, moments, slow references."""

import numpy as np
import pytest
from scipy.stats import beta, kstest
from sklearn.datasets import make_blobs
from sklearn.decomposition import PCA

from explorer.judge.against_null import compare
from explorer.judge.gap_curve import gap_curve, log_within
from explorer.judge.hopkins_statistic import hopkins, nearest_distances
from explorer.judge.null_data import (
    gaussian_like,
    measure_cloud,
    shuffled_columns,
    to_sphere,
    uniform_box,
)
from explorer.judge.replication import nearest_rows, prediction_strength, told_by_centers


def stretched(n=400, d=5, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + 3).astype(np.float32)


@pytest.mark.parametrize(("n", "d"), [(300, 6), (12, 40)])
def test_a_cloud_is_what_pca_finds(n, d):
    vectors = stretched(n, d)
    found, whole = measure_cloud(vectors), PCA().fit(vectors.astype(np.float64))
    rank = len(found.deviations)
    assert rank == min(n - 1, d)
    np.testing.assert_allclose(found.deviations**2, whole.explained_variance_[:rank], rtol=1e-6)
    np.testing.assert_allclose(np.abs((found.axes * whole.components_[:rank]).sum(1)), 1, atol=1e-6)


def test_shuffled_columns_keep_their_values_and_nothing_between_them():
    vectors = stretched()
    found = shuffled_columns(vectors, np.random.default_rng(1))
    np.testing.assert_array_equal(np.sort(found, axis=0), np.sort(vectors, axis=0))
    apart = np.abs(np.corrcoef(found.T) - np.eye(5)).max()
    assert apart < 0.2 < np.abs(np.corrcoef(vectors.T) - np.eye(5)).max()


def test_a_gaussian_cloud_has_the_covariance_and_a_box_the_ends():
    vectors = stretched()
    cloud = measure_cloud(vectors)
    made = gaussian_like(cloud, 40_000, np.random.default_rng(2))
    np.testing.assert_allclose(np.cov(made.T), np.cov(vectors.T.astype(np.float64)), atol=0.15)
    np.testing.assert_allclose(made.mean(0), vectors.mean(0), atol=0.05)
    box = (uniform_box(cloud, 4_000, np.random.default_rng(3)) - cloud.mean) @ cloud.axes.T
    assert (box >= cloud.low - 1e-4).all()
    assert (box <= cloud.high + 1e-4).all()
    assert kstest((box[:, 0] - cloud.low[0]) / (cloud.high[0] - cloud.low[0]), "uniform")[1] > 0.01
    np.testing.assert_allclose(np.linalg.norm(to_sphere(made[:9]), axis=1), 1, rtol=1e-6)


def test_p_counts_the_observed_among_the_draws():
    found = compare(3.0, np.array([1.0, 2.0, 3.0, np.nan]))
    assert (found.p, found.as_good, found.runs, found.defined) == (2 / 5, 1, 4, 3)
    assert found.z == pytest.approx(1.0)
    lower = compare(3.0, np.array([1.0, 2.0, 3.0, np.nan]), "lower")
    assert (lower.p, lower.z) == (4 / 5, pytest.approx(-1.0))
    assert compare(None, np.array([1.0, 2.0])).p is None
    assert compare(1.0, np.full(4, np.nan)).p == 1 / 5


def test_hopkins_of_even_rows_follows_beta_and_clumps_come_near_one():
    # The closed form for few of many rows: Beta(m, m). Sides of different length, so that the box
    # along the principal axes is the one the rows were drawn in.
    rng = np.random.default_rng(4)
    draws = []
    for _ in range(60):
        vectors = rng.uniform(size=(800, 2)) * [9, 1]
        draws.append(hopkins(vectors, measure_cloud(vectors), 10, rng))
    assert kstest(draws, beta(10, 10).cdf)[1] > 0.001
    assert np.mean(draws) == pytest.approx(0.5, abs=0.06)
    clumps = np.repeat(rng.uniform(size=(8, 2)), 50, axis=0) + rng.normal(scale=1e-3, size=(400, 2))
    assert hopkins(clumps, measure_cloud(clumps), 20, rng) > 0.99
    moved = [hopkins(made, measure_cloud(made), 20, np.random.default_rng(5))
             for made in (clumps, 1e-3 * clumps + 50)]
    assert moved[0] == pytest.approx(moved[1], rel=1e-6)
    assert np.isnan(hopkins(np.ones((20, 2)), measure_cloud(np.ones((20, 2))), 5, rng))


def test_nearest_distances_leave_the_row_itself_out():
    vectors = stretched(50, 3)
    apart = np.linalg.norm(vectors[:, None].astype(np.float64) - vectors[None], axis=2)
    np.testing.assert_array_equal(nearest_rows(vectors, vectors), np.arange(50))
    np.fill_diagonal(apart, np.inf)
    np.testing.assert_allclose(nearest_distances(vectors, vectors, own=np.arange(50)),
                               apart.min(axis=1), rtol=1e-6)


def test_log_within_is_the_sum_over_pairs():
    vectors, labels = make_blobs(90, random_state=0)
    slow = sum(((vectors[labels == i][:, None] - vectors[labels == i]) ** 2).sum()
               / (2 * (labels == i).sum()) for i in range(3))
    assert log_within(vectors, labels) == pytest.approx(np.log(slow))
    assert np.isnan(log_within(vectors[labels], labels))  # clusters of copies
    assert np.isnan(log_within(vectors, labels - 1))  # noise


def test_gap_follows_the_formula_and_the_rule():
    observed = np.array([5.0, 3.0, 2.8, 2.7])
    references = np.array([[5.5, 4.9, 4.6, 4.4], [5.3, 5.1, 4.4, 4.6]])
    found = gap_curve(observed, references)
    np.testing.assert_allclose(found.gap, [0.4, 2.0, 1.7, 1.8])
    np.testing.assert_allclose(found.error, np.full(4, 0.1 * np.sqrt(1.5)))
    assert found.chosen == 1
    assert gap_curve(np.array([5.0, 3.0, 1.0]), references[:, :3]).chosen is None
    assert gap_curve(np.array([5.0, np.nan, np.nan]), references[:, :3]).chosen is None


def slow_strength(own, told):
    shares = []
    for cluster in set(own[own >= 0]):
        rows = np.flatnonzero(own == cluster)
        pairs = [(i, j) for i in rows for j in rows if i != j]
        if pairs:
            shares.append(np.mean([told[i] == told[j] >= 0 for i, j in pairs]))
    return min(shares) if shares else np.nan


def test_prediction_strength_is_the_share_of_pairs_in_the_worst_cluster():
    rng = np.random.default_rng(6)
    for _ in range(20):
        own, told = rng.integers(-1, 4, (2, 30))
        assert prediction_strength(own, told) == pytest.approx(slow_strength(own, told),
                                                               nan_ok=True)
    assert prediction_strength(np.arange(4), np.zeros(4, int)) != 0  # no pairs: not defined
    assert prediction_strength(np.repeat([0, 1], 5), np.repeat([7, 7], 5)) == 1


def test_told_by_the_nearest_mean():
    vectors, labels = make_blobs(60, centers=3, cluster_std=0.3, random_state=1)
    told = told_by_centers(vectors, vectors, labels)
    np.testing.assert_array_equal(told, labels)
    assert (told_by_centers(vectors, vectors, np.full(60, -1)) == -1).all()
