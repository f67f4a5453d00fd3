"""What a training takes, before anything is built: by the sizes its network will have.

Measured with one thread on a busy machine (two cores, 8 tasks): 4 to 5 ms a step for the smallest
networks, 14 ms for 665,000 weights and 64 rows, 46 ms for 64 images of 28 x 28 pixels. A quiet
machine is about twice as fast; `calibration` learns the rest.
"""

from __future__ import annotations

import math
from itertools import pairwise

from explorer.spec import Cost
from explorer.train.networks import widths

_START = 4.0
"""Seconds to import PyTorch and kornia."""
_STEP = 2.5e-3
_PRODUCTS = 2.5e10
"""Multiplications and additions a second in small float32 products."""
_PIXEL = 4e-7
"""Seconds for one pixel of one image, there and back."""
_LEAST_SIDE = 12
_LIBRARIES = 350_000_000


def training_cost(n: int, d: int, *, latent: int, layers: int, epochs: int, batch: int,
                  convolves: bool, work: float = 1.0) -> Cost:
    """Of n rows of d numbers, all epochs; `convolves`: images of 12 pixels a side and more are not
    flattened; `work`: how many times that of an autoencoder a step is."""
    rows = epochs * 0.9 * n
    pixels = _pixels(d) if convolves else None
    sizes = [d, *widths(d, latent, layers), latent]
    weights = 2 * sum(inside * outside for inside, outside in pairwise(sizes))
    each = pixels * _PIXEL if pixels is not None else 6 * weights / _PRODUCTS
    return Cost(
        seconds=_START + work * (rows * each + _STEP * max(epochs, rows / batch)),
        bytes=_LIBRARIES + 16 * n * d + int(work * 1_000 * batch * (pixels or 0)) + (
            0 if pixels is not None else 40 * weights))


def _pixels(d: int) -> int | None:
    """Of a row that is an image, grey or in colour, large enough for convolutions."""
    for channels in (1, 3):
        side = math.isqrt(d // channels)
        if side * side * channels == d and side >= _LEAST_SIDE:
            return side * side
    return None
