"""What a person who looks on sees of a training."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

import numpy as np

from explorer.encode.material import Material
from explorer.train.files import Live, TrainingFiles, now
from explorer.train.state import Hooks, Standing

if TYPE_CHECKING:
    import torch
    from torch import nn

_SHOWN = 8


class Rebuilding(Protocol):
    """What is watched: a declaration that may rebuild rows."""

    @property
    def epochs(self) -> int: ...

    @property
    def rebuilds(self) -> bool: ...

    def remake(self, modules: nn.ModuleDict, rows: torch.Tensor) -> torch.Tensor: ...


class Watch:
    """Shows a training to whoever looks on: after every epoch the history, and how a few rows that
    were held back are rebuilt. `start` is the state of an earlier training that was cut off."""

    def __init__(self, method: Rebuilding, material: Material, held: np.ndarray,
                 files: TrainingFiles) -> None:
        shown = held[:_SHOWN] if len(held) else np.arange(min(_SHOWN, len(material.rows)))
        self._method, self._material, self._files = method, material, files
        self._rows = material.values[shown]
        self.original = material.restored(self._rows)
        self._made: list[np.ndarray] = []
        self._before = 0.0
        self._started = time.monotonic()
        self.start = files.state()
        live = files.live()
        if self.start is not None and live is not None:
            self._made = list(live.remade[:self.start.epoch])
            self._before = live.seconds

    @property
    def hooks(self) -> Hooks:
        """For the training loop."""
        return Hooks(save=self._files.save, show=self.show)

    @property
    def remade(self) -> np.ndarray:
        """Epochs x the rows shown, float32; 0 epochs where nothing is rebuilt."""
        return (np.stack(self._made) if self._made
                else np.empty((0, *self.original.shape), dtype=np.float32))

    @property
    def seconds(self) -> float:
        """Trained so far, those before an interruption too."""
        return self._before + time.monotonic() - self._started

    def show(self, modules: nn.ModuleDict, standing: Standing) -> None:
        """Put on disk what there is to see after an epoch."""
        if self._method.rebuilds:
            import torch

            modules.eval()
            device = next(modules.parameters()).device
            with torch.no_grad():
                made = self._method.remake(modules, torch.from_numpy(self._rows).to(device))
            self._made = [*self._made[:standing.epoch - 1],
                          self._material.restored(made.cpu().numpy())]
        self._files.show(Live(
            epoch=standing.epoch, epochs=self._method.epochs, best_epoch=standing.best_epoch,
            history={name: list(values) for name, values in standing.history.items()},
            original=self.original, remade=self.remade, at=now(), seconds=self.seconds,
            batch=standing.batch))
