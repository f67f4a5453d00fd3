"""A training on disk while it runs: where it stands (to go on from) and what there is to see.

Both are safetensors files, replaced whole: a reader sees the one before or the one after. A file
that cannot be read is as good as none: training then starts from the beginning.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from explorer.disk import disk_error, home_gone, write_synced
from explorer.train.state import State

FOLDER = "training"
_STATE, _LIVE, _PART = "state.safetensors", "live.safetensors", ".part."
_LEFT_SECONDS = 600.0


@dataclass(frozen=True)
class Live:
    """What there is to see of a training: `epoch` of `epochs` done, `best_epoch` so far, `history`
    part -> one number per epoch, `original` (at most 8 rows held back, float32, in the units of the
    reader) and `remade` (k x those rows; 0 where nothing is rebuilt) after the k epochs `shown`
    (from 1, ascending, the newest among them: of a long training not every epoch), `at` when
    (since the epoch), `seconds` trained, `batch` rows."""

    epoch: int
    epochs: int
    best_epoch: int
    history: dict[str, list[float]]
    original: np.ndarray
    remade: np.ndarray
    at: float
    seconds: float
    batch: int
    shown: tuple[int, ...] = ()


class TrainingFiles:
    """The files of one training under the home of the results."""

    def __init__(self, home: Path, name: str) -> None:
        self.folder = Path(home) / FOLDER / name

    def save(self, state: State) -> None:
        """Keep a state to go on from. Raises StoreError where the disk refuses."""
        arrays = {f"{part}.{name}": array for part in ("weights", "best", "moments")
                  for name, array in getattr(state, part).items()}
        self._write(_STATE, arrays, {"epoch": state.epoch, "batch": state.batch,
                                     "history": state.history, "best_epoch": state.best_epoch,
                                     "ended": state.ended, "notes": list(state.notes)})

    def state(self) -> State | None:
        """The state kept last; None where there is none that can be read."""
        found = self._read(_STATE)
        if found is None:
            return None
        arrays, plain = found
        parts: dict[str, dict[str, np.ndarray]] = {"weights": {}, "best": {}, "moments": {}}
        try:
            for name, array in arrays.items():
                part, rest = name.split(".", 1)
                parts[part][rest] = array
            return State(epoch=plain["epoch"], batch=plain["batch"], history=plain["history"],
                         best_epoch=plain["best_epoch"], ended=plain["ended"],
                         notes=tuple(plain["notes"]), **parts)
        except (KeyError, TypeError, ValueError):
            return None  # of another version

    def show(self, live: Live) -> None:
        """Keep what there is to see. Raises StoreError where the disk refuses."""
        plain = {name: getattr(live, name) for name in
                 ("epoch", "epochs", "best_epoch", "history", "at", "seconds", "batch", "shown")}
        self._write(_LIVE, {"original": live.original, "remade": live.remade}, plain)

    def live(self) -> Live | None:
        """What there was to see last; None where there is nothing."""
        found = self._read(_LIVE)
        if found is None:
            return None
        arrays, plain = found
        try:
            return Live(original=arrays["original"], remade=arrays["remade"],
                        **{**plain, "shown": tuple(plain["shown"])})
        except (KeyError, TypeError):
            return None  # of another version

    def seen(self) -> tuple[int, int] | None:
        """Another value after every `show`, and cheap to ask for; None before the first."""
        try:
            found = (self.folder / _LIVE).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino

    def reached(self) -> int:
        """The epoch of the state kept last, without reading its weights; 0 where there is none."""
        plain = self._plain(_STATE)
        return 0 if plain is None else int(plain["epoch"])

    def remove(self) -> None:
        """The training is over: its result is stored."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def sweep(self) -> None:
        """Remove what a process left that was killed while it wrote."""
        for part in self.folder.glob(f"{_PART}*"):
            with suppress(OSError):  # another process was faster
                if time.time() - part.stat().st_mtime > _LEFT_SECONDS:
                    part.unlink()

    def _write(self, name: str, arrays: Mapping[str, np.ndarray], plain: dict[str, Any]) -> None:
        from safetensors.numpy import save

        whole = {key: np.asarray(array, order="C") for key, array in arrays.items()}
        content = save(whole, metadata={"plain": json.dumps(plain), "sum": _sum(whole)})
        part = self.folder / f"{_PART}{uuid.uuid4().hex}"
        home = self.folder.parent.parent
        try:
            if not home.is_dir():
                raise home_gone(home)
            self._put(part, name, content)
        except OSError as error:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise disk_error("keep the training", self.folder, error, len(content)) from error

    def _put(self, part: Path, name: str, content: bytes) -> None:
        """Replace a file whole; once more where another job of this training, stopped at another
        epoch, was over in between and cleared up."""
        for last in (False, False, True):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                write_synced(part, lambda file: file.write(content))
                os.replace(part, self.folder / name)
                return
            except FileNotFoundError:
                if last:
                    raise

    def _plain(self, name: str) -> dict[str, Any] | None:
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self.folder / name, framework="numpy") as file:
                found: dict[str, Any] = json.loads(file.metadata()["plain"])
                return found
        except (OSError, SafetensorError, KeyError, TypeError, ValueError):
            return None

    def _read(self, name: str) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self.folder / name, framework="numpy") as file:
                told = file.metadata()
                arrays = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
                if _sum(arrays) != told["sum"]:
                    return None
                return arrays, json.loads(told["plain"])
        except (OSError, SafetensorError, KeyError, TypeError, ValueError):
            return None


def _sum(arrays: Mapping[str, np.ndarray]) -> str:
    """A check sum of names and contents: a disk may change bytes without a word."""
    whole = hashlib.blake2b(digest_size=16)
    for name in sorted(arrays):
        whole.update(f"{name}\0{arrays[name].dtype}{arrays[name].shape}".encode())
        whole.update(arrays[name].reshape(-1).view(np.uint8).data)
    return whole.hexdigest()


def now() -> float:
    """Seconds since the epoch, for `Live.at`."""
    return time.time()
