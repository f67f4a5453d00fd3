"""The sum of squared distances to the centres, and the share of the variance it explains."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from explorer.judge import Judge
from explorer.judge.fit import Fit, Made, round_clusters
from explorer.judge.kept import Kept, euclidean_only, gather, per_cluster, without_noise
from explorer.spec import Cost, Progress
from explorer.values import Judgement, Score


class Inertia(Judge):
    """The sum of the squared distances of all rows to the centre of their cluster, and the share of
    the whole variance that the clusters explain. More clusters always make it smaller: compare it
    at equal numbers of clusters, or look for the elbow in a sweep. Noise takes no part."""

    key: ClassVar[str] = "inertia"
    title: ClassVar[str] = "Inertia"
    rank: ClassVar[int] = 40
    default: ClassVar[bool] = False
    falls: ClassVar[bool] = True

    def fits(self, made: Made) -> Fit:
        found = round_clusters(self.title, made)
        if found.verdict != "fits":
            return found
        return Fit("with care", "Every further cluster improves it: compare it at an equal number "
                                "only. K-means makes it as good as it can.")

    def estimate(self, n: int, d: int) -> Cost:
        return Cost(seconds=0.02 + 1e-8 * n * d, bytes=24 * n * d)

    def judge(self, vectors: np.ndarray, labels: np.ndarray, metric: str, space: str,
              progress: Progress) -> Judgement:
        """W = sum over rows of |x - centre of its cluster|^2, and 1 - W / T with T the same sum to
        the common centre of the rows that are no noise; float64, in the unit of the data squared.
        Per cluster number 'inertia' float64, its part of W.

        Source: J. MacQueen, 5th Berkeley Symposium 1 (1967) 281-297; W equals `inertia_` of
        scikit-learn's KMeans where every row is in the cluster of its nearest centre.
        """
        kept = without_noise(labels)
        within, share, why = None, None, kept.why
        parts = np.full(len(kept.sizes), np.nan)
        share_why = why
        if not why:
            rows = gather(vectors, kept)
            progress(0.5, "distances to the centres")
            parts = np.add.reduceat(np.einsum("ij,ij->i", rows.offsets, rows.offsets), kept.starts)
            within = float(parts.sum())
            whole = within + float((kept.sizes * (rows.centres**2).sum(axis=1)).sum())
            if whole > 0:
                share = 1.0 - within / whole
            else:
                share_why = "Not defined: all rows are copies of one row."
        progress(1.0, why or "inertia")
        return Judgement(
            scores=(_score(self.title, within, kept, space, why, "lower"),
                    _score("Explained share", share, kept, space, share_why, "higher")),
            per_cluster={"inertia": per_cluster(kept, parts, np.nan)},
            notes=euclidean_only(self.title, metric))


def _score(name: str, value: float | None, kept: Kept, space: str, why: str,
           better: str) -> Score:
    return Score(name=name, value=value, space=space, metric="euclidean", sample=len(kept.rows),
                 total=kept.total, noise=kept.noise, why=why if value is None else "",
                 better=better)
