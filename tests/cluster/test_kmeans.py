"""K-means against scikit-learn called directly."""

import numpy as np
import pytest
from sklearn.cluster import KMeans as Direct
from threadpoolctl import threadpool_limits

from explorer.cluster import clusterers
from explorer.cluster.kmeans import KMeans
from explorer.errors import Cancelled, DataError, ParameterError
from explorer.spec import silent
from explorer.values import by_size, facts_of


def cloud(n=400, d=6, k=5, seed=0, noise=0.8):
    """Overlapping groups, so that restarts end differently."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(k, d)) * 2
    return (centres[rng.integers(0, k, n)] + rng.normal(size=(n, d)) * noise).astype(np.float32)


@pytest.mark.parametrize("parameters", [
    {}, {"clusters": 5}, {"init": "random", "restarts": 7, "seed": 3},
    {"restarts": 1, "max_iterations": 2, "clusters": 11}, {"clusters": 40, "seed": 9},
])
def test_equals_scikit_learn(parameters):
    vectors = cloud(noise=2.0)
    method = KMeans.create(**parameters)
    ours = method.cluster(vectors, silent)
    with threadpool_limits(limits=1):  # as ours: more threads sum, and round, in another order
        direct = Direct(n_clusters=method.clusters, init=method.init, n_init=method.restarts,
                        max_iter=method.max_iterations, random_state=method.seed).fit(vectors)
    np.testing.assert_array_equal(ours.labels, by_size(direct.labels_))
    assert ours.extras["inertia"][0] == pytest.approx(direct.inertia_, rel=1e-12)
    centers = ours.extras["centers"]
    assert centers.dtype == np.float32
    for label in range(ours.count):
        row = int(np.flatnonzero(ours.labels == label)[0])
        np.testing.assert_allclose(centers[label],
                                   direct.cluster_centers_[direct.labels_[row]], rtol=1e-6)


def test_each_parameter_matters():
    """On hard data every parameter changes the outcome, so none is dropped on the way."""
    vectors = np.random.default_rng(1).normal(size=(300, 8)).astype(np.float32)
    base = KMeans(clusters=12, restarts=1, seed=0).cluster(vectors, silent)
    for change in ({"clusters": 13}, {"init": "random"}, {"restarts": 5}, {"max_iterations": 1},
                   {"seed": 1}):
        other = KMeans.create(**{"clusters": 12, "restarts": 1, "seed": 0, **change})
        assert not np.array_equal(base.labels, other.cluster(vectors, silent).labels), change


def test_found_by_discover_in_order():
    assert clusterers().keys()[:3] == ("kmeans", "agglomerative", "hdbscan")
    assert clusterers().get("kmeans") is KMeans


def test_labels_fall_by_size_and_centers_are_means():
    clustering = KMeans(clusters=6).cluster(cloud(), silent)
    sizes = np.bincount(clustering.labels)
    assert (np.diff(sizes) <= 0).all()
    vectors = cloud()
    for label, center in enumerate(clustering.extras["centers"]):
        np.testing.assert_allclose(center, vectors[clustering.labels == label].mean(axis=0),
                                   atol=1e-4)


def test_large_offset_in_float32():
    rng = np.random.default_rng(2)
    truth = np.repeat([0, 1, 2], [60, 50, 40])
    vectors = (truth[:, None] * 20 + rng.normal(size=(150, 4)) + 1e6).astype(np.float32)
    np.testing.assert_array_equal(KMeans(clusters=3).cluster(vectors, silent).labels, truth)


def test_says_when_the_centres_have_not_settled():
    notes = KMeans(clusters=12, restarts=1, max_iterations=1).cluster(cloud(), silent).notes
    assert any("still moving after 1" in note for note in notes)
    assert KMeans(clusters=5).cluster(cloud(noise=0.1), silent).notes == ()


def test_fewer_distinct_rows_than_clusters():
    vectors = np.repeat(cloud(3), 10, axis=0)
    with pytest.raises(ParameterError) as caught:
        KMeans(clusters=4).check(facts_of(vectors))
    assert (caught.value.code, caught.value.where.parameter) == ("OUT_OF_RANGE", "clusters")
    assert KMeans(clusters=3).check(facts_of(vectors)) == ()
    clustering = KMeans(clusters=4).cluster(vectors, silent)
    assert clustering.count == 3
    assert len(clustering.extras["centers"]) == 3
    assert any("Only 3 of 4" in note for note in clustering.notes)


def test_too_little_data():
    with pytest.raises(DataError, match="rows") as caught:
        KMeans().cluster(cloud(1), silent)
    assert caught.value.code == "TOO_FEW_ROWS"
    with pytest.raises(DataError) as caught:
        KMeans().check(facts_of(np.ones((20, 3), dtype=np.float32)))
    assert caught.value.code == "IDENTICAL_ROWS"
    with pytest.raises(ParameterError):
        KMeans(clusters=9).cluster(cloud(8), silent)
    assert KMeans(clusters=8).cluster(cloud(8), silent).count == 8


def test_stops_between_restarts():
    seen = []

    def stop(fraction, text):
        seen.append(fraction)
        if len(seen) == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        KMeans(restarts=10).cluster(cloud(), stop)
    assert seen == [0.0, 0.1, 0.2]


def test_sweep_equals_single_runs():
    vectors = cloud()
    for count, clustering in zip((2, 5, 9), KMeans(seed=4).sweep(vectors, (2, 5, 9), silent),
                                 strict=True):
        alone = KMeans(clusters=count, seed=4).cluster(vectors, silent)
        np.testing.assert_array_equal(clustering.labels, alone.labels)
