"""What a person who looks on sees of a training."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from explorer.encode.material import Material
from explorer.train.files import Live, TrainingFiles, now
from explorer.train.state import Hooks, Standing, State

if TYPE_CHECKING:
    import torch
    from torch import nn

_SHOWN = 8
_MOST_EPOCHS = 60
"""Of so many epochs at most the rows shown are kept, evenly spaced."""
_MOST_NUMBERS = 5_000_000
"""In all that is kept of them: rows of very many numbers are fewer."""
_SAVE_SECONDS, _SHOW_SECONDS = 5.0, 0.4
_SHARE = 20
"""Writing takes at most this part of the time."""


class Rebuilding(Protocol):
    """What is watched: a declaration that may rebuild rows."""

    @property
    def epochs(self) -> int: ...

    @property
    def rebuilds(self) -> bool: ...

    def remake(self, modules: nn.ModuleDict, rows: torch.Tensor) -> torch.Tensor: ...


@dataclass
class _Pace:
    """How often something is written: so many seconds apart, more where writing takes long."""

    apart: float
    at: float = -1e9

    @property
    def due(self) -> bool:
        return time.monotonic() >= self.at + self.apart

    def done(self, started: float) -> None:
        self.at = time.monotonic()
        self.apart = max(self.apart, _SHARE * (self.at - started))


class Watch:
    """Shows a training to whoever looks on: the history, and how a few rows that were held back are
    rebuilt. `start` is the state of an earlier training that was cut off."""

    def __init__(self, method: Rebuilding, material: Material, held: np.ndarray,
                 files: TrainingFiles) -> None:
        numbers = max(1, int(np.prod(material.shape)))
        most = max(1, min(_SHOWN, _MOST_NUMBERS // (_MOST_EPOCHS * numbers)))
        rows = held[:most] if len(held) else np.arange(min(most, len(material.rows)))
        self._method, self._material, self._files = method, material, files
        self._rows = material.values[rows]
        self._stride = -(-method.epochs // _MOST_EPOCHS)
        self.original = material.restored(self._rows)
        self._made: dict[int, np.ndarray] = {}
        self._newest: tuple[int, np.ndarray] | None = None
        self._standing: Standing | None = None
        self._written = 0
        self._before = 0.0
        self._started = time.monotonic()
        self._showing, self._saving = _Pace(_SHOW_SECONDS), _Pace(_SAVE_SECONDS, self._started)
        files.sweep()
        self.start = files.state()
        live = files.live()
        if self.start is not None and live is not None:
            self._made = {epoch: made for epoch, made in zip(live.shown, live.remade, strict=False)
                          if self._kept(epoch) and epoch <= self.start.epoch}
            self._before = live.seconds

    @property
    def hooks(self) -> Hooks:
        """For the training loop."""
        return Hooks(save=self._save, show=self._show, due=lambda: self._saving.due)

    def remade(self, epochs: int) -> tuple[np.ndarray, tuple[int, ...]]:
        """How the rows shown were rebuilt in the first so many epochs (k x the rows, float32), and
        after which k epochs (from 1); none where nothing is rebuilt."""
        made = {epoch: rows for epoch, rows in self._made.items() if epoch <= epochs}
        return self._stacked(made), tuple(made)

    @property
    def seconds(self) -> float:
        """Trained so far, those before an interruption too."""
        return self._before + time.monotonic() - self._started

    def _show(self, modules: nn.ModuleDict, standing: Standing) -> None:
        self._standing = standing
        due, epoch = self._showing.due, standing.epoch
        if self._method.rebuilds and (due or self._kept(epoch)):
            self._newest = epoch, self._rebuilt(modules)
            if self._kept(epoch):
                self._made[epoch] = self._newest[1]
        if due:
            self._write()

    def _save(self, state: State) -> None:
        started = time.monotonic()
        if self._written < state.epoch:
            self._write()  # what is seen is never behind what is gone on from
        self._files.save(state)
        self._saving.done(started)

    def _write(self) -> None:
        if self._standing is None:
            return
        started, standing = time.monotonic(), self._standing
        made = dict(self._made)
        if self._newest is not None:
            made[self._newest[0]] = self._newest[1]
        self._files.show(Live(
            epoch=standing.epoch, epochs=self._method.epochs, best_epoch=standing.best_epoch,
            history={name: list(values) for name, values in standing.history.items()},
            original=self.original, remade=self._stacked(made), at=now(), seconds=self.seconds,
            batch=standing.batch, shown=tuple(made)))
        self._written = standing.epoch
        self._showing.done(started)

    def _kept(self, epoch: int) -> bool:
        return (epoch - 1) % self._stride == 0

    def _stacked(self, made: dict[int, np.ndarray]) -> np.ndarray:
        return (np.stack(list(made.values())) if made
                else np.empty((0, *self.original.shape), dtype=np.float32))

    def _rebuilt(self, modules: nn.ModuleDict) -> np.ndarray:
        import torch

        modules.eval()
        device = next(modules.parameters()).device
        with torch.no_grad():
            made = self._method.remake(modules, torch.from_numpy(self._rows).to(device))
        return self._material.restored(made.float().cpu().numpy())
