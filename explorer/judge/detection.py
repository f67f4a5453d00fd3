"""How well a score finds rows that a column calls anomalous."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Found:
    """Of the rows at or above a line: `beyond` of them, `hits` of them anomalous, `missed`
    anomalous rows below it. `precision`, `recall` and `f1` are None where they are 0 / 0."""

    beyond: int
    hits: int
    missed: int
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True)
class Curve:
    """`lines` (float64, falling), each different score as the line, with `precision` and `recall`
    of the rows at or above it; `average_precision`; `positives` of `rows` are anomalous. All but
    the counts are empty or None where no row, or every one, is anomalous."""

    lines: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    average_precision: float | None
    positives: int
    rows: int

    def best(self) -> float | None:
        """The highest line with the highest F1."""
        if not len(self.lines):
            return None
        sums = self.precision + self.recall
        f1 = np.where(sums > 0, 2 * self.precision * self.recall / np.where(sums > 0, sums, 1), 0)
        return float(self.lines[int(np.argmax(f1))])


def line_of_share(scores: np.ndarray, share: float) -> float:
    """The line that the highest `share` (0..1) of m float64 `scores` (finite, at least one) reach:
    the score of rank ceil(share * m), at least the highest; rows with its very score reach it
    too."""
    rank = min(len(scores), max(1, math.ceil(share * len(scores) - 1e-9)))
    return float(np.partition(scores, len(scores) - rank)[len(scores) - rank])


def found_beyond(scores: np.ndarray, anomalous: np.ndarray, line: float) -> Found:
    """m float64 `scores` (finite) and m bool `anomalous`, at or above `line`."""
    beyond = scores >= line
    hits, count = int(np.count_nonzero(beyond & anomalous)), int(np.count_nonzero(beyond))
    missed = int(np.count_nonzero(anomalous)) - hits
    total = count + hits + missed
    return Found(count, hits, missed, hits / count if count else None,
                 hits / (hits + missed) if hits + missed else None,
                 2 * hits / total if total else None)


def curve(scores: np.ndarray, anomalous: np.ndarray) -> Curve:
    """Precision and recall of m finite float64 `scores` (high is odd) against m bool, rows of one
    score together; average precision is the sum over lines of (rise of recall) x precision,
    without interpolation: as scikit-learn's `average_precision_score`."""
    m, positives = len(scores), int(np.count_nonzero(anomalous))
    if positives in (0, m):
        return Curve(np.empty(0), np.empty(0), np.empty(0), None, positives, m)
    order = np.argsort(-scores, kind="stable")
    sorted_scores = scores[order]
    last = np.append(np.flatnonzero(np.diff(sorted_scores)), m - 1)
    hits = np.cumsum(anomalous[order])[last]
    precision, recall = hits / (last + 1), hits / positives
    area = float(np.sum(np.diff(recall, prepend=0.0) * precision))
    return Curve(sorted_scores[last], precision, recall, area, positives, m)
