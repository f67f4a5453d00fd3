"""The silhouette against a slow obvious reference, scikit-learn and cases computed by hand."""

import tracemalloc
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import silhouette_samples, silhouette_score

from explorer.errors import Cancelled
from explorer.judge import judges
from explorer.judge.kept import without_noise
from explorer.judge.silhouette import Silhouette, silhouettes
from explorer.spec import silent

METRICS = ("euclidean", "cosine", "manhattan")


def judge(vectors, labels, metric="euclidean", progress=silent):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return Silhouette().judge(vectors, np.asarray(labels), metric, "a space", progress)


def slow(vectors, labels, metric):
    """Rousseeuw's definition, row by row, noise left out: a, b, s and the second-best cluster."""
    points = vectors.astype(np.float64)
    result = {name: np.full(len(points), np.nan) for name in ("a", "b", "silhouette")}
    result["second"] = np.full(len(points), -1)
    for i in range(len(points)):
        if labels[i] == -1:
            continue
        means = {}
        for cluster in sorted(set(labels) - {-1}):
            others = [j for j in range(len(points)) if labels[j] == cluster and j != i]
            if metric == "euclidean":
                apart = [np.sqrt(np.sum((points[i] - points[j])**2)) for j in others]
            elif metric == "manhattan":
                apart = [np.sum(np.abs(points[i] - points[j])) for j in others]
            else:
                apart = [1 - points[i] @ points[j] / np.sqrt(points[i] @ points[i])
                         / np.sqrt(points[j] @ points[j]) for j in others]
            means[cluster] = np.mean(apart) if apart else None
        a = means.pop(labels[i])
        second = min(means, key=means.get)
        b = means[second]
        result["b"][i], result["second"][i] = b, second
        result["silhouette"][i] = 0 if a is None else (b - a) / max(a, b)
        if a is not None:
            result["a"][i] = a
    return result


def messy(seed=0, n=60, d=4):
    """Overlapping clusters of unequal size, copies, noise and one row alone."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, d)).astype(np.float32)
    labels = rng.choice([-1, 0, 1, 2, 3], p=[0.15, 0.4, 0.3, 0.1, 0.05], size=n)
    vectors[10:20], labels[10:20] = vectors[10], labels[10]
    vectors[30:34] = vectors[30]
    labels[5], labels[40:44] = 4, [0, 1, 2, 3]
    return vectors, labels


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("seed", range(3))
def test_equals_the_slow_reference(metric, seed):
    vectors, labels = messy(seed)
    ours, expected = judge(vectors, labels, metric), slow(vectors, labels, metric)
    for name in ("silhouette", "a", "b"):
        assert ours.per_row[name].dtype == np.float32
        np.testing.assert_allclose(ours.per_row[name], expected[name], atol=1e-6)
    assert ours.per_row["second"].dtype == np.int32
    np.testing.assert_array_equal(ours.per_row["second"], expected["second"])
    values = expected["silhouette"]
    assert ours.scores[0].value == pytest.approx(np.nanmean(values), abs=1e-6)
    for cluster in range(5):
        own = values[labels == cluster]
        assert ours.per_cluster["size"][cluster] == len(own)
        assert ours.per_cluster["mean"][cluster] == pytest.approx(own.mean(), abs=1e-6)
        assert ours.per_cluster["negative_share"][cluster] == pytest.approx((own < 0).mean())


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("d", [2, 20])
def test_equals_scikit_learn(metric, d):
    """Of several tiles."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(1300, d)).astype(np.float32)
    vectors[100:400] = vectors[rng.integers(0, 5, 300)]  # many copies, across clusters too
    labels = rng.integers(0, 6, 1300)
    ours = judge(vectors, labels, metric)
    data = vectors.astype(np.float64)
    np.testing.assert_allclose(ours.per_row["silhouette"],
                               silhouette_samples(data, labels, metric=metric), atol=1e-6)
    assert ours.scores[0].value == pytest.approx(silhouette_score(data, labels, metric=metric),
                                                 abs=1e-6)


def test_large_offset_in_float32():
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1, 2], 100)
    vectors = (labels[:, None] * 2 + rng.normal(size=(300, 8)) + 1e6).astype(np.float32)
    centred = vectors.astype(np.float64) - 1e6
    np.testing.assert_allclose(judge(vectors, labels).per_row["silhouette"],
                               silhouette_samples(centred, labels), atol=1e-6)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize(("apart", "kind"), [(1e-2, np.float32), (1e-4, np.float32),
                                             (1e-6, np.float64)])
def test_tight_clusters_far_from_the_centre(apart, kind, metric):
    """Of which |x|^2 + |y|^2 - 2xy in single precision would say nothing; both where tiles hold
    one cluster each and where they hold all of them."""
    rng = np.random.default_rng(3)
    labels = np.repeat(np.arange(4), 300)
    vectors = (rng.normal(size=(4, 30))[labels] + apart * rng.normal(size=(1200, 30))).astype(kind)
    exact = vectors.astype(np.longdouble)
    for asked in (labels, np.arange(1200) % 3):
        ours = judge(vectors, asked, metric)
        some = np.arange(0, 1200, 60)
        if metric == "cosine":
            lengths = np.sqrt((exact**2).sum(axis=1))[:, None]
            far = ((exact[some, None] / lengths[some, None] - exact / lengths)**2).sum(axis=2) / 2
        else:
            far = np.sqrt(((exact[some, None] - exact)**2).sum(axis=2))
        sums = np.stack([far[:, asked == group].sum(axis=1) for group in range(asked.max() + 1)])
        sizes, here, own = np.bincount(asked), np.arange(len(some)), asked[some]
        a = sums[own, here] / (sizes[own] - 1)
        means = sums / sizes[:, None]
        means[own, here] = np.inf
        b = means.min(axis=0)
        np.testing.assert_allclose(ours.per_row["silhouette"][some],
                                   ((b - a) / np.maximum(a, b)).astype(float), atol=2e-6)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize(("sites", "size"), [(150, 4), (15, 40)])
def test_tight_clusters_side_by_side(sites, size, metric):
    """Two at each of many sites: a and b both are small against the rest of their tile, of which
    they are few pairs (taken from the differences) or many (taken in double precision)."""
    rng = np.random.default_rng(4)
    centers = rng.normal(size=(sites, 12)).repeat(2, axis=0)
    centers[1::2] += 4e-3 * rng.normal(size=(sites, 12))
    vectors = (centers.repeat(size, axis=0)
               + 2e-3 * rng.normal(size=(2 * sites * size, 12))).astype(np.float32)
    labels = np.arange(2 * sites).repeat(size)
    exact = vectors.astype(np.longdouble)
    if metric == "cosine":
        exact /= np.sqrt((exact**2).sum(axis=1))[:, None]
    expected = []
    for row in range(0, len(labels), 37):
        far = ((exact - exact[row])**2).sum(axis=1)
        far = far / 2 if metric == "cosine" else np.sqrt(far)
        own = labels[row]
        a = far[labels == own].sum() / (size - 1)
        b = far[labels == own + 1 - 2 * (own % 2)].mean()
        expected.append(float((b - a) / max(a, b)))
    np.testing.assert_allclose(judge(vectors, labels, metric).per_row["silhouette"][::37],
                               expected, atol=2e-6)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("scale", [1e-30, 1e14])
def test_tiny_and_huge_values(metric, scale):
    vectors, labels = messy()
    scaled = (vectors.astype(np.float64) * scale).astype(np.float32)
    np.testing.assert_allclose(judge(scaled, labels, metric).per_row["silhouette"],
                               judge(vectors, labels, metric).per_row["silhouette"], atol=2e-6)


def test_near_copies_far_from_the_centre():
    """|x|^2 + |y|^2 - 2xy alone would be wrong in the first digit here; so is scikit-learn."""
    vectors = np.array([[0, 1000], [0, 1000 + 1e-5], [3e-5, 1000], [4e-5, 1000], [9, -2000]])
    labels = np.array([0, 0, 1, 1, 2])
    expected = slow(vectors, labels, "euclidean")["silhouette"]
    np.testing.assert_allclose(judge(vectors, labels).per_row["silhouette"], expected, atol=1e-6)
    assert np.abs(silhouette_samples(vectors, labels) - expected).max() > 0.1


def test_by_hand():
    """On a line 0, 1 | 4, 6: a = 1, 1, 2, 2 and b = 5, 4, 3.5, 5.5."""
    result = judge(np.array([[0], [1], [4], [6]], np.float32), [0, 0, 1, 1])
    np.testing.assert_allclose(result.per_row["a"], [1, 1, 2, 2])
    np.testing.assert_allclose(result.per_row["b"], [5, 4, 3.5, 5.5])
    np.testing.assert_allclose(result.per_row["silhouette"], [4/5, 3/4, 1.5/3.5, 3.5/5.5])
    assert result.per_row["second"].tolist() == [1, 1, 0, 0]
    # Cosine: 0 and 90 degrees against 180 and 270: distances 1 - cos.
    square = np.array([[2, 0], [0, 3], [-1, 0], [0, -5]], np.float32)
    result = judge(square, [0, 0, 1, 1], "cosine")
    np.testing.assert_allclose(result.per_row["a"], 1, atol=1e-12)
    np.testing.assert_allclose(result.per_row["b"], 1.5)
    np.testing.assert_allclose(result.per_row["silhouette"], 1 / 3, rtol=1e-6)


def test_perfect_and_random_labels():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, 400)
    vectors = (np.eye(4)[truth] * 1000 + rng.normal(size=(400, 4))).astype(np.float32)
    assert judge(vectors, truth).scores[0].value > 0.99
    assert judge(vectors, (truth + 1) % 4).scores[0].value > 0.99
    assert abs(judge(rng.normal(size=(400, 4)), truth).scores[0].value) < 0.05
    copies = np.eye(4, dtype=np.float32)[truth]
    result = judge(copies, truth)
    assert (result.per_row["silhouette"] == 1).all()
    assert (result.per_row["a"] == 0).all()


def test_copies_in_two_clusters_are_between_them():
    result = judge(np.ones((6, 3), np.float32), [0, 0, 0, 1, 1, 1])
    assert (result.per_row["silhouette"] == 0).all()


@pytest.mark.parametrize(("labels", "words"), [
    ([0, 0, 0, 0], "one cluster"), ([-1, -1, -1, -1], "all 4 rows are noise"),
    ([0, 1, 2, 3], "cluster of its own"), ([0, 0, 0, -1], "one cluster"),
    ([0, 1, -1, -1], "cluster of its own"), ([], "no rows")])
def test_not_defined(labels, words):
    vectors = np.arange(2 * len(labels), dtype=np.float32).reshape(len(labels), 2)
    result = judge(vectors, np.array(labels, dtype=np.int32))
    score = result.scores[0]
    assert score.value is None
    assert words in score.why
    assert np.isnan(result.per_row["silhouette"]).all()
    assert (result.per_row["second"] == -1).all()
    assert np.isnan(result.per_cluster["mean"]).all()
    assert len(result.per_row["silhouette"]) == len(labels)


def test_zero_rows_have_no_cosine():
    vectors = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], np.float32)
    assert "1 all-zero" in judge(vectors, [0, 0, 1, 1], "cosine").scores[0].why
    assert judge(vectors, [-1, 0, 1, 1], "cosine").scores[0].value is not None


def test_the_score_says_what_it_is():
    vectors, labels = messy()
    score = judge(vectors, labels, "cosine").scores[0]
    noise = int((labels == -1).sum())
    assert (score.space, score.metric, score.better) == ("a space", "cosine", "higher")
    assert (score.sample, score.total, score.seed) == (60 - noise, 60, None)
    assert score.noise == f"{noise} noise rows left out"
    assert "1 cluster of one row" in judge(vectors, labels).notes[0]
    assert judges().get("silhouette") is Silhouette
    assert judge(vectors[:4], [0, 0, 1, 1]).scores[0].noise == "no noise rows"


def test_noise_changes_nothing_but_the_count():
    vectors, labels = messy()
    with_noise = judge(vectors, labels)
    kept = labels >= 0
    without = judge(vectors[kept], labels[kept])
    np.testing.assert_allclose(with_noise.per_row["silhouette"][kept],
                               without.per_row["silhouette"], atol=1e-6)


def test_cluster_numbers_may_have_gaps():
    vectors, _ = messy()
    labels = np.repeat([2, 7], 30)
    result = judge(vectors, labels)
    assert set(result.per_row["second"].tolist()) == {2, 7}
    assert result.per_cluster["size"].tolist() == [0, 0, 30, 0, 0, 0, 0, 30]
    assert np.isnan(result.per_cluster["mean"]).tolist() == [True] * 2 + [False] + [True] * 4 + [
        False]


def test_several_labelings_share_the_distances():
    vectors, labels = messy()
    rng = np.random.default_rng(5)
    every = [labels, np.zeros(60, int), rng.integers(-1, 7, 60), rng.integers(0, 2, 60)]
    together = Silhouette().judge_all(vectors, every, "cosine", "a space", silent)
    for one, judgement in zip(every, together, strict=True):
        alone = judge(vectors, one, "cosine")
        assert judgement.scores[0].why == alone.scores[0].why
        for name, values in alone.per_row.items():
            np.testing.assert_allclose(judgement.per_row[name], values, atol=1e-6)


@pytest.mark.parametrize("metric", METRICS)
def test_the_size_of_panels_does_not_matter(metric):
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(1700, 5)).astype(np.float32)
    every = [without_noise(rng.integers(-1, k, 1700)) for k in (3, 40)]
    whole = silhouettes(vectors, every, metric)
    pieces = silhouettes(vectors, every, metric, block_bytes=1)
    for one, other in zip(whole, pieces, strict=True):
        np.testing.assert_allclose(one.value, other.value, atol=1e-6)
        np.testing.assert_array_equal(one.second, other.second)


def test_memory_stays_within_the_budget():
    rng = np.random.default_rng(0)
    n, budget = 6000, 2**20
    vectors, kept = rng.normal(size=(n, 3)), without_noise(rng.integers(0, 300, n))
    silhouettes(vectors[:600], [without_noise(np.arange(600) % 5)], "euclidean")  # imports
    tracemalloc.start()
    silhouettes(vectors, [kept], "euclidean", block_bytes=budget)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 * budget  # all pairs are 137 of them in single precision, all sums 14


def test_reports_and_stops_between_tiles():
    rng = np.random.default_rng(0)
    vectors, labels = rng.normal(size=(2000, 5)), rng.integers(0, 5, 2000)
    seen = []
    judge(vectors, labels, progress=lambda fraction, text: seen.append(fraction))
    assert len(seen) > 9
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert 0.3 < np.median([fraction for fraction in seen if fraction]) < 0.7

    def stop(fraction, text):
        if fraction > 0.4:
            raise Cancelled

    with pytest.raises(Cancelled):
        judge(vectors, labels, progress=stop)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(METRICS), st.integers(4, 40), st.integers(2, 5),
       st.floats(1e-6, 1e6))
def test_laws(seed, metric, n, k, scale):
    """Renaming clusters, permuting rows and scaling change nothing; it stays in -1..1."""
    rng = np.random.default_rng(seed)
    vectors, labels = rng.normal(size=(n, 4)) + 0.5, rng.integers(-1, k, n)
    base = judge(vectors, labels, metric)
    values = base.per_row["silhouette"]
    assert np.nanmax(np.abs(values), initial=0) <= 1
    order, names = rng.permutation(n), rng.permutation(k)
    renamed = np.where(labels < 0, -1, names[labels])
    other = judge(vectors[order] * scale, renamed[order], metric)
    np.testing.assert_allclose(other.per_row["silhouette"], values[order], atol=2e-6)
    second = base.per_row["second"][order]
    np.testing.assert_array_equal(other.per_row["second"],
                                  np.where(second < 0, -1, names[second]))
