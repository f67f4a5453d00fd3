"""Probes against scikit-learn on the same folds, the interval against its formula by hand."""

import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import balanced_accuracy_score, f1_score, r2_score
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from explorer.judge.probe import (
    STRENGTHS,
    Folds,
    Interval,
    accuracies,
    average,
    balanced,
    corrected_interval,
    determinations,
    draw_folds,
    linear_classes,
    linear_numbers,
    macro_f1,
    nearest_outside,
    same_vectors,
    vote,
)
from explorer.spec import silent


@pytest.fixture(scope="module")
def iris():
    found = load_iris()
    noise = np.random.default_rng(0).normal(scale=0.35, size=found.data.shape)
    return (found.data + noise).astype(np.float32), found.target.astype(np.int32)


@pytest.fixture(scope="module")
def folds(iris):
    vectors, codes = iris
    return draw_folds(same_vectors(vectors), codes, 4, 2, seed=3)


def by_fold(fit, vectors, wanted, folds):
    answers = np.empty(folds.assigned.shape)
    for repeat, fold in folds.splits:
        tested = folds.assigned[repeat] == fold
        answers[repeat, tested] = fit().fit(vectors[~tested], wanted[~tested]).predict(
            vectors[tested])
    return answers


def test_classes_equal_scikit_learn(iris, folds):
    vectors, codes = iris
    linear = linear_classes(vectors, codes, folds, 1.0, 500, silent)
    near = vote(codes, nearest_outside(vectors, folds, 7, "euclidean", silent))
    for probed, fit in (
            (linear, lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))),
            (near, lambda: KNeighborsClassifier(7, algorithm="brute"))):
        answers = by_fold(fit, vectors.astype(np.float64), codes, folds)
        np.testing.assert_array_equal(probed.answers.argmax(axis=2), answers)
        np.testing.assert_allclose(probed.answers.sum(axis=2), 1, atol=1e-5)
        expected = [(answers[repeat] == codes)[folds.assigned[repeat] == fold].mean()
                    for repeat, fold in folds.splits]
        np.testing.assert_allclose(accuracies(codes, probed, folds), expected)
        assert balanced(codes, probed) == pytest.approx(
            np.mean([balanced_accuracy_score(codes, answer) for answer in answers]))
        assert macro_f1(codes, probed) == pytest.approx(
            np.mean([f1_score(codes, answer, average="macro") for answer in answers]))
    tested = folds.assigned[1] == 2  # standardised by the training rows, not by those tested
    fit = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(
        vectors[~tested], codes[~tested])
    np.testing.assert_allclose(linear.answers[1, tested], fit.predict_proba(vectors[tested]),
                               atol=2e-3)
    assert linear.stuck == 0
    assert linear_classes(vectors, codes, folds, 1e6, 2, silent).stuck == len(folds.splits)


def test_numbers_equal_scikit_learn(iris, folds):
    vectors, wanted = iris[0][:, :3], iris[0][:, 3].astype(np.float64)
    linear = linear_numbers(vectors, wanted, folds, 0.5, silent)
    near = average(wanted, nearest_outside(vectors, folds, 4, "euclidean", silent))
    for probed, fit in ((linear, lambda: make_pipeline(StandardScaler(), Ridge(alpha=2.0))),
                        (near, lambda: KNeighborsRegressor(4, algorithm="brute"))):
        answers = by_fold(fit, vectors.astype(np.float64), wanted, folds)
        np.testing.assert_allclose(probed.answers, answers, atol=1e-5)
        expected = [r2_score(wanted[folds.assigned[repeat] == fold],
                             answers[repeat][folds.assigned[repeat] == fold])
                    for repeat, fold in folds.splits]
        np.testing.assert_allclose(determinations(wanted, probed, folds), expected, atol=1e-5)


def test_copies_share_a_fold_and_never_vote_for_each_other(iris):
    vectors, codes = iris
    copied, known = np.repeat(vectors, 3, axis=0), np.repeat(codes, 3)
    units = same_vectors(copied)
    assert len(np.unique(units)) == len(np.unique(vectors, axis=0))
    folds = draw_folds(units, known, 5, 2, seed=0)
    for assigned in folds.assigned:
        for unit in range(units.max() + 1):
            assert len(np.unique(assigned[units == unit])) == 1
        for code in range(3):  # stratified, but for the copies
            shares = np.bincount(assigned[known == code], minlength=5) / (known == code).sum()
            assert np.abs(shares - 0.2).max() < 0.03
    near = nearest_outside(copied, folds, 5, "euclidean", silent)
    for repeat, assigned in enumerate(folds.assigned):
        assert (assigned[near[repeat]] != assigned[:, None]).all()


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_many_copies_are_searched_by_brute_force(metric):
    draws = np.random.default_rng(1)
    few = draws.normal(size=(6, 3)).astype(np.float32)
    vectors = np.concatenate([np.repeat(few[:1], 80, axis=0), few[1:],
                              draws.normal(size=(30, 3)).astype(np.float32)])
    folds = draw_folds(same_vectors(vectors), None, 3, 1, seed=0)
    near = nearest_outside(vectors, folds, 4, metric, silent)
    points = vectors.astype(np.float64)
    if metric == "cosine":
        points /= np.linalg.norm(points, axis=1, keepdims=True)
    for row in range(len(vectors)):
        outside = np.flatnonzero(folds.assigned[0] != folds.assigned[0][row])
        apart = np.linalg.norm(points[outside] - points[row], axis=1)
        np.testing.assert_allclose(np.linalg.norm(points[near[0, row]] - points[row], axis=1),
                                   np.sort(apart)[:4], atol=1e-6)


def test_labels_without_meaning_are_not_predicted():
    draws = np.random.default_rng(5)
    vectors = draws.normal(size=(400, 10)).astype(np.float32)
    codes = draws.integers(0, 4, 400).astype(np.int32)
    folds = draw_folds(same_vectors(vectors), codes, 5, 2, seed=0)
    found = corrected_interval(accuracies(codes, linear_classes(
        vectors, codes, folds, 1.0, 300, silent), folds), 5, 0.0)
    assert found.low < 0.25 < found.high


def test_interval_is_nadeau_and_bengios():
    scores = np.array([0.8, 0.9, 0.85, 0.7, 0.95, 0.88, 0.81, 0.79, 0.9, 0.86])
    found = corrected_interval(scores, 5)
    # n_test / n_train of 5 folds is 1/4; 10 scores.
    half = stats.t.ppf(0.975, 9) * np.sqrt((0.1 + 0.25) * scores.var(ddof=1))
    assert found.mean == pytest.approx(scores.mean())
    assert found.low == pytest.approx(scores.mean() - half)
    assert found.high == pytest.approx(min(1.0, scores.mean() + half))
    assert corrected_interval(np.ones(10), 5) == Interval(1.0, None, None)
    assert np.isnan(corrected_interval(np.array([np.nan]), 5).mean)
    assert Folds(np.zeros((2, 3), dtype=np.int32), 2).splits == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_strength_is_chosen_on_training_rows_only():
    draws = np.random.default_rng(2)
    codes = np.repeat([0, 1], 60).astype(np.int32)
    vectors = draws.normal(size=(120, 80)).astype(np.float32)
    vectors[:, 0] += 2.5 * codes  # one column tells, 79 mislead
    folds = draw_folds(same_vectors(vectors), codes, 4, 1, seed=0)
    tested = folds.assigned[0] == 0
    chosen = linear_classes(vectors, codes, folds, None, 500, silent)
    loose = linear_classes(vectors, codes, folds, 10.0, 500, silent)
    assert accuracies(codes, chosen, folds).mean() >= accuracies(codes, loose, folds).mean()
    turned = np.where(tested, 1 - codes, codes).astype(np.int32)
    again = linear_classes(vectors, turned, folds, None, 500, silent)
    # the tested rows' own labels change nothing of what is predicted for them
    np.testing.assert_array_equal(chosen.answers[0, tested], again.answers[0, tested])
    every = [linear_classes(vectors, codes, folds, c, 500, silent).answers[0, tested]
             for c in STRENGTHS]
    assert any(np.array_equal(chosen.answers[0, tested], answers) for answers in every)
    numbers = linear_numbers(vectors, vectors[:, 0].astype(np.float64), folds, None, silent)
    assert determinations(vectors[:, 0], numbers, folds).mean() > 0.8
