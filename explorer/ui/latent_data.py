"""The codes of a run's rows for the browser: as many as it can search while a slider moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.ui.kept import Kept
from explorer.ui.trained import TrainedRun

MOST_NUMBERS = 4_000_000
"""16 MB, and some ten milliseconds of a browser for the nearest of them."""
LOW, HIGH = 0.5, 99.5
"""Percentiles between which sliders move: single far rows do not make them coarse."""


@dataclass(frozen=True)
class Codes:
    """m of `total` rows: their dataset `rows` (m int64, ascending) and raw `codes` (m x latent
    float32, before any normalisation); `low`, `high`, `mean`, `variance` (latent float64) are of
    these m rows."""

    rows: np.ndarray
    codes: np.ndarray
    total: int
    low: np.ndarray
    high: np.ndarray
    mean: np.ndarray
    variance: np.ndarray

    @property
    def whole(self) -> bool:
        """Whether every row is there."""
        return len(self.rows) == self.total


_codes: Kept[Codes] = Kept(128 * 2**20, lambda found: found.codes.nbytes)


def codes_of(trained: TrainedRun, raw: np.ndarray | None = None) -> Codes:
    """The codes of a run's rows; beyond MOST_NUMBERS of rows drawn evenly. `raw`: its codes (n x
    latent) where the embedding is not what the network gave."""
    run = trained.run
    return _codes.get((run.plan.embedding, raw is not None), lambda: _sampled(trained, raw))


def _sampled(trained: TrainedRun, raw: np.ndarray | None) -> Codes:
    vectors = trained.embedding.vectors if raw is None else raw
    n, d = vectors.shape
    most = max(2, MOST_NUMBERS // max(d, 1))
    places = np.arange(n) if n <= most else np.linspace(0, n - 1, most).astype(np.int64)
    codes = np.ascontiguousarray(vectors[places], dtype=np.float32)
    low, high = np.percentile(codes, [LOW, HIGH], axis=0)
    return Codes(rows=np.asarray(trained.embedding.rows)[places], codes=codes, total=n, low=low,
                 high=high, mean=codes.mean(axis=0, dtype=np.float64),
                 variance=codes.var(axis=0, dtype=np.float64))
