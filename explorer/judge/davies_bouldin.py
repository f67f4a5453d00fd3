"""The Davies-Bouldin index."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from explorer.judge import Judge
from explorer.judge.fit import Fit, Made, round_clusters
from explorer.judge.kept import euclidean_only, gather, without_noise
from explorer.spec import Cost, Progress
from explorer.values import Judgement, Score

_CENTRES_AT_ONCE = 256


class DaviesBouldin(Judge):
    """How wide clusters are compared with how far apart their centres lie, for each cluster and its
    worst neighbour; 0 is best. Noise takes no part."""

    key: ClassVar[str] = "davies_bouldin"
    title: ClassVar[str] = "Davies-Bouldin"
    rank: ClassVar[int] = 20

    def fits(self, made: Made) -> Fit:
        return round_clusters(self.title, made)

    def estimate(self, n: int, d: int) -> Cost:
        return Cost(seconds=0.02 + 1e-8 * n * d, bytes=24 * n * d)

    def judge(self, vectors: np.ndarray, labels: np.ndarray, metric: str, space: str,
              progress: Progress) -> Judgement:
        """Mean over clusters i of the largest (S_i + S_j) / M_ij: S the mean distance of a
        cluster's rows to its centre, M the distance of two centres; float64.

        Source: D. L. Davies, D. W. Bouldin, IEEE PAMI-1 (1979) 224-227; equal to scikit-learn's
        davies_bouldin_score, but where two centres coincide the index is not defined here
        (scikit-learn leaves that pair out).
        """
        kept = without_noise(labels)
        value, why = None, kept.why
        if not why:
            rows = gather(vectors, kept)
            progress(0.3, "distances to the centres")
            spread = (np.add.reduceat(np.linalg.norm(rows.offsets, axis=1), kept.starts)
                      / kept.sizes)
            value = _mean_of_worst(rows.centres, spread)
            if value is None:
                why = "Not defined: two clusters have the same centre."
        progress(1.0, why or "Davies-Bouldin index")
        score = Score(name=self.title, value=value, space=space, metric="euclidean",
                      sample=len(kept.rows), total=kept.total, noise=kept.noise, why=why,
                      better="lower")
        return Judgement(scores=(score,), notes=euclidean_only(self.title, metric))


def _mean_of_worst(centres: np.ndarray, spread: np.ndarray) -> float | None:
    from scipy.spatial.distance import cdist

    worst = np.empty(len(centres))
    for start in range(0, len(centres), _CENTRES_AT_ONCE):
        stop = min(start + _CENTRES_AT_ONCE, len(centres))
        apart = cdist(centres[start:stop], centres)
        apart[np.arange(stop - start), np.arange(start, stop)] = np.inf
        widths = spread[start:stop, None] + spread
        if (apart <= 1e-12 * widths).any():  # the same centre but for rounding
            return None
        worst[start:stop] = (widths / apart).max(axis=1)
    return float(worst.mean())
