"""Models from a hub: a real one on this machine, over real sockets."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from explorer.disk import free_bytes
from explorer.encode import fetch as fetching
from explorer.encode.fetch import fetch, unfinished_folder
from explorer.encode.hub import downloads_refused, look_up, offer_from, wanted
from explorer.encode.models import find_model, list_models, survey_models
from explorer.errors import Cancelled, DataError, ExplorerError, ParameterError, StoreError
from explorer.spec import silent
from tests.encode.hub_server import REVISION, Hub, serving
from tests.encode.tiny import fake_model, save_sentence_model, write_weights

NAME = "owner/tiny"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "models"
    monkeypatch.setenv("EXPLORER_MODEL_ROOTS", str(root))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    return root


@pytest.fixture
def hub(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    there = tmp_path / "there"
    fake_model(there / NAME)
    write_weights(there / NAME / "model.safetensors", size=1_000_000)
    (there / NAME / "README.md").write_text("---\nlicense: mit\n---\nA model.\n")
    (there / NAME / "pytorch_model.bin").write_bytes(b"\x80\x04 a pickle")
    (there / NAME / "modeling_own.py").write_text("raise SystemExit")
    (there / NAME / "onnx").mkdir()
    (there / NAME / "onnx" / "config.json").write_text("{}")
    with serving(there) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        yield hub


def test_what_is_offered_and_what_arrives(root: Path, hub: Hub) -> None:
    offer = look_up(NAME)
    assert [path for path, _ in hub.requests] == [f"/api/models/{NAME}?blobs=true"]
    assert {file.path for file in offer.files} == {
        "README.md", "config.json", "model.safetensors", "tokenizer.json"}
    assert (offer.licence, offer.task, offer.revision) == ("mit", "feature-extraction", REVISION)
    assert offer.bytes > 1_000_000
    assert offer.host in hub.address
    seen: list[tuple[float, str]] = []
    goal = fetch(offer_from(offer.plain()), root, lambda done, text: seen.append((done, text)))
    for file in offer.files:
        assert (goal / file.path).read_bytes() == (hub.root / NAME / file.path).read_bytes()
    assert sorted(path.name for path in goal.rglob("*")) == sorted(
        file.path for file in offer.files)
    assert find_model(NAME).path == goal
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (1.0, "1.0 MB fetched and verified")
    asked = len(hub.requests)
    assert fetch(offer, root, silent) == goal
    assert len(hub.requests) == asked


def test_a_tiny_real_model_is_fetched_and_loads(root: Path, hub: Hub) -> None:
    from explorer.encode.models import digest_of
    from explorer.encode.sentences import load_model

    save_sentence_model(hub.root / "owner" / "real")
    goal = fetch(look_up("owner/real"), root, silent)
    assert (goal / "1_Pooling" / "config.json").exists()
    model = load_model(goal, digest_of(find_model("owner/real")))
    assert model.encode(["red cat"]).shape == (1, 16)


def test_a_stopped_download_goes_on_and_is_no_model_before(root: Path, hub: Hub) -> None:
    offer = look_up(NAME)

    def stop(done: float, text: str) -> None:
        if done > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        fetch(offer, root, stop)
    there = unfinished_folder(offer, root) / "model.safetensors.coming"
    size = there.stat().st_size
    assert 0 < size < 1_000_000
    assert list_models() == ()
    assert survey_models() == ()
    hub.requests.clear()
    fetch(offer, root, silent)
    assert hub.requests == [(f"/{NAME}/resolve/{REVISION}/model.safetensors", f"bytes={size}-")]
    assert (root / NAME / "model.safetensors").read_bytes() == (
        hub.root / NAME / "model.safetensors").read_bytes()
    assert not unfinished_folder(offer, root).exists()


def test_a_broken_connection_is_taken_up(root: Path, hub: Hub,
                                         monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching.time, "sleep", lambda seconds: None)
    hub.cut["model.safetensors"] = [300_000, 5]
    fetch(look_up(NAME), root, silent)
    ranges = [asked for path, asked in hub.requests if path.endswith(".safetensors")]
    assert ranges == ["", "bytes=300000-", "bytes=300005-"]


@pytest.mark.parametrize("file", ["model.safetensors", "config.json"])
def test_other_bytes_than_promised_are_refused(root: Path, hub: Hub, file: str) -> None:
    offer = look_up(NAME)
    hub.lie.add(file)
    with pytest.raises(DataError) as caught:
        fetch(offer, root, silent)
    assert caught.value.code == "CHECKSUM"
    assert list_models() == ()
    hub.lie.clear()
    fetch(offer, root, silent)
    assert [model.name for model in list_models()] == [NAME]


def test_no_room_on_the_disk(root: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "SPARE", 2 * free_bytes(root))
    with pytest.raises(StoreError) as caught:
        fetch(look_up(NAME), root, silent)
    assert caught.value.code == "DISK_FULL"


def test_only_pickles_are_not_fetched(root: Path, hub: Hub) -> None:
    (hub.root / NAME / "model.safetensors").unlink()
    with pytest.raises(DataError) as caught:
        look_up(NAME)
    assert caught.value.code == "UNSAFE_WEIGHTS"
    assert ".bin" in caught.value.message


@pytest.mark.parametrize("name", ["../etc", "http://169.254.169.254/x", "a/b/c", "", "owner/..",
                                  "owner/x?y=1", "owner/x#y", "\\\\host\\s", "x" * 200])
def test_odd_ids_are_refused_before_any_connection(root: Path, hub: Hub, name: str) -> None:
    with pytest.raises(ParameterError):
        look_up(name)
    assert hub.requests == []


@pytest.mark.parametrize("variable", ["EXPLORER_OFFLINE", "HF_HUB_OFFLINE", "EXPLORER_DEMO"])
def test_a_server_can_forbid_it(root: Path, hub: Hub, variable: str,
                                monkeypatch: pytest.MonkeyPatch) -> None:
    assert downloads_refused() == ""
    offer = look_up(NAME)
    hub.requests.clear()
    monkeypatch.setenv(variable, "1")
    with pytest.raises(DataError) as caught:
        look_up(NAME)
    assert caught.value.code == "OFFLINE"
    if variable != "HF_HUB_OFFLINE":  # set by the workers themselves
        with pytest.raises(DataError):
            fetch(offer, root, silent)
    assert hub.requests == []


def test_nobody_answers_and_no_such_model(root: Path, hub: Hub,
                                          monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError) as caught:
        look_up("owner/none")
    assert caught.value.code == "NO_SUCH_MODEL"
    hub.told = {"gated": "auto"}
    with pytest.raises(DataError, match="login"):
        look_up(NAME)
    hub.told = {"siblings": [{"rfilename": "config.json", "size": 3}]}
    with pytest.raises(DataError) as caught:  # no checksum: not fetched
        look_up(NAME)
    assert caught.value.code == "ODD_ANSWER"
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DataError) as caught:
        look_up(NAME)
    assert caught.value.code == "OFFLINE"
    assert "MiniLM" in caught.value.hint


def test_tampered_offers_are_refused(root: Path, hub: Hub) -> None:
    offer = look_up(NAME).plain()
    for path in ("../x.json", "/etc/x.json", "x/../../y.json", "a.py", "onnx/config.json"):
        assert not wanted(path)
        changed = {**offer, "files": [{**offer["files"][0], "path": path}]}
        with pytest.raises(ExplorerError):
            offer_from(changed)


def test_the_survey_says_why_a_folder_cannot_be_used(root: Path) -> None:
    fake_model(root / "good")
    fake_model(root / "half")
    (root / "half" / "model.safetensors").unlink()
    (root / "weights-only").mkdir()
    write_weights(root / "weights-only" / "model.safetensors")
    fake_model(root / "pickled")
    shutil.move(root / "pickled" / "model.safetensors", root / "pickled" / "pytorch_model.bin")
    found = {one.name: one for one in survey_models()}
    assert set(found) == {"good", "half", "weights-only", "pickled"}
    assert found["good"].model is not None
    said = {name: one.refused.message for name, one in found.items() if one.refused}
    assert "model.safetensors" in said["half"]
    assert "config.json" in said["weights-only"]
    assert "pytorch_model.bin" in said["pickled"]
    assert [model.name for model in list_models()] == ["good"]
