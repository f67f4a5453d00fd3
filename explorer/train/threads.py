"""Networks use the cores that the other workers leave idle."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

_WORTH = 2e7
"""Products of one batch: with fewer the threads wait for each other longer than they work."""


@contextmanager
def all_threads(worth: bool = True) -> Iterator[None]:
    """As many threads of PyTorch as EXPLORER_THREADS says; one where it is not `worth` more. A
    worker of the engine has one for everything, but encoding and training are the longest steps and
    the ones all others wait for, so the other cores are mostly idle."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(int(os.environ.get("EXPLORER_THREADS", before)) if worth else 1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def worth_it(modules: nn.ModuleDict, batch: int) -> bool:
    """Whether a batch of so many rows is work enough for several threads: convolutions always are,
    other layers by their weights. (Measured: 3 epochs of 60 rows of 5 numbers took 0.08 s with one
    thread and 0.5 to 0.8 s with two on busy cores.)"""
    weights = [tensor for tensor in modules.parameters() if tensor.ndim >= 2]
    return (any(tensor.ndim == 4 for tensor in weights)
            or batch * sum(tensor.numel() for tensor in weights) > _WORTH)
