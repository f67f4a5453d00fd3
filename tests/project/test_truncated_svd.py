"""Truncated SVD against scikit-learn's, and what it declares about zero."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import TruncatedSVD as Reference

from explorer.errors import DataError, ParameterError
from explorer.project.truncated_svd import TruncatedSVD
from explorer.spec import Facts, silent

VECTORS = np.random.default_rng(0).gamma(1, size=(120, 9)).astype(np.float32)


@pytest.mark.parametrize("skip", [0, 1])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_equals_scikit_learn(dimensions: int, skip: int) -> None:
    found = TruncatedSVD.create(dimensions=dimensions, skip=skip).project(VECTORS, silent)
    oracle = Reference(dimensions + skip, algorithm="arpack").fit(VECTORS.astype(np.float64))
    points = oracle.transform(VECTORS.astype(np.float64))[:, skip:]
    signs = np.sign((points * found.points).sum(axis=0))
    np.testing.assert_allclose(found.points, points * signs, rtol=1e-5, atol=1e-5)
    energy = oracle.singular_values_**2 / np.square(VECTORS.astype(np.float64)).sum()
    np.testing.assert_allclose(found.extras["energy_ratio"][:len(energy)], energy, rtol=1e-6)
    np.testing.assert_allclose(found.extras["loadings"][:, :dimensions],
                               (oracle.components_[skip:] * signs[:, None]).T, atol=1e-6)
    assert found.axes[0].startswith(f"SV {skip + 1} (")


def test_zero_stays_where_it_is_and_a_shift_matters() -> None:
    rows = np.vstack([VECTORS, np.zeros((1, 9), dtype=np.float32)])
    np.testing.assert_array_equal(TruncatedSVD.create().project(rows, silent).points[-1], 0)
    assert TruncatedSVD.sees_origin
    plain = TruncatedSVD.create().project(VECTORS, silent).points
    moved = TruncatedSVD.create().project(VECTORS + 5, silent).points
    assert moved[:, 0].min() > plain[:, 0].max()


def test_refusals() -> None:
    with pytest.raises(DataError) as refused:
        TruncatedSVD.create().project(np.zeros((5, 3), dtype=np.float32), silent)
    assert refused.value.code == "ALL_ZERO"
    with pytest.raises(ParameterError) as odd:
        TruncatedSVD.create(skip=1).check(Facts(10, 2))
    assert odd.value.where.parameter == "skip"
