"""Agglomerative clustering against scikit-learn and scipy called directly."""

import numpy as np
import pytest
from scipy.cluster import hierarchy
from scipy.spatial.distance import pdist
from sklearn.cluster import AgglomerativeClustering as Direct
from sklearn.datasets import load_digits

from explorer.cluster.agglomerative import Agglomerative, cut, pair_distances
from explorer.cluster.tree import check_tree
from explorer.errors import Cancelled, DataError, ParameterError, ResultError
from explorer.spec import Facts, silent
from explorer.values import Tree, by_size, facts_of

LINKAGES = [("ward", "euclidean"), ("average", "euclidean"), ("average", "cosine"),
            ("complete", "euclidean"), ("complete", "cosine"), ("single", "euclidean"),
            ("single", "cosine")]


def cloud(n=150, d=5, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(4, d))[rng.integers(0, 4, n)] * 2
            + rng.normal(size=(n, d))).astype(np.float32)


@pytest.mark.parametrize(("linkage", "metric"), LINKAGES)
@pytest.mark.parametrize("data", ["cloud", "digits", "offset"])
def test_equals_scikit_learn(linkage, metric, data):
    vectors = {"cloud": cloud, "offset": lambda: cloud() + np.float32(1e4),
               # Whole numbers: many equal distances, so the order of ties counts.
               "digits": lambda: load_digits().data[:300].astype(np.float32)}[data]()
    for clusters in (2, 7, 60):
        ours = Agglomerative(clusters=clusters, linkage=linkage, metric=metric)
        direct = Direct(clusters, linkage=linkage, metric=metric).fit(vectors)
        np.testing.assert_array_equal(ours.cluster(vectors, silent).labels,
                                      by_size(direct.labels_))


@pytest.mark.parametrize(("linkage", "metric"), LINKAGES)
def test_threshold_equals_scikit_learn(linkage, metric):
    vectors = cloud()
    heights = hierarchy.linkage(pdist(vectors.astype(float), metric), linkage)[:, 2]
    for threshold in (float(heights[-3]), float(heights[100] + heights[101]) / 2):
        method = Agglomerative(linkage=linkage, metric=metric, distance_threshold=threshold)
        direct = Direct(None, linkage=linkage, metric=metric,
                        distance_threshold=threshold).fit(vectors)
        ours = method.cluster(vectors, silent)
        np.testing.assert_array_equal(ours.labels, by_size(direct.labels_))
        notes = method.check(Facts(len(vectors), 5))
        assert any("(8) is not used" in note for note in notes)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("block", [1, 5000, 10**7])
def test_distances_are_those_of_scipy(metric, block):
    vectors = cloud(97)
    ours = pair_distances(vectors, metric, silent, block_bytes=block)
    np.testing.assert_array_equal(ours, pdist(vectors.astype(np.float64), metric))


def test_tree_is_the_linkage_of_scipy():
    vectors = cloud()
    tree = check_tree(Agglomerative(linkage="average").grow(vectors, silent), len(vectors))
    np.testing.assert_array_equal(tree.merges, hierarchy.linkage(vectors.astype(float), "average"))


def test_cut_gives_every_count_even_where_heights_are_equal():
    square = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
    tree = hierarchy.linkage(square, "single")  # three joins, all at height 1
    assert [int(cut(tree, count).max()) + 1 for count in (1, 2, 3, 4)] == [1, 2, 3, 4]


def test_sweep_builds_one_tree(monkeypatch):
    vectors, counts = cloud(), (2, 3, 8, 30)
    method = Agglomerative(linkage="complete", distance_threshold=1.0)
    built = []
    real = hierarchy.linkage
    monkeypatch.setattr(hierarchy, "linkage", lambda *a, **k: built.append(1) or real(*a, **k))
    swept = method.sweep(vectors, counts, silent)
    assert len(built) == 1
    for count, clustering in zip(counts, swept, strict=True):
        alone = Agglomerative(linkage="complete", clusters=count).cluster(vectors, silent)
        np.testing.assert_array_equal(clustering.labels, alone.labels)
        assert clustering.count == count
    assert method.sweep(vectors, (), silent) == []
    with pytest.raises(ParameterError):
        method.sweep(vectors[:20], (5, 25), silent)


def test_ward_refuses_cosine():
    method = Agglomerative.create(linkage="ward", metric="cosine")
    for call in (lambda: method.check(Facts(100, 5)), lambda: method.cluster(cloud(), silent),
                 lambda: method.sweep(cloud(), (2, 3), silent)):
        with pytest.raises(ParameterError, match=r"ward.*euclidean.*cosine") as caught:
            call()
        assert caught.value.code == "WARD_NEEDS_EUCLIDEAN"


def test_refuses_more_rows_than_memory_allows():
    method = Agglomerative()
    assert method.check(Facts(20_000, 5)) == ()
    with pytest.raises(DataError, match="20,000") as caught:
        method.check(Facts(20_001, 5))
    assert caught.value.code == "TOO_MANY_ROWS"
    assert "HDBSCAN" in caught.value.hint
    assert method.estimate(20_000, 5).bytes == pytest.approx(3.2e9, rel=0.05)


def test_degenerate_data():
    with pytest.raises(DataError) as caught:
        Agglomerative().cluster(cloud(1), silent)
    assert caught.value.code == "TOO_FEW_ROWS"
    with pytest.raises(ParameterError):
        Agglomerative().check(facts_of(np.repeat(cloud(4), 9, axis=0)))
    with pytest.raises(DataError) as caught:
        Agglomerative(linkage="average", metric="cosine").cluster(
            np.vstack([cloud(20), np.zeros((1, 5), np.float32)]), silent)
    assert caught.value.code == "ZERO_VECTORS"
    assert Agglomerative(clusters=2).cluster(cloud(2), silent).labels.tolist() == [0, 1]


def test_stops_while_measuring():
    def stop(fraction, text):
        if text.startswith("distances"):
            raise Cancelled

    with pytest.raises(Cancelled):
        Agglomerative().cluster(cloud(), stop)


def test_another_cut_reads_the_same_tree():
    vectors = cloud()
    method = Agglomerative(clusters=5)
    tree = method.grow(vectors, silent)
    for change in ({"clusters": 9}, {"distance_threshold": 7.0}):
        other = method.model_copy(update=change)
        assert other.grower() == method.grower()
        np.testing.assert_array_equal(other.cut(tree, silent).labels,
                                      other.cluster(vectors, silent).labels)
    for change in ({"linkage": "average"}, {"neighbors": 4}):
        assert method.model_copy(update=change).grower() != method.grower()


@pytest.mark.parametrize("break_it", [
    lambda merges: merges[:-1], lambda merges: merges[::-1].copy(),
    lambda merges: np.where(np.arange(4) == 3, 2.0, merges),
    lambda merges: np.where(np.arange(4) == 2, np.nan, merges),
    lambda merges: np.where(np.arange(4) == 0, 0.0, merges)])
def test_a_tree_that_cannot_be_is_refused(break_it):
    tree = Agglomerative().grow(cloud(40), silent)
    check_tree(tree, 40)
    with pytest.raises(ResultError):
        check_tree(Tree(break_it(tree.merges), "euclidean"), 40)
