"""Where networks are trained: on a GPU where PyTorch finds one, else on the CPU.

On a GPU products are made in bfloat16 (mixed precision) and rows stay there where they fit; on the
CPU everything is single precision.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

_SHARE_OF_MEMORY = 0.5
"""Of what is free on the GPU: the rows may take so much, the network needs the rest."""


def device() -> str:
    """'cuda' or 'cpu'."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def note_of(device: str) -> tuple[str, ...]:
    """What to know of a network that was trained there; nothing of one made on the CPU."""
    import torch

    if device == "cpu":
        return ()
    precision = "bfloat16 and single precision" if _mixes() else "single precision"
    return (f"Trained on a GPU ({torch.cuda.get_device_name()}) in {precision}: on another "
            "machine the same seed gives a slightly different network.",)


@contextmanager
def repeatable(device: str) -> Iterator[None]:
    """Around a training: on a GPU only convolutions that give the same sums every time."""
    import torch

    if device == "cpu":
        yield
        return
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True):
        yield


def mixed(device: str) -> Any:
    """Around a forward pass: bfloat16 where a GPU has it."""
    import torch

    if device == "cpu" or not _mixes():
        return nullcontext()
    return torch.autocast("cuda", dtype=torch.bfloat16)


class Rows:
    """n rows (float32), a batch of them at a time on the device."""

    def __init__(self, values: np.ndarray, device: str) -> None:
        import torch

        self._values, self._device = values, device
        self._there: torch.Tensor | None = None
        if device != "cpu" and values.nbytes < _SHARE_OF_MEMORY * torch.cuda.mem_get_info()[0]:
            self._there = torch.from_numpy(np.ascontiguousarray(values)).to(device)

    def take(self, batch: np.ndarray) -> torch.Tensor:
        """The rows at these places (int64)."""
        import torch

        if self._there is not None:
            return self._there[torch.from_numpy(batch).to(self._device)]
        return torch.from_numpy(np.ascontiguousarray(self._values[batch])).to(self._device)


@cache
def _mixes() -> bool:
    import torch

    return torch.cuda.is_bf16_supported(including_emulation=False)
