"""Uploaded vectors: every dtype widened, nothing lost in silence."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.encode.vectors import Vectors
from explorer.errors import DataError, ParameterError
from explorer.spec import silent
from explorer.store import Store
from explorer.values import Embedding
from tests.builders import build_dataset


def encode(store: Store, uploaded: np.ndarray, **parameters: object) -> Embedding:
    data = build_dataset(store, {}, matrices={"v": uploaded})
    found = Vectors.create(**parameters).encode(data, silent)
    assert found.vectors.dtype == np.float32
    return found


@pytest.mark.parametrize("kind", ["float16", "float32", "float64", "int8", "uint8", "int16",
                                  "int64", "bool"])
def test_every_kind_is_widened(store: Store, kind: str) -> None:
    uploaded = np.array([[0, 1, 0], [1, 0, 1], [1, 1, 0]]).astype(kind)
    if kind == "int8":
        uploaded[0, 0] = -100
    assert (encode(store, uploaded).vectors == uploaded.astype(np.float64)).all()


def test_missing_and_infinite_rows_are_left_out(store: Store) -> None:
    uploaded = np.ones((6, 2), dtype=np.float32)
    uploaded[1, 0], uploaded[4, 1] = np.nan, -np.inf
    found = encode(store, uploaded)
    assert found.rows.tolist() == [0, 2, 3, 5]
    assert "2 rows left out (missing or infinite values): rows 2, 5." in found.notes


def test_all_rows_missing(store: Store) -> None:
    with pytest.raises(DataError) as caught:
        encode(store, np.full((3, 2), np.nan))
    assert caught.value.code == "NO_VECTORS"


def test_values_beyond_single_precision(store: Store) -> None:
    uploaded = np.array([[1.0, 2.0], [1e39, 0.0], [3.0, 4.0]])
    found = encode(store, uploaded)
    assert found.rows.tolist() == [0, 2]
    assert "row 2" in " ".join(found.notes)
    with pytest.raises(DataError) as caught:
        encode(store, np.full((2, 2), 1e300))
    assert caught.value.code == "TOO_LARGE_VALUES"


@pytest.mark.parametrize("factor", [1.0, 1e300, 1e-300, 1.7e308])
def test_unit_length_at_any_magnitude(store: Store, factor: float) -> None:
    found = encode(store, np.array([[0.6, 0.8], [0.0, 0.0], [-1.0, 0.0]]) * factor,
                   normalize=True)
    np.testing.assert_allclose(found.vectors, [[0.6, 0.8], [-1, 0]], rtol=1e-6)
    assert found.rows.tolist() == [0, 2]


def test_a_large_offset_is_said_and_can_be_centred(store: Store) -> None:
    uploaded = np.array([[1e9, 5.0], [1e9 + 1, 6.0], [1e9 + 2, 7.0]])
    kept = encode(store, uploaded)
    assert "center" in " ".join(kept.notes)
    centred = encode(store, uploaded, center=True)
    np.testing.assert_allclose(centred.vectors, [[-1, -1], [0, 0], [1, 1]])
    assert "center" not in " ".join(encode(store, uploaded - [1e9, 0]).notes)


def test_the_column_can_be_named(store: Store) -> None:
    data = build_dataset(store, {"a": ["x", "y"]}, matrices={"v": np.zeros((2, 2)),
                                                             "w": np.ones((2, 3))})
    assert Vectors.offers(data) == {"column": ["", "v", "w"]}
    first = Vectors().encode(data, silent)
    assert first.vectors.shape == (2, 2)
    assert "Used v; not used: w." in first.notes
    assert Vectors(column="w").encode(data, silent).vectors.shape == (2, 3)
    assert [column.name for column in Vectors(column="w").columns(data)] == ["w"]
    with pytest.raises(ParameterError) as caught:
        Vectors(column="a").columns(data)
    assert caught.value.code == "NO_COLUMN"


def test_no_vectors(store: Store) -> None:
    with pytest.raises(DataError) as caught:
        Vectors().columns(build_dataset(store, {"a": [1]}))
    assert caught.value.code == "NO_VECTORS"


def test_blocks_join_without_a_seam(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    uploaded = np.random.default_rng(0).normal(size=(50, 4)) + 3
    whole = encode(store, uploaded, center=True, normalize=True).vectors
    monkeypatch.setattr("explorer.encode.unit._BLOCK_VALUES", 12)
    np.testing.assert_allclose(encode(store, uploaded, center=True, normalize=True).vectors, whole,
                               rtol=1e-5, atol=1e-7)


def test_whitening_is_scikit_learns(store: Store) -> None:
    from sklearn.decomposition import PCA

    draws = np.random.default_rng(0)
    uploaded = (draws.normal(size=(80, 5)) @ draws.normal(size=(5, 5)) + 3).astype(np.float32)
    found = encode(store, uploaded, whiten=True)
    oracle = PCA(whiten=True, svd_solver="full").fit_transform(uploaded.astype(np.float64))
    signs = np.sign((oracle * found.vectors).sum(axis=0))
    np.testing.assert_allclose(found.vectors, oracle * signs, atol=1e-4)
    assert "whitened to 5-d" in found.title
    flat = np.hstack([uploaded, uploaded[:, :2]])  # two directions without spread
    found = encode(store, flat, whiten=True, normalize=True)
    assert found.vectors.shape == (80, 5)
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1, rtol=1e-5)
    assert any("5 directions" in note for note in found.notes)
    with pytest.raises(DataError) as refused:
        encode(store, np.ones((4, 3), dtype=np.float32), whiten=True)
    assert refused.value.code == "IDENTICAL_ROWS"
