"""Principal components as scikit-learn finds them, of the rows a network would see."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from explorer import single, values
from explorer.cluster import clusterers
from explorer.encode.autoencoder import Autoencoder
from explorer.encode.principal_components import PrincipalComponents
from explorer.errors import DataError
from explorer.project import projectors
from explorer.recipe import Recipe
from explorer.run import run
from tests.builders import build_dataset, png


def pictures(store, count, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (count, 8, 8)).astype(np.uint8)
    pixels[:, :4] //= 4
    return build_dataset(store, {"name": [f"p{at}" for at in range(count)]}, {"name": "id"},
                         images=[png(one) for one in pixels]), pixels / np.float32(255)


@pytest.mark.parametrize("count", [90, 40])  # more rows than numbers, and fewer
def test_images_as_scikit_learn(store, count):
    data, pixels = pictures(store, count)
    recipe = Recipe.of(PrincipalComponents.create(dimensions=7), projectors().create("pca"),
                       clusterers().create("kmeans", {"clusters": 2}), dataset=data.id)
    found = run(recipe, data, store)
    flat = pixels.reshape(count, -1).astype(np.float64)
    reference = PCA(7, svd_solver="full").fit(flat)
    spread = float(found.model.spread.ravel()[0])
    expected = reference.transform(flat) / spread
    ours = found.embedding.vectors
    signs = np.sign((expected * ours).sum(axis=0))
    np.testing.assert_allclose(ours, expected * signs, atol=2e-4)
    np.testing.assert_allclose(found.model.extras["explained_variance_ratio"],
                               reference.explained_variance_ratio_, rtol=1e-5)
    assert "PCA of pixels 8 x 8 grey" in found.embedding.title
    made = ours @ found.model.weights["decoder.weight"].T + found.model.weights["decoder.bias"]
    restored = made.reshape(count, 1, 8, 8) * found.model.spread + found.model.center
    np.testing.assert_allclose(restored.reshape(count, -1),
                               reference.inverse_transform(reference.transform(flat)), atol=2e-4)
    assert found.model.epochs == 0


def test_it_reads_what_a_network_of_the_same_settings_reads(store):
    data, _ = pictures(store, 30)
    network, plain = Autoencoder.create(), PrincipalComponents.create()
    assert plain.reader(data).identity() == network.reader(data).identity()
    for shape in ((1, 8, 8), (3,), (64,)):
        assert plain.latent(shape) == network.latent(shape)


def test_too_many_dimensions_are_cut_and_said(store):
    data, _ = pictures(store, 6)
    found = single.encode(PrincipalComponents.create(dimensions=50), data, store)
    assert found.vectors.shape == (6, 5)
    assert "50 dimensions asked for, 5 possible with 6 rows of 64 numbers." in found.notes


def test_copies_of_one_row_are_refused(store):
    data = build_dataset(store, {"a": [1.0, 2.0], "b": [3.0, 4.0]}, {"a": "ignore", "b": "ignore"},
                         {"v": np.ones((2, 4), dtype=np.float32)})
    with pytest.raises(DataError) as error:
        single.encode(PrincipalComponents.create(), data, store)
    assert error.value.code == "IDENTICAL_ROWS"


def test_the_model_comes_back_from_the_store(store, tmp_path):
    data, _ = pictures(store, 20)
    method = PrincipalComponents.create(dimensions=2)
    reader = method.reader(data)
    made = method.model(reader, reader.encode(data, lambda *_: None), tmp_path, "x",
                        lambda *_: None)
    values.save(store, "a" * 32, made, {})
    again = values.read(type(made), store.get("a" * 32))
    assert again.decoder == made.decoder
    assert again.shape == (1, 8, 8)
    assert again.weights["decoder.weight"].tobytes() == made.weights["decoder.weight"].tobytes()
