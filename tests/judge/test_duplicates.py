"""Groups of near-duplicates, against comparing every pair."""

import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist

from explorer.judge import duplicates
from explorer.judge.duplicates import (
    find_nearby,
    group_rows,
    keepers,
    same_content,
    usual_threshold,
)
from explorer.values import by_size


@pytest.fixture(scope="module")
def rows():
    """Clumps of 1 to 40 rows around far centres, some rows copied."""
    draws = np.random.default_rng(5)
    clumps = [center + 0.02 * draws.normal(size=(size, 4))
              for center, size in zip(draws.normal(size=(25, 4)) * 9 + 30,
                                      [40, 25, *range(1, 24)], strict=True)]
    found = np.vstack(clumps).astype(np.float32)
    return np.vstack([found, found[:7], found[:3]])


def slow_groups(rows, threshold, metric):
    far = cdist(rows.astype(np.float64), rows.astype(np.float64), metric)
    labels = connected_components(far <= threshold, directed=False)[1]
    sizes = np.bincount(labels)
    return by_size(np.where(sizes[labels] > 1, labels, -1))


@pytest.mark.parametrize("threshold", [0.0, 0.01, 0.05, 0.5, 100.0])
@pytest.mark.parametrize("block", [500, 4_000_000])
def test_groups_are_the_connected_rows(rows, threshold, block, monkeypatch):
    monkeypatch.setattr(duplicates, "_BLOCK_VALUES", block)
    found = group_rows(rows, find_nearby(rows, "euclidean"), threshold)
    np.testing.assert_array_equal(found, slow_groups(rows, threshold, "euclidean"))


def test_groups_by_direction(rows):
    longer = rows * np.linspace(1, 3, len(rows), dtype=np.float32)[:, None]
    found = group_rows(longer, find_nearby(longer, "cosine"), 1e-5)
    np.testing.assert_array_equal(found, slow_groups(longer, 1e-5, "cosine"))


def test_the_nearest_other_row_and_the_copies(rows):
    nearby = find_nearby(rows, "euclidean")
    far = cdist(rows.astype(np.float64), rows.astype(np.float64))
    np.fill_diagonal(far, np.inf)
    np.testing.assert_allclose(nearby.nearest, far.min(axis=1), atol=1e-6)
    same = (rows[:, None] == rows[None]).all(axis=2).sum(axis=1)
    np.testing.assert_array_equal(nearby.copies, same)
    different = rows[:-10]
    own = cdist(different.astype(np.float64), different.astype(np.float64))
    np.fill_diagonal(own, np.inf)
    assert usual_threshold(nearby, 0.25) == pytest.approx(np.median(own.min(axis=1)) / 4, rel=1e-5)


def test_one_of_each_group_is_kept_the_nearest_to_its_mean(rows):
    groups = group_rows(rows, find_nearby(rows, "euclidean"), 0.05)
    kept = keepers(rows, groups, "euclidean")
    assert not kept[groups < 0].any()
    for group in range(groups.max() + 1):
        members = np.flatnonzero(groups == group)
        own = rows[members].astype(np.float64)
        far = np.linalg.norm(own - own.mean(axis=0), axis=1)
        assert members[kept[members]].tolist() == [members[far.argmin()]]


def test_nothing_but_copies_and_a_single_row():
    same = np.ones((4, 2), dtype=np.float32)
    nearby = find_nearby(same, "euclidean")
    assert nearby.near is None
    assert usual_threshold(nearby, 0.25) == 0
    assert group_rows(same, nearby, 0.0).tolist() == [0] * 4
    alone = find_nearby(same[:1], "euclidean")
    assert np.isnan(alone.nearest).all()
    assert group_rows(same[:1], alone, 1.0).tolist() == [-1]


def test_contents_are_compared_byte_by_byte():
    assert same_content([b"a", b"b", b"a", b"", b"", b"a"]).tolist() == [3, 1, 3, 1, 1, 3]
