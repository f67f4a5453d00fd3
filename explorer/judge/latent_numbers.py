"""What the numbers of a latent space say: how much each varies, how they go together, how many
directions there are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.spec import Progress, silent

ACTIVE = 0.01
"""A number is in use whose KL is above so many nats, or whose mean varies by more (Y. Burda,
R. Grosse, R. Salakhutdinov, Importance Weighted Autoencoders, ICLR 2016, section 5)."""
_BLOCK = 20_000


@dataclass(frozen=True)
class Spread:
    """Of d numbers in m codes, all float64: `mean`, `variance` (population, d), `correlation` (d x
    d; NaN where a number is constant), `explained`: the shares of the variance along the principal
    axes, falling (d; NaN where nothing varies), `on`: the share of the codes in which a number is
    not 0 (d)."""

    mean: np.ndarray
    variance: np.ndarray
    correlation: np.ndarray
    explained: np.ndarray
    on: np.ndarray

    @property
    def directions(self) -> float | None:
        """The participation ratio (sum l)^2 / sum l^2 of the variances l along the principal axes:
        d for a ball, 1 for a line; None where nothing varies."""
        if np.isnan(self.explained).any():
            return None
        return float(1 / np.square(self.explained).sum())

    @property
    def closest(self) -> tuple[int, int] | None:
        """The two different numbers with the largest absolute correlation; None without any."""
        apart = np.abs(self.correlation)
        apart[np.tril_indices(len(apart))] = np.nan
        if np.isnan(apart).all():
            return None
        first, second = np.unravel_index(np.nanargmax(apart), apart.shape)
        return int(first), int(second)


def spread_of(codes: np.ndarray, progress: Progress = silent) -> Spread:
    """The spread of m x d codes (any float; computed in float64, centred first)."""
    m, d = codes.shape
    mean = codes.mean(axis=0, dtype=np.float64)
    moments, on = np.zeros((d, d)), np.zeros(d)
    for start in range(0, m, _BLOCK):
        progress(start / m, "codes compared")
        block = codes[start:start + _BLOCK]
        moved = block.astype(np.float64) - mean
        moments += moved.T @ moved / m
        on += np.count_nonzero(block, axis=0) / m
    variance = moments.diagonal().copy()
    with np.errstate(divide="ignore", invalid="ignore"):
        wide = np.sqrt(np.where(variance > 0, variance, np.nan))
        correlation = np.clip(moments / wide / wide[:, None], -1, 1)
    axes = np.linalg.eigvalsh(moments)[::-1].clip(0)
    total = axes.sum()
    explained = axes / total if total > 0 else np.full(d, np.nan)
    return Spread(mean, variance, correlation, explained, on)
