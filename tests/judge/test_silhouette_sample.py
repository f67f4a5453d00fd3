"""The silhouette of a sample of rows: exact for each, with an interval for the mean of all."""

import numpy as np
import pytest

from explorer.judge.kept import without_noise
from explorer.judge.silhouette import Silhouette, silhouettes
from explorer.judge.silhouette_sample import LEAST, draw_rows, estimate_mean
from explorer.spec import silent


def groups(n=3000, seed=0):
    """Four groups of unequal size, one of 12 rows; noise; copies."""
    rng = np.random.default_rng(seed)
    labels = rng.choice([-1, 0, 1, 2], p=[0.1, 0.6, 0.25, 0.05], size=n)
    labels[:12] = 3
    vectors = (rng.normal(size=(n, 6)) + 2 * rng.normal(size=(4, 6))[labels]).astype(np.float32)
    vectors[100:400] = vectors[400:410].repeat(30, axis=0)
    return vectors, labels


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_a_drawn_row_has_the_silhouette_it_has_among_all(metric):
    vectors, labels = groups()
    method = Silhouette.create(exact_up_to=1000, sample_rows=1000)
    other = np.where(labels < 0, 0, labels % 2)
    sampled = method.judge_all(vectors, [labels, other], metric, "a space", silent)
    exact = Silhouette().judge_all(vectors, [labels, other], metric, "a space", silent)
    for ours, all_of_them in zip(sampled, exact, strict=True):
        there = np.isfinite(ours.per_row["silhouette"])
        assert 1000 <= there.sum() < 1200
        assert np.array_equal(there, ours.per_row["second"] >= 0)
        for name, values in ours.per_row.items():
            np.testing.assert_allclose(values[there], all_of_them.per_row[name][there],
                                       rtol=1e-6, atol=1e-6)
        score = ours.scores[0]
        assert (score.sample, score.total, score.seed) == (there.sum(), 3000, 0)
        assert score.low < score.value < score.high
        assert score.low <= all_of_them.scores[0].value <= score.high
        assert all_of_them.scores[0].low is None
        counts = np.bincount(other[there] if ours is sampled[1] else labels[there])
        np.testing.assert_array_equal(ours.per_cluster["judged"], counts)
    assert sampled[0].per_cluster["judged"][3] == 12
    assert sampled[0].per_cluster["size"].tolist() == np.bincount(labels[labels >= 0]).tolist()
    assert "seed 0" in sampled[0].notes[-1]
    assert "95 % confidence interval" in sampled[0].notes[-1]
    assert f"to {(labels >= 0).sum():,} or more" in sampled[0].notes[-1]


def test_same_seed_same_sample():
    vectors, labels = groups()
    first, again, other = (
        Silhouette.create(exact_up_to=1000, sample_rows=1000, seed=seed).judge(
            vectors, labels, "euclidean", "a space", silent) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.per_row["silhouette"], again.per_row["silhouette"])
    assert first.scores == again.scores
    assert not np.array_equal(np.isnan(first.per_row["silhouette"]),
                              np.isnan(other.per_row["silhouette"]))


def test_every_cluster_is_drawn_from_and_samples_share_rows():
    rng = np.random.default_rng(0)
    labels = np.where(rng.random(50_000) < 0.99, 0, rng.integers(1, 100, 50_000))
    kept, halves = without_noise(labels), without_noise(labels % 2)
    one, two = draw_rows(kept, 5000, 7), draw_rows(halves, 5000, 7)
    assert (np.diff(one) > 0).all()
    counts = np.bincount(kept.group[one])
    assert (counts >= np.minimum(kept.sizes, LEAST)).all()
    assert counts[0] == pytest.approx(4950, rel=0.01)
    shared = np.intersect1d(kept.rows[one], halves.rows[two])
    assert len(shared) > 4500


def test_the_interval_by_hand_and_in_the_long_run():
    """Of two strata of 4 and 6 rows, 2 drawn of each: means 1/2 and 1/4, variances 1/2 and 1/8."""
    kept = without_noise(np.repeat([0, 1], [4, 6]))
    told = estimate_mean(kept, np.array([0, 1, 4, 5]), np.array([0, 1, 0, 0.5]))
    assert told.value == pytest.approx(0.4 * 0.5 + 0.6 * 0.25)
    error = np.sqrt(0.4**2 * (1 / 2) / 2 * (2 / 4) + 0.6**2 * (1 / 8) / 2 * (4 / 6))
    assert told.high - told.value == pytest.approx(1.96 * error, rel=1e-3)
    assert told.value - told.low == pytest.approx(1.96 * error, rel=1e-3)
    vectors, labels = groups(seed=4)
    kept = without_noise(labels)
    values = silhouettes(vectors, [kept], "euclidean")[0].value
    inside = 0
    for seed in range(300):
        drawn = draw_rows(kept, 300, seed)
        told = estimate_mean(kept, drawn, values[drawn])
        inside += told.low <= values.mean() <= told.high
    assert 0.91 < inside / 300 < 0.985


def test_all_rows_when_nearly_all_are_drawn():
    vectors, labels = groups()
    judged = Silhouette.create(exact_up_to=1000, sample_rows=3000).judge(
        vectors, labels, "euclidean", "a space", silent)
    assert judged.scores[0].sample == (labels >= 0).sum()
    assert judged.scores[0].low is None
    assert not judged.notes
