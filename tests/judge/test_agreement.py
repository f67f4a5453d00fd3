"""Agreement of two groupings: scikit-learn, a slow reference, and answers known beforehand."""

import itertools

import numpy as np
import pytest
from sklearn import metrics

from explorer.judge.agreement import (
    best_jaccard,
    expected_information,
    measures,
    overlap,
    partners,
)

ORACLES = {
    "ARI": metrics.adjusted_rand_score,
    "AMI": lambda ours, theirs: metrics.adjusted_mutual_info_score(theirs, ours),
    "NMI": lambda ours, theirs: metrics.normalized_mutual_info_score(theirs, ours),
    "V-measure": lambda ours, theirs: metrics.v_measure_score(theirs, ours),
    "Homogeneity": lambda ours, theirs: metrics.homogeneity_score(theirs, ours),
    "Completeness": lambda ours, theirs: metrics.completeness_score(theirs, ours),
    "Fowlkes-Mallows": metrics.fowlkes_mallows_score,
}


def groupings(seed, n=300, groups=(5, 7)):
    draws = np.random.default_rng(seed)
    ours = draws.integers(-1, groups[0], n)
    theirs = np.where(draws.random(n) < 0.6, ours * 3 + 40, draws.integers(40, 40 + groups[1], n))
    return ours, theirs


def numbers(ours, theirs):
    return {measure.name: measure.value for measure in measures(overlap(ours, theirs))}


@pytest.mark.parametrize("seed", range(5))
def test_numbers_equal_scikit_learn(seed):
    ours, theirs = groupings(seed, n=40 + 300 * seed)
    found = numbers(ours, theirs)
    for name, oracle in ORACLES.items():
        assert found[name] == pytest.approx(oracle(ours, theirs), abs=1e-12), name
    table = metrics.cluster.contingency_matrix(ours, theirs)
    assert found["Purity"] == pytest.approx(table.max(axis=1).sum() / len(ours))
    assert found["Inverse purity"] == pytest.approx(table.max(axis=0).sum() / len(ours))
    assert found["NMI"] == pytest.approx(found["V-measure"], abs=1e-12)


def test_expected_information_is_the_mean_over_all_orders():
    ours = [0, 0, 0, 1, 1, 2]
    theirs = [0, 0, 1, 1, 1, 1]
    every = [metrics.mutual_info_score(ours, list(order))
             for order in itertools.permutations(theirs)]
    found = overlap(np.array(ours), np.array(theirs)).counts
    assert expected_information(found.sum(1), found.sum(0)) == pytest.approx(np.mean(every))


def test_names_and_order_of_rows_change_nothing():
    ours, theirs = groupings(1)
    order = np.random.default_rng(9).permutation(len(ours))
    renamed = np.array([17, 3, 99, 5, 12, 4])[ours + 1]
    first, second = numbers(ours, theirs), numbers(renamed[order], theirs[order])
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert second[name] == pytest.approx(value, abs=1e-12)


def test_equal_groupings_agree_and_random_ones_do_not():
    ours, _ = groupings(2)
    assert all(value == pytest.approx(1.0) for value in numbers(ours, ours * 2).values())
    draws = np.random.default_rng(0)
    chance = numbers(draws.integers(0, 5, 4000), draws.integers(0, 5, 4000))
    assert abs(chance["ARI"]) < 0.005
    assert abs(chance["AMI"]) < 0.005


@pytest.mark.parametrize(("ours", "theirs", "undefined"), [
    ([], [], {"ARI", "AMI", "NMI", "Homogeneity", "Purity", "Fowlkes-Mallows"}),
    ([0], [0], {"ARI", "AMI", "NMI"}),
    ([0, 0, 0], [4, 4, 4], {"ARI", "AMI", "NMI", "V-measure"}),
    ([0, 1, 2], [5, 4, 3], {"ARI", "AMI", "Fowlkes-Mallows"}),
])
def test_not_defined_is_said(ours, theirs, undefined):
    found = measures(overlap(np.array(ours, dtype=int), np.array(theirs, dtype=int)))
    assert {measure.name for measure in found if measure.value is None} >= undefined
    assert all(measure.why for measure in found if measure.value is None)
    assert {measure.name for measure in found} == {*ORACLES, "Purity", "Inverse purity"}


def test_pairing_keeps_most_rows_and_noise_to_itself():
    ours, theirs = groupings(3, n=60, groups=(4, 4))
    found = overlap(ours, theirs)
    rows, columns = found.counts.shape
    best = max(sum(found.counts[row, column] for row, column in zip(chosen, order, strict=False))
               for chosen in [range(rows)]
               for order in itertools.permutations(range(columns), min(rows, columns)))
    paired = partners(found)
    kept = sum(found.counts[row, column] for row, column in enumerate(paired) if column >= 0)
    if rows <= columns:
        assert kept == best
    assert len(set(paired[paired >= 0])) == np.count_nonzero(paired >= 0)

    noisy = overlap(np.array([-1] * 50 + [0] * 9 + [-1]), np.array([3] * 50 + [3] * 9 + [-1]))
    paired = partners(noisy, lambda group: group == -1)
    assert noisy.second[paired].tolist() == [-1, 3]


def test_best_jaccard_against_sets():
    ours, theirs = groupings(4)
    found = overlap(ours, theirs)
    best, jaccard = best_jaccard(found)
    for place, group in enumerate(found.first):
        mine = set(np.flatnonzero(ours == group))
        slow = {other: len(mine & set(np.flatnonzero(theirs == other)))
                / len(mine | set(np.flatnonzero(theirs == other))) for other in found.second}
        assert jaccard[place] == pytest.approx(max(slow.values()))
        assert slow[found.second[best[place]]] == pytest.approx(jaccard[place])
