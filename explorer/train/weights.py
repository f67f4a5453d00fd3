"""Weights and the optimiser's memory as plain arrays by name, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch
    from torch import nn


def read_weights(modules: nn.ModuleDict) -> dict[str, np.ndarray]:
    """A copy of every weight and buffer by its name."""
    return {name: tensor.detach().cpu().numpy().copy()
            for name, tensor in modules.state_dict().items()}


def fits(modules: nn.ModuleDict, weights: Mapping[str, np.ndarray]) -> bool:
    """Whether these are the weights of such a network, by names and shapes."""
    # The store keeps a single number as an array of one, which PyTorch takes.
    there = {name: tuple(tensor.shape) or (1,) for name, tensor in modules.state_dict().items()}
    return there == {name: array.shape or (1,) for name, array in weights.items()}


def write_weights(modules: nn.ModuleDict, weights: Mapping[str, np.ndarray]) -> None:
    """The inverse of `read_weights`; RuntimeError where names or shapes differ."""
    import torch

    modules.load_state_dict({name: torch.from_numpy(np.array(array))
                             for name, array in weights.items()})


def read_moments(optimizer: torch.optim.Optimizer) -> dict[str, np.ndarray]:
    """A copy of what the optimiser remembers of each parameter, as 'parameter.name'."""
    return {f"{place}.{name}": tensor.detach().cpu().numpy().copy()
            for place, kept in optimizer.state_dict()["state"].items()
            for name, tensor in kept.items()}


def write_moments(optimizer: torch.optim.Optimizer, moments: Mapping[str, np.ndarray]) -> None:
    """The inverse of `read_moments`."""
    import torch

    data = optimizer.state_dict()
    kept: dict[int, dict[str, Any]] = {}
    for name, array in moments.items():
        place, what = name.split(".", 1)
        kept.setdefault(int(place), {})[what] = torch.from_numpy(np.array(array))
    optimizer.load_state_dict({**data, "state": kept})
