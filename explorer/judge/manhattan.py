"""Manhattan distances of a tile of rows: there is no matrix product for them, so this is compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

_COLUMNS = 256
"""As many coordinates of a tile's rows fit into the second cache; sums of so few in single
precision are exact enough."""


def manhattan_tile(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Sums of absolute differences of m x d `left` and n x d `right` (both float32 or both
    float64): m x n float32."""
    add = _compiled()
    total = np.zeros((len(left), len(right)), dtype=left.dtype)
    for start in range(0, left.shape[1], _COLUMNS):
        stop = start + _COLUMNS
        add(np.ascontiguousarray(left[:, start:stop]),
            np.ascontiguousarray(right[:, start:stop].T), total)
    return total.astype(np.float32, copy=False)


@cache
def _compiled() -> Callable[[np.ndarray, np.ndarray, np.ndarray], None]:
    import numba

    # Four coordinates at a time: the running sum is fetched and put back a quarter as often.
    @numba.njit(cache=True, fastmath=True)
    def add(left: np.ndarray, turned: np.ndarray, total: np.ndarray) -> None:
        d, n = turned.shape
        part = np.empty(n, dtype=total.dtype)
        for i in range(len(left)):
            part[:] = 0
            k = 0
            while k + 4 <= d:
                a, b, c, e = left[i, k], left[i, k + 1], left[i, k + 2], left[i, k + 3]
                one, two, three, four = turned[k], turned[k + 1], turned[k + 2], turned[k + 3]
                for j in range(n):
                    part[j] += (abs(a - one[j]) + abs(b - two[j])
                                + abs(c - three[j]) + abs(e - four[j]))
                k += 4
            while k < d:
                a, one = left[i, k], turned[k]
                for j in range(n):
                    part[j] += abs(a - one[j])
                k += 1
            total[i] += part

    compiled: Callable[[np.ndarray, np.ndarray, np.ndarray], None] = add
    return compiled
