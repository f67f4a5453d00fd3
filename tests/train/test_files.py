"""A training on disk: states and pictures that survive a kill, and what is no longer whole."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from explorer import single
from explorer.encode import encoders
from explorer.encode.watch import Watch
from explorer.errors import Cancelled, StoreError
from explorer.keys import reading_keys
from explorer.store import Store
from explorer.train.files import FOLDER, Live, TrainingFiles
from explorer.train.state import State
from tests.builders import build_dataset

DRAWS = np.random.default_rng(5)
STATE = State(epoch=3, batch=8, history={"train.loss": [3.0, 2.0, 1.5]},
              weights={"a.b": np.arange(6, dtype=np.float32).reshape(2, 3)},
              best={"a.b": np.ones((2, 3), np.float32)},
              moments={"0.step": np.array(7.0, np.float32)}, best_epoch=2, notes=("halved",))
LIVE = Live(epoch=3, epochs=9, best_epoch=2, history={"train.loss": [3.0, 2.0, 1.5]},
            original=np.zeros((2, 4), np.float32), remade=np.ones((3, 2, 4), np.float32), at=1.0,
            seconds=2.0, batch=8, shown=(1, 2, 3))


def files_in(folder: Path) -> TrainingFiles:
    return TrainingFiles(folder, "f" * 32)


def test_a_state_comes_back_to_the_bit(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    assert files.state() is None
    assert files.live() is None
    files.save(STATE)
    files.show(LIVE)
    state, live = files.state(), files.live()
    assert state is not None
    assert live is not None
    for part in ("weights", "best", "moments"):
        for name, array in getattr(STATE, part).items():
            found = getattr(state, part)[name]
            assert (found.dtype, found.shape) == (array.dtype, array.shape)
            assert found.tobytes() == array.tobytes()
    assert (state.epoch, state.batch, state.history, state.best_epoch, state.notes) == (
        3, 8, STATE.history, 2, ("halved",))
    assert (live.shown, live.remade.tobytes()) == (LIVE.shown, LIVE.remade.tobytes())
    assert (files.folder.stat().st_mode & 0o777) == 0o700
    files.remove()
    assert not files.folder.exists()


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "text", "pickle", "other"])
def test_a_damaged_state_is_as_good_as_none(tmp_path: Path, damage: str) -> None:
    from safetensors.numpy import save

    files = files_in(tmp_path)
    files.save(STATE)
    path = files.folder / "state.safetensors"
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[-3] ^= 4  # in a weight: safetensors itself would not see it
    path.write_bytes({"cut": whole[:-5], "flipped": bytes(flipped), "empty": b"",
                      "text": b"not a state", "pickle": b"\x80\x04cos\nsystem\n.",
                      "other": save({"a": np.ones(2)}, {"plain": "{}", "sum": ""})}[damage])
    assert files.state() is None


def test_a_disk_that_refuses_is_said_and_the_state_before_stays(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    files.save(STATE)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
        with pytest.raises(StoreError) as refused:
            files.save(STATE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert refused.value.code == "FILE_TOO_LARGE"
    assert "keep the training" in refused.value.message
    assert files.state() is not None
    assert [path.name for path in files.folder.iterdir()] == ["state.safetensors"]


def test_a_home_that_was_taken_away_is_not_made_again(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as refused:
        TrainingFiles(tmp_path / "gone", "f" * 32).save(STATE)
    assert refused.value.code == "HOME_GONE"
    assert not (tmp_path / "gone").exists()


def test_what_a_killed_process_left_is_swept(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    files.save(STATE)
    old, new = files.folder / ".part.old", files.folder / ".part.new"
    old.write_bytes(b"half")
    new.write_bytes(b"half")
    os.utime(old, (time.time() - 3600,) * 2)
    files.sweep()
    assert {path.name for path in files.folder.iterdir()} == {"state.safetensors", ".part.new"}


_PROGRAM = """
import sys, time
from pathlib import Path
import numpy as np
from explorer.train.files import TrainingFiles
from tests.train.test_files import STATE
from dataclasses import replace
files = TrainingFiles(Path(sys.argv[1]), "f" * 32)
big = np.arange(2_000_000, dtype=np.float32)
print("ready", flush=True)
for epoch in range(1, 10**6):
    files.save(replace(STATE, epoch=epoch, weights={"w": big + epoch}))
"""


def test_a_kill_at_any_moment_leaves_a_whole_state(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", _PROGRAM, str(tmp_path)], cwd=root,
                          stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(root)}
                          ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        while files.state() is None:
            time.sleep(0.01)
        time.sleep(0.05)
        child.kill()
    state = files.state()
    assert state is not None
    assert state.weights["w"][0] == state.epoch


@pytest.mark.parametrize("epochs", [5, 130])
def test_a_training_cut_off_goes_on_from_its_files(store: Store, epochs: int,
                                                   tmp_path: Path) -> None:
    """Pictures too, of which a long training keeps at most 60."""
    vectors = DRAWS.normal(size=(40, 5)).astype(np.float32)
    method = encoders().create("autoencoder", {
        "reads": "vectors", "epochs": epochs, "dimensions": 2, "layers": 0, "patience": 0,
        "batch_size": 64})
    whole = single.train(method, build_dataset(store, {"a": [1.0] * 40}, {}, {"v": vectors}), store)
    other = Store(tmp_path / "other")
    dataset = build_dataset(other, {"a": [1.0] * 40}, {}, {"v": vectors})
    calls = 0

    def stop(fraction: float, text: str) -> None:
        nonlocal calls
        calls += f"epoch {epochs // 2 + 1:,} of" in text
        if calls == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        single.train(method, dataset, other, stop)
    files = TrainingFiles(other.root, reading_keys(method, dataset).training)
    live = files.live()
    assert live is not None
    assert files.reached() == live.epoch == epochs // 2
    again = single.train(method, dataset, other)
    assert not files.folder.exists(), "its result is stored"
    assert again.shown == whole.shown
    assert len(whole.shown) == (5 if epochs == 5 else 44)
    assert len(whole.remade) == len(whole.shown)
    for name in ("original", "remade", "held"):
        assert getattr(again, name).tobytes() == getattr(whole, name).tobytes(), name
    for name, array in whole.weights.items():
        assert again.weights[name].tobytes() == array.tobytes(), name
    assert not list((other.root / FOLDER).glob("*"))


def test_rows_of_many_numbers_are_fewer() -> None:
    from explorer.encode.material import Material

    method = encoders().create("autoencoder", {"epochs": 60})
    values = np.zeros((30, 50_000), np.float32)
    material = Material(values, np.arange(30), "wide", values[0], values[0] + 1)
    watch = Watch(method, material, np.arange(10), files_in(Path("/nowhere")))  # type: ignore[arg-type]
    assert len(watch.original) == 1
