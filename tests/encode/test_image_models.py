"""Pretrained image encoders against transformers' own processors and forward passes."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from huggingface_hub import constants

from explorer.encode import encoders
from explorer.encode.image_batches import BATCH, _Batches
from explorer.encode.image_model import ImageModel, image_models
from explorer.encode.image_prepare import prepare, preparation_of
from explorer.errors import Cancelled, DataError, ParameterError
from explorer.keys import embedding_key
from explorer.spec import silent
from explorer.store import Store
from tests.builders import build_dataset, png
from tests.encode.tiny import save_sentence_model
from tests.encode.tiny_images import JOINT, KINDS, pictures, save_image_model


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A root with a tiny model of every kind; kind -> network."""
    root = tmp_path_factory.mktemp("models")
    networks = {kind: save_image_model(root / kind, kind) for kind in KINDS}
    before = os.environ.get("EXPLORER_MODEL_ROOTS"), constants.HF_HUB_CACHE
    os.environ["EXPLORER_MODEL_ROOTS"] = str(root)
    constants.HF_HUB_CACHE = str(root / "hub")
    yield networks
    constants.HF_HUB_CACHE = before[1]
    if before[0] is None:
        del os.environ["EXPLORER_MODEL_ROOTS"]
    else:
        os.environ["EXPLORER_MODEL_ROOTS"] = before[0]


def opened(data: bytes) -> Any:
    from PIL import Image

    return Image.open(io.BytesIO(data)).convert("RGB")


def theirs(kind: str, network: Any, files: list[bytes], pooling: str = "automatic") -> np.ndarray:
    """The vectors as transformers makes them: its processor, its forward pass."""
    import torch
    from transformers import AutoImageProcessor

    folder = Path(os.environ["EXPLORER_MODEL_ROOTS"]) / kind
    processor = AutoImageProcessor.from_pretrained(folder, backend="pil")
    pixels = processor([opened(data) for data in files], return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        if kind in JOINT:
            found = network.get_image_features(pixel_values=pixels).pooler_output
        elif kind == "clip_vision_projection":
            found = network(pixel_values=pixels).image_embeds
        elif kind == "vit_classifier":
            found = network.vit(pixel_values=pixels).last_hidden_state[:, 0]
        elif pooling == "mean":
            registers = getattr(network.config, "num_register_tokens", 0)
            found = network(pixel_values=pixels).last_hidden_state[:, 1 + registers:].mean(1)
        elif kind == "vit":
            found = network(pixel_values=pixels).last_hidden_state[:, 0]
        else:
            found = network(pixel_values=pixels).pooler_output
    return found.flatten(1).numpy()


@pytest.mark.parametrize("kind", KINDS)
def test_every_architecture_gives_the_vectors_transformers_gives(kind: str, models: Any,
                                                                 store: Store) -> None:
    files = pictures()
    data = build_dataset(store, {}, images=files)
    found = ImageModel(model=kind).encode(data, silent)
    expected = theirs(kind, models[kind], files)
    assert found.vectors.shape == expected.shape
    assert np.ptp(expected, axis=0).max() > 1e-3, "the images must differ in this model"
    np.testing.assert_allclose(found.vectors, expected, atol=1e-5)
    listed = {model.name: model.dimensions for model in image_models()}
    assert listed[kind] == expected.shape[1]


@pytest.mark.parametrize("kind", ["vit", "dinov2", "dinov2_with_registers"])
def test_the_mean_is_over_the_patches_alone(kind: str, models: Any, store: Store) -> None:
    files = pictures()
    data = build_dataset(store, {}, images=files)
    found = ImageModel(model=kind, pooling="mean").encode(data, silent)
    np.testing.assert_allclose(found.vectors, theirs(kind, models[kind], files, "mean"), atol=1e-5)
    token = ImageModel(model=kind, pooling="class token").encode(data, silent)
    np.testing.assert_array_equal(token.vectors, ImageModel(model=kind).encode(data, silent).vectors)
    assert "mean of the tokens" in found.notes[-1]


PROCESSORS: dict[str, dict[str, Any]] = {
    "stretched": {"size": {"height": 20, "width": 30}},
    "cut": {"size": {"shortest_edge": 24}, "do_center_crop": True,
            "crop_size": {"height": 17, "width": 22}},
    "larger crop": {"size": {"shortest_edge": 15}, "do_center_crop": True,
                    "crop_size": {"height": 22, "width": 19}},
    "no resize": {"do_resize": False, "do_center_crop": True,
                  "crop_size": {"height": 21, "width": 33}},
    "nearest": {"size": {"height": 9, "width": 9}, "resample": 0},
    "lanczos": {"size": {"height": 40, "width": 9}, "resample": 1},
    "not scaled": {"size": {"height": 9, "width": 9}, "do_rescale": False},
    "not shifted": {"size": {"height": 9, "width": 9}, "do_normalize": False},
    "neither": {"size": {"height": 9, "width": 9}, "do_normalize": False, "do_rescale": False},
    "other numbers": {"size": {"height": 9, "width": 9}, "rescale_factor": 0.01,
                      "image_mean": [0.1, 0.2, 0.3], "image_std": [0.5, 1.5, 2.5]},
}


@pytest.mark.parametrize("name", PROCESSORS)
@pytest.mark.parametrize("size", [(31, 50), (50, 31), (33, 33), (1, 1), (9, 3)])
def test_images_are_prepared_as_by_transformers(name: str, size: tuple[int, int]) -> None:
    from transformers import ViTImageProcessorPil

    processor = ViTImageProcessorPil(**PROCESSORS[name])
    pixels = np.random.default_rng(1).integers(0, 256, (*size, 3), dtype=np.uint8)
    image = opened(png(pixels))
    expected = processor(image, return_tensors="np")["pixel_values"][0]
    found = prepare(image, preparation_of(processor, "x"))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("edge", [32, 383, 384, 400])
def test_convnext_images_are_cut_below_384_and_stretched_from_there(edge: int) -> None:
    from transformers import ConvNextImageProcessorPil

    processor = ConvNextImageProcessorPil(size={"shortest_edge": edge}, crop_pct=0.9)
    image = opened(png(np.random.default_rng(1).integers(0, 256, (40, 31, 3), dtype=np.uint8)))
    expected = processor(image, return_tensors="np")["pixel_values"][0]
    np.testing.assert_array_equal(prepare(image, preparation_of(processor, "x")), expected)


@pytest.mark.parametrize("shape", [(20, 700), (700, 20), (3, 200)])
def test_of_a_long_image_only_the_middle_is_ever_made(shape: tuple[int, int]) -> None:
    from transformers import CLIPImageProcessorPil

    processor = CLIPImageProcessorPil(size={"shortest_edge": 32},
                                      crop_size={"height": 32, "width": 32})
    waves = np.sin(np.arange(shape[0])[:, None] / 3 + np.arange(shape[1]) / 5)
    image = opened(png((127 + 120 * waves).astype(np.uint8)))
    expected = processor(image, return_tensors="np")["pixel_values"][0]
    found = prepare(image, preparation_of(processor, "x"))
    step = 1 / 255 / 0.26  # one step of 8 bits, after the spread is divided out
    assert np.abs(found - expected).max() <= 2.5 * step
