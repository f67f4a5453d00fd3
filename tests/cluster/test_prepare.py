"""Moving to the mean and dividing by a power of two keeps every distance."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from explorer.cluster.prepare import prepare


@pytest.mark.parametrize(("scale", "offset"), [(1, 0), (1e-30, 0), (1e30, 0), (1, 1e6)])
def test_distances_stay(scale, offset):
    vectors = (np.random.default_rng(0).normal(size=(40, 5)) * scale + offset).astype(np.float32)
    found = prepare(vectors)
    assert np.abs(found.vectors).max() <= 1
    assert np.log2(found.unit) == round(np.log2(found.unit))
    np.testing.assert_allclose(pdist(found.vectors) * found.unit, pdist(vectors.astype(float)),
                               rtol=1e-9)


def test_cosine_is_about_directions():
    vectors = np.array([[3, 0], [0, 1e-30], [2, 2]], dtype=np.float32)
    found = prepare(vectors, "cosine").vectors
    np.testing.assert_allclose(found, [[1, 0], [0, 1], [0.5**0.5, 0.5**0.5]])
