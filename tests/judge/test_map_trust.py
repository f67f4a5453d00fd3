"""Ranks, trust and stress of a map against scikit-learn, scipy, zadu and slow references."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist, pdist, squareform
from scipy.stats import pearsonr, spearmanr
from sklearn.manifold import trustworthiness

from explorer.errors import Cancelled
from explorer.judge.pairs import between, distances, spots, squares
from explorer.judge.ranks import compare_ranks, deepest_of, nearest_drawn
from explorer.judge.stress import followed, pairs_of, shepard_of
from explorer.judge.trust import curves_of, hit_of, kept_of, mean_of, stretch_of, trust_of


def scattered(n=150, d=8, seed=0):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, d)).astype(np.float32)
    return vectors, np.ascontiguousarray(vectors[:, :2] + 0.3 * vectors[:, 2:4])


def known(n=60):
    """Rows without a random generator: zadu 0.5.4 was asked about these once."""
    i = np.arange(n)
    vectors = np.stack([np.sin(0.7 * i) * 3, np.cos(1.3 * i) * 2, np.sin(0.11 * i * i),
                        i % 7 + 0.013 * i, np.cos(0.37 * i + 1) * i / 20], 1)
    points = np.stack([vectors[:, 0] + 0.5 * vectors[:, 2], vectors[:, 1] - 0.3 * vectors[:, 4]], 1)
    return vectors, points, i % 3


def tied(n=60, seed=1):
    """Whole numbers with many equal distances, and copies of rows in both spaces."""
    rng = np.random.default_rng(seed)
    vectors = rng.integers(0, 3, (n, 4)).astype(np.float32)
    points = rng.integers(0, 4, (n, 2)).astype(np.float32)
    vectors[1::5], points[1::5] = vectors[0], points[0]
    return vectors, points


def whole(vectors, points, metric="euclidean"):
    return compare_ranks(vectors, points, np.arange(len(vectors)), metric)


def slow_ranks(values, metric="euclidean"):
    """n x n: the rank of j among the others of i, ties by j; 0 on the diagonal."""
    far = cdist(values.astype(np.float64), values.astype(np.float64), metric)
    n = len(values)
    found = np.zeros((n, n), dtype=int)
    for i in range(n):
        others = sorted((j for j in range(n) if j != i), key=lambda j: (far[i, j], j))
        found[i, others] = np.arange(1, n)
    return found


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("count", [1, 12, 70])
def test_trustworthiness_is_scikit_learns_and_continuity_its_mirror(metric, count):
    vectors, points = scattered()
    ranks = whole(vectors, points, metric)
    n = len(vectors)
    assert trust_of(ranks.in_truth, count, n).mean() == pytest.approx(
        trustworthiness(vectors, points, n_neighbors=count, metric=metric), abs=1e-9)
    mirrored = whole(points, vectors)
    assert trust_of(mirrored.on_map, count, n).mean() == pytest.approx(
        trustworthiness(vectors, points, n_neighbors=count), abs=1e-9)


def test_what_zadu_says():
    vectors, points, labels = known()
    ranks = whole(vectors, points)
    assert trust_of(ranks.in_truth, 7, 60).mean() == pytest.approx(0.7901846452866861, abs=1e-12)
    assert trust_of(ranks.on_map, 7, 60).mean() == pytest.approx(0.9016520894071914, abs=1e-12)
    assert hit_of(ranks.shown[:, :7], ranks.rows, labels).mean() == pytest.approx(
        0.3976190476190476, abs=1e-12)
    found, half = followed(pairs_of(vectors, points, "euclidean"), 60, 60)
    assert found.rank == pytest.approx(0.6515640225159737, abs=1e-12)
    assert found.linear == pytest.approx(0.6522909906290032, abs=1e-12)
    assert found.stress_as_drawn == pytest.approx(0.39399793929476923, abs=1e-12)
    assert found.stress == pytest.approx(0.3250825022322705, abs=1e-12)
    lcmc = kept_of(ranks.in_truth, 7).mean() - 7 / 59
    assert lcmc == pytest.approx(0.2908797417271993, abs=1e-12)
    assert (half.rank, half.linear, half.stress, half.stress_as_drawn) == (0, 0, 0, 0)


@pytest.mark.parametrize("make", [tied, scattered], ids=["ties and copies", "no ties"])
def test_ranks_are_those_of_a_slow_reference_ties_by_row(make):
    vectors, points = make()
    true, drawn = slow_ranks(vectors), slow_ranks(points)
    ranks = whole(vectors, points)
    rows = np.arange(len(vectors))[:, None]
    deep = np.arange(1, ranks.deepest + 1)
    assert (true[rows, ranks.near] == deep).all()
    assert (drawn[rows, ranks.shown] == deep).all()
    assert (ranks.in_truth == true[rows, ranks.shown]).all()
    assert (ranks.on_map == drawn[rows, ranks.near]).all()


def test_ties_survive_an_offset_and_a_scale():
    vectors, points = tied()
    moved = (vectors + np.float32(1024)).astype(np.float32)
    plain, other = whole(vectors, points), whole(moved, points * np.float32(0.125))
    for name in ("near", "on_map", "shown", "in_truth"):
        assert (getattr(plain, name) == getattr(other, name)).all(), name


def test_nearby_groups_far_from_zero_keep_their_digits():
    rng = np.random.default_rng(3)
    vectors = np.concatenate([1e4 + rng.normal(size=(40, 6)), -1e4 + rng.normal(size=(40, 6))])
    found = distances(spots(vectors), squares(spots(vectors), np.arange(80)))
    assert found == pytest.approx(squareform(pdist(vectors)), rel=1e-7)
    places = rng.integers(0, 80, (80, 5))
    assert between(spots(vectors), np.arange(80), places) == pytest.approx(
        np.take_along_axis(squareform(pdist(vectors)), places, axis=1), rel=1e-12)


@pytest.mark.parametrize("make", [tied, scattered], ids=["ties and copies", "no ties"])
@pytest.mark.parametrize("count", [1, 7])
def test_the_tree_finds_the_same_neighbours_on_the_map(make, count):
    vectors, points = make()
    assert (nearest_drawn(points, count) == whole(vectors, points).shown[:, :count]).all()


def test_a_sample_of_rows_has_the_ranks_among_all():
    vectors, points = scattered()
    rows = np.array([3, 50, 149])
    every, some = whole(vectors, points), compare_ranks(vectors, points, rows, "euclidean")
    assert (some.in_truth == every.in_truth[rows]).all()
    assert (some.on_map == every.on_map[rows]).all()


def test_curves_are_the_means_at_every_k():
    vectors, points = tied(90)
    ranks = whole(vectors, points)
    curves = curves_of(ranks)
    assert len(curves.counts) == deepest_of(90) == 44
    for at, count in enumerate(curves.counts.tolist()):
        assert curves.overlap[at] == pytest.approx(kept_of(ranks.in_truth, count).mean())
        assert curves.overlap[at] == pytest.approx(kept_of(ranks.on_map, count).mean())
        assert curves.trust[at] == pytest.approx(trust_of(ranks.in_truth, count, 90).mean())
        assert curves.continuity[at] == pytest.approx(trust_of(ranks.on_map, count, 90).mean())
    assert curves.gained == pytest.approx((89 * curves.overlap - curves.counts)
                                          / (89 - curves.counts))


def test_a_perfect_map_and_a_map_by_chance():
    vectors = scattered(200, 4)[0][:, :2]
    turned = vectors @ np.array([[0.6, -0.8], [0.8, 0.6]]) * 3 + 7
    ranks = whole(vectors.astype(np.float64), turned)
    assert kept_of(ranks.in_truth, 15).min() == 1
    assert trust_of(ranks.in_truth, 15, 200).min() == 1
    found, _ = followed(pairs_of(vectors, turned, "euclidean"), 200, 200)
    assert (found.rank, found.linear) == pytest.approx((1, 1))
    assert found.stress == pytest.approx(0, abs=1e-6)
    assert found.stress_as_drawn == pytest.approx(2)  # drawn three times as large
    chance = np.random.default_rng(5).normal(size=(200, 2))
    ranks = whole(vectors, chance)
    assert kept_of(ranks.in_truth, 15).mean() == pytest.approx(15 / 199, abs=0.02)
    assert trust_of(ranks.in_truth, 15, 200).mean() == pytest.approx(0.5, abs=0.05)
    assert curves_of(ranks).gained[10:].max() < 0.05


@pytest.mark.parametrize("make", [tied, scattered], ids=["ties and copies", "no ties"])
def test_correlations_are_scipys(make):
    vectors, points = make()
    pairs = pairs_of(vectors, points, "euclidean")
    assert pairs.true == pytest.approx(pdist(vectors), rel=1e-6)
    found, _ = followed(pairs, len(vectors), len(vectors))
    assert found.rank == pytest.approx(spearmanr(pdist(vectors), pdist(points))[0], abs=1e-9)
    assert found.linear == pytest.approx(pearsonr(pdist(vectors), pdist(points))[0], abs=1e-9)


def test_permuting_rows_changes_no_number():
    vectors, points = scattered()
    order = np.random.default_rng(2).permutation(len(vectors))
    plain, moved = whole(vectors, points), whole(vectors[order], points[order])
    assert (trust_of(plain.in_truth, 9, 150)[order] == trust_of(moved.in_truth, 9, 150)).all()
    assert (kept_of(plain.in_truth, 9)[order] == kept_of(moved.in_truth, 9)).all()


def test_the_interval_of_a_sample_holds_the_truth_about_as_often_as_it_says():
    vectors, points = scattered(400)
    truth, _ = followed(pairs_of(vectors, points, "euclidean"), 400, 400)
    trust = trust_of(whole(vectors, points).in_truth, 15, 400)
    held = {"mean": 0, "rank": 0, "stress": 0}
    for seed in range(60):
        rows = np.random.default_rng(seed).choice(400, 100, replace=False)
        share = mean_of(trust[rows], 400)
        held["mean"] += share.low <= trust.mean() <= share.high
        found, half = followed(pairs_of(vectors[rows], points[rows], "euclidean"), 100, 400)
        for name in ("rank", "stress"):
            gap = abs(getattr(found, name) - getattr(truth, name))
            held[name] += gap <= getattr(half, name)
    assert all(times >= 52 for times in held.values()), held


def test_what_is_not_defined():
    same = np.ones((5, 3))
    found, _ = followed(pairs_of(same, np.zeros((5, 2)), "euclidean"), 5, 5)
    assert all(np.isnan(value) for value in vars(found).values())
    found, _ = followed(pairs_of(same[:1], same[:1, :2], "euclidean"), 1, 1)
    assert all(np.isnan(value) for value in vars(found).values())
    assert [deepest_of(n) for n in (0, 1, 2, 3, 5)] == [0, 0, 0, 1, 2]
    assert whole(same[:2], same[:2, :2]).deepest == 0
    assert np.isnan(mean_of(np.array([np.nan]), 1).value)


def test_stretched_and_compressed():
    true, drawn = np.ones((5, 3)), np.ones((5, 3))
    drawn[0], drawn[1], true[2] = 4, 0.5, 0
    found = stretch_of(true, drawn)
    assert found[[0, 1, 3, 4]].tolist() == [2, -1, 0, 0]
    assert np.isnan(found[2])


def test_a_hit_needs_a_label():
    shown = np.array([[1, 2], [0, 2], [0, 1]])
    assert hit_of(shown, np.arange(3), np.array([0, 0, -1]))[:2].tolist() == [0.5, 0.5]
    assert np.isnan(hit_of(shown, np.arange(3), np.array([0, 0, -1]))[2])


def test_the_shepard_diagram_counts_every_pair():
    vectors, points = scattered(50)
    counts, true, drawn = shepard_of(pairs_of(vectors, points, "euclidean"), 20)
    true[-1] *= 1.001
    drawn[-1] *= 1.001
    expected = np.histogram2d(pdist(vectors), pdist(points), bins=(true, drawn))[0]
    assert counts.sum() == expected.sum() == 50 * 49 / 2
    assert np.abs(counts - expected).sum() <= 4  # a value on an edge may fall either way


def test_it_stops_when_asked():
    def stop(fraction, text):
        raise Cancelled
    with pytest.raises(Cancelled):
        compare_ranks(*scattered(), np.arange(150), "euclidean", stop)


def test_distances_equal_on_paper_are_tied_whatever_the_rounding():
    rng = np.random.default_rng(4)
    step = rng.normal(size=30)
    turned = np.array([rng.permutation(step) for _ in range(60)])  # all as far from the first row
    vectors = np.concatenate([np.zeros((1, 30)), turned]) + rng.normal(size=30)
    found = squares(spots(vectors), np.array([0]))[0]
    assert len(np.unique(found[1:])) == 1
    ranks = compare_ranks(vectors, vectors[:, :2], np.array([0]), "euclidean")
    assert ranks.near[0].tolist() == list(range(1, ranks.deepest + 1))
