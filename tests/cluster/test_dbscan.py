"""DBSCAN against scikit-learn called directly."""

import numpy as np
import pytest
from sklearn.cluster import DBSCAN as Direct
from sklearn.datasets import make_blobs, make_moons
from sklearn.metrics import adjusted_rand_score

from explorer.cluster import dbscan
from explorer.cluster.dbscan import DBSCAN
from explorer.errors import Cancelled, DataError
from explorer.flight import after_clustering
from explorer.spec import Facts, silent
from explorer.values import by_size


def cloud(n=400, seed=0):
    """Dense groups in a haze, so that there are cores, edges and noise."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 5, n)
    centres = rng.normal(size=(5, 3)) * 4
    width = np.array([0.4, 0.4, 0.6, 0.8, 5.0])[group, None]
    return (centres[group] + rng.normal(size=(n, 3)) * width).astype(np.float32)


@pytest.mark.parametrize(("metric", "eps", "min_samples"), [
    ("euclidean", 0.7, 5), ("euclidean", 1.1, 3), ("euclidean", 0.4, 2), ("euclidean", 50, 5),
    ("cosine", 0.002, 5), ("cosine", 0.01, 10)])
@pytest.mark.parametrize("block", [2_000_000, 4000])
def test_equals_scikit_learn(metric, eps, min_samples, block, monkeypatch):
    monkeypatch.setattr(dbscan, "_PAIRS", block)
    vectors = cloud()
    ours = DBSCAN(eps=eps, min_samples=min_samples, metric=metric).cluster(vectors, silent)
    theirs = Direct(eps=eps, min_samples=min_samples, metric=metric).fit(vectors.astype(float))
    core = theirs.core_sample_indices_
    assert len(core) > 100
    np.testing.assert_array_equal(ours.labels == -1, theirs.labels_ == -1)
    assert adjusted_rand_score(ours.labels[core], theirs.labels_[core]) == 1
    # At an edge scikit-learn takes the first cluster found, we the nearest core row.
    data = vectors.astype(float)
    if metric == "cosine":
        data /= np.linalg.norm(data, axis=1, keepdims=True)
    for row in np.setdiff1d(np.flatnonzero(ours.labels >= 0), core):
        nearest = core[np.argmin(((data[core] - data[row]) ** 2).sum(axis=1))]
        assert ours.labels[row] == ours.labels[nearest]
    assert ours.extras["eps"][0] == eps
    assert ours.metric == metric
    assert after_clustering(ours, 400).count == len(set(theirs.labels_) - {-1})


def test_the_curve_is_that_of_the_nearest_rows():
    from sklearn.neighbors import NearestNeighbors

    vectors = cloud()
    found = DBSCAN(min_samples=7).cluster(vectors, silent)
    far = NearestNeighbors(n_neighbors=7).fit(vectors.astype(float)).kneighbors()[0][:, -2]
    np.testing.assert_allclose(found.extras["k_distances"], np.sort(far), rtol=1e-9)
    assert found.extras["eps"][0] in found.extras["k_distances"]


@pytest.mark.parametrize("scale", [1e-12, 1, 1000])
def test_a_suggested_eps_finds_clear_groups_in_any_unit_and_is_told(scale):
    points, truth = make_blobs(500, centers=4, cluster_std=0.6, random_state=3)
    found = DBSCAN().cluster((points * scale).astype(np.float32), silent)
    inside = found.labels >= 0
    assert found.count == 4
    assert inside.mean() > 0.9
    assert adjusted_rand_score(truth[inside], found.labels[inside]) == 1
    assert f"suggested as {found.extras['eps'][0]:.4g}" in found.notes[0]
    given = DBSCAN(eps=float(found.extras["eps"][0])).cluster((points * scale).astype(np.float32),
                                                              silent)
    assert (given.labels == found.labels).mean() > 0.99
    assert given.notes == ()


def test_moons_in_their_suggested_distance():
    points, truth = make_moons(600, noise=0.05, random_state=0)
    labels = DBSCAN().cluster(points.astype(np.float32), silent).labels
    assert adjusted_rand_score(truth, labels) > 0.95


def test_the_order_of_the_rows_does_not_matter():
    vectors = cloud()
    order = np.random.default_rng(1).permutation(len(vectors))
    method = DBSCAN(eps=0.9, min_samples=4)
    first, second = (method.cluster(rows, silent).labels for rows in (vectors, vectors[order]))
    assert adjusted_rand_score(first[order], second) == 1


def test_copies_and_all_noise_are_answers():
    rows = np.repeat(np.eye(4, dtype=np.float32), 10, axis=0)
    assert DBSCAN().cluster(rows, silent).labels.tolist() == by_size(np.repeat(range(4),
                                                                             10)).tolist()
    nothing = DBSCAN(eps=1e-6).cluster(cloud(), silent)
    assert nothing.noise == 400
    assert "try a larger eps (now 1e-06)" in nothing.notes[0]
    everything = DBSCAN(eps=1e6).cluster(cloud(), silent)
    assert everything.count == 1
    assert "try a smaller eps" in everything.notes[0]


def test_a_given_distance_has_a_unit():
    with pytest.raises(DataError) as caught:
        DBSCAN(eps=2.0).check(Facts(50, 3, 50, largest=1e19))
    assert caught.value.code == "TOO_LARGE_VALUES"
    assert DBSCAN(eps=0.1, metric="cosine").check(Facts(50, 3, 50, largest=1e19))
    assert "50 dimensions" not in str(DBSCAN().check(Facts(100, 50)))
    assert "In 51 dimensions" in DBSCAN().check(Facts(100, 51))[0]


@pytest.mark.parametrize("words", ["distances", "joining"])
def test_stops_while_working(words):
    def stop(fraction, text):
        if text.startswith(words):
            raise Cancelled

    with pytest.raises(Cancelled):
        DBSCAN().cluster(cloud(), stop)


@pytest.mark.parametrize("block", [2_000_000, 20])
@pytest.mark.parametrize("near", [0, 1])
def test_a_row_between_two_clusters_belongs_to_the_nearer_core(block, near, monkeypatch):
    monkeypatch.setattr(dbscan, "_PAIRS", block)
    left = np.linspace(-1, 0, 11)
    middle = 0.45 if near == 0 else 0.55  # further than 0.5 from all but one row of each side
    points = np.concatenate([left, 1 - left[::-1] + 0.0, [middle]])
    vectors = np.column_stack([points, np.zeros(23)]).astype(np.float32)
    found = DBSCAN(eps=0.56, min_samples=6).cluster(vectors, silent)
    assert found.count == 2
    assert found.labels[22] == found.labels[0 if near == 0 else 21]
    assert (found.labels[:11] == found.labels[0]).all()
    assert (found.labels[11:22] == found.labels[21]).all()
