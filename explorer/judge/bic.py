"""The Bayesian information criterion of round clusters of one width (as in X-means)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from explorer.judge import Judge
from explorer.judge.fit import Fit, Made, round_clusters
from explorer.judge.kept import euclidean_only, gather, without_noise
from explorer.spec import Cost, Progress
from explorer.values import Judgement, Score


class Bic(Judge):
    """How well round clouds of one common width describe the rows, with a price for every number
    that a further cluster needs; lower is better. It can say that fewer clusters are enough. It
    believes that the clouds are round and bell-shaped: with many columns they seldom are. Noise
    takes no part."""

    key: ClassVar[str] = "bic"
    title: ClassVar[str] = "BIC (round clouds)"
    rank: ClassVar[int] = 50
    default: ClassVar[bool] = False

    def fits(self, made: Made) -> Fit:
        found = round_clusters(self.title, made)
        if found.verdict != "fits":
            return found
        return Fit("with care", "Believes in round clouds of one width. Compare it for the same "
                                "rows and columns only; it has no scale of its own.")

    def estimate(self, n: int, d: int) -> Cost:
        return Cost(seconds=0.02 + 1.2e-8 * n * d, bytes=24 * n * d)

    def judge(self, vectors: np.ndarray, labels: np.ndarray, metric: str, space: str,
              progress: Progress) -> Judgement:
        """-2 ln L + p ln n with L the likelihood of the n rows, each drawn from the cloud of its
        own cluster: ln L = sum_i n_i ln(n_i / n) - n d / 2 (ln(2 pi s^2) + 1), s^2 = W / (n d),
        W the inertia, and p = (k - 1) + k d + 1 numbers; float64. Columns without any spread do
        not count into d.

        Source: D. Pelleg, A. Moore, X-means, ICML 2000, with the maximum-likelihood s^2 (the paper
        divides by n - k and leaves d out) and the sign of scikit-learn's GaussianMixture.bic.
        """
        kept = without_noise(labels)
        value, why = None, kept.why
        if not why:
            rows = gather(vectors, kept)
            progress(0.5, "likelihood of the rows")
            n, k = len(kept.rows), len(kept.sizes)
            d = _spread_columns(vectors, kept.rows)
            within = float(np.einsum("ij,ij->", rows.offsets, rows.offsets))
            between = float((kept.sizes * (rows.centres**2).sum(axis=1)).sum())
            if within <= 1e-24 * between or within == 0:  # copies but for rounding
                why = "Not defined: the rows of every cluster are copies of one row."
            else:
                likelihood = (float((kept.sizes * np.log(kept.sizes / n)).sum())
                              - n * d / 2 * (np.log(2 * np.pi * within / (n * d)) + 1))
                value = float(-2 * likelihood + (k * (d + 1)) * np.log(n))
        progress(1.0, why or "BIC")
        score = Score(name=self.title, value=value, space=space, metric="euclidean",
                      sample=len(kept.rows), total=kept.total, noise=kept.noise, why=why,
                      better="lower")
        return Judgement(scores=(score,), notes=euclidean_only(self.title, metric))


def _spread_columns(vectors: np.ndarray, rows: np.ndarray) -> int:
    """How many columns differ between these rows."""
    part = vectors[rows]
    return max(1, int(np.count_nonzero(part.max(axis=0) != part.min(axis=0))))
