"""Mini-batch and bisecting k-means, and the Gaussian mixture, against scikit-learn called
directly."""

import warnings

import numpy as np
import pytest
from sklearn.cluster import BisectingKMeans as DirectBisecting
from sklearn.cluster import MiniBatchKMeans as DirectMiniBatch
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture as DirectMixture
from threadpoolctl import threadpool_limits

from explorer.cluster.bisecting_kmeans import BisectingKMeans
from explorer.cluster.gaussian_mixture import GaussianMixture
from explorer.cluster.mini_batch_kmeans import MiniBatchKMeans
from explorer.errors import Cancelled, ParameterError
from explorer.flight import after_clustering
from explorer.spec import Facts, silent
from explorer.values import by_size


def cloud(n=400, d=4, k=5, seed=0, noise=1.0):
    """Overlapping groups, so that starts end differently. Centred, largest value 1/2 to 1: as the
    methods hand the rows on."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(k, d)) * 2
    rows = centres[rng.integers(0, k, n)] + rng.normal(size=(n, d)) * noise
    rows -= rows.mean(axis=0)
    return (rows / 2.0 ** np.frexp(np.abs(rows).max())[1]).astype(np.float32)


def inertia_of(vectors, labels):
    return sum(((rows - rows.mean(axis=0)) ** 2).sum() for rows in
               (vectors[labels == label].astype(float) for label in range(labels.max() + 1)))


@pytest.mark.parametrize("change", [{}, {"clusters": 5, "batch": 64}, {"restarts": 7, "seed": 3},
                                    {"clusters": 20, "max_passes": 2, "batch": 32}])
def test_mini_batch_equals_scikit_learn(change):
    vectors = cloud()
    method = MiniBatchKMeans.create(**change)
    ours = method.cluster(vectors, silent)
    with threadpool_limits(limits=1):
        direct = DirectMiniBatch(method.clusters, batch_size=method.batch, n_init=method.restarts,
                                 max_iter=method.max_passes, random_state=method.seed).fit(vectors)
    assert adjusted_rand_score(ours.labels, direct.labels_) > 0.99  # the mean moves by rounding
    assert ours.extras["inertia"][0] == pytest.approx(direct.inertia_, rel=1e-3)
    after_clustering(ours, 400)


def test_mini_batch_keeps_an_offset_and_all_its_centres():
    points, truth = make_blobs(300, centers=4, cluster_std=0.5, random_state=1)
    found = MiniBatchKMeans(clusters=4).cluster((points + 1e6).astype(np.float32), silent)
    assert adjusted_rand_score(truth, found.labels) > 0.99
    for label, centre in enumerate(found.extras["centers"]):
        assert np.abs(centre - points[found.labels == label].mean(axis=0) - 1e6).max() < 0.5
    many = MiniBatchKMeans(clusters=150).cluster(points.astype(np.float32), silent)
    assert many.count == 150
    few = MiniBatchKMeans(clusters=3).cluster(np.repeat(np.eye(2, dtype=np.float32), 9, axis=0),
                                              silent)
    assert few.count == 2
    assert "Only 2 of 3" in few.notes[0]


@pytest.mark.parametrize("change", [{}, {"clusters": 17, "seed": 4}, {"split": "size"},
                                    {"restarts": 1, "clusters": 5, "seed": 2}])
def test_bisecting_equals_scikit_learn(change):
    vectors = cloud()
    method = BisectingKMeans.create(**change)
    ours = method.cluster(vectors, silent)
    strategy = {"inertia": "biggest_inertia", "size": "largest_cluster"}[method.split]
    with threadpool_limits(limits=1):
        direct = DirectBisecting(method.clusters, init="k-means++", n_init=method.restarts,
                                 tol=0, random_state=method.seed, bisecting_strategy=strategy).fit(
                                     vectors.astype(float))
    np.testing.assert_array_equal(ours.labels, by_size(direct.labels_))
    assert ours.extras["inertia"][0] == pytest.approx(inertia_of(vectors, ours.labels), rel=1e-6)
    after_clustering(ours, 400)


def test_bisecting_sweep_shares_its_splits_and_nests():
    vectors, method, calls = cloud(), BisectingKMeans(seed=5), []
    swept = method.sweep(vectors, (2, 9, 4), lambda fraction, text: calls.append(text))
    assert len(calls) <= 10
    for count, found in zip((2, 9, 4), swept, strict=True):
        alone = method.with_count(count).cluster(vectors, silent)
        np.testing.assert_array_equal(found.labels, alone.labels)
        np.testing.assert_array_equal(found.extras["centers"], alone.extras["centers"])
    for label in range(9):
        assert len(set(swept[2].labels[swept[1].labels == label])) == 1
    assert method.estimate_sweep(1000, 5, (2, 9)) == method.with_count(9).estimate(1000, 5)
    copies = method.sweep(np.repeat(np.eye(3, dtype=np.float32), 5, axis=0), (2, 5), silent)
    assert [found.count for found in copies] == [2, 3]
    assert "Only 3 of 5" in copies[1].notes[0]


SHAPES = {"full": "full", "tied": "tied", "diagonal": "diag", "spherical": "spherical"}


@pytest.mark.parametrize("change", [{}, {"covariance": "tied"}, {"covariance": "diagonal"},
                                    {"covariance": "spherical", "clusters": 12},
                                    {"restarts": 4, "seed": 6, "clusters": 5},
                                    {"max_iterations": 7}, {"regularization": 0.1}])
def test_mixture_equals_scikit_learn(change):
    vectors = cloud()
    method = GaussianMixture.create(**change)
    ours = method.cluster(vectors, silent)
    spread = np.sqrt(vectors.astype(float).var(axis=0).mean())
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        direct = DirectMixture(
            method.clusters, covariance_type=SHAPES[method.covariance], n_init=method.restarts,
            max_iter=method.max_iterations, random_state=method.seed,
            reg_covar=method.regularization * spread**2, tol=1e-3).fit(vectors.astype(float))
    chances = direct.predict_proba(vectors.astype(float))
    assert adjusted_rand_score(ours.labels, chances.argmax(axis=1)) > 0.999
    np.testing.assert_allclose(ours.strengths, chances.max(axis=1), atol=1e-4)
    assert ours.extras["bic"][0] == pytest.approx(direct.bic(vectors.astype(float)), rel=1e-6)
    assert ours.extras["log_likelihood"][0] == pytest.approx(direct.score(vectors), rel=1e-6)
    members = ours.extras["memberships"]
    np.testing.assert_allclose(members.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(members.argmax(axis=1), ours.labels)
    assert ("still moving" in " ".join(ours.notes)) == (not direct.converged_)
    after_clustering(ours, 400)


def test_the_bic_chooses_the_number_of_clouds_in_any_unit():
    points, truth = make_blobs(600, centers=3, cluster_std=0.8, random_state=0)
    stretched = (points @ np.array([[3, 1], [0, 0.4]])).astype(np.float32)
    bics = {}
    for count in (2, 3, 4, 5):
        found = GaussianMixture(clusters=count, restarts=3).cluster(stretched, silent)
        bics[count] = found.extras["bic"][0]
        assert f"BIC {bics[count]:,.1f} for {count} clusters" in found.notes[0]
        far = GaussianMixture(clusters=count, restarts=3).cluster(stretched * 1000, silent)
        assert far.extras["bic"][0] == pytest.approx(bics[count] + 2 * 600 * 2 * np.log(1000),
                                                     rel=1e-5)
    assert min(bics, key=bics.get) == 3
    labels = GaussianMixture(clusters=3).cluster(stretched, silent).labels
    assert adjusted_rand_score(truth, labels) > 0.9


def test_more_numbers_than_values_is_said():
    assert GaussianMixture(covariance="diagonal").check(Facts(1000, 300)) == ()
    assert "choose diagonal" in GaussianMixture().check(Facts(1000, 300))[0]


@pytest.mark.parametrize("method", [MiniBatchKMeans(), BisectingKMeans(), GaussianMixture()])
def test_stops_and_refuses_more_clusters_than_rows(method):
    def stop(fraction, text):
        raise Cancelled

    with pytest.raises(Cancelled):
        method.cluster(cloud(), stop)
    with pytest.raises(ParameterError) as caught:
        method.with_count(50).cluster(cloud(40), silent)
    assert (caught.value.code, caught.value.where.parameter) == ("OUT_OF_RANGE", "clusters")


@pytest.mark.parametrize("method", [MiniBatchKMeans, BisectingKMeans, GaussianMixture])
def test_each_parameter_matters(method):
    vectors = np.random.default_rng(1).normal(size=(300, 8)).astype(np.float32)
    base = method(clusters=12, restarts=1)
    first = base.cluster(vectors, silent)
    changes = {"clusters": 13, "restarts": 5, "seed": 1, "batch": 32, "split": "size",
               "covariance": "diagonal", "regularization": 0.5, "max_iterations": 2,
               "max_passes": 1}
    for name in base.values():
        other = method.create(**{**base.values(), name: changes[name]})
        assert not np.array_equal(first.labels, other.cluster(vectors, silent).labels), name
