"""Clusters matched over repeats, against sets of rows compared one by one and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from explorer.judge.matching import Tally, match_clusters, rand_index

LABELS = st.lists(st.tuples(st.integers(-1, 3), st.integers(-1, 4)), min_size=2, max_size=25)


def slow_match(reference, other, count):
    jaccard, partner = [], []
    for cluster in range(count):
        mine = set(np.flatnonzero(reference == cluster))
        best = (0.0 if mine else np.nan, -1)
        for number in sorted(set(other[other >= 0])):
            theirs = set(np.flatnonzero(other == number))
            alike = len(mine & theirs) / len(mine | theirs)
            if mine and alike > best[0]:
                best = (alike, number)
        jaccard.append(best[0])
        partner.append(best[1])
    return np.array(jaccard), np.array(partner)


@settings(max_examples=25, deadline=None)
@given(LABELS)
def test_partners_are_the_clusters_most_alike(pairs):
    reference, other = np.array(pairs).T
    found = match_clusters(reference, other, 5)
    jaccard, partner = slow_match(reference, other, 5)
    np.testing.assert_allclose(found.jaccard, jaccard)
    np.testing.assert_array_equal(found.partner, partner)


@settings(max_examples=25, deadline=None)
@given(LABELS, st.permutations(range(4)), st.permutations(range(5)))
def test_rand_index_equals_scikit_learn_and_knows_no_names(pairs, first, second):
    reference, other = np.array(pairs).T
    kept = (reference >= 0) & (other >= 0)
    ours = rand_index(reference, other)
    if kept.sum() < 2:
        assert np.isnan(ours)
        return
    assert ours == pytest.approx(adjusted_rand_score(reference[kept], other[kept]))
    renamed = (np.array([*first, -1])[reference], np.array([*second, -1])[other])
    assert rand_index(*renamed) == pytest.approx(ours)
    assert rand_index(other, reference) == pytest.approx(ours)


def test_a_tally_counts_rows_and_keeps_noise_apart():
    tally = Tally(np.array([0, 0, 0, 1, 1, -1]))
    tally.add(np.arange(6), np.array([1, 1, 1, 0, 0, -1]))  # the same under other names
    tally.add(np.array([0, 1, 3, 5]), np.array([0, -1, 1, 1]))  # a part; row 1 became noise
    found = tally.result()
    np.testing.assert_allclose(found.jaccard, [[1, 1], [1 / 2, 1 / 2]])
    np.testing.assert_array_equal(found.tried, [2, 2, 1, 2, 1, 2])
    np.testing.assert_array_equal(found.again, [2, 1, 1, 2, 1, 0])
    np.testing.assert_array_equal(found.noise, [0, 1, 0, 0, 0, 1])


def test_a_cluster_without_rows_in_a_repeat_is_not_counted():
    tally = Tally(np.array([0, 0, 1, 1]))
    tally.add(np.array([0, 1]), np.array([0, 0]))
    np.testing.assert_array_equal(tally.result().jaccard, [[1.0, np.nan]])


def test_two_merged_clusters_share_a_partner_and_neither_is_found_whole():
    found = match_clusters(np.repeat([0, 1], 10), np.zeros(20, int), 2)
    np.testing.assert_allclose(found.jaccard, [0.5, 0.5])
    np.testing.assert_array_equal(found.partner, [0, 0])
