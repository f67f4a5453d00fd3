"""Kernel PCA against scikit-learn called directly."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_circles
from sklearn.decomposition import KernelPCA as Direct

from explorer.errors import Cancelled, DataError
from explorer.flight import after_projecting
from explorer.project import kernel_pca
from explorer.project.kernel_pca import KernelPCA
from explorer.spec import Facts, silent
from explorer.values import facts_of


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    draws = np.random.default_rng(3)
    return ((draws.normal(size=(250, 6)) + 3 * draws.integers(3, size=(250, 1)))
            * 0.8 ** np.arange(6)).astype(np.float32)


@pytest.mark.parametrize("dense", [1000, 0])
@pytest.mark.parametrize(("width", "dimensions"), [(0.5, 2), (0.2, 3), (3.0, 2)])
def test_equals_scikit_learn(vectors: np.ndarray, dense: int, width: float, dimensions: int,
                             monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_pca, "_DENSE_UP_TO", dense)
    monkeypatch.setattr(kernel_pca, "_BLOCK_ROWS", 37)
    found = KernelPCA(width=width, dimensions=dimensions).project(vectors, silent)
    wide = vectors.astype(np.float64)
    usual = 2 * wide.var(axis=0).sum()
    direct = Direct(n_components=None, kernel="rbf", gamma=1 / (2 * width**2 * usual),
                    eigen_solver="dense").fit(wide)
    points = direct.transform(wide)[:, :dimensions]
    signs = np.sign((points * found.points).sum(axis=0))
    np.testing.assert_allclose(found.points, points * signs, atol=1e-5)
    shares = direct.eigenvalues_[:dimensions] / direct.eigenvalues_.sum()
    np.testing.assert_allclose(found.extras["explained_variance_ratio"], shares, rtol=1e-6)
    assert found.axes[0] == f"kernel PC 1 ({100 * shares[0]:.1f} %)"
    after_projecting(found, vectors, facts_of(vectors))


def test_lays_rings_apart_in_any_unit() -> None:
    rings, inner = make_circles(400, factor=0.3, noise=0.03, random_state=0)
    found = KernelPCA(width=0.25).project(rings.astype(np.float32), silent).points
    from sklearn.linear_model import LogisticRegression

    assert LogisticRegression().fit(found, inner).score(found, inner) > 0.98
    assert LogisticRegression().fit(rings, inner).score(rings, inner) < 0.7
    far = KernelPCA(width=0.25).project((rings * 1e-12 + 3).astype(np.float64), silent).points
    np.testing.assert_allclose(np.abs(far), np.abs(found), atol=5e-3)


def test_bounds_and_stopping(vectors: np.ndarray) -> None:
    with pytest.raises(DataError) as many:
        KernelPCA().check(Facts(10_001, 5))
    assert many.value.code == "TOO_MANY_ROWS"
    with pytest.raises(DataError) as alike:
        KernelPCA().project(np.ones((9, 3), dtype=np.float32), silent)
    assert alike.value.code == "IDENTICAL_ROWS"

    def stop(fraction: float, text: str) -> None:
        if fraction > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        KernelPCA().project(vectors, stop)
