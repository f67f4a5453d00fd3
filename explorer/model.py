"""What a training leaves: the network's weights and all that is needed to use them again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from explorer.spec import result_key


@dataclass(frozen=True)
class Model:
    """A trained network, as plain arrays.

    `weights` by name (as the modules have them). `history`: part -> one float64 per epoch
    ('train.loss', 'validation.loss', ...); `best_epoch` (from 1) is the one the weights are of, and
    `ended` says why it was the last ('all epochs', 'no progress', 'stopped', 'not finite').
    `shape` of one row as the network sees it: (d,) or (channels, height, width). `center` and
    `spread` (d, or channels x 1 x 1) were taken out of the rows before. `method`: the identity of
    the declaration that built it, `reader`: of the encoder that reads the rows. `title` says what
    it read, `names` name the d numbers where they have names. `held`: dataset rows (int64) that
    were held back and never trained on. `original` (at most 8 rows held back) and `remade` (k x
    those rows), in the units of the reader: how rows were rebuilt after the k epochs `shown` (from
    1; of more than 60 every second, third ... one); empty where nothing is rebuilt. `decoder`: its
    layers as plain data (`train.layers`), in order, for who has no torch; empty where it has none.
    """

    weights: dict[str, np.ndarray]
    history: dict[str, np.ndarray]
    center: np.ndarray
    spread: np.ndarray
    shape: tuple[int, ...]
    method: dict[str, Any]
    reader: dict[str, Any]
    title: str
    best_epoch: int
    ended: str
    held: np.ndarray
    original: np.ndarray
    remade: np.ndarray
    names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    shown: tuple[int, ...] = ()
    extras: dict[str, np.ndarray] = field(default_factory=dict)
    decoder: tuple[dict[str, Any], ...] = ()

    @property
    def epochs(self) -> int:
        """How many epochs it was trained."""
        return len(next(iter(self.history.values()), ()))

    @property
    def pictures(self) -> bool:
        """Whether the rows are images."""
        return len(self.shape) == 3


_NOT_TRAINED_BY = ("normalize", "stop_after")


def training_name(method: dict[str, Any], read: str) -> str:
    """The name under which an unfinished training is kept: the same whatever epoch it is to be
    stopped after. `method` is the declaration's identity, `read` the key of the rows it sees."""
    return result_key("training", _trained_by(method, *_NOT_TRAINED_BY), read)


def model_key(method: dict[str, Any], fingerprint: str, read: str) -> str:
    """The name of a trained network: all that decides the training, and nothing that is done to
    the vectors after it."""
    return result_key("train", _trained_by(method, "normalize"), fingerprint, read)


def _trained_by(method: dict[str, Any], *without: str) -> dict[str, Any]:
    parameters = {name: value for name, value in method["parameters"].items()
                  if name not in without}
    return {**method, "parameters": parameters}
