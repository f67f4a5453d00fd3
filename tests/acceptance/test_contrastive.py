"""On MNIST, an encoder that only ever told rows apart beats raw pixels."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from explorer.encode.contrastive import Contrastive
from explorer.encode.material import scaled
from explorer.spec import silent
from explorer.store import Store
from tests.acceptance.test_mnist import read_idx
from tests.builders import build_dataset, png

pytestmark = [pytest.mark.slow, pytest.mark.skipif(
    not os.environ.get("EXPLORER_LONG_TESTS"), reason="20 s: set EXPLORER_LONG_TESTS=1")]


def test_contrastive_beats_raw_pixels_in_the_knn_probe(real_data: Path, store: Store,
                                                       tmp_path: Path) -> None:
    images = read_idx(real_data / "mnist-t10k-images.gz")[:2000]
    classes = read_idx(real_data / "mnist-t10k-labels.gz")[:2000]
    data = build_dataset(store, {}, images=[png(image) for image in images])
    method = Contrastive.create(epochs=10)
    reader = method.reader(data)
    read = reader.encode(data, silent)
    model = method.model(reader, read, tmp_path, "training", silent)
    codes = method.codes(scaled(reader, read).values, model.weights, silent)

    def right(vectors: np.ndarray) -> float:
        return float(cross_val_score(KNeighborsClassifier(10), vectors, classes, cv=3).mean())

    assert right(codes) > right(read.vectors) + 0.02
