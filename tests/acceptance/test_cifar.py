"""1,000 CIFAR-10 pictures in a zip of ten folders: imported, encoded, clustered, taken away."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter

import numpy as np
import pytest

import explorer
from explorer.cluster import clusterers
from explorer.encode import encoders
from explorer.export.strip_metadata import strip_metadata
from explorer.exports import make_export, write_files
from explorer.project import projectors
from explorer.recipe import Recipe

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pictures(real_data, tmp_path_factory):
    return explorer.open_data(real_data / "cifar10-1000.zip",
                              home=tmp_path_factory.mktemp("cifar"))


@pytest.fixture(scope="module")
def run(pictures):
    """Pixels, PCA, ten k-means clusters."""
    recipe = Recipe.of(encoders().create("pixels"), projectors().create("pca"),
                       clusterers().create("kmeans", {"clusters": 10}), roles=pictures.roles)
    return explorer.run_recipe(recipe, pictures)


def test_folders_become_labels(pictures, real_data):
    (label,) = pictures.with_role("label")
    assert pictures.n == 1000
    assert set(Counter(pictures.texts(label.name)).values()) == {100}
    with zipfile.ZipFile(real_data / "cifar10-1000.zip") as archive:
        files = {name: archive.read(name) for name in archive.namelist() if name[-1] != "/"}
    (file,) = [column for column in pictures.columns if column.name == "file"]
    for row in (0, 417, 999):
        name = pictures.texts(file.name)[row]
        (original,) = [data for path, data in files.items() if path.endswith(name)]
        assert pictures.image(row) == original
        assert name.split("/")[-2] == pictures.texts(label.name)[row]


def test_pixels_carry_little_of_the_classes(run, pictures):
    from sklearn.metrics import adjusted_rand_score

    (label,) = pictures.with_role("label")
    found = adjusted_rand_score(pictures.texts(label.name), run.clustering.labels)
    print(f"CIFAR pixels + k-means(10): ARI {found:.3f}")
    assert run.embedding.vectors.shape == (1000, 64)
    assert 0.02 <= found <= 0.2  # light and colour, not what is shown


def test_images_leave_in_a_folder_per_cluster(run, pictures, tmp_path):
    from PIL import Image

    names = {0: "Sky & sea"}
    export = make_export(run, np.arange(pictures.n), names)
    data, _, _ = write_files(export, tmp_path, "images")
    labels = run.clustering.labels
    with zipfile.ZipFile(data) as archive:
        folders = Counter(name.split("/")[0] for name in archive.namelist() if "/" in name)
        assert folders == {names.get(label, f"Cluster {label}"): int((labels == label).sum())
                           for label in range(10)}
        manifest = json.loads(archive.read("manifest.json"))
        assert manifest["images"]["images"] == 1000
        rows = archive.read("rows.csv").decode("utf-8-sig").splitlines()
        assert len(rows) == 1001
        file = next(name for name in archive.namelist() if name.startswith("Sky & sea/"))
        taken = archive.read(file)
    row = next(row for row in range(1000)
               if pictures.row_ids[row].split("/")[-1] == file.split("/")[-1].split("_")[-1]
               and strip_metadata(pictures.image(row)).data == taken)
    assert labels[row] == 0
    assert Image.open(io.BytesIO(taken)).size == (32, 32)
