"""Inertia, BIC and DBCV against scikit-learn, scipy, hdbscan's parts, and cases by hand."""

import numpy as np
import pytest
from hdbscan import validity
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.stats import multivariate_normal
from sklearn.cluster import DBSCAN, KMeans
from sklearn.datasets import load_iris, make_moons
from sklearn.metrics import r2_score

from explorer.judge.bic import Bic
from explorer.judge.dbcv import Dbcv, distances
from explorer.judge.fit import Made
from explorer.judge.inertia import Inertia
from explorer.judge.knee import find_knee
from explorer.spec import silent

EVERY = pytest.mark.parametrize("method", [Inertia(), Bic(), Dbcv()], ids=lambda one: one.key)


def judged(method, vectors, labels, metric="euclidean"):
    return method.judge(np.asarray(vectors), np.asarray(labels), metric, "a space", silent)


def value(method, vectors, labels, metric="euclidean"):
    return judged(method, vectors, labels, metric).scores[0].value


def test_inertia_and_explained_share_are_scikit_learns():
    vectors = load_iris().data
    fit = KMeans(3, n_init=5, random_state=0).fit(vectors)
    found = judged(Inertia(), vectors, fit.labels_)
    assert found.scores[0].value == pytest.approx(fit.inertia_, rel=1e-9)
    assert found.scores[1].value == pytest.approx(r2_score(
        vectors, fit.cluster_centers_[fit.labels_], multioutput="variance_weighted"), rel=1e-9)
    assert found.per_cluster["inertia"].sum() == pytest.approx(fit.inertia_, rel=1e-9)


def test_bic_is_the_likelihood_of_the_clouds():
    draws = np.random.default_rng(0)
    labels = draws.integers(-1, 4, 200)
    vectors = draws.normal(size=(200, 3)) + 3 * labels[:, None]
    kept, parts = vectors[labels >= 0], labels[labels >= 0]
    centres = np.array([kept[parts == k].mean(axis=0) for k in range(4)])
    width = ((kept - centres[parts])**2).sum() / kept.size
    likelihood = sum(
        multivariate_normal(centres[k], width * np.eye(3)).logpdf(kept[parts == k]).sum()
        + (parts == k).sum() * np.log((parts == k).mean()) for k in range(4))
    numbers = 3 + 4 * 3 + 1
    assert value(Bic(), vectors, labels) == pytest.approx(
        -2 * likelihood + numbers * np.log(len(kept)), rel=1e-9)


def test_bic_stops_at_the_number_of_clouds():
    draws = np.random.default_rng(1)
    vectors = draws.normal(size=(300, 2)) + 12 * np.repeat(np.eye(2), 150, axis=0)
    found = {k: value(Bic(), vectors, KMeans(k, n_init=3, random_state=0).fit_predict(vectors))
             for k in (2, 3, 4, 6)}
    assert min(found, key=found.get) == 2


def by_parts(vectors, labels, metric):
    """DBCV by the functions of hdbscan. Its tree is made of the ranks of the edges: by length, and
    of equally long ones the one at denser rows first."""
    clusters = [k for k in np.unique(labels) if k >= 0]
    reach, core, inner, thinnest = {}, {}, {}, {}
    for k in clusters:
        reach[k], core[k] = validity.distances_between_points(vectors, labels, k, metric)
        low = np.minimum(core[k][:, None], core[k])
        ranks = np.unique(reach[k] + 1j * low, return_inverse=True)[1].reshape(low.shape)
        nodes, edges = validity.internal_minimum_spanning_tree(
            np.minimum(ranks, ranks.T).astype(float))
        inner[k] = np.asarray(nodes)
        ends = edges[:, :2].astype(int)
        thinnest[k] = reach[k][ends[:, 0], ends[:, 1]].max()
    total, every = 0.0, {}
    for k in clusters:
        gap = min(validity.density_separation(vectors, labels, k, other, inner[k], inner[other],
                                              core[k], core[other], metric)
                  for other in clusters if other != k)
        every[k] = (gap - thinnest[k]) / max(gap, thinnest[k])
        total += every[k] * (labels == k).mean()
    return total, every


MOONS = make_moons(300, noise=0.05, random_state=0)[0]
IRIS = load_iris().data
# Its flowers were measured to a millimetre: many distances are equal, and then no tree is the only
# one.
UNEQUAL = IRIS + np.random.default_rng(0).normal(scale=1e-3, size=IRIS.shape)


@pytest.mark.parametrize(("vectors", "labels", "metric"), [
    (MOONS, DBSCAN(0.15).fit_predict(MOONS), "euclidean"),
    (UNEQUAL, load_iris().target, "euclidean"), (UNEQUAL, load_iris().target, "cosine"),
    (np.random.default_rng(0).normal(size=(200, 12)),
     np.random.default_rng(0).integers(-1, 4, 200), "euclidean")], ids=["moons", "iris", "cosine",
                                                                      "chance"])
def test_dbcv_is_what_the_parts_of_hdbscan_give(vectors, labels, metric):
    expected, every = by_parts(vectors, labels, metric)
    found = judged(Dbcv(), vectors, labels, metric)
    assert found.scores[0].value == pytest.approx(expected, rel=1e-9)
    for k, one in every.items():
        assert found.per_cluster["dbcv"][k] == pytest.approx(one, rel=1e-9)


def test_dbcv_does_not_change_with_the_order_of_rows_as_hdbscans_does():
    labels = load_iris().target
    ours, theirs = [], []
    for seed in range(4):
        order = np.random.default_rng(seed).permutation(150)
        ours.append(value(Dbcv(), IRIS[order], labels[order]))
        theirs.append(validity.validity_index(IRIS[order], labels[order].astype(np.intp)))
    assert np.ptp(ours) < 1e-9
    assert np.ptp(theirs) > 0.01


def test_dbcv_by_hand():
    """On a line 0 1 2 | 12 13 14: in 1-d the core distances are 2/(1+1/2), 1, the same again."""
    line = np.array([[0.0], [1], [2], [12], [13], [14]])
    found = judged(Dbcv(), line, [0, 0, 0, 1, 1, 1])
    core = 2 / (1 / 1 + 1 / 2)
    assert found.scores[0].value == pytest.approx((12 - core) / 12)  # inner rows 1 and 13
    copies = np.repeat(np.array([[0.0, 1], [5, 5]]), 4, axis=0)
    assert value(Dbcv(), copies, np.repeat([0, 1], 4)) == pytest.approx(1)


def test_dbcv_in_many_dimensions_does_not_overflow():
    draws = np.random.default_rng(0)
    vectors = draws.normal(size=(120, 500)).astype(np.float32) * 1e-3
    vectors[60:] += 1
    assert value(Dbcv(), vectors, np.repeat([0, 1], 60)) > 0.9


def test_dbcv_of_a_sample_says_so():
    draws = np.random.default_rng(0)
    labels = np.repeat([0, 1, -1], [300, 200, 100])
    vectors = draws.normal(size=(600, 2)) + 30 * np.eye(3)[labels][:, :2]
    found = judged(Dbcv(rows=120), vectors, labels)
    score = found.scores[0]
    assert (score.sample, score.total, score.seed) == (120, 600, 0)
    assert score.noise == "100 noise rows count as 0"
    assert "120 of 500 rows" in found.notes[0]
    whole = judged(Dbcv(), vectors, labels).scores[0]
    assert (whole.sample, whole.seed) == (500, None)
    assert score.value == pytest.approx(whole.value, abs=0.15)
    assert whole.value < 500 / 600


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "manhattan"])
def test_distances_are_scipys_and_copies_are_at_zero(metric):
    rows = np.random.default_rng(0).normal(size=(40, 7)) + 3
    rows[7] = rows[3]
    if metric == "cosine":
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    found = distances(rows, rows, metric)
    names = {"manhattan": "cityblock"}
    np.testing.assert_allclose(found, cdist(rows, rows, names.get(metric, metric)), atol=1e-9)
    assert found[3, 7] == found[5, 5] == 0


@EVERY
def test_not_defined(method):
    for labels in ([0] * 4, [-1] * 4, [0, 1, 2, 3], []):
        vectors = np.arange(2 * len(labels), dtype=np.float32).reshape(-1, 2)
        for score in judged(method, vectors, np.array(labels, dtype=np.int32)).scores:
            assert score.value is None
            assert score.why.startswith("Not defined")
    copies = np.ones((6, 2))
    assert value(Bic(), copies, [0, 0, 0, 1, 1, 1]) is None
    assert judged(Inertia(), copies, [0, 0, 0, 1, 1, 1]).scores[1].value is None


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(1e-3, 1e3))
def test_laws(seed, scale):
    """Renaming clusters and permuting rows change nothing; scaling only what has a unit."""
    draws = np.random.default_rng(seed)
    vectors = draws.normal(size=(40, 3))
    labels = np.concatenate([np.repeat(np.arange(4), 3), draws.integers(-1, 4, 28)])
    order, names = draws.permutation(40), draws.permutation(4)
    renamed = np.where(labels < 0, -1, names[labels])[order]
    kept = int((labels >= 0).sum())
    unit = {"inertia": lambda one: one * scale**2, "dbcv": lambda one: one,
            "bic": lambda one: one + 2 * kept * 3 * np.log(scale)}
    for method in (Inertia(), Bic(), Dbcv()):
        before = value(method, vectors, labels)
        assert value(method, (vectors[order] + 3) * scale, renamed) == pytest.approx(
            unit[method.key](before), rel=1e-6, abs=1e-6)


def test_what_fits_which_clusters():
    dense, plain = Made(density=True), Made()
    assert Dbcv().fits(dense).verdict == "fits"
    assert Dbcv().fits(plain).verdict == "with care"
    for method in (Inertia(), Bic()):
        assert method.fits(dense).verdict == "does not fit"
        assert "DBCV" in method.fits(dense).why
        assert method.fits(plain).verdict == "with care"
        assert "cosine" in method.fits(Made(metric="cosine")).why


def test_knee():
    counts = np.arange(2, 11)
    assert find_knee(counts, np.array([100, 60, 20, 18, 16, 14, 12, 10, 8.0])) == 2
    assert find_knee(counts, np.linspace(9, 1, 9)) is None
    assert find_knee(counts, np.arange(9.0)) is None
    assert find_knee(counts, np.full(9, np.nan)) is None
    with_gap = np.array([100, np.nan, 20, 18, 16, 14, 12, 10, 8.0])
    assert find_knee(counts, with_gap) == 2
