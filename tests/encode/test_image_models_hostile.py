"""HOSTILE.md 3.6 and 3.9 for image models: folders that lie, processors that ask for too much,
pictures nobody wants."""

from __future__ import annotations

import io
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from huggingface_hub import constants

from explorer.encode.image_model import ImageModel
from explorer.encode.models import find_model
from explorer.errors import DataError, ExplorerError, ParameterError
from explorer.spec import silent
from explorer.store import Store
from tests.builders import build_dataset, png
from tests.encode.tiny import change_json, save_sentence_model
from tests.encode.tiny_images import pictures, save_image_model

_seen: list[tuple[str, str]] = []
_watching = [False]


def _watch(event: str, given: Any) -> None:
    if _watching[0] and event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        _seen.append((event, str(given)[:200]))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A root for models that nothing is in; the hub cache is empty too."""
    root = tmp_path / "models"
    root.mkdir()
    monkeypatch.setenv("EXPLORER_MODEL_ROOTS", str(root))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return root


def encoded(store: Store, files: list[bytes] | None = None, **parameters: Any) -> Any:
    data = build_dataset(store, {}, images=files or pictures(3))
    return ImageModel(model="mine", **parameters).encode(data, silent)


def refused(store: Store, **parameters: Any) -> ExplorerError:
    started = time.monotonic()
    with pytest.raises(ExplorerError) as caught:
        encoded(store, **parameters)
    assert len(str(caught.value)) < 700
    assert caught.value.hint
    assert time.monotonic() - started < 10
    return caught.value


def test_m01_names_that_reach_out_and_names_of_nothing(root: Path, store: Store) -> None:
    data = build_dataset(store, {}, images=pictures(1))
    for name in ("../../etc", "/etc", "http://169.254.169.254/", "a\0b"):
        with pytest.raises(ParameterError) as caught:
            ImageModel(model=name).encode(data, silent)
        assert caught.value.code == "BAD_MODEL_NAME"
    with pytest.raises(ParameterError) as bare:
        ImageModel().encode(data, silent)
    assert bare.value.code == "NO_MODEL"
    assert str(root) in bare.value.hint
    save_image_model(root / "mine", "vit")
    with pytest.raises(ParameterError) as bare:
        ImageModel().encode(data, silent)
    assert "one of mine" in bare.value.message


def test_a_text_model_is_refused_by_name_of_what_was_expected(root: Path, store: Store) -> None:
    save_sentence_model(root / "mine")
    error = refused(store)
    assert error.code == "NOT_AN_IMAGE_MODEL"
    assert "CLIP" in error.message
    assert "Sentence-transformers model" in error.hint


def test_another_kind_of_image_model_lists_those_that_are_known(root: Path, store: Store) -> None:
    save_image_model(root / "mine", "vit")
    change_json(root / "mine" / "config.json", model_type="detr")
    error = refused(store)
    assert error.code == "UNSUPPORTED_MODEL"
    assert "DINOv2" in error.message
    assert "detr" in error.message


def test_pooling_without_a_choice(root: Path, store: Store) -> None:
    save_image_model(root / "mine", "clip")
    error = refused(store, pooling="mean")
    assert isinstance(error, ParameterError)
    assert error.code == "BAD_POOLING"


def test_m04_m14_half_a_download(root: Path, store: Store) -> None:
    from safetensors.torch import load_file, save_file

    folder = root / "mine"
    save_image_model(folder, "vit")
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:len(whole) // 2])
    assert refused(store).code == "MODEL_DAMAGED"
    weights.unlink()
    assert refused(store).code == "NOT_A_MODEL"
    (folder / "pytorch_model.bin").write_bytes(b"never read")
    assert refused(store).code == "UNSAFE_WEIGHTS"
    (folder / "pytorch_model.bin").unlink()
    weights.write_bytes(whole)
    (folder / "preprocessor_config.json").unlink()
    error = refused(store)
    assert error.code == "NOT_A_MODEL"
    assert "preprocessor_config.json" in error.message
    save_image_model(folder, "vit")
    tensors = load_file(weights)
    lost = sorted(name for name in tensors if "0.attention" in name or "layer.0" in name)
    assert lost
    save_file({name: tensor for name, tensor in tensors.items() if name not in lost}, weights,
              {"format": "pt"})
    error = refused(store)
    assert error.code == "MODEL_DAMAGED"
    assert "for every layer" in error.message


def test_one_of_several_weight_files_is_missing(root: Path, store: Store) -> None:
    folder = root / "mine"
    save_image_model(folder, "vit").save_pretrained(folder, max_shard_size="20KB")
    (folder / "model.safetensors").unlink(missing_ok=True)
    shards = sorted(folder.glob("model-*.safetensors"))
    assert len(shards) > 1
    assert encoded(store).vectors.shape == (3, 32)
    shards[-1].unlink()
    assert refused(store).code == "MODEL_DAMAGED"


def test_sizes_that_do_not_fit_the_network(root: Path, store: Store) -> None:
    save_image_model(root / "mine", "vit")
    change_json(root / "mine" / "preprocessor_config.json", size={"height": 48, "width": 48})
    error = refused(store)
    assert error.code == "MODEL_DAMAGED"
    assert "48" in error.message


PROCESSORS: dict[str, tuple[dict[str, Any], str]] = {
    "huge": ({"size": {"height": 10**9, "width": 10**9}}, "MODEL_DAMAGED"),
    "nothing": ({"size": {"height": 0, "width": 8}}, "UNSUPPORTED_MODEL"),
    "negative": ({"size": {"height": -8, "width": 8}}, "MODEL_DAMAGED"),
    "huge crop": ({"do_center_crop": True, "crop_size": {"height": 10**6, "width": 10**6}},
                  "MODEL_DAMAGED"),
    "different sizes": ({"size": {"shortest_edge": 32}}, "UNSUPPORTED_MODEL"),
    "padded": ({"do_pad": True}, "UNSUPPORTED_MODEL"),
    "no number": ({"rescale_factor": "x"}, "MODEL_DAMAGED"),
    "divided by zero": ({"image_std": [0, 0, 0]}, "MODEL_DAMAGED"),
    "one channel": ({"image_mean": [0.5], "image_std": [0.5]}, "UNSUPPORTED_MODEL"),
    "any size": ({"image_processor_type": "Siglip2ImageProcessor"}, "UNSUPPORTED_MODEL"),
    "nobody's": ({"image_processor_type": "os.system"}, "MODEL_DAMAGED"),
    "a filter nobody knows": ({"resample": 77}, "MODEL_DAMAGED"),
}


@pytest.fixture(scope="module")
def vit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model to spoil copies of."""
    folder = tmp_path_factory.mktemp("vit")
    save_image_model(folder, "vit")
    return folder


def copied(vit: Path, folder: Path) -> Path:
    folder.mkdir()
    for file in vit.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


@pytest.mark.parametrize("name", PROCESSORS)
def test_processors_that_ask_for_too_much(name: str, vit: Path, root: Path, store: Store) -> None:
    change, code = PROCESSORS[name]
    change_json(copied(vit, root / "mine") / "preprocessor_config.json", **change)
    assert refused(store).code == code


CODE = {"auto_map": {"AutoConfig": "own.Own", "AutoModel": "own.Own",
                     "AutoImageProcessor": "own.Own"}}
EVIL: dict[str, tuple[str, dict[str, Any]]] = {
    "own classes": ("config.json", {**CODE, "architectures": ["Own"]}),
    "own classes of a repository": ("config.json", {"auto_map": {"AutoModel": "evil/x--own.Own"}}),
    "kernels": ("config.json", {"_attn_implementation_internal": "evil/kernels"}),
    "own processor": ("preprocessor_config.json", {**CODE, "image_processor_type": "Own"}),
    "trust": ("preprocessor_config.json", {"trust_remote_code": True}),
}


@pytest.mark.parametrize("name", EVIL)
def test_m02_m03_code_of_a_model_never_runs_and_nothing_is_fetched(
        name: str, vit: Path, root: Path, store: Store, tmp_path: Path) -> None:
    folder = copied(vit, root / "mine")
    canary = tmp_path / "canary"
    (folder / "own.py").write_text(f"open({str(canary)!r}, 'w').close()\nclass Own: pass\n")
    file, change = EVIL[name]
    change_json(folder / file, **change)
    seen = len(_seen)
    sys.addaudithook(_watch)
    _watching[0] = True
    try:
        outcome = str(encoded(store).vectors.shape)
    except ExplorerError as error:
        outcome = error.code
    finally:
        _watching[0] = False
    assert outcome in ("UNSAFE_MODEL", "MODEL_DAMAGED", "(3, 32)")
    assert not canary.exists()
    assert _seen[seen:] == []


def announced(height: int, width: int) -> bytes:
    """A PNG file that says it has so many pixels."""
    import zlib

    data = bytearray(png(np.zeros((8, 8), dtype=np.uint8)))
    data[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    return bytes(data)


@pytest.fixture
def no_thumbnails(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loader refuses such files before they are in a data set: here they are, as if it had
    not."""
    monkeypatch.setattr("tests.builders._thumbnail", lambda data: b"")


def saved(image: Any, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def test_pictures_nobody_wants(vit: Path, root: Path, store: Store,
                               no_thumbnails: None) -> None:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    copied(vit, root / "mine")
    draws = np.random.default_rng(0)
    photo = Image.fromarray(draws.integers(0, 256, (40, 50, 3), dtype=np.uint8))
    many = saved(Image.new("P", (20, 20)), "GIF", save_all=True,
                 append_images=[Image.new("P", (20, 20), shade) for shade in range(1, 50)])
    turned = Image.Exif()
    turned[0x0112] = 6
    text = PngInfo()
    text.add_text("a", "x" * 3_000_000, zip=True)
    floats = Image.fromarray(np.linspace(0, 1, 900, dtype=np.float32).reshape(30, 30))
    cases = {
        "good": (png(np.asarray(photo)), True),
        "I01 header of 50,000 x 50,000": (announced(50_000, 50_000), False),
        "I02 100 megapixels": (announced(10_000, 10_001), False),
        "I03 half": (saved(photo, "JPEG")[:900], False),
        "I05 floats": (saved(floats, "TIFF"), True),
        "I06 CMYK": (saved(photo.convert("CMYK"), "JPEG"), True),
        "I08 frames": (many, True),
        "I10 one pixel": (png(np.zeros((1, 1, 3), dtype=np.uint8)), True),
        "I10 a line": (png(np.zeros((1, 20_000), dtype=np.uint8)), True),
        "I10 a long line": (png(np.zeros((65_535, 1), dtype=np.uint8)), True),
        "I11 nothing": (b"", False),
        "I11 a text": (b"hello", False),
        "I12 SVG": (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', False),
        "I14 long text": (saved(photo, "PNG", pnginfo=text), None),
        "I18 turned": (saved(photo, "JPEG", exif=turned.tobytes()), True),
    }
    started = time.monotonic()
    found = encoded(store, [data for data, _ in cases.values()])
    assert time.monotonic() - started < 10
    assert np.isfinite(found.vectors).all()
    for row, (name, (_, good)) in enumerate(cases.items()):
        if good is not None:
            assert (row in found.rows) == good, name
    said = " ".join(found.notes)
    for words in ("larger than 50 megapixels", "damaged", "not an image", "no image"):
        assert words in said


def test_a_line_of_pixels_is_never_blown_up(root: Path, store: Store) -> None:
    # CLIP scales the shorter side: 1 x 20,000 pixels would become 32 x 640,000.
    import tracemalloc

    save_image_model(root / "mine", "clip")
    wide, high = np.arange(20_000)[None] % 251, np.zeros((9_000, 2))
    files = [png(wide.astype(np.uint8)), png(high.astype(np.uint8))]
    encoded(store, files)
    tracemalloc.start()
    try:
        assert encoded(store, files[::-1]).vectors.shape == (2, 20)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_i17_mutated_pictures_end_in_words(vit: Path, root: Path, store: Store,
                                           no_thumbnails: None) -> None:
    from PIL import Image

    copied(vit, root / "mine")
    draws = np.random.default_rng(3)
    photo = Image.fromarray(draws.integers(0, 256, (24, 20, 3), dtype=np.uint8))
    files = []
    for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"):
        whole = saved(photo, kind)
        for _ in range(25):
            spoilt = bytearray(whole)
            for at in draws.integers(0, len(whole), 6):
                spoilt[at] = draws.integers(0, 256)
            files.append(bytes(spoilt))
    found = encoded(store, [saved(photo, "PNG"), *files])
    assert np.isfinite(found.vectors).all()
    left = len(files) + 1 - len(found.rows)
    assert left > 5
    assert sum("left out" in note for note in found.notes) <= 4


def test_an_image_to_search_by_is_refused_in_words(vit: Path, root: Path) -> None:
    copied(vit, root / "mine")
    for data in (b"", b"x", announced(10_000, 10_001)):
        with pytest.raises(DataError) as caught:
            ImageModel(model="mine").place_image(data, {})
        assert caught.value.code == "BAD_IMAGE"
        assert caught.value.hint


def test_broken_json_anywhere(vit: Path, root: Path, store: Store) -> None:
    for file in ("config.json", "preprocessor_config.json"):
        folder = copied(vit, root / "mine")
        for text in ("{", "[]", "null", '"x"', json.dumps({"model_type": ["vit"]})):
            (folder / file).write_text(text)
            assert refused(store).code in ("NOT_A_MODEL", "MODEL_DAMAGED", "UNSUPPORTED_MODEL")
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
    copied(vit, root / "mine")
    assert find_model("mine").architecture == "vit"
