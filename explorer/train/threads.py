"""Networks use the cores that the other workers leave idle."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def all_threads() -> Iterator[None]:
    """As many threads of PyTorch as EXPLORER_THREADS says. A worker of the engine has one for
    everything, but encoding and training are the longest steps and the ones all others wait for, so
    the other cores are mostly idle."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(int(os.environ.get("EXPLORER_THREADS", before)))
    try:
        yield
    finally:
        torch.set_num_threads(before)
