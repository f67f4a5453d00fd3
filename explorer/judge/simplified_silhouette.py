"""The silhouette to the centres of clusters instead of all their rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from explorer.judge import Judge
from explorer.judge.fit import Fit, Made
from explorer.judge.kept import Kept, no_direction, per_cluster, without_noise
from explorer.judge.manhattan import manhattan_tile
from explorer.judge.silhouette_tiles import cut, extended, squared_distances
from explorer.spec import Cost, Progress
from explorer.values import Judgement, RowValue, Score


@dataclass(frozen=True)
class _Centred:
    """The kept rows and the k centres of their clusters: for Euclidean distance measured from the
    mean of all rows, for cosine of length 1; float64, for Manhattan distance as given."""

    rows: np.ndarray
    centers: np.ndarray
    metric: str

    def to_centers(self, part: slice) -> np.ndarray:
        """Distances of these rows to all centres, float64."""
        if self.metric == "manhattan":
            return manhattan_tile(self.rows[part], self.centers).astype(np.float64)
        squares, near = squared_distances(extended(self.rows[part], np.float64),
                                          extended(self.centers, np.float64))
        row, center = np.divmod(near, len(self.centers))
        apart = self.rows[part][row] - self.centers[center]
        squares[row, center] = np.einsum("ij,ij->i", apart, apart)
        found: np.ndarray = squares / 2 if self.metric == "cosine" else np.sqrt(squares)
        return found


class SimplifiedSilhouette(Judge):
    """A quick stand-in for the silhouette: how much closer each row is to the centre of its own
    cluster than to the nearest other centre, from -1 to 1. Usually higher than the silhouette, and
    fair to round clusters only. Noise takes no part, and a row alone in its cluster gets 0."""

    key: ClassVar[str] = "simplified_silhouette"
    title: ClassVar[str] = "Simplified silhouette"
    rank: ClassVar[int] = 35
    default: ClassVar[bool] = False
    swept: ClassVar[bool] = False
    rows_say: ClassVar[Mapping[str, RowValue]] = {
        "simplified_silhouette": RowValue(
            "Simplified silhouette", "how much closer the row is to the centre of its own cluster "
            "than to the nearest other centre, -1 to 1", column="simplified_silhouette")}

    def fits(self, made: Made) -> Fit:
        if made.density:
            return Fit("does not fit", "It measures to centres, and dense regions of any shape may "
                                       "have theirs outside. DBCV is made for them.")
        if made.on_picture:
            return Fit("with care", "Made and measured on the picture, where distances are "
                                    "distorted.")
        return Fit("with care", "A quick stand-in: the silhouette compares rows with rows.")

    def estimate(self, n: int, d: int) -> Cost:
        return Cost(seconds=0.02 + 1e-8 * n * d, bytes=24 * n * d)

    def judge(self, vectors: np.ndarray, labels: np.ndarray, metric: str, space: str,
              progress: Progress) -> Judgement:
        """The mean of (b - a) / max(a, b): a the distance of a row to the centre of its cluster, b
        to the nearest other centre. Per row 'simplified_silhouette', 'to_own' (a), 'to_other' (b)
        float32 (NaN for noise) and 'second' int32, the cluster of b (-1 for noise). Per cluster
        number 'size' int64 and 'mean' float64.

        Source: E. R. Hruschka, R. J. G. B. Campello, L. N. de Castro, Evolving clusters in
        gene-expression data, Inf. Sci. 176 (2006) 1898-1927, section 3.2; 0 for a row alone and
        where a = b = 0. Centres are means; for cosine distance means of the rows scaled to length
        1, for Manhattan distance medians, which is where the distances to them are least.
        """
        kept = without_noise(labels)
        why = kept.why or no_direction(vectors, kept, metric)
        values = {name: np.full(kept.total, np.nan, dtype=np.float32)
                  for name in ("simplified_silhouette", "to_own", "to_other")}
        second = np.full(kept.total, -1, dtype=np.int32)
        mean: np.ndarray = np.full(len(kept.sizes), np.nan)
        value = None
        if not why:
            centred = _centre(vectors, kept, metric)
            why = _lost_direction(centred, kept)
        if not why:
            score, own, other, next_one = _compare(centred, kept, progress)
            for name, found in zip(values, (score, own, other), strict=True):
                values[name][kept.rows] = found
            second[kept.rows] = kept.clusters[next_one]
            mean = np.add.reduceat(score, kept.starts) / kept.sizes
            value = float(score.mean())
        progress(1.0, "simplified silhouettes")
        told = Score(name=self.title, value=value, space=space, metric=metric,
                     sample=len(kept.rows), total=kept.total, noise=kept.noise, why=why)
        return Judgement(scores=(told,), per_row={**values, "second": second},
                         per_cluster={"size": per_cluster(kept, kept.sizes, 0),
                                      "mean": per_cluster(kept, mean, np.nan)},
                         notes=_notes(metric))


def _centre(vectors: np.ndarray, kept: Kept, metric: str) -> _Centred:
    if metric == "manhattan":
        kind = np.float32 if vectors.dtype == np.float32 else np.float64
        given = vectors[kept.rows].astype(kind, copy=False)
        centers = np.stack([np.median(part, axis=0) for part in np.split(given, kept.starts[1:])])
        return _Centred(given, centers, metric)
    rows = vectors[kept.rows].astype(np.float64)
    if metric == "cosine":
        rows /= np.abs(rows).max(axis=1, keepdims=True)  # squares of tiny numbers are 0
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    else:
        rows -= rows.mean(axis=0)
    centers = np.add.reduceat(rows, kept.starts, axis=0) / kept.sizes[:, None]
    if metric == "cosine":
        lengths = np.linalg.norm(centers, axis=1, keepdims=True)
        centers = np.divide(centers, lengths, out=np.zeros_like(centers), where=lengths > 1e-9)
    return _Centred(rows, centers, metric)


def _lost_direction(centred: _Centred, kept: Kept) -> str:
    if centred.metric != "cosine":
        return ""
    lost = kept.clusters[~centred.centers.any(axis=1)]
    if not len(lost):
        return ""
    return f"Not defined: the rows of cluster {lost[0]} cancel out, its centre has no direction."


def _compare(centred: _Centred, kept: Kept, progress: Progress) -> tuple[np.ndarray, ...]:
    """For each kept row its score, a, b, and the place of the cluster of b."""
    n = len(kept.rows)
    own, other, second = np.empty(n), np.empty(n), np.empty(n, dtype=np.int64)
    for part in cut(0, n):
        progress(part.start / n, "distances to the centres")
        far = centred.to_centers(part)
        here, mine = np.arange(len(far)), kept.group[part]
        own[part] = far[here, mine]
        far[here, mine] = np.inf
        second[part] = far.argmin(axis=1)
        other[part] = far[here, second[part]]
    larger = np.maximum(own, other)
    defined = (kept.sizes[kept.group] > 1) & (larger > 0)
    score = np.divide(other - own, larger, out=np.zeros(n), where=defined)
    return score, own, other, second


def _notes(metric: str) -> tuple[str, ...]:
    kinds = {"cosine": "the mean of its rows scaled to length 1",
             "manhattan": "the median of each dimension"}
    return (f"Measured to the centre of each cluster ({kinds.get(metric, 'the mean of its rows')}),"
            " not to its rows: long, bent or nested clusters look worse than they are, and for "
            "k-means, which puts rows to the nearest centre, none is below 0 once it has settled.",)
