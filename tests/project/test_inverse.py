"""From a point of a linear picture back to a vector, as scikit-learn does it."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import decomposition

from explorer.project.pca import PCA
from explorer.project.plane import Plane
from explorer.project.truncated_svd import TruncatedSVD
from explorer.project.tsne import TSNE
from explorer.spec import silent
from explorer.values import Projection

RNG = np.random.default_rng(3)
VECTORS = (RNG.normal(size=(80, 6)) * [5, 3, 2, 1, 1, 0.5] + [4, 0, -2, 1, 0, 9]).astype(np.float32)
ASKED = RNG.normal(size=(7, 2)) * 3


def at(inverse, points):
    return inverse.origin + points @ inverse.along


@pytest.mark.parametrize("whiten", [False, True])
def test_pca_is_undone_as_by_scikit_learn(whiten):
    method = PCA.create(whiten=whiten)
    drawn = method.project(VECTORS, silent)
    reference = decomposition.PCA(2, whiten=whiten, svd_solver="full").fit(
        VECTORS.astype(np.float64))
    signs = np.sign((reference.transform(VECTORS) * drawn.points).sum(axis=0))
    found = method.inverse(VECTORS, drawn)
    assert not found.exact
    np.testing.assert_allclose(at(found, ASKED), reference.inverse_transform(ASKED * signs),
                               atol=1e-4)


def test_no_vector_of_the_plane_is_nearer_to_a_row_than_its_own_point():
    method = PCA.create()
    drawn = method.project(VECTORS, silent)
    found = method.inverse(VECTORS, drawn)
    own = np.linalg.norm(VECTORS - at(found, drawn.points), axis=1)
    for step in ([0.01, 0], [0, 0.01], [-0.01, 0.01]):
        moved = np.linalg.norm(VECTORS - at(found, drawn.points + np.array(step)), axis=1)
        assert (moved >= own - 1e-6).all()


def test_svd_is_undone_from_zero():
    method = TruncatedSVD.create()
    drawn = method.project(VECTORS, silent)
    reference = decomposition.TruncatedSVD(2, algorithm="arpack").fit(VECTORS.astype(np.float64))
    signs = np.sign((reference.transform(VECTORS) * drawn.points).sum(axis=0))
    np.testing.assert_allclose(at(method.inverse(VECTORS, drawn), ASKED),
                               reference.inverse_transform(ASKED * signs), atol=1e-4)


def test_the_plane_of_chosen_dimensions_leaves_the_others_at_their_mean():
    method = Plane.create(x=5, y=2)
    found = method.inverse(VECTORS, method.project(VECTORS, silent))
    expected = np.tile(VECTORS.mean(axis=0, dtype=np.float64), (7, 1))
    expected[:, 4], expected[:, 1] = ASKED.T
    np.testing.assert_allclose(at(found, ASKED), expected)
    assert not found.exact


@pytest.mark.parametrize("method", [Plane.create(), Plane.create(x=2, y=1), PCA.create(),
                                    PCA.create(whiten=True), TruncatedSVD.create()],
                         ids=lambda method: f"{method.key}{method.changed()}")
def test_of_two_dimensions_every_row_is_found_again(method):
    latent = VECTORS[:, :2].copy()
    drawn = method.project(latent, silent)
    found = method.inverse(latent, drawn)
    assert found.exact
    np.testing.assert_allclose(at(found, drawn.points.astype(np.float64)), latent, atol=1e-4)


def test_a_map_of_neighbours_has_no_inverse():
    assert TSNE.create().inverse(VECTORS, Projection(VECTORS[:, :2], ("a", "b"))) is None
