"""The exact silhouette of every row, or above a stated number of rows of a sample of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from explorer.judge import Judge
from explorer.judge.fit import Fit, Made
from explorer.judge.kept import Kept, no_direction, per_cluster, without_noise
from explorer.judge.silhouette_device import free_card, sum_distances_on
from explorer.judge.silhouette_sample import Estimate, draw_rows, estimate_mean
from explorer.judge.silhouette_sums import Panel, ask, sum_distances
from explorer.spec import Cost, Progress, advanced, silent
from explorer.values import Judgement, Score

BLOCK_BYTES = 128 * 2**20


@dataclass(frozen=True)
class Silhouettes:
    """For each kept row, in their order, float64: `own`, the mean distance to the other rows of its
    cluster (a; NaN for a row alone); `other`, the mean distance to the nearest other cluster (b);
    `value` = (b - a) / max(a, b). `second` int64: the place of that other cluster in
    `Kept.clusters`. Rows that were not asked for have NaN and -1."""

    own: np.ndarray
    other: np.ndarray
    value: np.ndarray
    second: np.ndarray


@dataclass(frozen=True)
class _Asked:
    """One clustering in question: its `clusters` among all sums, the wanted kept rows sorted by
    their `point` (int64, as long), `result` to be filled."""

    kept: Kept
    clusters: slice
    rows: np.ndarray
    point: np.ndarray
    result: Silhouettes


class Silhouette(Judge):
    """How much closer each row is to its own cluster than to the next one: from -1 (it belongs to
    the other) over 0 (between the two) to 1 (well inside). All pairs of rows are compared, in very
    large data a sample of rows with all; noise takes no part, and a row alone in its cluster gets
    0."""

    key: ClassVar[str] = "silhouette"
    title: ClassVar[str] = "Silhouette"
    version: ClassVar[int] = 2
    rank: ClassVar[int] = 10

    exact_up_to: int = advanced(
        100_000, ge=100,
        description="Up to so many rows that are not noise every row gets its silhouette. Above, a "
                    "sample does, each row of it compared with all rows, and the mean has an "
                    "interval.")
    sample_rows: int = advanced(
        10_000, ge=100, description="How many rows to draw above that, from every cluster.")
    seed: int = advanced(0, ge=0, le=2**32 - 1, description="Same seed, same sample.")

    def fits(self, made: Made) -> Fit:
        if made.density:
            return Fit("with care", "It favours compact clusters: a long or bent one looks worse "
                                    "than it is. DBCV is made for dense regions.")
        if made.on_picture:
            return Fit("with care", "Made and measured on the picture, where distances are "
                                    "distorted.")
        return Fit("fits", "Favours compact clusters that lie apart.")

    def estimate(self, n: int, d: int) -> Cost:
        return self.estimate_all(n, d, 1)

    def estimate_all(self, n: int, d: int, labelings: int) -> Cost:
        pairs = float(n) * (n / 2 if n <= self.exact_up_to else 1.2 * self.sample_rows)
        return Cost(seconds=0.05 + pairs * (1.6e-9 + 1.5e-11 * d + 0.3e-9 * (labelings - 1)),
                    bytes=20 * n * (d + 2) + 80 * n * labelings + 2 * BLOCK_BYTES)

    def judge(self, vectors: np.ndarray, labels: np.ndarray, metric: str, space: str,
              progress: Progress) -> Judgement:
        """The mean silhouette. Per row 'silhouette', 'a', 'b' float32 (NaN for noise and for rows
        that were not drawn; a is NaN for a row alone) and 'second' int32, the second-best cluster
        (-1 for noise and rows not drawn). Per cluster number 'size' and 'judged' (rows with a
        silhouette) int64, 'mean' and 'negative_share' of those float64.

        Source: P. J. Rousseeuw, Silhouettes, J. Comput. Appl. Math. 20 (1987) 53-65, with his
        convention of 0 for a row alone in its cluster. Where a = b = 0 (copies of one row in two
        clusters) it is 0 as well. Equal to scikit-learn's silhouette_samples without the noise.
        """
        return self.judge_all(vectors, [labels], metric, space, progress)[0]

    def judge_all(self, vectors: np.ndarray, labelings: Sequence[np.ndarray], metric: str,
                  space: str, progress: Progress) -> list[Judgement]:
        """`judge` of several labelings of the same vectors, which share the distances: ten cost
        little more than one."""
        every = [without_noise(labels) for labels in labelings]
        whys = [kept.why or no_direction(vectors, kept, metric) for kept in every]
        asked = [kept for kept, why in zip(every, whys, strict=True) if not why]
        drawn = [self._draw(kept) for kept in every]
        only = [rows for rows, why in zip(drawn, whys, strict=True) if not why]
        found = iter(silhouettes(vectors, asked, metric, progress, only=only) if asked else ())
        judgements = [self._judgement(kept, rows, None if why else next(found), metric, space, why)
                      for kept, rows, why in zip(every, drawn, whys, strict=True)]
        progress(1.0, "silhouettes")
        return judgements

    def _draw(self, kept: Kept) -> np.ndarray:
        if len(kept.rows) <= self.exact_up_to:
            return np.arange(len(kept.rows))
        return draw_rows(kept, self.sample_rows, self.seed)

    def _judgement(self, kept: Kept, drawn: np.ndarray, result: Silhouettes | None, metric: str,
                   space: str, why: str) -> Judgement:
        all_of_them = len(drawn) == len(kept.rows)
        value, told = None, None
        if result is not None and all_of_them:
            value = float(result.value.mean())
        elif result is not None:
            told = estimate_mean(kept, drawn, result.value[drawn])
            value = told.value
        score = Score(name=self.title, value=value, space=space, metric=metric,
                      sample=len(drawn), total=kept.total, noise=kept.noise, why=why,
                      seed=None if all_of_them else self.seed,
                      low=None if told is None else told.low,
                      high=None if told is None else told.high)
        return Judgement(scores=(score,), per_row=_per_row(kept, result),
                         per_cluster=_per_cluster(kept, drawn, result),
                         notes=(*_alone(kept, result), *self._sampled(kept, drawn, told)))

    def _sampled(self, kept: Kept, drawn: np.ndarray, told: Estimate | None) -> tuple[str, ...]:
        if told is None:
            return ()
        n = len(kept.rows)
        return (f"Silhouettes of a sample: {len(drawn):,} of {n:,} rows that are not noise, drawn "
                f"from every cluster with seed {self.seed} and each compared with all rows. The "
                f"mean of all rows lies between {told.low:.4f} and {told.high:.4f} (95 % "
                "confidence interval). The other rows have no silhouette: to compute all, set "
                f"'Exact up to' under Judge in the recipe to {n:,} or more.",)


def silhouettes(vectors: np.ndarray, every: Sequence[Kept], metric: str,
                progress: Progress = silent, block_bytes: int = BLOCK_BYTES,
                only: Sequence[np.ndarray] | None = None) -> list[Silhouettes]:
    """The silhouettes of n x d vectors under each of these clusterings of at least two clusters.

    Distances are measured in single precision where that is exact to 1e-5 of a silhouette, else in
    double, in tiles of 1 MB (or in double on a graphics card where there is one); sums of them
    stand in memory `block_bytes` at a time beside about 20 n d bytes for the rows. `metric` is
    'euclidean', 'cosine' (1 - cos; no row may be all zeros) or 'manhattan'. `only`: for each
    clustering the places among its kept rows that are wanted (None: all).
    """
    question = ask(vectors, every, metric, only, progress)
    asked = [_ask(kept, question.points.of_row[kept.rows],
                  slice(*question.offsets[place:place + 2]),
                  np.arange(len(kept.rows)) if only is None else only[place])
             for place, kept in enumerate(every)]
    card = free_card(question)
    for panel in (sum_distances_on(card, question, progress) if card
                  else sum_distances(question, block_bytes, progress)):
        for one in asked:
            _fill(one, panel)
    return [one.result for one in asked]


def _ask(kept: Kept, point: np.ndarray, clusters: slice, wanted: np.ndarray) -> _Asked:
    rows = wanted[np.argsort(point[wanted], kind="stable")]
    n = len(point)
    return _Asked(kept=kept, clusters=clusters, rows=rows, point=point[rows],
                  result=Silhouettes(own=np.full(n, np.nan), other=np.full(n, np.nan),
                                     value=np.full(n, np.nan), second=np.full(n, -1)))


def _fill(asked: _Asked, panel: Panel) -> None:
    """The silhouettes of the rows that are the points of this panel."""
    low, high = np.searchsorted(asked.point, [panel.start, panel.stop])
    rows, place = asked.rows[low:high], asked.point[low:high] - panel.start
    sizes, group = asked.kept.sizes, asked.kept.group[rows]
    here = np.arange(panel.stop - panel.start)
    alone = sizes[group] == 1
    sums = panel.sums[asked.clusters]
    own = np.where(alone, np.nan, sums[group, place] / np.maximum(sizes[group] - 1, 1))
    means = sums / sizes[:, None]
    first = means.argmin(axis=0)
    lowest = means[first, here]
    means[first, here] = np.inf
    then = means.argmin(axis=0)
    inside = first[place] == group
    other = np.where(inside, means[then, here][place], lowest[place])
    larger = np.fmax(own, other)
    apart = ~alone & (larger > 0)
    asked.result.own[rows] = own
    asked.result.other[rows] = other
    asked.result.second[rows] = np.where(inside, then[place], first[place])
    asked.result.value[rows] = np.divide(other - own, larger, out=np.zeros(len(rows)), where=apart)


def _per_row(kept: Kept, result: Silhouettes | None) -> dict[str, np.ndarray]:
    values = {name: np.full(kept.total, np.nan, dtype=np.float32)
              for name in ("silhouette", "a", "b")}
    second = np.full(kept.total, -1, dtype=np.int32)
    if result is not None:
        values["silhouette"][kept.rows] = result.value
        values["a"][kept.rows] = result.own
        values["b"][kept.rows] = result.other
        second[kept.rows] = np.where(result.second < 0, -1, kept.clusters[result.second])
    return {**values, "second": second}


def _per_cluster(kept: Kept, drawn: np.ndarray,
                 result: Silhouettes | None) -> dict[str, np.ndarray]:
    mean = negative = np.full(len(kept.sizes), np.nan)
    judged = np.bincount(kept.group[drawn], minlength=len(kept.sizes))
    if result is not None:
        values, starts = result.value[drawn], np.cumsum(judged) - judged
        mean = np.add.reduceat(values, starts) / judged
        negative = np.add.reduceat((values < 0).astype(float), starts) / judged
    return {"size": per_cluster(kept, kept.sizes, 0),
            "judged": per_cluster(kept, judged if result is not None else 0 * judged, 0),
            "mean": per_cluster(kept, mean, np.nan),
            "negative_share": per_cluster(kept, negative, np.nan)}


def _alone(kept: Kept, result: Silhouettes | None) -> tuple[str, ...]:
    alone = int(np.count_nonzero(kept.sizes == 1))
    if result is None or not alone:
        return ()
    return (f"{alone:,} cluster{'' if alone == 1 else 's'} of one row: by convention the "
            "silhouette of a row alone is 0.",)
