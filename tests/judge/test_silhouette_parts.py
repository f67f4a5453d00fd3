"""The parts of the silhouette's arithmetic: tiles, Manhattan distances, another device."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.metrics import silhouette_samples

from explorer.judge import silhouette_device, silhouette_tiles
from explorer.judge.kept import without_noise
from explorer.judge.manhattan import manhattan_tile
from explorer.judge.silhouette_sums import ask, sum_distances
from explorer.spec import silent

SCIPY = {"euclidean": "euclidean", "cosine": "cosine", "manhattan": "cityblock"}


@pytest.mark.parametrize("d", [1, 5, 600])
def test_manhattan_distances(d):
    rng = np.random.default_rng(d)
    left, right = (rng.normal(size=(n, d)).astype(np.float32) for n in (7, 33))
    found = manhattan_tile(left, right)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, cdist(left, right, "cityblock"), rtol=2e-6)
    assert (np.diag(manhattan_tile(left, left)) == 0).all()


@pytest.mark.parametrize("metric", list(SCIPY))
@pytest.mark.parametrize("d", [3, 12])
def test_tiles_are_the_distances(metric, d):
    rng = np.random.default_rng(0)
    vectors = (rng.normal(size=(900, d)) + 3).astype(np.float32)
    labels = np.arange(900) % 2
    points = ask(vectors, [without_noise(labels)], metric).points
    rows, columns = slice(0, 512), slice(512, 900)
    tile = points.tile(rows, columns) * points.unit
    place = np.argsort(points.of_row)
    expected = cdist(vectors[place[rows]].astype(float), vectors[place[columns]].astype(float),
                     SCIPY[metric])
    np.testing.assert_allclose(tile, expected, rtol=3e-6)


def test_only_what_is_asked_for_is_summed():
    rng = np.random.default_rng(0)
    vectors, kept = rng.normal(size=(900, 4)), without_noise(rng.integers(-1, 3, 900))
    drawn = np.arange(0, len(kept.rows), 9)
    question = ask(vectors, [kept], "euclidean", [drawn])
    assert question.wanted == len(drawn)
    assert sorted(question.points.of_row[kept.rows[drawn]]) == list(range(len(drawn)))
    assert ask(vectors, [kept], "euclidean").wanted == len(kept.rows)


@pytest.mark.parametrize("metric", list(SCIPY))
def test_the_sums_of_a_device(metric, monkeypatch):
    """The code for a graphics card, run on the processor, is the same answer."""
    pytest.importorskip("torch")
    monkeypatch.setattr(silhouette_device, "_BLOCK_BYTES", 700_000)
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(900, 7)).astype(np.float32)
    vectors[:50] = vectors[50:100]
    every = [without_noise(rng.integers(-1, k, 900)) for k in (3, 5)]
    question = ask(vectors, every, metric)
    expected = next(iter(sum_distances(question, 10**9, silent))).sums
    panels = list(silhouette_device.sum_distances_on("cpu", question, silent))
    assert len(panels) > 5
    found = np.concatenate([panel.sums for panel in panels], axis=1)
    assert [panel.start for panel in panels[1:]] == [panel.stop for panel in panels[:-1]]
    np.testing.assert_allclose(found, expected, rtol=3e-6)


def test_the_graphics_card_of_this_machine(monkeypatch):
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no graphics card here")
    from explorer.judge.silhouette import silhouettes

    monkeypatch.setattr(silhouette_device, "_WORTH_PAIRS", 0)
    rng = np.random.default_rng(0)
    vectors, labels = rng.normal(size=(900, 7)), rng.integers(0, 4, 900)
    found = silhouettes(vectors, [without_noise(labels)], "euclidean")[0]
    order = np.argsort(labels, kind="stable")
    np.testing.assert_allclose(found.value, silhouette_samples(vectors, labels)[order], atol=1e-9)


def test_no_card_is_asked_for_small_work():
    question = ask(np.eye(5), [without_noise(np.array([0, 0, 1, 1, 1]))], "euclidean")
    assert silhouette_device.free_card(question) == ""


def test_copies_are_found_by_digest_or_at_length():
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 3, (2000, 4)).astype(np.float32)
    rows[rows == 0] *= rng.choice([-1, 1], (rows == 0).sum())
    part = np.arange(5, 2000)
    found = [silhouette_tiles._different(rows, part, silent),
             silhouette_tiles._different_at_length(rows, part)]
    for first, point in found:
        assert len(first) == 81
        np.testing.assert_array_equal(rows[part[first]][point], rows[part])
    np.testing.assert_array_equal(np.sort(found[0][0]), np.sort(found[1][0]))


def test_two_rows_with_one_digest_stay_two(monkeypatch):
    monkeypatch.setattr(np.random, "default_rng", lambda seed: SameNumbers())
    rows = np.array([[1, 2], [2, 1], [1, 2]], dtype=np.float32)
    first, point = silhouette_tiles._different(rows, np.arange(3), silent)
    assert len(first) == 2
    assert point[0] == point[2] != point[1]


class SameNumbers:
    """A generator whose multipliers are all 1, so that a digest forgets the order."""

    def integers(self, high, size, dtype):
        return np.zeros(size, dtype=dtype)
