"""MNIST t10k, 10,000 digits of 28 x 28 pixels, as a vectors file and a table side by side.

Several minutes on a quiet core, many more on a busy one: UMAP, HDBSCAN and two silhouettes.
"""

from __future__ import annotations

import csv
import gzip
import os

import numpy as np
import pytest

import explorer
from explorer.cluster import clusterers
from explorer.encode import encoders
from explorer.project import projectors
from explorer.recipe import Recipe

pytestmark = pytest.mark.slow


def read_idx(path):
    """The array in a gzipped IDX file: two zero bytes, type 8 (uint8), rank, sizes, values."""
    data = gzip.decompress(path.read_bytes())
    rank = data[3]
    shape = tuple(np.frombuffer(data, ">u4", count=rank, offset=4).tolist())
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)


@pytest.fixture(scope="module")
def digits(real_data):
    """10,000 labels, 0 to 9."""
    return read_idx(real_data / "mnist-t10k-labels.gz")


@pytest.fixture(scope="module")
def mnist(real_data, digits, tmp_path_factory):
    """Pixels from a .npy, labels from a .csv, joined by row order."""
    folder = tmp_path_factory.mktemp("mnist")
    images = read_idx(real_data / "mnist-t10k-images.gz")
    np.save(folder / "pixels.npy", images.reshape(len(images), -1))
    with open(folder / "labels.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["label"], *([int(digit)] for digit in digits)])
    dataset = explorer.open_data([folder / "pixels.npy", folder / "labels.csv"],
                                 home=folder / "home")
    assert dataset.n == 10_000
    assert [(column.role, column.dimensions) for column in dataset.columns] == [
        ("label", 0), ("vector", 784)]
    assert dataset.texts("label") == [str(digit) for digit in digits]
    return dataset


def recipe_of(dataset, projector, clusterer, **rest):
    return Recipe.of(encoders().create("vectors"), projector, clusterer, roles=dataset.roles,
                     **rest)


def agreement(run, digits):
    from sklearn.metrics import adjusted_rand_score

    return adjusted_rand_score(digits[run.rows], run.clustering.labels)


def test_kmeans_on_pixels(mnist, digits):
    run = explorer.run_recipe(recipe_of(mnist, projectors().create("pca"),
                                        clusterers().create("kmeans", {"clusters": 10})), mnist)
    found = agreement(run, digits)
    print(f"pixels + k-means(10): ARI {found:.3f}")
    assert run.space == "pixels (784-d)"
    assert found >= 0.3


@pytest.mark.skipif(not os.environ.get("EXPLORER_LONG_TESTS"), reason="40 s: set "
                    "EXPLORER_LONG_TESTS=1")
def test_hdbscan_in_the_umap_picture(mnist, digits):
    run = explorer.run_recipe(
        recipe_of(mnist, projectors().create("umap", {"min_dist": 0.0}),
                  clusterers().create("hdbscan", {"min_cluster_size": 100}),
                  cluster_in="projection"), mnist)
    found = agreement(run, digits)
    print(f"UMAP + HDBSCAN in the picture: ARI {found:.3f}, {run.clustering.count} clusters, "
          f"{run.clustering.noise} noise rows")
    assert found >= 0.6
    assert run.space == "picture: 2-D UMAP"  # said wherever a score stands
    assert all(score.space == run.space for score in run.scores)
    assert any("on the picture" in note for note in run.clustering.notes)
