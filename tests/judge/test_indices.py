"""Davies-Bouldin and Calinski-Harabasz against scikit-learn and cases computed by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score

from explorer.judge import judges
from explorer.judge.calinski_harabasz import CalinskiHarabasz
from explorer.judge.davies_bouldin import DaviesBouldin
from explorer.spec import silent

BOTH = pytest.mark.parametrize(("method", "direct"), [
    (DaviesBouldin(), davies_bouldin_score), (CalinskiHarabasz(), calinski_harabasz_score)])


def score(method, vectors, labels, metric="euclidean"):
    return method.judge(vectors, np.asarray(labels), metric, "a space", silent).scores[0]


@BOTH
@pytest.mark.parametrize("k", [2, 9, 300])
def test_equals_scikit_learn_without_the_noise(method, direct, k):
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(1500, 6)).astype(np.float32)
    labels = rng.integers(-1, k, 1500)
    labels[:4] = -1
    vectors[50:90], labels[50:90] = vectors[50], 0
    kept = labels >= 0
    ours = score(method, vectors, labels)
    expected = direct(vectors[kept].astype(np.float64), labels[kept])
    assert ours.value == pytest.approx(expected, rel=1e-9)
    assert (ours.sample, ours.total) == (int(kept.sum()), 1500)
    assert ours.noise == f"{1500 - kept.sum()} noise rows left out"


@BOTH
def test_large_offset_in_float32(method, direct):
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1, 2], 100)
    vectors = (labels[:, None] * 2 + rng.normal(size=(300, 8)) + 1e6).astype(np.float32)
    expected = direct(vectors.astype(np.float64) - 1e6, labels)
    assert score(method, vectors, labels).value == pytest.approx(expected, rel=1e-6)


def test_by_hand():
    """On a line 0, 2 | 10, 14: centres 1 and 12, spreads 1 and 2, squares 2 and 8, centre 6.5."""
    line = np.array([[0], [2], [10], [14]], np.float32)
    assert score(DaviesBouldin(), line, [0, 0, 1, 1]).value == pytest.approx(3 / 11)
    assert score(CalinskiHarabasz(), line, [0, 0, 1, 1]).value == pytest.approx(
        (4 * 5.5**2 / 1) / (10 / 2))


def test_better():
    labels = np.arange(20) % 2
    rng = np.random.default_rng(0)
    good = labels[:, None] * 9 + rng.normal(size=(20, 2))
    bad = rng.normal(size=(20, 2))
    lower, higher = DaviesBouldin(), CalinskiHarabasz()
    assert score(lower, good, labels).better == "lower"
    assert score(lower, good, labels).value < score(lower, bad, labels).value
    assert score(higher, good, labels).better == "higher"
    assert score(higher, good, labels).value > score(higher, bad, labels).value


@BOTH
def test_cosine_clusterings_are_told_apart(method, direct):
    vectors, labels = np.random.default_rng(0).normal(size=(30, 3)), np.arange(30) % 3
    result = method.judge(vectors, labels, "cosine", "a space", silent)
    assert result.scores[0].metric == "euclidean"
    assert "cosine" in result.notes[0]
    assert method.judge(vectors, labels, "euclidean", "a space", silent).notes == ()
    assert result.scores[0].value == pytest.approx(direct(vectors, labels))


@BOTH
@pytest.mark.parametrize("labels", [[0] * 4, [-1] * 4, [0, 1, 2, 3], [-1, 0, 0, 0], []])
def test_not_defined(method, direct, labels):
    vectors = np.arange(2 * len(labels), dtype=np.float32).reshape(-1, 2)
    result = score(method, vectors, np.array(labels, dtype=np.int32))
    assert result.value is None
    assert result.why.startswith("Not defined")


def test_infinite_is_not_defined():
    copies = np.repeat(np.array([[0.1, 0.2], [0.7, 0.3]]), 3, axis=0)
    labels = [0, 0, 0, 1, 1, 1]
    assert "copies" in score(CalinskiHarabasz(), copies, labels).why
    assert score(DaviesBouldin(), copies, labels).value == pytest.approx(0, abs=1e-12)
    crossed = np.array([[-1, 0], [1, 0], [0, -1.3], [0, 1.3]]) + 0.1
    result = score(DaviesBouldin(), crossed, [0, 0, 1, 1])
    assert result.value is None
    assert "same centre" in result.why
    assert score(CalinskiHarabasz(), crossed, [0, 0, 1, 1]).value == pytest.approx(0, abs=1e-12)
    assert score(CalinskiHarabasz(), np.ones((6, 2)), labels).value is None
    assert score(DaviesBouldin(), np.ones((6, 2)), labels).value is None


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(1e-6, 1e6))
def test_laws(seed, scale):
    """Renaming clusters, permuting rows, scaling and shifting change nothing."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(40, 3))
    labels = np.concatenate([np.repeat(np.arange(4), 3), rng.integers(-1, 4, 28)])
    order, names = rng.permutation(40), rng.permutation(4)
    renamed = np.where(labels < 0, -1, names[labels])
    for method in (DaviesBouldin(), CalinskiHarabasz()):
        changed = (vectors[order] + 3) * scale
        assert score(method, changed, renamed[order]).value == pytest.approx(
            score(method, vectors, labels).value, rel=1e-6)


def test_order():
    assert judges().keys()[:3] == ("silhouette", "davies_bouldin", "calinski_harabasz")
