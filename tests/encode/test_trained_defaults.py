"""What is chosen from the data where a person chose nothing, and data that is odd."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from explorer.dataset import Dataset
from explorer.encode import encoders
from explorer.encode.seen import Seen, is_grey, seen_as
from explorer.model import Model
from explorer.spec import silent
from explorer.store import Store
from explorer.train import networks
from tests.builders import build_dataset, png

torch = pytest.importorskip("torch")

DRAWS = np.random.default_rng(5)
TRAINED = [method for method in encoders() if getattr(method, "trains", False)]


def grey(*size: int, count: int = 1) -> list[bytes]:
    return [png(DRAWS.integers(0, 256, size, dtype=np.uint8)) for _ in range(count)]


def coloured(*size: int) -> bytes:
    return png(DRAWS.integers(0, 256, (*size, 3), dtype=np.uint8))


def jpeg(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).convert("RGB").save(file, "JPEG")
    return file.getvalue()


def see_through(*size: int) -> bytes:
    """Colours that nobody sees."""
    pixels = DRAWS.integers(0, 256, (*size, 4), dtype=np.uint8)
    pixels[:, :, 3] = 0
    return png(pixels)


@pytest.mark.parametrize(("images", "expected"), [
    (grey(8, 8, count=3), Seen(8, grey=True)),
    (grey(28, 20, count=2), Seen(28, grey=True)),
    ([*grey(28, 28, count=2), coloured(28, 28)], Seen(28, grey=False)),
    ([*grey(5, 5), *grey(7, 30)], Seen(30, grey=True)),
    ([coloured(200, 100), *grey(8, 8)], Seen(32, grey=False)),
    (grey(1, 1, count=3), Seen(4, grey=True)),
    ([jpeg(DRAWS.integers(0, 256, (16, 16), dtype=np.uint8))], Seen(16, grey=True)),
    ([b"", *grey(6, 6)], Seen(6, grey=True)),
    ([b"no image", b""], Seen(32, grey=False)),
], ids=["small grey", "not square", "one in colour", "of many sizes", "large", "one pixel",
        "grey kept as colour", "one missing", "none readable"])
def test_images_are_seen_as_they_are(images: list[bytes], expected: Seen, store: Store) -> None:
    assert seen_as(build_dataset(store, {}, images=images)) == expected


def test_colours_that_nobody_sees_are_none() -> None:
    assert is_grey(see_through(9, 9))
    assert not is_grey(coloured(9, 9))


def test_many_images_are_sampled_evenly(store: Store) -> None:
    images = grey(8, 8) * 700
    images[-1] = coloured(8, 12)
    assert seen_as(build_dataset(store, {}, images=images)) == Seen(12, grey=False)
    images[-1], images[1] = images[0], coloured(8, 12)  # between two that are looked at
    assert seen_as(build_dataset(store, {}, images=images)) == Seen(8, grey=True)


def trained(data: Dataset, home: Path, key: str, **parameters: Any) -> tuple[Any, Model]:
    method: Any = encoders().create(key, {"epochs": 2, **parameters})
    reader = method.reader(data)
    return method, method.model(reader, reader.encode(data, silent), home, "a", silent)


@pytest.mark.parametrize("method", TRAINED, ids=lambda method: method.key)
def test_a_choice_of_the_person_wins(method: Any, store: Store) -> None:
    data = build_dataset(store, {}, images=grey(8, 8, count=3))
    assert method.create().reader(data).picture_shape == (8, 8, 1)
    assert method.create(side=16).reader(data).picture_shape == (16, 16, 1)
    assert method.create(colour="colour").reader(data).picture_shape == (8, 8, 3)


@pytest.mark.parametrize(("shape", "expected"), [((784,), 16), ((3, 32, 32), 16), ((20,), 10),
                                                 ((4,), 2), ((2,), 2), ((1,), 2)])
def test_the_latent_space_follows_the_row(shape: tuple[int, ...], expected: int) -> None:
    assert encoders().create("autoencoder").latent(shape) == expected  # type: ignore[attr-defined]


@pytest.mark.parametrize("key", ["autoencoder", "vae", "masked", "contrastive"])
def test_pictures_of_one_pixel_and_of_one_grey(key: str, store: Store, tmp_path: Path) -> None:
    images = [png(np.full((1, 1), 7, dtype=np.uint8))] * 24
    data = build_dataset(store, {}, images=images)
    method, model = trained(data, tmp_path, key)
    assert model.shape == (1, 4, 4)
    reader = method.reader(data)
    found = method.embed(reader, reader.encode(data, silent), model, silent)
    assert np.isfinite(found.vectors).all()
    assert "seen at 4 x 4 pixels in grey" in " ".join(model.notes)


def test_grey_and_coloured_pictures_of_all_sizes_are_one_shape(store: Store,
                                                               tmp_path: Path) -> None:
    images = [*grey(8, 8, count=12), *(coloured(20, 14) for _ in range(12))]
    _, model = trained(build_dataset(store, {}, images=images), tmp_path, "vae")
    assert model.shape == (3, 20, 20)


def test_a_latent_space_as_large_as_the_row_is_said(store: Store, tmp_path: Path) -> None:
    rows = DRAWS.normal(size=(30, 4)).astype(np.float32)
    data = build_dataset(store, {}, matrices={"v": rows})
    said = [" ".join(trained(data, tmp_path / str(size), "autoencoder", dimensions=size)[1].notes)
            for size in (3, 4, 9) if (tmp_path / str(size)).mkdir() is None]
    assert ["can copy rows" in notes for notes in said] == [False, True, True]


def test_constant_columns_teach_nothing_and_are_said(store: Store, tmp_path: Path) -> None:
    rows = DRAWS.normal(size=(30, 4)).astype(np.float32)
    rows[:, 1] = 1e6
    data = build_dataset(store, {}, matrices={"v": rows})
    method, model = trained(data, tmp_path, "autoencoder", dimensions=2)
    assert "1 of 4 numbers of a row are constant" in " ".join(model.notes)
    reader = method.reader(data)
    codes = method.embed(reader, reader.encode(data, silent), model, silent).vectors
    assert np.isfinite(codes).all()
    assert codes.std(axis=0).min() > 0


@pytest.mark.parametrize("shape", [(1, 12, 12), (3, 32, 32), (1, 28, 28), (3, 13, 64), (1, 8, 8),
                                   (3, 4, 4), (7,), (1,)])
@pytest.mark.parametrize("kind", ["by the data", "dense"])
def test_a_decoder_gives_back_the_shape_of_a_row(shape: tuple[int, ...], kind: str) -> None:
    pair = networks.pair_for(shape, 5, 2, kind, outputs=10)
    code = pair["encoder"](torch.zeros(3, *shape))
    assert code.shape == (3, 10)
    assert pair["decoder"](code[:, :5]).reshape(3, *shape).shape == (3, *shape)
    convolved = any(isinstance(part, torch.nn.Conv2d) for part in pair.modules())
    assert convolved == (kind != "dense" and len(shape) == 3 and min(shape[1:]) >= 12)
