"""ICA against scikit-learn called directly, and against sources that were mixed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import FastICA

from explorer.errors import Cancelled, DataError
from explorer.flight import after_projecting
from explorer.project.ica import ICA
from explorer.spec import silent
from explorer.values import facts_of


def mixed(n: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    """Sources (a spiky one, a flat one, bell-shaped ones) and their mixture in 7 columns."""
    draws = np.random.default_rng(0)
    sources = np.column_stack([draws.laplace(size=n) ** 3, draws.uniform(-1, 1, size=n),
                               draws.normal(size=(n, 2))])
    sources = (sources - sources.mean(axis=0)) / sources.std(axis=0)
    return sources, (sources @ draws.normal(size=(4, 7)) + 5).astype(np.float32)


@pytest.mark.parametrize("change", [{"components": 4}, {"components": 3, "contrast": "cube"},
                                    {"components": 4, "dimensions": 3, "seed": 7}])
def test_equals_scikit_learn(change: dict[str, Any]) -> None:
    _, vectors = mixed()
    method = ICA.create(**change)
    found = method.project(vectors, silent)
    direct = FastICA(method.components, whiten="unit-variance", whiten_solver="svd",
                     fun=method.contrast, max_iter=2000, tol=1e-9, random_state=1).fit_transform(
                         vectors.astype(np.float64))
    for axis in range(2):  # the bell-shaped ones are any
        match = np.abs(np.corrcoef(found.points[:, axis], direct.T)[0, 1:])
        assert match.max() > 0.999
    np.testing.assert_allclose(found.points.std(axis=0), 1, rtol=1e-2)


def test_finds_the_sources_the_least_bell_shaped_first() -> None:
    sources, vectors = mixed()
    found = ICA(components=4).project(vectors, silent)
    assert abs(np.corrcoef(found.points[:, 0], sources[:, 0])[0, 1]) > 0.99
    assert abs(np.corrcoef(found.points[:, 1], sources[:, 1])[0, 1]) > 0.98
    kurtosis = found.extras["excess_kurtosis"]
    assert (np.diff(np.abs(kurtosis)) <= 0).all()
    assert kurtosis[0] > 10
    assert kurtosis[1] == pytest.approx(-1.2, abs=0.1)  # of a uniform source
    after_projecting(found, vectors, facts_of(vectors))


def test_loadings_rebuild_the_columns_and_whitening_is_an_option() -> None:
    _, vectors = mixed()
    found = ICA(components=4, dimensions=3).project(vectors, silent)
    wide = ICA(components=4, dimensions=3, whiten=False).project(vectors, silent)
    lengths = np.linalg.norm(found.extras["loadings"], axis=0)
    np.testing.assert_allclose(wide.points, found.points * lengths, rtol=1e-4, atol=1e-5)
    centred = vectors - vectors.mean(axis=0, dtype=np.float64)
    slopes = centred.T @ found.points / (found.points.astype(float) ** 2).sum(axis=0)
    np.testing.assert_allclose(slopes, found.extras["loadings"], atol=1e-3)
    peaks = np.argmax(np.abs(slopes), axis=0)
    assert (slopes[peaks, range(3)] > 0).all()


def test_fewer_directions_than_axes_are_said() -> None:
    line = np.outer(np.arange(30) ** 2, [1.0, 2.0, 3.0]).astype(np.float32)
    found = ICA().project(line, silent)
    assert not found.points[:, 1].any()
    assert "differ in 1 direction only" in found.notes[0]
    with pytest.raises(DataError) as narrow:
        ICA().check(facts_of(line[:, :1]))
    assert narrow.value.code == "TOO_FEW_COLUMNS"
    with pytest.raises(DataError) as alike:
        ICA().project(np.full((9, 3), 0.1, dtype=np.float32), silent)
    assert alike.value.code == "IDENTICAL_ROWS"


def test_unsettled_is_said_and_it_stops() -> None:
    bells = np.random.default_rng(0).normal(size=(100, 8)).astype(np.float32)
    assert "still turning after 2 rounds" in ICA(max_iterations=2).project(bells, silent).notes[0]

    def stop(fraction: float, text: str) -> None:
        if fraction >= 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        ICA().project(bells, stop)
