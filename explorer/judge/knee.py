"""The knee of a falling curve: where more clusters stop paying."""

from __future__ import annotations

import numpy as np


def find_knee(counts: np.ndarray, values: np.ndarray) -> int | None:
    """The place (in the K `counts`, ascending) where a falling curve lies farthest below the
    straight line between its ends, both axes scaled to 0..1; None with fewer than three known
    values or where the curve does not fall or bend. It depends on the range: the ends decide.

    Source: V. Satopaa et al., Finding a 'Kneedle' in a haystack, ICDCSW 2011, for the discrete
    curve as it is (without smoothing and threshold).
    """
    known = np.flatnonzero(np.isfinite(values))
    if len(known) < 3:
        return None
    x, y = np.asarray(counts, np.float64)[known], np.asarray(values, np.float64)[known]
    width, height = x[-1] - x[0], y[0] - y[-1]
    if width <= 0 or height <= 0:
        return None
    below = (y[0] - y) / height - (x - x[0]) / width
    best = int(np.argmax(below))
    return int(known[best]) if below[best] > 1e-9 else None
