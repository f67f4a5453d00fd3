"""A number against those of data without structure: how unusual is it?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Against:
    """`p`: one-sided, (1 + `as_good`) / (1 + `runs`), None where the number itself is not defined;
    `z`: how many standard deviations of the null it lies on the better side of the null's mean,
    None without two different null values. `defined`: null runs that gave a number."""

    p: float | None
    z: float | None
    as_good: int
    runs: int
    defined: int
    mean: float | None


def compare(observed: float | None, nulls: np.ndarray, better: str = "higher") -> Against:
    """The place of a number among those of R null runs (float64, NaN where not defined: such a run
    found nothing to score, so it is not as good).

    Source of p: A. C. Davison, D. V. Hinkley, Bootstrap Methods and Their Application (1997),
    equation 4.11: the observed number counts as one of the draws, so p is never 0.
    """
    nulls = np.asarray(nulls, np.float64)
    known = nulls[np.isfinite(nulls)]
    mean = float(known.mean()) if len(known) else None
    if observed is None or not len(nulls):
        return Against(None, None, 0, len(nulls), len(known), mean)
    sign = -1.0 if better == "lower" else 1.0
    as_good = int(np.count_nonzero(sign * known >= sign * observed))
    spread = float(known.std(ddof=1)) if len(known) > 1 else 0.0
    z = sign * (observed - known.mean()) / spread if spread > 0 else None
    return Against((1 + as_good) / (1 + len(nulls)), None if z is None else float(z), as_good,
                   len(nulls), len(known), mean)
