"""The Calinski-Harabasz index."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from explorer.judge import Judge
from explorer.judge.fit import Fit, Made, round_clusters
from explorer.judge.kept import euclidean_only, gather, without_noise
from explorer.spec import Cost, Progress
from explorer.values import Judgement, Score


class CalinskiHarabasz(Judge):
    """The variance between clusters over the variance inside them; larger is better, without an
    upper end. Compare it only between clusterings of the same rows. Noise takes no part."""

    key: ClassVar[str] = "calinski_harabasz"
    title: ClassVar[str] = "Calinski-Harabasz"
    rank: ClassVar[int] = 30

    def fits(self, made: Made) -> Fit:
        return round_clusters(self.title, made)

    def estimate(self, n: int, d: int) -> Cost:
        return Cost(seconds=0.02 + 1e-8 * n * d, bytes=24 * n * d)

    def judge(self, vectors: np.ndarray, labels: np.ndarray, metric: str, space: str,
              progress: Progress) -> Judgement:
        """(B / (k - 1)) / (W / (n - k)): B the squared distances of the k centres to the common
        centre times their sizes, W those of the n rows to their centres; float64.

        Source: T. Calinski, J. Harabasz, Commun. Stat. 3 (1974) 1-27; equal to scikit-learn's
        calinski_harabasz_score, but where W is 0 the index is infinite and not defined here
        (scikit-learn gives 1).
        """
        kept = without_noise(labels)
        value, why = None, kept.why
        if not why:
            rows = gather(vectors, kept)
            progress(0.5, "variances")
            inside = float(np.einsum("ij,ij->", rows.offsets, rows.offsets))
            between = float((kept.sizes * (rows.centres**2).sum(axis=1)).sum())
            if inside <= 1e-24 * between or inside == 0:  # copies but for rounding
                why = "Not defined: the rows of every cluster are copies of one row."
            else:
                k = len(kept.sizes)
                value = (between / (k - 1)) / (inside / (len(kept.rows) - k))
        progress(1.0, why or "Calinski-Harabasz index")
        score = Score(name=self.title, value=value, space=space, metric="euclidean",
                      sample=len(kept.rows), total=kept.total, noise=kept.noise, why=why)
        return Judgement(scores=(score,), notes=euclidean_only(self.title, metric))
