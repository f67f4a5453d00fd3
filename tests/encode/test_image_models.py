"""Pretrained image encoders against transformers' own processors and forward passes."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from huggingface_hub import constants

from explorer.encode.image_batches import _Batches
from explorer.encode.image_model import ImageModel, image_models
from explorer.encode.image_prepare import preparation_of, prepare
from explorer.encode.unfinished import kept_under
from explorer.errors import Cancelled, DataError
from explorer.keys import embedding_key
from explorer.propose import propose
from explorer.spec import silent
from explorer.store import Store
from tests.builders import build_dataset, png
from tests.encode.tiny_images import JOINT, KINDS, pictures, save_image_model, tokenizer


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
    automatic = ImageModel(model=kind).encode(data, silent)
    np.testing.assert_array_equal(token.vectors, automatic.vectors)
    assert "mean of the tokens" in found.notes[-2]


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


def test_equal_images_are_encoded_once_and_the_order_of_rows_is_nothing(
        models: Any, store: Store) -> None:
    files = pictures(5)
    rows = [files[at] for at in (3, 0, 3, 4, 1, 2, 0)]
    found = ImageModel(model="vit").encode(build_dataset(store, {}, images=rows), silent)
    plain = ImageModel(model="vit").encode(build_dataset(store, {}, images=files), silent)
    np.testing.assert_array_equal(found.vectors, plain.vectors[[3, 0, 3, 4, 1, 2, 0]])
    assert "2 images repeat another one and were encoded once." in found.notes


def test_what_cannot_be_read_is_left_out_and_listed(models: Any, store: Store) -> None:
    files = pictures(4)
    rows = [files[0], b"no image", files[1], b"", b"no image", files[2][:60]]
    found = ImageModel(model="clip").encode(build_dataset(store, {}, images=rows), silent)
    plain = ImageModel(model="clip").encode(build_dataset(store, {}, images=files[:2]), silent)
    assert found.rows.tolist() == [0, 2]
    np.testing.assert_allclose(found.vectors, plain.vectors, atol=1e-6)
    said = " ".join(found.notes)
    assert "2 rows left out (not an image): rows 2, 5." in said
    assert "1 row left out (no image): row 4." in said
    assert "1 row left out (damaged): row 6." in said
    with pytest.raises(DataError) as caught:
        ImageModel(model="clip").encode(build_dataset(store, {}, images=[b"x", b"y"]), silent)
    assert caught.value.code == "NO_IMAGES"
    assert "not an image" in caught.value.message


def test_deep_greys_keep_their_depth_and_alpha_lies_on_white(models: Any, store: Store) -> None:
    from PIL import Image

    shades = np.linspace(0, 255, 32 * 32).reshape(32, 32).round().astype(np.uint8)
    deep, clear = io.BytesIO(), io.BytesIO()
    Image.fromarray(shades.astype(np.uint16) * 257).save(deep, "PNG")
    Image.fromarray(np.full((9, 9, 4), (10, 20, 30, 0), dtype=np.uint8)).save(clear, "PNG")
    white = png(np.full((9, 9, 3), 255, dtype=np.uint8))
    files = [png(shades), deep.getvalue(), clear.getvalue(), white]
    found = ImageModel(model="siglip").encode(build_dataset(store, {}, images=files), silent)
    np.testing.assert_array_equal(found.vectors[0], found.vectors[1])
    np.testing.assert_array_equal(found.vectors[2], found.vectors[3])


def test_length_one_and_precision(models: Any, store: Store) -> None:
    data = build_dataset(store, {}, images=pictures())
    plain = ImageModel(model="clip").encode(data, silent)
    unit = ImageModel(model="clip", normalize=True).encode(data, silent)
    lengths = np.linalg.norm(plain.vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(unit.vectors, plain.vectors / lengths, atol=1e-6)
    half = ImageModel(model="clip", precision="bfloat16")
    rough = half.encode(data, silent)
    cosines = (rough.vectors * plain.vectors).sum(1) / lengths[:, 0] / np.linalg.norm(
        rough.vectors, axis=1)
    assert not np.array_equal(rough.vectors, plain.vectors)
    assert cosines.min() > 0.99
    assert "Computed in bfloat16 on the processor." in rough.notes
    whole = ImageModel(model="clip", precision="float32")
    assert embedding_key(half, data) != embedding_key(whole, data)
    assert whole.fingerprint() != half.fingerprint()


def test_a_batch_without_memory_is_halved_and_said(models: Any, store: Store,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    method = ImageModel(model="vit")
    data = build_dataset(store, {}, images=pictures())
    plain = method.encode(data, silent)
    network = method._network()
    forward, most = type(network).vectors, 2

    def short_of_memory(self: Any, images: np.ndarray, pooling: Any) -> np.ndarray:
        if len(images) > most:
            raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9")
        return forward(self, images, pooling)

    monkeypatch.setattr(type(network), "vectors", short_of_memory)
    found = method.encode(data, silent)
    np.testing.assert_allclose(found.vectors, plain.vectors, atol=1e-6)
    assert [note for note in found.notes if "halved" in note] == [
        "Memory did not suffice for a batch of images: it was halved to 3.",
        "Memory did not suffice for a batch of images: it was halved to 1."]
    most = 0
    with pytest.raises(DataError) as caught:
        method.encode(data, silent)
    assert caught.value.code == "NO_MEMORY"


def test_cancelled_and_asked_again_it_goes_on_to_the_same_bits(
        models: Any, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Batches, "size", 2)
    files = [*pictures(6), b"no image", b""]
    data = build_dataset(store, {}, images=files)
    method = ImageModel(model="resnet")
    whole = method.encode(data, silent)
    told: list[float] = []

    def stop_after_half(fraction: float, text: str) -> None:
        told.append(fraction)
        if fraction > 0.5:
            raise Cancelled()

    run: list[int] = []
    block = _Batches.block
    monkeypatch.setattr(_Batches, "block", lambda self, given: (
        run.append(len(given)), block(self, given))[1])
    with kept_under(store.root, "key"):
        with pytest.raises(Cancelled):
            method.encode(data, stop_after_half)
        first = len(run)
        assert 0 < first < 4
        again = method.encode(data, silent)
    assert len(run) == 4
    np.testing.assert_array_equal(again.vectors, whole.vectors)
    assert again.notes == whole.notes
    assert told == sorted(told)


def test_words_and_images_share_the_space_of_joint_models(models: Any, store: Store) -> None:
    import torch

    for kind in JOINT:
        method = ImageModel(model=kind)
        network = models[kind]
        filled = {"padding": "max_length", "max_length": 12} if kind == "siglip" else {}
        tokens = tokenizer()(["a photo of red cat"], return_tensors="pt", **filled)
        given = {"input_ids": tokens["input_ids"]}
        if kind == "clip":
            given["attention_mask"] = tokens["attention_mask"]
        with torch.no_grad():
            expected = network.get_text_features(**given).pooler_output[0].numpy()
        placed = method.place("a photo of red cat", {})
        np.testing.assert_allclose(placed.vector, expected, atol=1e-6)
        assert len(placed.notes) == 1
        assert any("cut off" in note for note in method.place("cat " * 50, {}).notes)
        files = pictures()
        data = build_dataset(store, {}, images=files)
        vectors = method.encode(data, silent).vectors
        np.testing.assert_allclose(method.place_image(files[4], {}).vector, vectors[4], atol=1e-6)
        assert method.places_words(data)
        assert method.places_pictures(data)


@pytest.mark.parametrize("kind", ["vit", "clip_vision_projection"])
def test_models_without_words_say_so(kind: str, models: Any, store: Store) -> None:
    method = ImageModel(model=kind)
    assert not method.places_words(build_dataset(store, {}, images=pictures(1)))
    with pytest.raises(DataError) as caught:
        method.place("red cat", {})
    assert caught.value.code == "NO_TEXT_SPACE"
    assert "CLIP or SigLIP" in caught.value.hint


def test_images_are_proposed_to_a_model_that_is_here_and_quick(
        models: Any, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    data = build_dataset(store, {}, images=pictures(7))
    proposal = propose(data)
    assert proposal.recipe.encoding.key == "image_model"
    assert proposal.recipe.encoding.values()["model"] == "clip"
    assert "with clip, which is on this machine" in proposal.reasons[0]
    monkeypatch.setattr("explorer.encode.image_model._FIRST_LOOK", 1.0)
    proposal = propose(data)
    assert proposal.recipe.encoding.key == "pixels"
    assert "Pretrained image encoder with clip would take about" in proposal.reasons[0]
    monkeypatch.setenv("EXPLORER_MODEL_ROOTS", str(store.root))
    proposal = propose(data)
    assert proposal.recipe.encoding.key == "pixels"
    assert "minutes" not in proposal.reasons[0]
