"""HDBSCAN against scikit-learn called directly."""

import numpy as np
import pytest
from sklearn.cluster import HDBSCAN as Direct
from sklearn.datasets import make_moons

from explorer.cluster.hdbscan import HDBSCAN
from explorer.errors import DataError, ParameterError
from explorer.spec import Facts, silent
from explorer.values import by_size, facts_of


def cloud(n=300, d=3, seed=0):
    """Groups of unequal density, some of them near each other, in a haze."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 6, n)
    centres = rng.normal(size=(6, d)) * 6
    centres[1] = centres[0] + 1.5
    width = np.array([0.3, 0.3, 0.8, 0.4, 0.6, 6.0])[group, None]
    return (centres[group] + rng.normal(size=(n, d)) * width).astype(np.float32)


CHANGES = [{}, {"min_cluster_size": 4}, {"min_samples": 2}, {"method": "leaf"},
           {"method": "leaf", "min_cluster_size": 4}, {"allow_single_cluster": True}]


def direct(method, vectors):
    return Direct(min_cluster_size=method.min_cluster_size, min_samples=method.min_samples,
                  cluster_selection_method=method.method,
                  allow_single_cluster=method.allow_single_cluster, copy=True).fit(vectors)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_equals_scikit_learn(change, metric):
    vectors = cloud()
    method = HDBSCAN.create(metric=metric, **change)
    ours = method.cluster(vectors, silent)
    units = vectors.astype(float)
    if metric == "cosine":
        units /= np.sqrt((units**2).sum(axis=1))[:, None]
    expected = direct(method, units)
    np.testing.assert_array_equal(ours.labels, by_size(expected.labels_))
    np.testing.assert_allclose(ours.strengths, expected.probabilities_, atol=1e-6)
    assert ours.strengths.dtype == np.float32
    assert ours.metric == metric


@pytest.mark.parametrize("change", [{"min_cluster_size": 4}, {"min_samples": 2},
                                    {"method": "leaf", "min_cluster_size": 4}])
def test_each_parameter_matters(change):
    vectors = cloud()
    base = HDBSCAN(min_cluster_size=4) if "method" in change else HDBSCAN()
    assert not np.array_equal(base.cluster(vectors, silent).labels,
                              HDBSCAN.create(**change).cluster(vectors, silent).labels)


def test_single_cluster_only_when_allowed():
    vectors = np.random.default_rng(3).normal(size=(200, 2)).astype(np.float32)
    lone = HDBSCAN(min_cluster_size=60)
    assert lone.cluster(vectors, silent).count == 0
    allowed = HDBSCAN(min_cluster_size=60, allow_single_cluster=True)
    assert allowed.cluster(vectors, silent).count == 1


def test_cosine_ignores_length():
    vectors = cloud() + np.float32(1)
    lengths = np.random.default_rng(1).uniform(0.1, 10, (len(vectors), 1))
    first = HDBSCAN(metric="cosine").cluster(vectors, silent)
    second = HDBSCAN(metric="cosine").cluster((vectors * lengths).astype(np.float64), silent)
    np.testing.assert_array_equal(first.labels, second.labels)
    assert first.count > 1


def test_finds_the_moons():
    vectors, truth = make_moons(400, noise=0.04, random_state=0)
    labels = HDBSCAN().cluster(vectors.astype(np.float32), silent).labels
    assert (labels >= 0).all()
    assert len(set(zip(labels.tolist(), truth.tolist(), strict=True))) == 2


def test_all_noise_is_an_answer():
    vectors = np.random.default_rng(0).uniform(size=(60, 5)).astype(np.float32)
    clustering = HDBSCAN(min_cluster_size=20).cluster(vectors, silent)
    assert clustering.noise == 60
    assert (clustering.labels == -1).all()
    assert not clustering.strengths.any()
    assert "No clusters found" in clustering.notes[0]
    assert "min_cluster_size (now 20)" in clustering.notes[0]


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("method", ["eom", "leaf"])
def test_copies_of_a_row_are_not_split(metric, method):
    """Copies lie exactly 0 apart; by brute force leaf makes 8 to 10 clusters and noise of them."""
    rng = np.random.default_rng(0)
    which = rng.integers(0, 5, 300)
    vectors = rng.normal(size=(5, 60)).astype(np.float32)[which]
    clustering = HDBSCAN(metric=metric, method=method).cluster(vectors, silent)
    np.testing.assert_array_equal(clustering.labels, by_size(which))
    assert (clustering.strengths == 1).all()


def test_large_offset_in_float32():
    vectors = np.round(cloud() * 64) / 64  # exact in float32 with the offset added
    moved = vectors + np.float32(2**16)
    np.testing.assert_array_equal(HDBSCAN().cluster(moved, silent).labels,
                                  HDBSCAN().cluster(vectors, silent).labels)


def test_limits_follow_the_rows():
    for method, name in ((HDBSCAN(min_cluster_size=31), "min_cluster_size"),
                         (HDBSCAN(min_samples=31), "min_samples")):
        for call in (lambda method=method: method.check(Facts(30, 3)),
                     lambda method=method: method.cluster(cloud(30), silent)):
            with pytest.raises(ParameterError) as caught:
                call()
            assert (caught.value.code, caught.value.where.parameter) == ("OUT_OF_RANGE", name)
    HDBSCAN(min_cluster_size=30, min_samples=30).cluster(cloud(30), silent)
    with pytest.raises(ParameterError):
        HDBSCAN.create(min_cluster_size=1)
    with pytest.raises(DataError):
        HDBSCAN().check(facts_of(np.ones((30, 3), np.float32)))
    with pytest.raises(DataError) as caught:
        HDBSCAN(metric="cosine").cluster(np.eye(30, dtype=np.float32)[:, :29], silent)
    assert caught.value.code == "ZERO_VECTORS"


def test_many_dimensions_are_noted_before_the_run():
    assert HDBSCAN().check(Facts(100, 50)) == ()
    assert "in the picture" in HDBSCAN().check(Facts(100, 51))[0]
