"""What vectors know of a column: predictions for rows that the predictor has not seen.

Rows with the same vector always share a fold, or a copy would give the answer away.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.neighbors.nearest import Nearest
from explorer.spec import Progress, part

STRENGTHS = (0.0001, 0.001, 0.01, 0.1, 1.0, 10.0)
"""The values of C that are tried. One for all would favour narrow embeddings or wide ones: on
7,600 x 384 texts C = 1 predicts 0.854 of the labels, the C chosen 0.880."""
_BLOCK_VALUES = 1 << 22


@dataclass(frozen=True)
class Folds:
    """`assigned`: repeats x n int32, the fold (0..count-1) each row is tested in."""

    assigned: np.ndarray
    count: int

    @property
    def splits(self) -> list[tuple[int, int]]:
        """(repeat, fold) of every split."""
        return [(repeat, fold) for repeat in range(len(self.assigned))
                for fold in range(self.count)]


@dataclass(frozen=True)
class Probed:
    """Out-of-fold answers of one probe: repeats x n x classes float32 `chances`, or repeats x n
    float64 `values` of a number; `stuck` fits did not converge."""

    answers: np.ndarray
    stuck: int = 0


@dataclass(frozen=True)
class Interval:
    """A mean over splits with the ends of its 95 % interval; None where there is none."""

    mean: float
    low: float | None
    high: float | None


def same_vectors(vectors: np.ndarray) -> np.ndarray:
    """For each of n rows (d float32) the number of its distinct vector (int64), in the order they
    first appear: rows without copies have the same folds whatever their vectors are."""
    data = np.ascontiguousarray(vectors) + 0.0  # -0.0 and 0.0 are one value
    bytes_of = data.view(f"V{data.dtype.itemsize * data.shape[1]}").ravel()
    _, first, which = np.unique(bytes_of, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[which])


def draw_folds(units: np.ndarray, codes: np.ndarray | None, count: int, repeats: int,
               seed: int) -> Folds:
    """Folds of n rows, drawn anew for each repeat; rows of one unit stay together. With `codes`
    (0..) every fold has the classes in their shares (a unit goes by its commonest class).
    Each class must have at least `count` units."""
    from sklearn.model_selection import KFold, StratifiedKFold

    found = int(units.max()) + 1
    blank = np.zeros(found)
    assigned = np.empty((repeats, len(units)), dtype=np.int32)
    kind = None if codes is None else commonest(units, codes)
    for repeat in range(repeats):
        chosen: Any = KFold if kind is None else StratifiedKFold
        split = chosen(count, shuffle=True, random_state=seed + repeat)
        of_unit = np.empty(found, dtype=np.int32)
        for fold, (_, tested) in enumerate(split.split(blank, kind)):
            of_unit[tested] = fold
        assigned[repeat] = of_unit[units]
    return Folds(assigned, count)


def commonest(units: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """The commonest code (0..) of each unit's rows (ties: the lowest)."""
    width = int(codes.max()) + 1
    pairs, counts = np.unique(units * width + codes, return_counts=True)
    order = np.lexsort((pairs % width, -counts, pairs // width))
    _, first = np.unique(pairs[order] // width, return_index=True)
    return np.asarray(pairs[order][first] % width)


def linear_classes(vectors: np.ndarray, codes: np.ndarray, folds: Folds, c: float | None,
                   rounds: int, progress: Progress) -> Probed:
    """Multinomial logistic regression (scikit-learn, lbfgs, L2 of strength 1/C) on vectors that
    are standardised by the training rows. Without `c` each split takes that of STRENGTHS which
    predicts a quarter of its training rows best (log loss), learned from their rest."""
    from sklearn.linear_model import LogisticRegression

    width, stuck = int(codes.max()) + 1, 0
    chances = np.zeros((len(folds.assigned), len(codes), width), dtype=np.float32)

    def fit(strength: float, known: np.ndarray, wanted: np.ndarray) -> Any:
        return LogisticRegression(C=strength, max_iter=rounds).fit(known, wanted)

    def loss(fitted: Any, asked: np.ndarray, wanted: np.ndarray) -> float:
        told = np.zeros((len(asked), width))
        told[:, fitted.classes_] = fitted.predict_proba(asked)
        return float(-np.log(np.maximum(told[np.arange(len(asked)), wanted], 1e-9)).mean())

    for at, (repeat, fold) in enumerate(folds.splits):
        share = _share(progress, at, len(folds.splits), "linear probe")
        tested = folds.assigned[repeat] == fold
        scaled = _standardised(vectors, ~tested)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            strength = c or _strength(scaled[~tested], codes[~tested], fit, loss, share)
            said.clear()
            share(0.8, f"C = {strength:g}")
            fitted = fit(strength, scaled[~tested], codes[~tested])
        stuck += bool(said)
        chances[repeat][np.ix_(tested, fitted.classes_)] = fitted.predict_proba(scaled[tested])
    return Probed(chances, stuck)


def linear_numbers(vectors: np.ndarray, wanted: np.ndarray, folds: Folds, c: float | None,
                   progress: Progress) -> Probed:
    """Ridge regression (scikit-learn, alpha = 1/C) on vectors standardised by the training rows;
    C as in `linear_classes`, by the squared error."""
    from sklearn.linear_model import Ridge

    values = np.zeros((len(folds.assigned), len(wanted)))

    def fit(strength: float, known: np.ndarray, told: np.ndarray) -> Any:
        return Ridge(alpha=1 / strength).fit(known, told)

    def loss(fitted: Any, asked: np.ndarray, told: np.ndarray) -> float:
        return float(((fitted.predict(asked) - told) ** 2).mean())

    for at, (repeat, fold) in enumerate(folds.splits):
        share = _share(progress, at, len(folds.splits), "ridge probe")
        tested = folds.assigned[repeat] == fold
        scaled = _standardised(vectors, ~tested).astype(np.float64)
        strength = c or _strength(scaled[~tested], wanted[~tested], fit, loss, share)
        share(0.8, f"C = {strength:g}")
        values[repeat, tested] = fit(strength, scaled[~tested], wanted[~tested]).predict(
            scaled[tested])
    return Probed(values)


def _share(progress: Progress, at: int, splits: int, what: str) -> Progress:
    share = part(progress, at / splits, (at + 1) / splits)
    return lambda fraction, text: share(fraction, f"{what}, split {at + 1} of {splits}, {text}")


def _strength(known: np.ndarray, wanted: np.ndarray, fit: Callable[..., Any],
              loss: Callable[..., float], progress: Progress) -> float:
    """Of STRENGTHS the one with the least loss on a quarter of these training rows (ties: the
    smaller); rows with one vector on one side."""
    held = draw_folds(same_vectors(known), None, 4, 1, seed=0).assigned[0] == 0
    if not np.ptp(wanted[~held]):  # nothing to learn from the rest
        return 1.0
    losses = []
    for at, strength in enumerate(STRENGTHS):
        progress(0.8 * at / len(STRENGTHS), f"trying C = {strength:g}")
        losses.append(loss(fit(strength, known[~held], wanted[~held]), known[held], wanted[held]))
    return STRENGTHS[int(np.argmin(losses))]


def nearest_outside(vectors: np.ndarray, folds: Folds, k: int, metric: str,
                    progress: Progress) -> np.ndarray:
    """For each repeat and row the places of its k nearest rows in other folds (repeats x n x k
    int32), ascending by distance; exact. Each split must have k training rows."""
    n = len(vectors)
    wide = int(np.ceil(k * folds.count / (folds.count - 1) + 5 * np.sqrt(k))) + 5
    graph = Nearest.create(count=min(n - 1, wide), metric=metric, search="exact").find(
        vectors, part(progress, 0.0, 0.9))
    found = np.empty((len(folds.assigned), n, k), dtype=np.int32)
    for repeat, assigned in enumerate(folds.assigned):
        progress(0.9 + 0.1 * repeat / len(folds.assigned), "neighbours outside the own fold")
        outside = assigned[graph.indices] != assigned[:, None]
        enough = np.count_nonzero(outside, axis=1) >= k
        order = np.argsort(~outside, axis=1, kind="stable")[:, :k]
        found[repeat] = np.take_along_axis(graph.indices, order, axis=1) if order.shape[1] == k \
            else 0
        lacking = np.flatnonzero(~enough)
        if len(lacking):  # many copies of a row fill its list with its own fold
            found[repeat, lacking] = _search(vectors, assigned, lacking, k, metric)
    return found


def vote(codes: np.ndarray, near: np.ndarray) -> Probed:
    """The share of each class among the neighbours; as scikit-learn's KNeighborsClassifier."""
    width = int(codes.max()) + 1
    chances = np.zeros((*near.shape[:2], width), dtype=np.float32)
    for code in range(width):
        chances[:, :, code] = (codes == code)[near].mean(axis=2)
    return Probed(chances)


def average(wanted: np.ndarray, near: np.ndarray) -> Probed:
    """The mean of the neighbours' numbers; as scikit-learn's KNeighborsRegressor."""
    return Probed(wanted[near].mean(axis=2))


def accuracies(codes: np.ndarray, probed: Probed, folds: Folds) -> np.ndarray:
    """The share of right answers of every split (repeats * folds, float64)."""
    right = probed.answers.argmax(axis=2) == codes
    return np.array([right[repeat][folds.assigned[repeat] == fold].mean()
                     for repeat, fold in folds.splits])


def determinations(wanted: np.ndarray, probed: Probed, folds: Folds) -> np.ndarray:
    """R2 of every split: 1 less squared errors over squared distances to the tested rows' mean;
    NaN where the tested rows are all equal."""
    found = []
    for repeat, fold in folds.splits:
        tested = folds.assigned[repeat] == fold
        spread = ((wanted[tested] - wanted[tested].mean()) ** 2).sum()
        errors = ((wanted[tested] - probed.answers[repeat, tested]) ** 2).sum()
        found.append(1 - errors / spread if spread > 0 else np.nan)
    return np.array(found)


def balanced(codes: np.ndarray, probed: Probed) -> float:
    """Balanced accuracy (mean recall of the classes), mean over repeats of all out-of-fold
    answers."""
    answers = probed.answers.argmax(axis=2)
    classes = np.unique(codes)
    return float(np.mean([[(answer[codes == code] == code).mean() for code in classes]
                          for answer in answers]))


def macro_f1(codes: np.ndarray, probed: Probed) -> float:
    """Unweighted mean of the classes' F1, mean over repeats of all out-of-fold answers."""
    answers = probed.answers.argmax(axis=2)
    found = []
    for answer in answers:
        for code in np.unique(codes).tolist():
            both = int(np.count_nonzero((answer == code) & (codes == code)))
            either = int(np.count_nonzero(answer == code) + np.count_nonzero(codes == code))
            found.append(2 * both / either)
    return float(np.mean(found))


def corrected_interval(scores: np.ndarray, folds: int, lowest: float = -np.inf) -> Interval:
    """Mean of the scores of repeated cross-validation and its 95 % interval by the corrected
    resampled t: variance (1/J + 1/(folds - 1)) s^2, J - 1 degrees of freedom, since the training
    sets overlap. Source: Nadeau & Bengio, Machine Learning 52 (2003) 239, sec. 3; cut to
    [lowest, 1]. No interval for fewer than two scores or scores that are all equal."""
    from scipy.stats import t

    scores = scores[np.isfinite(scores)]
    if not len(scores):
        return Interval(float("nan"), None, None)
    mean = float(scores.mean())
    spread = float(scores.var(ddof=1)) if len(scores) > 1 else 0.0
    if spread <= 0 or folds < 2:
        return Interval(mean, None, None)
    half = float(t.ppf(0.975, len(scores) - 1)
                 * np.sqrt((1 / len(scores) + 1 / (folds - 1)) * spread))
    return Interval(mean, max(lowest, mean - half), min(1.0, mean + half))


def _standardised(vectors: np.ndarray, trained: np.ndarray) -> np.ndarray:
    """All rows (float32) with mean 0 and spread 1 on the training rows; columns that are constant
    there become 0 where they are."""
    seen = vectors[trained].astype(np.float64)
    middle, spread = seen.mean(axis=0), seen.std(axis=0)
    spread[spread <= 1e-12 * np.maximum(1.0, np.abs(middle))] = 1.0
    return np.asarray(((vectors - middle) / spread), dtype=np.float32)


def _search(vectors: np.ndarray, assigned: np.ndarray, rows: np.ndarray, k: int,
            metric: str) -> np.ndarray:
    """The k nearest rows of other folds for these rows, by brute force in blocks."""
    points = vectors.astype(np.float64)
    points -= points.mean(axis=0) if metric == "euclidean" else 0.0
    if metric == "cosine":
        points /= np.linalg.norm(points, axis=1, keepdims=True)
    squares = np.einsum("ij,ij->i", points, points)
    found = np.empty((len(rows), k), dtype=np.int32)
    step = max(1, _BLOCK_VALUES // len(points))
    for start in range(0, len(rows), step):
        block = rows[start:start + step]
        apart = squares - 2 * points[block] @ points.T
        apart[assigned[block][:, None] == assigned] = np.inf
        found[start:start + step] = np.argsort(apart, axis=1, kind="stable")[:, :k]
    return found
