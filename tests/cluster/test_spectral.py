"""Spectral clustering against scikit-learn called directly."""

import numpy as np
import pytest
from sklearn.cluster import SpectralClustering as Direct
from sklearn.datasets import load_digits, make_circles, make_moons
from sklearn.metrics import adjusted_rand_score

from explorer.cluster import spectral
from explorer.cluster.spectral import Spectral
from explorer.errors import Cancelled, DataError, ParameterError
from explorer.neighbors.nearest import Nearest
from explorer.spec import Facts, silent


@pytest.fixture(scope="module")
def digits():
    """Shaken, so that no two rows are equally near and there is one net only."""
    rows = load_digits().data[:500]
    return (rows + np.random.default_rng(0).normal(size=rows.shape) / 10).astype(np.float32)


@pytest.mark.parametrize("dense", [1500, 0])
@pytest.mark.parametrize("change", [{"clusters": 10}, {"clusters": 4, "n_neighbors": 20},
                                    {"clusters": 6, "metric": "cosine"}])
def test_equals_scikit_learn(digits, change, dense, monkeypatch):
    monkeypatch.setattr(spectral, "_DENSE_UP_TO", dense)
    method = Spectral.create(**change)
    ours = method.cluster(digits, silent)
    data = digits.astype(float)
    if method.metric == "cosine":
        data /= np.linalg.norm(data, axis=1, keepdims=True)
    direct = Direct(method.clusters, affinity="nearest_neighbors", random_state=0,
                    n_neighbors=method.n_neighbors).fit(data)
    assert adjusted_rand_score(ours.labels, direct.labels_) > 0.95  # k-means of another start
    values = ours.extras["eigenvalues"]
    assert len(values) == method.clusters
    assert (np.diff(values) >= 0).all()
    assert abs(values[0]) < 1e-5
    degree = np.asarray(direct.affinity_matrix_.sum(axis=1)).ravel() - 1  # the row itself
    laplacian = np.eye(500) - (direct.affinity_matrix_.toarray() - np.eye(500)) / np.sqrt(
        np.outer(degree, degree))
    np.testing.assert_allclose(values, np.linalg.eigvalsh(laplacian)[:method.clusters], atol=1e-5)


@pytest.mark.parametrize("dense", [1500, 0])
def test_places_are_those_of_a_random_walk(digits, dense, monkeypatch):
    """(1 - A / degrees) v = value v (von Luxburg 2007, proposition 3)."""
    monkeypatch.setattr(spectral, "_DENSE_UP_TO", dense)
    near = Nearest.create(count=9).find(digits, silent).indices
    found = spectral._vibrations(near, 6, 0)
    ties = np.zeros((500, 500))
    ties[np.arange(500)[:, None], near] = 0.5
    ties += ties.T
    walk = np.eye(500) - ties / ties.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(walk @ found.places, found.values * found.places, atol=1e-5)
    assert np.linalg.matrix_rank(found.places) == 6
    assert found.parts == 1


@pytest.mark.parametrize("make", [make_moons, make_circles])
@pytest.mark.parametrize("n", [300, 2000])
def test_finds_shapes_that_centres_cannot(make, n):
    extra = {"factor": 0.5} if make is make_circles else {}
    points, truth = make(n, noise=0.05, random_state=0, **extra)
    found = Spectral(clusters=2, n_neighbors=15).cluster(points.astype(np.float32), silent)
    assert adjusted_rand_score(truth, found.labels) > 0.95
    assert found.notes == ()


@pytest.mark.parametrize("dense", [1500, 0])
def test_separate_parts_are_found_and_counted(dense, monkeypatch):
    monkeypatch.setattr(spectral, "_DENSE_UP_TO", dense)
    draws = np.random.default_rng(0)
    truth = np.repeat(np.arange(6), 30)
    points = (truth[:, None] * 50 + draws.normal(size=(180, 3))).astype(np.float32)
    found = Spectral(clusters=6, n_neighbors=8).cluster(points, silent)
    assert adjusted_rand_score(truth, found.labels) == 1
    assert np.abs(found.extras["eigenvalues"]).max() < 1e-5
    few = Spectral(clusters=3, n_neighbors=8).cluster(points, silent)
    assert any("6 separate parts, more than the 3 clusters" in note for note in few.notes)


def test_bounds(digits):
    with pytest.raises(DataError) as many:
        Spectral().check(Facts(20_001, 5))
    assert many.value.code == "TOO_MANY_ROWS"
    assert "20,000" in many.value.message
    for change in ({"clusters": 21}, {"n_neighbors": 21}):
        with pytest.raises(ParameterError) as caught:
            Spectral.create(**change).cluster(digits[:20], silent)
        assert caught.value.where.parameter in change


@pytest.mark.parametrize("at", [0.0, 0.4, 0.8])
def test_stops(digits, at):
    def stop(fraction, text):
        if fraction >= at:
            raise Cancelled

    with pytest.raises(Cancelled):
        Spectral().cluster(digits, stop)
