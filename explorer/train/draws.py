"""What is drawn once for a training: the rows held back, and seeds by name."""

from __future__ import annotations

import numpy as np

_MOST_VALIDATION = 2_000
_FEW = 20
"""Below so many rows none are held back for validation."""


def split(n: int, share: float, seed: int, least: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Rows to train on and rows held back (int64, ascending): `share` of them, at most 2,000; none
    of fewer than 20, and none where they would be fewer than `least`."""
    count = min(_MOST_VALIDATION, round(share * n)) if n >= _FEW else 0
    count = count if count >= least else 0
    order = np.random.default_rng((seed, 0, 0)).permutation(n)
    return np.sort(order[count:]), np.sort(order[:count])


def seed_of(*words: int) -> int:
    """A seed for PyTorch (below 2^63) out of whole numbers that name what it is for."""
    return int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0] >> 1)
