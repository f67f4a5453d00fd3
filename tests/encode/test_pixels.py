"""Images as pixels: decoding against Pillow, PCA against scikit-learn."""

from __future__ import annotations

import contextlib
import io
import tempfile

import numpy as np
import pytest
from PIL import Image
from sklearn.decomposition import PCA

from explorer.encode import principal as components
from explorer.encode.picture import Unreadable, read_square
from explorer.encode.pixels import Pixels
from explorer.errors import DataError, ParameterError, StoreError
from explorer.spec import Facts, silent
from explorer.store import Store
from tests.builders import build_dataset, png

DRAWS = np.random.default_rng(3)
COLOURED = DRAWS.integers(0, 256, (12, 8, 8, 3), dtype=np.uint8)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def test_raw_pixels_are_the_pixels(store: Store) -> None:
    data = build_dataset(store, {}, images=[png(image) for image in COLOURED])
    found = Pixels(side=8, dimensions=None).encode(data, silent)
    np.testing.assert_array_equal(found.vectors, (COLOURED / 255).reshape(12, -1)
                                  .astype(np.float32))
    assert found.vectors.dtype == np.float32
    assert found.title == "pixels 8 x 8 colour (192-d)"


@pytest.mark.parametrize(("colour", "side"), [("grey", 4), ("grey", 8), ("colour", 4)])
def test_components_equal_scikit_learn(store: Store, colour: str, side: int) -> None:
    many = DRAWS.integers(0, 256, (30, 8, 8, 3), dtype=np.uint8)  # 30 rows: fewer than d, or more
    data = build_dataset(store, {}, images=[png(image) for image in many])
    raw = Pixels(side=side, colour=colour, dimensions=None).encode(data, silent).vectors
    reported: list[float] = []
    found = Pixels(side=side, colour=colour, dimensions=5).encode(
        data, lambda fraction, text: reported.append(fraction))
    oracle = PCA(5, svd_solver="full").fit(raw.astype(np.float64))
    expected = oracle.transform(raw)
    # Axes have no sign of their own; ours make the largest coefficient positive.
    largest = np.abs(oracle.components_).argmax(axis=1)
    expected *= np.sign(oracle.components_[np.arange(5), largest])
    np.testing.assert_allclose(found.vectors, expected, atol=1e-5)
    share = oracle.explained_variance_ratio_.sum()
    assert f"explain {share:.1%} of the variance" in " ".join(found.notes)
    assert reported == sorted(reported)
    assert reported[-1] == 1.0


def test_components_do_not_depend_on_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    for shape in ((40, 9), (9, 40)):
        rows = DRAWS.normal(size=shape).astype(np.float32)
        whole = components.principal(rows, 3, silent)
        with monkeypatch.context() as patch:
            patch.setattr("explorer.encode.unit._BLOCK_VALUES", 27)
            parts = components.principal(rows, 3, silent)
        np.testing.assert_allclose(parts.vectors, whole.vectors, atol=1e-6)
        np.testing.assert_allclose(parts.shares, whole.shares)


def test_few_and_equal_images(store: Store) -> None:
    data = build_dataset(store, {}, images=[png(COLOURED[0])] * 3)
    found = Pixels(side=8).encode(data, silent)
    assert found.vectors.shape == (3, 2)
    assert np.abs(found.vectors).max() < 1e-6
    assert "64 dimensions asked for, 2 possible with 3 images." in found.notes
    assert "explain 0.0%" in " ".join(found.notes)
    one = build_dataset(store, {}, images=[png(COLOURED[0])])
    assert Pixels(side=8).encode(one, silent).vectors.tolist() == [[0.0]]


def test_sixteen_bits_keep_their_depth() -> None:
    values = np.array([[0, 1], [256, 65535]], dtype=np.uint16)
    square = read_square(png(values), 2, colour=False)
    np.testing.assert_allclose(square.pixels, values / 65535, atol=1e-8)
    assert read_square(png(values), 2, colour=True).pixels.shape == (2, 2, 3)
    flat = read_square(png(np.full((40, 40), 32768, dtype=np.uint16)), 4, colour=False)
    np.testing.assert_allclose(flat.pixels, 32768 / 65535, atol=1e-6)


def test_floats_and_wide_integers() -> None:
    values = np.array([[0.0, 0.25], [0.5, 1.0]], dtype=np.float32)
    square = read_square(saved(Image.fromarray(values), "TIFF"), 2, colour=False)
    np.testing.assert_array_equal(square.pixels, values)
    assert not square.stretched
    odd = read_square(saved(Image.fromarray(values * 400 - 100), "TIFF"), 2, colour=False)
    np.testing.assert_allclose(odd.pixels, values, atol=1e-6)
    assert odd.stretched
    with pytest.raises(Unreadable, match="not numbers"):
        read_square(saved(Image.fromarray(values * np.float32(np.nan)), "TIFF"), 2, colour=False)


def test_alpha_lies_on_white() -> None:
    values = np.zeros((1, 2, 4), dtype=np.uint8)
    values[0, 0] = (255, 0, 0, 255)
    square = read_square(png(np.repeat(values, 2, axis=0)), 2, colour=True)
    assert square.pixels[0].tolist() == [[1, 0, 0], [1, 1, 1]]
    palette = Image.new("P", (2, 2), 0)
    palette.putpalette([0, 0, 0, 9, 9, 9])
    clear = read_square(saved(palette, "PNG", transparency=0), 2, colour=False)
    assert clear.pixels.tolist() == [[1, 1], [1, 1]]


def test_exif_rotation_is_undone() -> None:
    image = Image.fromarray(np.array([[0, 0], [255, 255]], dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show it a quarter to the right
    square = read_square(saved(image, "PNG", exif=exif), 2, colour=False)
    assert square.pixels.tolist() == [[1, 0], [1, 0]]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F"])
@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1)])
def test_every_mode_and_shape_becomes_one_shape(mode: str, size: tuple[int, int]) -> None:
    data = saved(Image.new(mode, size), "TIFF")
    for colour in (False, True):
        pixels = read_square(data, 4, colour).pixels
        assert pixels.shape == ((4, 4, 3) if colour else (4, 4))
        assert pixels.dtype == np.float32
        assert 0 <= pixels.min() <= pixels.max() <= 1


def test_only_unreadable_is_raised_for_broken_files() -> None:
    whole = [saved(Image.fromarray(COLOURED[0]), kind) for kind in ("PNG", "JPEG", "GIF", "TIFF",
                                                                    "WEBP", "BMP")]
    for data in whole:
        for _ in range(40):
            broken = bytearray(data)
            for place in DRAWS.integers(0, len(data), 3):
                broken[place] = DRAWS.integers(0, 256)
            try:
                pixels = read_square(bytes(broken[:DRAWS.integers(1, len(data) + 1)]), 4,
                                     colour=True).pixels
            except Unreadable:
                continue
            assert np.isfinite(pixels).all()


def test_unreadable_images_are_left_out_and_listed(store: Store) -> None:
    cut = saved(Image.fromarray(DRAWS.integers(0, 256, (64, 64, 3), dtype=np.uint8)), "JPEG")[:900]
    images = [png(COLOURED[0]), b"", png(COLOURED[1]), b"<svg/>", cut, png(COLOURED[2])]
    found = Pixels(side=8).encode(build_dataset(store, {}, images=images), silent)
    assert found.rows.tolist() == [0, 2, 5]
    said = " ".join(found.notes)
    for words in ("(no image): row 2", "(not an image): row 4", "(damaged): row 5"):
        assert words in said


def test_no_images(store: Store) -> None:
    for data, go in ((build_dataset(store, {"a": [1]}), Pixels().columns),
                     (build_dataset(store, {}, images=[b"", b"x"]),
                      lambda data: Pixels().encode(data, silent))):
        with pytest.raises(DataError) as caught:
            go(data)
        assert caught.value.code == "NO_IMAGES"


def test_more_pixels_than_the_components_allow(store: Store,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ParameterError) as caught:
        Pixels(side=64).check(Facts(n=5001, d=1))
    assert caught.value.where.parameter == "side"
    Pixels(side=64, colour="grey").check(Facts(n=100_000, d=1))
    Pixels(side=64).check(Facts(n=5000, d=1))
    monkeypatch.setattr("explorer.encode.pixels.LARGEST_SIDE", 10)
    data = build_dataset(store, {}, images=[png(image) for image in COLOURED])
    with pytest.raises(ParameterError) as caught:
        Pixels(side=8).encode(data, silent)
    assert caught.value.code == "OUT_OF_RANGE"


def test_a_full_disk_is_an_error(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    data = build_dataset(store, {}, images=[png(image) for image in COLOURED])
    with open("/dev/full", "wb", buffering=0) as full:
        monkeypatch.setattr(tempfile, "TemporaryFile", lambda: contextlib.nullcontext(full))
        with pytest.raises(StoreError) as caught:
            Pixels().encode(data, silent)
    assert caught.value.code == "DISK"
