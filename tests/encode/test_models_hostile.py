"""HOSTILE.md 3.9, by id: names that reach out, models that bring code, files that lie."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from explorer.encode.models import find_model, list_models
from explorer.errors import DataError, ExplorerError
from tests.encode.tiny import (
    change_json,
    fake_model,
    save_sentence_model,
    save_transformer,
    write_weights,
)

_WATCH = """
import json, os, sys, time
seen = []
def watch(event, given):
    if event in ("open", "os.listdir", "os.scandir"):
        path = given[0] if isinstance(given[0], (str, os.PathLike)) else ""
        seen.append((event, os.fspath(path)))
    elif event.startswith("socket.") and event not in ("socket.__new__", "socket.gethostname"):
        seen.append((event, str(given)[:200]))
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty root for models; the hub cache is empty too."""
    root = tmp_path / "models"
    root.mkdir()
    monkeypatch.setenv("EXPLORER_MODEL_ROOTS", str(root))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return root


def refused(name: str) -> ExplorerError:
    with pytest.raises(ExplorerError) as caught:
        find_model(name)
    return caught.value


def watched(script: str, *arguments: str) -> Any:
    """What the script, run in a process of its own under watch, prints as JSON."""
    done = subprocess.run([sys.executable, "-c", _WATCH + script, *arguments],
                          capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_m01_a_name_that_could_be_one_is_looked_for_under_the_roots_only(root: Path,
                                                                        tmp_path: Path) -> None:
    fake_model(root / "mine")
    found = watched("""
from explorer.encode import models
from explorer.errors import DataError
import huggingface_hub  # its own imports are not what is watched
try:
    models.find_model("warm")
except DataError:
    pass
sys.addaudithook(watch)
codes = []
for name in ("not-here", "org/not-here", "etc/passwd", "mine"):
    try:
        models.find_model(name)
    except DataError as error:
        codes.append(error.code)
print(json.dumps([codes, seen]))
""")
    codes, seen = found
    assert codes == ["NO_MODEL"] * 3
    assert not [event for event, _ in seen if event.startswith("socket")]
    inside = (str(root), str(tmp_path / "hub"))
    assert [path for _, path in seen if path and not path.startswith(inside)] == []
    assert any(path.endswith("config.json") for _, path in seen), "the watch sees nothing"


def test_m05_without_a_network_the_answer_takes_seconds_and_offers_what_is_there(
        root: Path, tmp_path: Path) -> None:
    fake_model(root / "mine")
    found = watched("""
sys.addaudithook(watch)
started = time.monotonic()
from explorer.encode.sentence_transformer import SentenceTransformerModel
from explorer.errors import ExplorerError
try:
    SentenceTransformerModel(model="sentence-transformers/all-mpnet-base-v2").fingerprint()
except ExplorerError as error:
    said = error.to_dict()
print(json.dumps([said, time.monotonic() - started,
                  [event for event, _ in seen if event.startswith("socket")]]))
""")
    said, seconds, network = found
    assert said["code"] == "NO_MODEL"
    assert "there are: mine" in said["message"]
    assert "TF-IDF" in said["hint"]
    assert network == []
    assert seconds < 30


CODE = {"auto_map": {"AutoConfig": "own.Own", "AutoModel": "own.Own",
                     "AutoTokenizer": ["own.Own", "own.Own"]}, "tokenizer_class": "Own"}


EVIL: dict[str, tuple[str, dict[str, Any]]] = {
    "own-classes": ("config.json", {"auto_map": CODE["auto_map"], "model_type": "own"}),
    "kernels": ("config.json", {"_attn_implementation_internal": "evil/kernels"}),
    "kernels-by-part": ("config.json", {"attn_implementation": {"": "evil/kernels"}}),
    "kernels-inside": ("config.json",
                       {"text_config": {"sub": [{"_attn_implementation": "a/b:c"}]}}),
    "other-repository": ("config.json", {"architectures": ["own.Own"],
                                         "auto_map": {"AutoModel": "evil/repo--own.Own"}}),
    "own-tokeniser": ("tokenizer_config.json", CODE),
    "trust": ("sentence_bert_config.json", {"model_args": {"trust_remote_code": True}}),
    "kernels-by-argument": ("sentence_bert_config.json",
                            {"model_kwargs": {"attn_implementation": "evil/kernels"}}),
    "kernels-later": ("2_Transformer/config.json", {"attn_implementation": "evil/kernels"}),
}
HARMLESS = ("good", "other-repository", "own-tokeniser")
"""Those of them whose own code is not asked for: the library's classes read the model."""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Every evil model and a good one through the real encoder, in one process under watch: name
    -> [code or shape, what was asked of the network]; 'canaries' that were left behind."""
    base = tmp_path_factory.mktemp("evil")
    for name, (file, change) in {"good": ("config.json", {}), **EVIL}.items():
        folder = base / "models" / name
        if name == "good":
            save_sentence_model(folder)
            continue
        save_transformer(folder)
        for place in (folder, folder / "2_Transformer"):
            place.mkdir(exist_ok=True)
            (place / "own.py").write_text(
                f"open({str(base / 'canary')!r} + {name!r}, 'w').close()\nclass Own: pass\n")
        if not (folder / file).exists():
            (folder / file).write_text("{}")
        change_json(folder / file, **change)
    found = watched("""
from pathlib import Path
from explorer.encode.sentence_transformer import SentenceTransformerModel
from explorer.errors import ExplorerError
from explorer.spec import silent
from explorer.store import Store
from tests.builders import build_dataset
os.environ["EXPLORER_MODEL_ROOTS"] = sys.argv[1]
data = build_dataset(Store(Path(sys.argv[2])), {"t": ["red cat", "http://169.254.169.254/x"]})
sys.addaudithook(watch)
found = {}
for name in sorted(os.listdir(sys.argv[1])):
    seen.clear()
    try:
        vectors = SentenceTransformerModel(model=name).encode(data, silent).vectors
        code = list(vectors.shape)
    except ExplorerError as error:
        code = error.code
    found[name] = [code, [pair for pair in seen if pair[0].startswith("socket")]]
print(json.dumps(found))
""", str(base / "models"), str(base / "home"))
    return {**found, "canaries": [path.name for path in base.glob("canary*")]}


@pytest.mark.parametrize("name", ["good", *EVIL])
def test_m02_m03_m05_code_of_a_model_never_runs_and_nothing_is_fetched(
        name: str, outcomes: dict[str, Any]) -> None:
    code, network = outcomes[name]
    assert code == [2, 16] if name in HARMLESS else code in ("UNSAFE_MODEL", "MODEL_DAMAGED")
    assert network == []
    assert outcomes["canaries"] == []


@pytest.mark.parametrize("kind", [
    "sentence_transformers.base.modules.Router", "sentence_transformers.models.Asym",
    "sentence_transformers.models.CLIPModel", "sentence_transformers.models.Own", "os.system",
    "sentence_transformers", "sentence_transformersX.Pooling"])
def test_m02_modules_nobody_knows(kind: str, root: Path) -> None:
    fake_model(root / "mine")
    (root / "mine" / "modules.json").write_text(json.dumps([
        {"path": "", "type": "sentence_transformers.models.Transformer"},
        {"path": "1_X", "type": kind}]))
    assert refused("mine").code == "UNSAFE_MODEL"
    assert list_models() == ()


def test_m04_weights_that_can_run_code_are_never_opened(root: Path, tmp_path: Path) -> None:
    import pickle

    canary = tmp_path / "canary"

    class Evil:
        def __reduce__(self) -> Any:
            return (os.system, (f"touch {canary}",))

    save_transformer(root / "mine")
    (root / "mine" / "model.safetensors").unlink()
    (root / "mine" / "pytorch_model.bin").write_bytes(pickle.dumps(Evil()))
    assert refused("mine").code == "UNSAFE_WEIGHTS"
    assert not canary.exists()
    assert list_models() == ()


def tensor(*offsets: int, dtype: str = "U8", shape: list[Any] | None = None) -> dict[str, Any]:
    return {"dtype": dtype, "data_offsets": list(offsets),
            "shape": [offsets[1] - offsets[0]] if shape is None else shape}


def packed(header: Any, body: int = 20, length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + b"0" * body


HOSTILE = {
    "nothing": b"", "seven bytes": b"1234567",
    "header of 4 GB": packed({}, length=2**32), "header of 2^64": packed({}, length=2**64 - 1),
    "header longer than the file": packed({"a": tensor(0, 20)}, length=500),
    "no JSON": packed(b"\xff\xfe not json"), "a list": packed([1, 2]),
    "nested": packed(b"[" * 100_000), "not a number": packed(b'{"a": NaN}'),
    "a name twice": packed(b'{"a": %b, "a": %b}' % ((json.dumps(tensor(0, 20)).encode(),) * 2)),
    "overlap": packed({"a": tensor(0, 12), "b": tensor(8, 20)}),
    "hole": packed({"a": tensor(0, 8), "b": tensor(12, 20)}),
    "outside": packed({"a": tensor(0, 20), "b": tensor(20, 5000)}),
    "far outside": packed({"a": tensor(0, 2**62)}), "negative": packed({"a": tensor(-8, 12)}),
    "backwards": packed({"a": tensor(20, 0, shape=[20])}),
    "more bytes than tensors": packed({"a": tensor(0, 8)}),
    "shape lies": packed({"a": tensor(0, 20, dtype="F32", shape=[1000, 1000])}),
    "shape overflows": packed({"a": tensor(0, 20, shape=[2**63, 2**63])}),
    "shape of words": packed({"a": tensor(0, 20, shape=["20"])}),
    "no shape": packed({"a": {"dtype": "U8", "data_offsets": [0, 20]}}),
    "a tensor of text": packed({"a": "x"}), "three offsets": packed({"a": tensor(0, 20, 30)}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_m14_hostile_safetensors(name: str, root: Path) -> None:
    fake_model(root / "mine")
    (root / "mine" / "model.safetensors").write_bytes(HOSTILE[name])
    started = time.monotonic()
    error = refused("mine")
    assert isinstance(error, DataError)
    assert error.code == "MODEL_DAMAGED"
    assert error.where.entry == "model.safetensors"
    assert len(str(error)) < 500
    assert list_models() == ()
    assert time.monotonic() - started < 2


def test_m14_what_the_library_writes_is_accepted(root: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    fake_model(root / "mine")
    tensors = {"a": torch.zeros(3, 4, dtype=torch.bfloat16), "b": torch.ones(5),
               "empty": torch.zeros(0, 7), "scalar": torch.tensor(2.5), "c": torch.ones(2).bool()}
    save_file(tensors, root / "mine" / "model.safetensors", {"format": "pt"})
    assert find_model("mine").name == "mine"
    write_weights(root / "mine" / "model-2.safetensors")
    assert find_model("mine").bytes > 100


def test_m12_every_model_runs_on_the_cpu(root: Path) -> None:
    from explorer.encode.models import digest_of
    from explorer.encode.sentences import load_model

    save_sentence_model(root / "tiny")
    found = find_model("tiny")
    assert str(load_model(found.path, digest_of(found)).device) == "cpu"
