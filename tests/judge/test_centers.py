"""Distances to centres against one row at a time."""

import numpy as np
import pytest

from explorer.judge import centers
from explorer.judge.centers import distances_to_center, distances_to_centers


def slow(vectors, labels, metric):
    far = []
    for row, label in zip(vectors.astype(float), labels, strict=True):
        members = [other for other, at in zip(vectors.astype(float), labels, strict=True)
                   if at == label]
        if label < 0:
            far.append(np.nan)
        elif metric == "cosine":
            unit = [other / (np.linalg.norm(other) or 1) for other in members]
            middle = np.mean(unit, axis=0)
            lengths = np.linalg.norm(row) * np.linalg.norm(middle)
            far.append(1 - row @ middle / lengths if lengths else 1.0)
        elif metric == "manhattan":
            far.append(np.abs(row - np.mean(members, axis=0)).sum())
        else:
            far.append(np.linalg.norm(row - np.mean(members, axis=0)))
    return np.array(far)


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "manhattan"])
def test_equal_the_slow_way_over_several_blocks_and_gaps_in_the_labels(metric, monkeypatch):
    monkeypatch.setattr(centers, "_BLOCK", 7)
    draws = np.random.default_rng(3)
    vectors = draws.normal(size=(60, 4)).astype(np.float32)
    vectors[5] = 0
    labels = draws.choice([-1, 0, 3, 11], 60)
    found = distances_to_centers(vectors, labels, metric)
    np.testing.assert_allclose(found, slow(vectors, labels, metric), atol=1e-12)
    np.testing.assert_allclose(distances_to_center(vectors, metric),
                               slow(vectors, np.zeros(60), metric), atol=1e-12)


def test_far_from_the_origin_small_differences_stay():
    vectors = np.array([[4e6, 0], [4e6 + 1, 0], [4e6 + 5, 0]], dtype=np.float32)
    found = distances_to_centers(vectors, np.zeros(3, dtype=int), "euclidean")
    np.testing.assert_allclose(found, [2, 1, 3])


def test_nothing_is_no_trouble():
    assert len(distances_to_center(np.empty((0, 3), dtype=np.float32), "cosine")) == 0
