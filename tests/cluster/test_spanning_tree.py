"""The spanning tree of mutual reachability against one made of the whole matrix."""

import numpy as np
import pytest
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist

from explorer.cluster.spanning_tree import find_spanning_tree
from explorer.errors import Cancelled
from explorer.spec import silent

METRICS = {"euclidean": "euclidean", "manhattan": "cityblock"}


def blobs(n, d, seed=0, apart=8.0):
    """Groups far enough apart that no list of near rows leads from one to another."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) + rng.integers(0, 4, (n, 1)) * apart


def lengths_of(far):
    return np.sort(minimum_spanning_tree(far).data)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("few_columns", [0, 15])
@pytest.mark.parametrize(("n", "samples", "listed"), [
    (2, 1, 0), (3, 3, 0), (150, 1, 0), (300, 5, 4), (300, 5, 0), (300, 60, 0), (300, 300, 8)])
def test_is_as_long_as_the_tree_of_all_pairs(metric, few_columns, n, samples, listed):
    vectors = blobs(n, 6, seed=n)
    apart = cdist(vectors, vectors, METRICS[metric])
    core = np.sort(apart, axis=1)[:, samples - 1]
    far = np.maximum(np.maximum(apart, core), core[:, None])
    found = find_spanning_tree(vectors, samples, metric, silent, listed=listed,
                               few_columns=few_columns)
    np.testing.assert_allclose(found.lengths, lengths_of(far), rtol=1e-9)
    np.testing.assert_allclose(found.lengths, far[tuple(found.ends.T)], rtol=1e-9)
    assert (found.ends[:, 0] < found.ends[:, 1]).all()
    if listed:
        np.fill_diagonal(apart, np.inf)
        np.testing.assert_allclose(np.take_along_axis(apart, found.lists.astype(int), axis=1),
                                   np.sort(apart, axis=1)[:, :listed])


@pytest.mark.parametrize("few_columns", [0, 15])
def test_copies_lie_no_distance_apart(few_columns):
    vectors = np.repeat(blobs(20, 5), 40, axis=0)
    found = find_spanning_tree(vectors, 10, "euclidean", silent, few_columns=few_columns, listed=8)
    assert (found.lengths[:780] == 0).all()
    assert (found.lengths[780:] > 0).all()


def test_stops_while_searching_again():
    seen = []

    def stop(fraction, text):
        seen.append(fraction)
        if "compared with all others" in text:
            raise Cancelled

    with pytest.raises(Cancelled):
        find_spanning_tree(blobs(400, 20, apart=50.0), 5, "euclidean", stop)
    assert seen == sorted(seen)
