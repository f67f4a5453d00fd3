"""The sums of distances on a graphics card, where there is one: from the differences, in double
precision, so that the answer is the same."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator

import numpy as np

from explorer.judge.silhouette_sums import Panel, Question
from explorer.spec import Progress

_WORTH_PAIRS = 200e6
"""Below, the processor is done before a graphics card is awake."""
_BLOCK_BYTES = 512 * 2**20
_DRIVERS = {"linux": "libcuda.so.1", "win32": "nvcuda.dll"}


def free_card(question: Question) -> str:
    """The name of a card with the memory for this question ('cuda'); '' where there is none or
    the question is small. Does not import torch where no driver is installed."""
    m, d = question.points.values.shape
    if question.wanted * m < _WORTH_PAIRS or not _has_driver():
        return ""
    import torch

    if not torch.cuda.is_available():
        return ""
    needed = 8 * m * d + 2 * _BLOCK_BYTES + 8 * question.members.shape[1] * block_rows(m)
    return "cuda" if torch.cuda.mem_get_info()[0] > 1.2 * needed else ""


def sum_distances_on(device: str, question: Question, progress: Progress) -> Iterator[Panel]:
    """`silhouette_sums.sum_distances` by torch on this device, a block of rows to all at a time."""
    import torch

    points, m = question.points, len(question.points)
    values = torch.from_numpy((points.values - points.centre) * points.scale).to(device)
    counts = question.members.T.tocoo()
    members = torch.sparse_coo_tensor(
        torch.from_numpy(np.vstack([counts.row, counts.col]).astype(np.int64)),
        torch.from_numpy(counts.data.astype(np.float64)), counts.shape,
        check_invariants=False).to(device)
    p = 1.0 if points.metric == "manhattan" else 2.0
    step = block_rows(m)
    for low in range(0, question.wanted, step):
        high = min(low + step, question.wanted)
        progress(low / question.wanted, f"distances of {question.wanted:,} different rows on the "
                                        "graphics card")
        distances = torch.cdist(values, values[low:high], p=p,
                                compute_mode="donot_use_mm_for_euclid_dist")
        if points.metric == "cosine":
            distances.square_()
        sums = torch.sparse.mm(members, distances)
        yield Panel(low, high, sums.cpu().numpy() * points.unit)


def block_rows(m: int) -> int:
    """How many rows of m float64 distances stand on the card at a time; at least one."""
    return max(1, _BLOCK_BYTES // (8 * m))


def _has_driver() -> bool:
    name = _DRIVERS.get(sys.platform)
    if name is None:
        return False
    try:
        ctypes.CDLL(name)
    except OSError:
        return False  # the loader's way of saying that it is not installed
    return True
