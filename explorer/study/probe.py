"""Can a simple predictor read a column off the vectors? The number that decides between encoders.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from explorer.dataset import Dataset
from explorer.errors import DataError, ParameterError, Where
from explorer.judge.probe import (
    Folds,
    Interval,
    Probed,
    accuracies,
    average,
    balanced,
    corrected_interval,
    determinations,
    draw_folds,
    linear_classes,
    linear_numbers,
    macro_f1,
    nearest_outside,
    same_vectors,
    vote,
)
from explorer.known_groups import FEW_NUMBERS, MOST_GROUPS, groups_of, read_by
from explorer.spec import Cost, Progress, advanced, part
from explorer.study import Finding, RowValue, Study, column_name
from explorer.study.subject import Subject
from explorer.values import Score

NO_CLUSTERS = "clusters and noise play no part"
LEFT_OUT = -1
LINEAR, NEAREST = "Linear probe", "kNN probe"


@dataclass(frozen=True)
class _Sample:
    """The rows a probe speaks of (`places` in the embedding), their vectors, what is to be
    predicted (codes or numbers) and what to say about both."""

    places: np.ndarray
    vectors: np.ndarray
    wanted: np.ndarray
    names: tuple[str, ...]
    notes: tuple[str, ...]


class Probe(Study):
    """Hides some rows' values of a column, learns the rest from the vectors with two simple
    predictors, and asks for the hidden ones: a linear one (logistic or ridge regression) and the
    nearest rows' vote. High numbers mean that the vectors carry what the column says. Rows that are
    predicted otherwise are candidates for wrong labels."""

    key: ClassVar[str] = "probe"
    title: ClassVar[str] = "Probes"
    rank: ClassVar[int] = 70
    min_rows: ClassVar[int] = 4
    question: ClassVar[str] = "How well do the vectors predict a column?"
    reads: ClassVar[tuple[Any, ...]] = ("embedding",)
    reads_data: ClassVar[bool] = True
    rows_say: ClassVar[Mapping[str, RowValue]] = {
        "correct": RowValue("Probe is right", "1 where the linear probe, trained on other rows, "
                            "predicts the row's own value.", "yes", "probe_correct"),
        "confidence": RowValue("Probe's confidence", "The chance the linear probe gives to the "
                               "class it predicts, mean over the runs.", column=
                               "probe_confidence"),
        "own": RowValue("Chance of the own label", "The chance the linear probe gives to the "
                        "row's own label: near 0 may be a wrong label.", column="probe_own_label"),
        "predicted": RowValue("Predicted number", "What the linear probe predicts for the row, "
                              "mean over the runs.", column="probe_predicted"),
        "error": RowValue("Prediction error", "How far the predicted number is from the row's "
                          "own.", column="probe_error"),
    }

    column: str = column_name(roles=("label", "category", "number"),
                              description="The column to predict.")
    task: Literal["auto", "classes", "number"] = Field(
        "auto", description="Whether the column names classes or measures something; auto: columns "
        "with the role number are numbers, others classes.")
    folds: int = Field(5, ge=2, le=20, description="Into how many parts the rows are divided; "
                       "each is predicted once from all others.")
    runs: int = Field(2, ge=1, le=10, description="How often to divide anew.")
    k: int = Field(10, ge=1, le=200, description="How many nearest rows vote.")
    metric: Literal["euclidean", "cosine"] = advanced(
        "euclidean", description="The distance of the vote.")
    c: float | None = advanced(
        None, gt=0, le=1e6, description="C of the logistic regression (1/alpha of the ridge): "
        "larger follows the training rows more closely; automatic: each split tries six values on "
        "a quarter of its training rows.")
    max_iterations: int = advanced(200, ge=10, le=10_000, description="The most rounds of one "
                                   "logistic regression.")
    most_rows: int = advanced(10_000, ge=100, le=100_000, description="Above so many rows a random "
                              "sample is probed.")
    seed: int = advanced(0, ge=0, le=2**31, description="Same seed, same sample and folds.")

    def estimate(self, n: int, d: int) -> Cost:
        n = min(n, self.most_rows)
        splits = self.folds * self.runs
        # Measured on one core: 7,600 x 384, 4 classes: 1.5 s a split, kNN 1.4 s.
        return Cost(seconds=0.5 + splits * 5e-7 * n * d + 6e-11 * n * n * d,
                    bytes=40 * n * d + 800 * n * self.runs)

    def study(self, subject: Subject, progress: Progress) -> Finding:
        """`extras`: for classes 'confusion' (own x predicted), 'own' and 'predicted' codes (n
        int32, LEFT_OUT where not probed); `tables`: 'classes', 'measures'."""
        sample = self._sample(subject)
        units = same_vectors(sample.vectors)
        copies = len(units) - len(np.unique(units))
        classes = bool(sample.names)
        folds = draw_folds(units, sample.wanted if classes else None, self.folds, self.runs,
                           self.seed)
        notes = [*sample.notes]
        if copies:
            notes.append(f"{copies:,} rows are copies of another row's vector; copies share a "
                         "fold, so that none is predicted from itself.")
        linear, near = self._answers(sample, folds, progress)
        if linear.stuck:
            notes.append(f"{linear.stuck} of {len(folds.splits)} logistic regressions were stopped "
                         f"after {self.max_iterations} rounds, not yet settled.")
        if read_by(subject.recipe.encoding, subject.dataset, self.column):
            notes.append(f"The encoder read {self.column} itself: the vectors contain the answer, "
                         "and these numbers say nothing about the other columns.")
        tell = self._classes if classes else self._numbers
        return tell(subject, sample, folds, linear, near, tuple(notes))

    def _sample(self, subject: Subject) -> _Sample:
        """The rows with a value, at most `most_rows` of them, in classes that are large enough."""
        embedding, data = subject.embedding, subject.dataset
        if self.task == "number" or (self.task == "auto" and _is_number(data, self.column)):
            wanted = data.numbers(self.column)[embedding.rows]
            names: tuple[str, ...] = ()
            there = np.isfinite(wanted)
        else:
            groups = groups_of(data, self.column, embedding.rows)
            wanted, names, there = groups.codes, groups.names, groups.codes >= 0
        places, notes = np.flatnonzero(there), []
        missing = len(there) - len(places)
        if missing:
            notes.append(f"{missing:,} rows without a value in {self.column} are left out.")
        if len(places) > self.most_rows:
            draws = np.random.default_rng(self.seed)
            notes.append(f"A random sample of {self.most_rows:,} of {len(places):,} rows is probed "
                         f"(seed {self.seed}).")
            places = np.sort(draws.choice(places, self.most_rows, replace=False))
        if names:
            places, said = self._large_enough(places, wanted, names, embedding.vectors)
            notes += said
            present, codes = np.unique(wanted[places], return_inverse=True)
            names = tuple(names[code] for code in present)
            wanted = codes.astype(np.int32)
        else:
            wanted = wanted[places]
        least = 2 * self.folds
        if len(places) < least or (names and len(names) < 2):
            raise DataError("TOO_FEW_ROWS", f"A probe with {self.folds} folds must have at least "
                            f"{least} rows with a value" + (" in two classes" if names else "") +
                            f", got {len(places)}" + (f" in {len(names)}" if names else "") + ".",
                            Where(column=self.column), "Use fewer folds, or another column.")
        if not names and not np.ptp(wanted):
            raise DataError("CONSTANT_COLUMN", f"{self.column} must have different values to be "
                            "predicted, got one only.", Where(column=self.column))
        return _Sample(places, np.asarray(embedding.vectors[places], dtype=np.float32), wanted,
                       names, tuple(notes))

    def _large_enough(self, places: np.ndarray, codes: np.ndarray, names: tuple[str, ...],
                      vectors: np.ndarray) -> tuple[np.ndarray, list[str]]:
        """Only classes of which every fold gets a row: counted in different vectors, each by its
        commonest class."""
        from explorer.judge.probe import commonest

        notes = []
        kept = places
        while len(kept):  # what is left out may change nothing for others, but may be many copies
            kind = commonest(same_vectors(vectors[kept]), codes[kept])
            counts = np.bincount(kind, minlength=len(names))
            small = (counts < self.folds) & (np.bincount(codes[kept], minlength=len(names)) > 0)
            if not small.any():
                break
            gone = np.isin(codes[kept], np.flatnonzero(small))
            listed = ", ".join(names[code] for code in np.flatnonzero(small)[:5])
            more = ", ..." if np.count_nonzero(small) > 5 else ""
            notes.append(f"{np.count_nonzero(small)} classes with fewer than {self.folds} "
                         f"different rows ({listed}{more}), {np.count_nonzero(gone):,} rows in "
                         "all, are left out: not every fold would have one.")
            kept = kept[~gone]
        return kept, notes

    def _answers(self, sample: _Sample, folds: Folds, progress: Progress) -> tuple[Probed, Probed]:
        trained = min(int(np.count_nonzero(assigned != fold)) for assigned in folds.assigned
                      for fold in range(folds.count))
        if self.k > trained:
            raise ParameterError("OUT_OF_RANGE", f"k must be at most {trained}, the rows of the "
                                 f"smallest training part, got {self.k}.", Where(parameter="k"))
        near = nearest_outside(sample.vectors, folds, self.k, self.metric,
                               part(progress, 0.0, 0.3))
        rest = part(progress, 0.3, 1.0)
        if sample.names:
            return linear_classes(sample.vectors, sample.wanted, folds, self.c,
                                  self.max_iterations, rest), vote(sample.wanted, near)
        return (linear_numbers(sample.vectors, sample.wanted, folds, self.c, rest),
                average(sample.wanted, near))

    def _classes(self, subject: Subject, sample: _Sample, folds: Folds, linear: Probed,
                 near: Probed, notes: tuple[str, ...]) -> Finding:
        codes, n = sample.wanted, len(subject.embedding.rows)
        counts = np.bincount(codes)
        lines = []
        for name, probed in ((LINEAR, linear), (NEAREST, near)):
            lines += [_line(name, "accuracy", corrected_interval(
                          accuracies(codes, probed, folds), folds.count, 0.0),
                          counts.max() / counts.sum()),
                      _line(name, "balanced accuracy", Interval(balanced(codes, probed), None,
                                                                None), 1 / len(counts)),
                      _line(name, "macro F1", Interval(macro_f1(codes, probed), None, None),
                            2 * counts.max() / (counts.max() + counts.sum()) / len(counts))]
        chances = linear.answers.mean(axis=0)
        predicted = chances.argmax(axis=1).astype(np.int32)
        confusion = np.zeros((len(counts), len(counts)), dtype=np.int64)
        np.add.at(confusion, (codes, predicted), 1)
        every = np.arange(len(codes))
        spread = _spread(sample.places, n)
        return Finding(
            scores=self._scores(subject, sample, lines, n),
            per_row={"correct": spread(predicted == codes),
                     "confidence": spread(chances[every, predicted]),
                     "own": spread(chances[every, codes])},
            tables={"measures": lines,
                    "classes": [{"code": code, "name": name, "rows": int(counts[code])}
                                for code, name in enumerate(sample.names)]},
            extras={"confusion": confusion, "own": _codes(codes, sample.places, n),
                    "predicted": _codes(predicted, sample.places, n)}, notes=notes)

    def _numbers(self, subject: Subject, sample: _Sample, folds: Folds, linear: Probed,
                 near: Probed, notes: tuple[str, ...]) -> Finding:
        n = len(subject.embedding.rows)
        lines = [_line(name, "R2", corrected_interval(
                     determinations(sample.wanted, probed, folds), folds.count), 0.0)
                 for name, probed in ((LINEAR, linear), (NEAREST, near))]
        predicted = linear.answers.mean(axis=0)
        spread = _spread(sample.places, n)
        return Finding(scores=self._scores(subject, sample, lines, n),
                       per_row={"predicted": spread(predicted),
                                "error": spread(np.abs(predicted - sample.wanted))},
                       tables={"measures": lines, "classes": []}, notes=notes)

    def _scores(self, subject: Subject, sample: _Sample, lines: list[dict[str, Any]],
                n: int) -> tuple[Score, ...]:
        basis = f"{self.folds} folds x {self.runs} runs"
        scores = []
        for line in lines:
            how = basis if line["low"] is None else (
                f"{basis}, 95 % interval {line['low']:.3f} to {line['high']:.3f} (corrected "
                "resampled t, Nadeau & Bengio 2003)")
            how += f", without vectors {line['baseline']:.3f}"
            why = "" if line["value"] is not None else "Not defined: a fold has equal values only."
            scores.append(Score(f"{line['probe']}: {line['measure']}", line["value"],
                                space=subject.embedded.title, metric=how,
                                sample=len(sample.places), total=n, noise=NO_CLUSTERS,
                                seed=self.seed, why=why))
        return tuple(scores)


def _line(probe: str, measure: str, found: Interval, baseline: float) -> dict[str, Any]:
    """`baseline`: what always naming the commonest class (or the mean) comes to."""
    value = found.mean if np.isfinite(found.mean) else None
    return {"probe": probe, "measure": measure, "value": value, "low": found.low,
            "high": found.high, "baseline": float(baseline)}


def _is_number(data: Dataset, column: str) -> bool:
    found = data.column(column) if column else None
    if found is None:
        return False
    many = found.distinct is not None and found.distinct > MOST_GROUPS
    return (found.role == "number" and (found.distinct or MOST_GROUPS) > FEW_NUMBERS) or (
        many and bool(np.isfinite(data.numbers(column)).any()))


def _spread(places: np.ndarray, n: int) -> Callable[[np.ndarray], np.ndarray]:
    """Values of the probed rows as n float32, NaN elsewhere."""
    def spread(values: np.ndarray) -> np.ndarray:
        found = np.full(n, np.nan, dtype=np.float32)
        found[places] = values
        return found
    return spread


def _codes(codes: np.ndarray, places: np.ndarray, n: int) -> np.ndarray:
    found = np.full(n, LEFT_OUT, dtype=np.int32)
    found[places] = codes
    return found
