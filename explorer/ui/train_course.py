"""A training as it is shown, under way or over: read once for all who look on."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer import values
from explorer.encode.trained import TrainedEncoder
from explorer.model import Model
from explorer.train.files import Live, TrainingFiles
from explorer.train.loop import split
from explorer.ui.backend import backend
from explorer.ui.kept import Kept
from explorer.ui.train_ask import keys_of


@dataclass(frozen=True)
class Course:
    """How a training went so far: `epoch` of `epochs`, the `history` and the rows shown as `Live`
    and `Model` have them; `names` of the columns, where they have names, and their `spread`, where
    it is known; `remade` after the epochs `shown`. Two with one `key` are the same, with one
    `folder` of the same training."""

    key: Hashable
    folder: str
    epoch: int
    epochs: int
    best_epoch: int
    history: Mapping[str, Any]
    original: np.ndarray
    remade: np.ndarray
    names: tuple[str, ...] = ()
    spread: np.ndarray | None = None
    shown: tuple[int, ...] = ()

    @property
    def pictures(self) -> bool:
        """Whether the rows are images."""
        return self.original.ndim == 4

    @property
    def judged(self) -> str:
        """Whose loss decides which epoch is the best."""
        return "validation.loss" if "validation.loss" in self.history else "train.loss"

    @property
    def best_loss(self) -> float | None:
        """The loss of the best epoch; None before there is one."""
        losses = self.history.get(self.judged, ())
        return float(losses[self.best_epoch - 1]) if 0 < self.best_epoch <= len(losses) else None

    def kept_epoch(self, epoch: int) -> int:
        """The last epoch up to that one whose reconstructions are kept: of many not every one."""
        return max((shown for shown in self.shown if shown <= epoch), default=epoch)

    def made_after(self, epoch: int) -> np.ndarray | None:
        """How the rows shown were rebuilt after that epoch (from 1), where that is kept."""
        return self.remade[self.shown.index(epoch)] if epoch in self.shown else None


@dataclass(frozen=True)
class Summary:
    """A stored network in a line: what it read, the numbers a row becomes, how it went."""

    title: str
    dimensions: int
    epochs: int
    best_epoch: int
    best_loss: float | None
    held: int
    ended: str
    seconds: float


_lives: Kept[Live | None] = Kept(
    96_000_000, lambda live: 1 if live is None else int(live.remade.nbytes) + 4_000)
_held: Kept[int] = Kept(256)
_summaries: Kept[Summary] = Kept(256)


def live_of(files: TrainingFiles) -> Live | None:
    """What there is to see of a training; the file is read when it has changed."""
    seen = files.seen()
    return None if seen is None else _lives.get((str(files.folder), seen), files.live)


def course_of_live(files: TrainingFiles, live: Live, names: tuple[str, ...]) -> Course:
    """A training under way."""
    folder = str(files.folder)
    return Course((folder, live.at, live.epoch), folder, live.epoch, live.epochs, live.best_epoch,
                  live.history, live.original, live.remade, names, shown=live.shown)


def course_of_model(key: str, model: Model, epochs: int) -> Course:
    """A training that is over; `epochs` were asked for."""
    spread = None if model.pictures else np.asarray(model.spread)
    return Course(key, key, model.epochs, epochs, model.best_epoch, model.history, model.original,
                  model.remade, model.names, spread, tuple(model.shown))


def held_back(method: TrainedEncoder, n: int) -> int:
    """How many of n rows are never trained on."""
    settings = method.settings(n)
    return _held.get((n, settings.validation, settings.seed), lambda: len(
        split(n, settings.validation, settings.seed, settings.smallest_batch)[1]))


def read_shape(method: TrainedEncoder) -> tuple[int, int] | None:
    """Rows and numbers a row of what the network sees; None where that was not read yet."""
    entry = backend().store.find(keys_of(method).read)
    if entry is None:
        return None
    n, d = entry.array("vectors").shape
    return int(n), int(d)


def summary_of(method: TrainedEncoder) -> Summary | None:
    """The stored network in a line; None where it is not stored."""
    keys = keys_of(method)
    entry = backend().store.find(keys.model)
    if entry is None:
        return None
    return _summaries.get((str(backend().store.root), keys.model),
                          lambda: _summary(method, values.read(Model, entry)))


def _summary(method: TrainedEncoder, model: Model) -> Summary:
    course = course_of_model("", model, method.epochs)
    return Summary(model.title, method.latent(tuple(model.shape)), model.epochs, model.best_epoch,
                   course.best_loss, len(model.held), model.ended, model.seconds)
