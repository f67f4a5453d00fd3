"""A training on disk while it runs: where it stands (to go on from) and what there is to see.

Both are safetensors files, replaced whole: a reader sees the one before or the one after. A file
that cannot be read is as good as none: training then starts from the beginning.
"""

from __future__ import annotations

import json
import os
import shutil
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from explorer.disk import disk_error
from explorer.train.state import State

FOLDER = "training"
_STATE, _LIVE = "state.safetensors", "live.safetensors"


@dataclass(frozen=True)
class Live:
    """What there is to see of a training: `epoch` of `epochs` done, `best_epoch` so far, `history`
    part -> one number per epoch, `original` (at most 8 rows held back, float32, in the units of the
    reader) and `remade` (epochs x those rows; 0 epochs where nothing is rebuilt), `at` when (since
    the epoch), `seconds` trained, `batch` rows."""

    epoch: int
    epochs: int
    best_epoch: int
    history: dict[str, list[float]]
    original: np.ndarray
    remade: np.ndarray
    at: float
    seconds: float
    batch: int


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
        for name, array in arrays.items():
            part, rest = name.split(".", 1)
            parts[part][rest] = array
        return State(epoch=plain["epoch"], batch=plain["batch"], history=plain["history"],
                     best_epoch=plain["best_epoch"], ended=plain["ended"],
                     notes=tuple(plain["notes"]), **parts)

    def show(self, live: Live) -> None:
        """Keep what there is to see. Raises StoreError where the disk refuses."""
        plain = {name: getattr(live, name) for name in
                 ("epoch", "epochs", "best_epoch", "history", "at", "seconds", "batch")}
        self._write(_LIVE, {"original": live.original, "remade": live.remade}, plain)

    def live(self) -> Live | None:
        """What there was to see last; None where there is nothing."""
        found = self._read(_LIVE)
        if found is None:
            return None
        arrays, plain = found
        return Live(original=arrays["original"], remade=arrays["remade"], **plain)

    def remove(self) -> None:
        """The training is over: its result is stored."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, name: str, arrays: Mapping[str, np.ndarray], plain: dict[str, Any]) -> None:
        from safetensors.numpy import save

        content = save({name: np.ascontiguousarray(array) for name, array in arrays.items()},
                       metadata={"plain": json.dumps(plain)})
        part = self.folder / f".{name}.{uuid.uuid4().hex}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            part.write_bytes(content)
            os.replace(part, self.folder / name)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise disk_error("keep the training", self.folder, error) from error

    def _read(self, name: str) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self.folder / name, framework="numpy") as file:
                plain = json.loads(file.metadata()["plain"])
                return {key: file.get_tensor(key) for key in file.keys()}, plain  # noqa: SIM118
        except (OSError, SafetensorError, KeyError, TypeError, ValueError):
            return None


def now() -> float:
    """Seconds since the epoch, for `Live.at`."""
    return time.time()
