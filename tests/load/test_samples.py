import io

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_breast_cancer, load_digits, load_wine

from explorer.errors import InputError, ParameterError
from explorer.load import SAMPLES, load_sample, samples
from explorer.spec import silent


@pytest.fixture(scope="module")
def loaded(shared_store):
    return {sample.key: load_sample(sample.key, shared_store, silent) for sample in SAMPLES}


def test_digits(loaded):
    data, known = loaded["digits"], load_digits()
    assert data.n == 1797
    np.testing.assert_array_equal(data.matrix("pixels"), known.data)
    assert data.values("label") == [str(digit) for digit in known.target]
    assert data.roles == {"image": "image", "label": "label", "pixels": "vector"}
    shown = np.asarray(Image.open(io.BytesIO(data.image(5))))
    np.testing.assert_allclose(255 - shown, known.images[5] * 255 / 16, atol=0.6)
    assert Image.open(io.BytesIO(data.thumbnail(5))).size == (8, 8)


@pytest.mark.parametrize(("key", "source"), [("wine", load_wine),
                                             ("breast_cancer", load_breast_cancer)])
def test_tables(loaded, key, source):
    data, known = loaded[key], source()
    numbers = [column.name for column in data.with_role("number")]
    assert numbers == list(known.feature_names)
    np.testing.assert_array_equal(np.stack([data.numbers(name) for name in numbers], axis=1),
                                  known.data)
    assert data.values("label") == [known.target_names[label] for label in known.target]
    assert data.column("label").role == "label"
    assert not data.report


def test_drawn_shapes(loaded, store):
    data = loaded["drawn_shapes"]
    assert data.n == 600
    assert data.column("shape").role == "label"
    assert sorted(set(data.values("shape"))) == ["circle", "crescent", "cross", "square", "star",
                                                 "triangle"]
    assert data.column("image").distinct == 600
    assert Image.open(io.BytesIO(data.image(3))).size == (48, 48)
    assert len(set(data.values("fill"))) > 1
    again = load_sample("drawn_shapes", store, silent)
    assert again.id == data.id


def test_everyday_texts(loaded):
    data = loaded["everyday_texts"]
    assert data.roles == {"id": "id", "text": "text", "topic": "label"}
    assert 8 <= data.column("topic").distinct <= 10


def test_sizes_are_as_announced(loaded):
    assert {sample.key: loaded[sample.key].n for sample in SAMPLES} == {
        sample.key: sample.rows for sample in SAMPLES}


def test_nothing_is_left_behind(store):
    load_sample("wine", store, silent)
    assert list((store.root / "tmp").iterdir()) == []


def test_absent(store, monkeypatch, tmp_path):
    monkeypatch.setattr(samples, "EVERYDAY_TEXTS", tmp_path / "none.csv")
    with pytest.raises(InputError) as caught:
        load_sample("everyday_texts", store, silent)
    assert caught.value.code == "NO_SAMPLE"
    with pytest.raises(ParameterError) as wrong:
        load_sample("nothing", store, silent)
    assert wrong.value.code == "UNKNOWN_SAMPLE"
