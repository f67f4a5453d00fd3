"""Neighbours in common between embeddings, against all pairs written out."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from explorer import shared_neighbors, values
from explorer.errors import DataError
from explorer.shared_neighbors import compute, shared_step
from explorer.spec import silent
from explorer.values import Embedding, Finding


def kept(store, name, vectors, rows=None):
    rows = np.arange(len(vectors)) if rows is None else rows
    key = name * 32
    values.save(store, key, Embedding(vectors.astype(np.float32), rows.astype(np.int64), name), {})
    return key


def reference(first, second, count, metric, rows=None):
    """Per row the share of its nearest that both have, ties to the earlier row."""
    shares = []
    tables = [cdist(vectors, vectors, metric) for vectors in (first, second)]
    for row in range(len(first)) if rows is None else rows:
        near = [[at for at in np.argsort(table[row], kind="stable") if at != row][:count]
                for table in tables]
        shares.append(len(set(near[0]) & set(near[1])) / count)
    return np.array(shares)


def found(store, keys, n, count, metric="euclidean"):
    step = shared_step(dict.fromkeys(keys, 4), n, count, metric)
    compute(step.payload, store, silent)
    finding = values.read(Finding, store.get(step.key))
    return [line["key"] for line in finding.tables["embeddings"]], finding


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_every_pair_as_written_out(store, metric):
    rng = np.random.default_rng(0)
    made = [rng.normal(size=(50, width)) for width in (4, 3, 2)]
    made[1][:, :2] = made[0][:, :2]
    keys = [kept(store, name, one) for name, one in zip("abc", made, strict=True)]
    order, finding = found(store, keys, 50, 7, metric)
    shared = finding.extras["shared"]
    for first in range(3):
        for second in range(3):
            value = shared[order.index(keys[first]), order.index(keys[second])]
            expected = reference(*(one.astype(np.float32) for one in (made[first], made[second])),
                                 7, metric).mean()
            assert value == pytest.approx(expected), (first, second)
    np.testing.assert_array_equal(shared, finding.extras["low"])  # all rows: exact
    assert np.diag(shared).tolist() == [1, 1, 1]
    assert finding.extras["measured"].tolist() == finding.extras["among"].tolist() == [50]


def test_only_rows_that_all_have_take_part(store):
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(2, 40, 3))
    rows = np.flatnonzero(np.arange(40) % 5 != 0)
    keys = [kept(store, "a", first), kept(store, "b", second[rows], rows)]
    _, finding = found(store, keys, 40, 5)
    expected = reference(first[rows].astype(np.float32), second[rows].astype(np.float32), 5,
                         "euclidean").mean()
    assert finding.extras["shared"][0, 1] == pytest.approx(expected)
    assert finding.extras["among"].tolist() == [32]
    assert any("8 rows" in note for note in finding.notes)


def test_rows_that_one_or_the_other_lacks_are_all_counted(store):
    vectors = np.random.default_rng(1).normal(size=(20, 3))
    rows = [np.delete(np.arange(20), gap) for gap in (3, 7)]
    keys = [kept(store, name, vectors[one], one) for name, one in zip("ab", rows, strict=True)]
    _, finding = found(store, keys, 20, 5)
    assert any("2 rows" in note for note in finding.notes)


def test_many_rows_are_sampled_with_an_interval(store, monkeypatch):
    monkeypatch.setattr(shared_neighbors, "EXACT_UP_TO", 60)
    monkeypatch.setattr(shared_neighbors, "SAMPLE", 40)
    first, second = np.random.default_rng(2).normal(size=(2, 90, 3))
    second[:, :2] = first[:, :2]
    keys = [kept(store, "a", first), kept(store, "b", second)]
    _, finding = found(store, keys, 90, 6)
    rows = np.sort(np.random.default_rng(shared_neighbors.SEED).choice(90, 40, replace=False))
    expected = reference(first.astype(np.float32), second.astype(np.float32), 6, "euclidean", rows)
    half = 1.959963984540054 * expected.std(ddof=1) * np.sqrt((1 - 40 / 90) / 40)
    for name, value in (("shared", expected.mean()), ("low", expected.mean() - half),
                        ("high", expected.mean() + half)):
        assert finding.extras[name][0, 1] == pytest.approx(value)
    assert finding.extras["measured"].tolist() == [40]


def test_one_more_embedding_searches_only_its_own(store, monkeypatch):
    made = np.random.default_rng(3).normal(size=(3, 30, 3))
    keys = [kept(store, name, one) for name, one in zip("abc", made, strict=True)]
    found(store, keys[:2], 30, 4)
    asked = []
    true = shared_neighbors.nearest_of
    monkeypatch.setattr(shared_neighbors, "nearest_of",
                        lambda *given: asked.append(1) or true(*given))
    found(store, keys, 30, 4)
    assert len(asked) == 1


def test_without_a_direction_it_is_not_defined_and_said(store):
    first, second = np.random.default_rng(4).normal(size=(2, 20, 3))
    second[3] = 0
    keys = [kept(store, "a", first), kept(store, "b", second)]
    _, finding = found(store, keys, 20, 4, "cosine")
    assert np.isnan(finding.extras["shared"][0, 1])
    assert any(note.startswith("b: Cosine distance") for note in finding.notes)


def test_too_few_rows_in_common(store):
    keys = [kept(store, "a", np.eye(4)), kept(store, "b", np.eye(4)[:3])]
    with pytest.raises(DataError, match="at least 4 rows that every encoder has, got 3"):
        found(store, keys, 4, 3)
