"""What a training is told, where it stands, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True)
class Settings:
    """How to train. `patience`: epochs without a better validation loss before it stops (0: never).
    `validation`: the share of rows held back. `last`: the epoch it is stopped after by hand, on the
    way to `epochs` (None: not at all). `rising`: over that share of the epochs the objective itself
    changes, so that early losses cannot be compared and patience waits."""

    epochs: int
    batch: int
    rate: float
    patience: int
    seed: int
    validation: float = 0.1
    decay: float = 1e-4
    smallest_batch: int = 1
    last: int | None = None
    rising: float = 0.0


class Objective(Protocol):
    """What is made small. Called with B rows as a tensor (B x d, or B x channels x height x width),
    the generator to draw every random number from (on the CPU), and how far the training is (0..1);
    gives one number by part, 'loss' among them: that one is made small, the others are shown."""

    def __call__(self, modules: nn.ModuleDict, rows: torch.Tensor, generator: torch.Generator,
                 share: float) -> Mapping[str, torch.Tensor]: ...


@dataclass(frozen=True)
class State:
    """Where a training stands after `epoch` epochs: `history` part -> one number per epoch
    ('train.loss', 'validation.loss', ...); `weights`, `best` and `moments` (the optimiser's) by
    name; `best_epoch` counted from 1, 0 for none; `batch` as it is now, after halving."""

    epoch: int
    batch: int
    history: dict[str, list[float]]
    weights: dict[str, np.ndarray]
    best: dict[str, np.ndarray]
    moments: dict[str, np.ndarray]
    best_epoch: int = 0
    ended: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trained:
    """The best weights by name (float32), the history (float64, one number per epoch), the epoch
    they are of (from 1), how it ended ('all epochs', 'no progress', 'stopped', 'not finite'), and
    what to know."""

    weights: dict[str, np.ndarray]
    history: dict[str, np.ndarray]
    best_epoch: int
    ended: str
    notes: tuple[str, ...] = ()

    @property
    def epochs(self) -> int:
        """How many epochs there were."""
        return len(next(iter(self.history.values()), ()))


@dataclass(frozen=True)
class Hooks:
    """Whom the loop tells after an epoch: `show` the modules and where it stands; `save` a state to
    go on from, when it is `due`, at the end, and when somebody stops the training."""

    save: Callable[[State], None]
    show: Callable[[nn.ModuleDict, Standing], None]
    due: Callable[[], bool]


@dataclass(frozen=True)
class Standing:
    """After `epoch` epochs: the `history` so far, the best epoch of it, the rows of a batch."""

    epoch: int
    best_epoch: int
    history: Mapping[str, list[float]]
    batch: int
