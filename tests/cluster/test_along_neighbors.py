"""Ward's tree along neighbours against the tree of all pairs and scikit-learn's."""

import numpy as np
import pytest
from scipy.cluster import hierarchy
from scipy.sparse import coo_matrix
from sklearn.cluster import ward_tree
from sklearn.metrics import adjusted_rand_score

from explorer.cluster.agglomerative import Agglomerative, cut
from explorer.cluster.along_neighbors import join_along
from explorer.cluster.spanning_tree import find_spanning_tree
from explorer.cluster.tree import check_tree
from explorer.errors import Cancelled, ParameterError
from explorer.spec import Facts, silent


def groups(n=240, d=4, seed=0, apart=12.0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 5, n)
    centres = rng.permutation(np.eye(5, d) if d >= 5 else rng.normal(size=(5, d))) * apart
    return (centres[truth] + rng.normal(size=(n, d))).astype(np.float32), truth


def test_with_all_edges_it_is_wards_tree():
    vectors = groups()[0].astype(float)
    every = np.column_stack(np.triu_indices(len(vectors), 1))
    ours = join_along(vectors, every, silent)
    scipys = hierarchy.linkage(vectors, "ward")
    assert ours.raised == 0
    np.testing.assert_allclose(ours.merges[:, 2:], scipys[:, 2:], rtol=1e-9)
    for count in (2, 5, 30):
        np.testing.assert_array_equal(cut(ours.merges, count), cut(scipys, count))


def test_along_near_rows_it_is_nearly_scikit_learns_tree():
    """Theirs joins the globally closest pair first, ours all pairs closest to each other: the same
    but for joins that lie lower than one inside of them."""
    vectors = groups(200)[0].astype(float)
    found = find_spanning_tree(vectors, 1, "euclidean", silent, listed=8)
    edges = np.concatenate([np.column_stack([np.repeat(np.arange(200), 8), found.lists.ravel()]),
                            found.ends])
    ours = join_along(vectors, edges, silent)
    net = coo_matrix((np.ones(len(edges)), edges.T), shape=(200, 200))
    children, *_, heights = ward_tree(vectors, connectivity=(net + net.T).tocsr(),
                                      return_distance=True)
    theirs = np.column_stack([children, heights, np.zeros(199)])
    for count in (5, 8):
        assert adjusted_rand_score(cut(ours.merges, count), cut(theirs, count)) > 0.9
    assert ours.raised <= 4
    assert np.median(np.abs(ours.merges[:, 2] - heights) / heights) < 0.01


@pytest.mark.parametrize("columns", [4, 30])
def test_far_groups_are_found_and_the_approximation_is_said(columns):
    vectors, truth = groups(d=columns, apart=40.0)
    method = Agglomerative(neighbors=6, clusters=5)
    tree = check_tree(method.grow(vectors, silent), len(vectors))
    found = method.cut(tree, silent)
    assert adjusted_rand_score(found.labels, truth) == 1.0
    assert "approximation" in found.notes[0]
    assert "6 nearest" in found.notes[0]
    exact = Agglomerative(clusters=5).grow(vectors, silent)
    np.testing.assert_allclose(tree.merges[-4:, 2], exact.merges[-4:, 2], rtol=0.1)


def test_copies_and_few_rows_join():
    vectors = np.repeat(groups(12)[0], 30, axis=0)
    tree = check_tree(Agglomerative(neighbors=5).grow(vectors, silent), len(vectors))
    assert (tree.merges[:348, 2] < 1e-6).all()
    check_tree(Agglomerative(neighbors=5).grow(vectors[[0, 40]], silent), 2)


def test_rows_without_limit_only_where_no_pairs_are_needed():
    for method in (Agglomerative(neighbors=15), Agglomerative(linkage="single")):
        assert method.check(Facts(500_000, 300)) == ()
        assert method.estimate(50_000, 384).bytes < 1e9
    with pytest.raises(ParameterError) as caught:
        Agglomerative(neighbors=15, linkage="average").check(Facts(100, 5))
    assert caught.value.code == "NEIGHBORS_NEED_WARD"


def test_stops_while_joining():
    def stop(fraction, text):
        if "groups left to join" in text and fraction > 0.75:
            raise Cancelled

    with pytest.raises(Cancelled):
        Agglomerative(neighbors=5).cluster(groups(500)[0], stop)
