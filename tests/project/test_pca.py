"""PCA against scikit-learn's full solver."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.errors import Cancelled, DataError, ParameterError
from explorer.project import pca as module
from explorer.project.pca import PCA
from explorer.spec import silent
from explorer.values import facts_of


def made(n: int, d: int) -> np.ndarray:
    """n x d float32 with falling spreads and an offset, so that no two directions are alike."""
    draws = np.random.default_rng(n + d)
    spreads = 0.7 ** np.arange(d)
    turn = np.linalg.qr(draws.normal(size=(d, d))).Q
    return ((draws.normal(size=(n, d)) * spreads) @ turn + 5).astype(np.float32)


@pytest.mark.parametrize("route", ["svd", "gram"])
@pytest.mark.parametrize(("n", "d"), [(300, 20), (30, 60), (50, 50), (10, 3)])
@pytest.mark.parametrize("whiten", [False, True])
def test_equals_scikit_learn(route: str, n: int, d: int, whiten: bool,
                             monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn.decomposition import PCA as Reference

    monkeypatch.setattr(module, "_SVD_UP_TO", 1e12 if route == "svd" else 0)
    monkeypatch.setattr(module, "_BLOCK_BYTES", 8 * 20 * 7)
    vectors = made(n, d)
    found = PCA.create(dimensions=3, whiten=whiten).project(vectors, silent)
    reference = Reference(n_components=min(n, d), whiten=whiten, svd_solver="full")
    points = reference.fit_transform(vectors.astype(np.float64))[:, :3]
    signs = np.sign((points * found.points).sum(axis=0))
    np.testing.assert_allclose(found.points, points * signs, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found.extras["loadings"][:, :3],
                               reference.components_[:3].T * signs, atol=1e-6)
    assert found.extras["loadings"].shape == (d, min(n - 1, d, 8))
    shares = found.extras["explained_variance_ratio"]
    assert len(shares) == min(n, d, 50)
    np.testing.assert_allclose(shares, reference.explained_variance_ratio_[:50], atol=1e-9)
    assert found.points.dtype == np.float32
    assert found.axes[0] == f"PC 1 ({100 * shares[0]:.1f} %)"


@pytest.mark.parametrize("limit", [0, 1e12])
def test_rows_in_another_order_give_the_same_points(limit: float,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SVD_UP_TO", limit)
    vectors = made(200, 12)
    order = np.random.default_rng(0).permutation(200)
    points = PCA.create().project(vectors, silent).points
    turned = PCA.create().project(vectors[order], silent).points
    np.testing.assert_allclose(turned, points[order], rtol=1e-6, atol=1e-6)


def test_an_axis_keeps_its_side_when_loadings_are_equal() -> None:
    spread = np.random.default_rng(1).normal(size=100)
    vectors = np.stack([spread, -spread, 0.1 * spread ** 2], axis=1).astype(np.float32)
    loadings = PCA.create().project(vectors, silent).extras["loadings"]
    turned = PCA.create().project(vectors[::-1], silent).extras["loadings"]
    assert loadings[0, 0] > 0
    np.testing.assert_allclose(loadings, turned, atol=1e-7)


def test_a_large_offset_costs_nothing() -> None:
    plain = np.round(made(200, 8) * 64) / 64
    moved = (plain + 2.0 ** 17).astype(np.float32)
    points = PCA.create().project(plain, silent).points
    np.testing.assert_allclose(PCA.create().project(moved, silent).points, points, atol=1e-5)


def test_named_refusals() -> None:
    flat = np.full((20, 4), 0.1, dtype=np.float32)
    cases = [(flat, {}, "IDENTICAL_ROWS"), (made(20, 4)[:, :1], {}, "TOO_FEW_COLUMNS"),
             (made(20, 4)[:2], {}, "TOO_FEW_ROWS"), (made(20, 4)[:, :2], {"dimensions": 3},
                                                     "OUT_OF_RANGE")]
    for vectors, parameters, code in cases:
        with pytest.raises((DataError, ParameterError)) as error:
            PCA.create(**parameters).check(facts_of(vectors))
        assert error.value.code == code
    for vectors, code in [(flat, "IDENTICAL_ROWS"), (flat[:, :1], "TOO_FEW_COLUMNS")]:
        with pytest.raises(DataError) as error:
            PCA.create().project(vectors, silent)
        assert error.value.code == code


def test_progress_stops_and_input_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SVD_UP_TO", 0)
    monkeypatch.setattr(module, "_BLOCK_BYTES", 8 * 12 * 50)
    vectors = made(200, 12)
    before = vectors.copy()
    vectors.setflags(write=False)
    heard: list[float] = []
    PCA.create().project(vectors, lambda fraction, text: heard.append(fraction))
    np.testing.assert_array_equal(vectors, before)
    assert heard == sorted(heard)
    assert len(heard) > 8
    assert heard[-1] == 1.0

    def stop(fraction: float, text: str) -> None:
        if fraction > 0.3:
            raise Cancelled

    with pytest.raises(Cancelled):
        PCA.create().project(vectors, stop)


def test_shuffled_columns_explain_what_chance_does() -> None:
    from sklearn.decomposition import PCA as Reference

    draws = np.random.default_rng(0)
    vectors = draws.normal(size=(300, 6))
    vectors[:, :3] += 3 * draws.normal(size=(300, 1))
    method = PCA.create(shuffles=20, shuffle_seed=5)
    heard: list[float] = []
    found = method.project(vectors.astype(np.float32), lambda share, _: heard.append(share))
    real, chance = found.extras["explained_variance_ratio"], found.extras["shuffled_ratio"]
    assert (real > chance).tolist() == [True] + [False] * 5  # one common factor
    again = np.random.default_rng(5)
    shares = []
    for _ in range(20):
        mixed = again.permuted(vectors.astype(np.float32), axis=0).astype(np.float64)
        shares.append(Reference(svd_solver="full").fit(mixed).explained_variance_ratio_)
    np.testing.assert_allclose(chance, np.quantile(shares, 0.95, axis=0), rtol=1e-6)
    assert heard == sorted(heard)
    plain = PCA.create().project(vectors.astype(np.float32), silent)
    np.testing.assert_array_equal(found.points, plain.points)
