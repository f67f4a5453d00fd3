"""The silhouette to centres against a slow reference and cases by hand."""

import numpy as np
import pytest
from sklearn.cluster import KMeans

from explorer.judge import judges
from explorer.judge.silhouette import Silhouette
from explorer.judge.simplified_silhouette import SimplifiedSilhouette
from explorer.spec import silent


def judge(vectors, labels, metric="euclidean"):
    return SimplifiedSilhouette().judge(vectors, np.asarray(labels), metric, "a space", silent)


def slow(vectors, labels, metric):
    points = vectors.astype(np.float64)
    if metric == "cosine":
        points = points / np.linalg.norm(points, axis=1, keepdims=True)
    middle = np.median if metric == "manhattan" else np.mean
    clusters = sorted(set(labels.tolist()) - {-1})
    centers = [middle(points[labels == cluster], axis=0) for cluster in clusters]
    values, second = np.full(len(points), np.nan), np.full(len(points), -1)
    for row in np.flatnonzero(labels >= 0):
        far = {}
        for cluster, center in zip(clusters, centers, strict=True):
            apart = points[row] - center
            far[cluster] = {"euclidean": np.sqrt((apart**2).sum()),
                            "manhattan": np.abs(apart).sum(),
                            "cosine": 1 - points[row] @ center / np.linalg.norm(center)}[metric]
        a = far.pop(labels[row])
        second[row] = min(far, key=far.get)
        b = far[second[row]]
        alone = (labels == labels[row]).sum() == 1
        values[row] = 0 if alone or max(a, b) == 0 else (b - a) / max(a, b)
    return values, second


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "manhattan"])
def test_equals_the_slow_reference(metric):
    rng = np.random.default_rng(0)
    labels = rng.choice([-1, 0, 2, 3], size=700)
    labels[5] = 4
    vectors = (rng.normal(size=(700, 5)) + 100 + labels[:, None]).astype(np.float32)
    values, second = slow(vectors, labels, metric)
    ours = judge(vectors, labels, metric)
    np.testing.assert_allclose(ours.per_row["simplified_silhouette"], values, atol=1e-5)
    np.testing.assert_array_equal(ours.per_row["second"], second)
    assert ours.scores[0].value == pytest.approx(np.nanmean(values), abs=1e-6)
    assert ours.scores[0].sample == (labels >= 0).sum()
    for cluster in (0, 2, 3, 4):
        assert ours.per_cluster["mean"][cluster] == pytest.approx(
            values[labels == cluster].mean(), abs=1e-6)
    assert np.isnan(ours.per_cluster["mean"][1])
    assert judges().get("simplified_silhouette") is SimplifiedSilhouette


def test_by_hand():
    """On a line 0, 2 | 9, 11: centres 1 and 10."""
    result = judge(np.array([[0], [2], [9], [11]], np.float32), [0, 0, 1, 1])
    np.testing.assert_allclose(result.per_row["to_own"], 1)
    np.testing.assert_allclose(result.per_row["to_other"], [10, 8, 8, 10])
    np.testing.assert_allclose(result.per_row["simplified_silhouette"], [.9, 7 / 8, 7 / 8, .9])


def test_k_means_has_no_negatives_and_the_silhouette_is_near():
    rng = np.random.default_rng(0)
    vectors = (rng.normal(size=(600, 4)) + 5 * rng.integers(0, 2, (600, 4))).astype(np.float32)
    labels = KMeans(6, n_init=1, random_state=0).fit_predict(vectors)
    ours = judge(vectors, labels)
    assert ours.per_row["simplified_silhouette"].min() > -1e-6
    exact = Silhouette().judge(vectors, labels, "euclidean", "a space", silent)
    assert np.corrcoef(ours.per_row["simplified_silhouette"],
                       exact.per_row["silhouette"])[0, 1] > 0.9
    assert "centre of each cluster" in ours.notes[0]


def test_tight_clusters_far_away_and_copies():
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    vectors = 1e6 + labels[:, None] + 1e-5 * rng.normal(size=(60, 3))
    exact, _ = slow(vectors - 1e6, labels, "euclidean")
    np.testing.assert_allclose(judge(vectors, labels).per_row["simplified_silhouette"], exact,
                               atol=1e-5)
    copies = judge(np.eye(2, dtype=np.float32)[labels], labels)
    assert (copies.per_row["simplified_silhouette"] == 1).all()
    same = judge(np.ones((6, 3), np.float32), [0, 0, 0, 1, 1, 1])
    assert (same.per_row["simplified_silhouette"] == 0).all()


@pytest.mark.parametrize(("vectors", "labels", "words"), [
    ([[1, 0], [-1, 0], [0, 1], [0, 2]], [0, 0, 1, 1], "cluster 0 cancel out"),
    ([[1, 0], [0, 0], [0, 1], [0, 2]], [0, 0, 1, 1], "1 all-zero")])
def test_no_cosine_without_a_direction(vectors, labels, words):
    result = judge(np.array(vectors, np.float32), labels, "cosine")
    assert result.scores[0].value is None
    assert words in result.scores[0].why
    assert np.isnan(result.per_row["simplified_silhouette"]).all()
