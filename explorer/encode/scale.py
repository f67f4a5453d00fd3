"""One column of numbers brought to a common scale, in double precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Scaling = Literal["standard", "robust", "min-max", "none"]

_LARGE_OFFSET = 1e4  # float32 keeps 7 digits: from here on fewer than 3 are left for the spread


@dataclass(frozen=True)
class Scaled:
    """n float32 `values`; `note` is what is worth knowing about how they came about."""

    values: np.ndarray
    note: str = ""


def scale_column(numbers: np.ndarray, scaling: Scaling) -> Scaled:
    """n finite float64 `numbers`, not all equal, as float32.

    standard: (x - mean) / standard deviation (population). robust: (x - median) / (75th - 25th
    percentile); where that is zero the values are centred only. min-max: to 0..1. none: x, or
    x - mean where single precision would lose the differences. As scikit-learn's StandardScaler,
    RobustScaler and MinMaxScaler define them. Without scaling, values too large for float32 become
    infinite: the caller refuses them.
    """
    if scaling == "none":
        return _unscaled(numbers)
    numbers = _near_one(numbers)
    if scaling == "standard":
        moved = numbers - numbers.mean()
        return Scaled(_single(moved / moved.std()))
    if scaling == "min-max":
        low, high = numbers.min(), numbers.max()
        return Scaled(_single((numbers - low) / (high - low)))
    low, middle, high = np.quantile(numbers, (0.25, 0.5, 0.75))
    if low < high:
        return Scaled(_single((numbers - middle) / (high - low)))
    return Scaled(_single(numbers - middle),
                  "the middle half of the values is one value: centred on it, not scaled")


def _unscaled(numbers: np.ndarray) -> Scaled:
    near = _near_one(numbers)
    if abs(near.mean()) <= _LARGE_OFFSET * near.std():
        return Scaled(_single(numbers))
    return Scaled(_single(numbers - numbers.mean()),
                  "the mean was subtracted, because single precision would lose the differences "
                  "between values so far from zero")


def _near_one(numbers: np.ndarray) -> np.ndarray:
    """Very large or very small values times a power of two, which changes no digit: squares of
    1e200 or 1e-200 leave double precision."""
    exponent = int(np.frexp(np.abs(numbers).max())[1])
    return numbers if abs(exponent) < 300 else np.ldexp(numbers, -exponent)


def _single(numbers: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return numbers.astype(np.float32)
