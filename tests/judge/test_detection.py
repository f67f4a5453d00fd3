"""Precision, recall and average precision against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    precision_recall_fscore_support,
)

from explorer.judge.detection import curve, found_beyond, line_of_share


@pytest.mark.parametrize("digits", [8, 1])  # 1: many equal scores
def test_curve_is_scikit_learns(digits):
    draws = np.random.default_rng(0)
    anomalous = draws.uniform(size=200) < 0.1
    scores = np.round(draws.normal(size=200) + 1.5 * anomalous, digits)
    found = curve(scores, anomalous)
    assert found.average_precision == pytest.approx(average_precision_score(anomalous, scores))
    precision, recall, lines = precision_recall_curve(anomalous, scores)
    np.testing.assert_allclose(found.lines[::-1], lines)
    np.testing.assert_allclose(found.precision[::-1], precision[:-1])
    np.testing.assert_allclose(found.recall[::-1], recall[:-1])
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-300)
    assert found.best() == lines[np.flatnonzero(f1[:-1] == f1[:-1].max())[-1]]


def test_at_a_line():
    draws = np.random.default_rng(1)
    anomalous = draws.uniform(size=150) < 0.2
    scores = np.round(draws.normal(size=150) + anomalous, 1)
    for line in (-1.0, 0.0, 0.7, 1.9):
        found = found_beyond(scores, anomalous, line)
        expected = precision_recall_fscore_support(anomalous, scores >= line, average="binary")
        assert (found.precision, found.recall, found.f1) == pytest.approx(expected[:3])
        assert found.beyond == np.count_nonzero(scores >= line)


def test_what_is_not_defined():
    scores = np.arange(4.0)
    none = curve(scores, np.zeros(4, dtype=bool))
    assert none.average_precision is None
    assert none.best() is None
    assert curve(scores, np.ones(4, dtype=bool)).average_precision is None
    beyond = found_beyond(scores, np.array([True, False, False, False]), 9.0)
    assert beyond.precision is None
    assert beyond.recall == 0
    assert beyond.f1 == 0
    nobody = found_beyond(scores, np.zeros(4, dtype=bool), 9.0)
    assert nobody.recall is None
    assert nobody.f1 is None


@pytest.mark.parametrize(("share", "count"), [(0.001, 1), (0.1, 2), (0.11, 3), (1.0, 20)])
def test_the_line_of_a_share_has_so_many_rows_beyond(share, count):
    scores = np.random.default_rng(0).permutation(20).astype(float)
    assert np.count_nonzero(scores >= line_of_share(scores, share)) == count
