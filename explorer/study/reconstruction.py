"""What the run's network keeps of every row, and what it loses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from explorer.judge.centers import distances_to_center
from explorer.judge.rebuilding import (
    peak_ratios,
    percentiles,
    ratio_of_means,
    window_for,
)
from explorer.spec import Cost, Progress, advanced, part
from explorer.study import Input, RowValue, Study
from explorer.study.rebuilt_rows import KeptRows, Lesson, Measured, keep_rows, lesson_of, measure
from explorer.study.subject import Subject
from explorer.values import Finding, Score

ALL_ROWS = "clusters and noise play no part"
_OVERFIT = 1.1
"""Rows held back are rebuilt so much worse than others, at the low end of the interval."""
_SAMPLED = 2_000


class Reconstruction(Study):
    """Sends every row through the network and back and compares it with what it was: what is lost
    is what the network does not know. Rows held back from training are told apart, and PCA with as
    many numbers stands beside it. A network taught to take noise away is given noise to take
    away."""

    key: ClassVar[str] = "reconstruction"
    title: ClassVar[str] = "Reconstruction"
    rank: ClassVar[int] = 80
    question: ClassVar[str] = "What does the network keep of each row, and what does it lose?"
    reads: ClassVar[tuple[Input, ...]] = ("read", "model", "embedding")
    reads_data: ClassVar[bool] = True
    min_rows: ClassVar[int] = 2
    rows_say: ClassVar[Mapping[str, RowValue]] = {
        "error": RowValue("Reconstruction error", "mean squared difference between the row and "
                          "what the network makes of it, in the units the network's reader gives "
                          "(pixels from 0 to 1): 0 is rebuilt exactly"),
        "percentile": RowValue("Reconstruction error, percentile", "the share of all rows, in "
                               "percent, that are rebuilt better: 100 is the worst"),
        "scaled": RowValue("Reconstruction error, scaled", "the same with every number of a row "
                           "brought to spread 1 first, as the network sees it"),
        "psnr": RowValue("PSNR", "peak signal-to-noise ratio of the rebuilt image in dB: 20 is "
                         "rough, above 30 hard to tell apart; not defined where nothing differs"),
        "ssim": RowValue("SSIM", "structural similarity of the rebuilt image (Wang et al. 2004): 1 "
                         "is the same, 0 has nothing of its structure"),
        "bound": RowValue("Negative ELBO", "how improbable the network finds the row, in nats: "
                          "the part for rebuilding it plus the KL part; high is strange"),
        "bound_error": RowValue("Negative ELBO, rebuilding", "the part of the negative ELBO for "
                                "what the decoder misses, in nats, at the middle of the row's "
                                "cloud"),
        "bound_kl": RowValue("Negative ELBO, KL", "the part of the negative ELBO for how far the "
                             "row's cloud is from the usual place, in nats"),
        "linear": RowValue("PCA's error", "mean squared error of PCA with as many numbers as the "
                           "network has, fitted on the rows the network was trained on; of images "
                           "in pixels, else in the scaled units the network sees"),
        "beats_linear": RowValue("Rebuilt better than by PCA", "whether the network's error of the "
                                 "row is below PCA's with as many numbers", "yes"),
        "center": RowValue("Distance to the latent centre", "straight distance of the row's latent "
                           "vector to the mean of all rows' latent vectors"),
        "held": RowValue("Held back from training", "whether the network was never trained on the "
                         "row", "yes"),
        "noisy": RowValue("Error of the noisy row", "mean squared difference between the row and "
                          "the row with noise, as the network was taught to take it away"),
        "denoised": RowValue("Error of the denoised row", "mean squared difference between the row "
                             "and what the network makes of the row with noise"),
    }

    seed: int = advanced(0, ge=0, le=2**31, description="Of the noise for networks that take noise "
                         "away, and of which rows are kept where all are too many.")

    def estimate(self, n: int, d: int) -> Cost:
        return Cost(seconds=4 + 4e-4 * n, bytes=900_000_000 + 8_000 * n)

    def study(self, subject: Subject, progress: Progress) -> Finding:
        """`extras`: 'kept' (places of the rows that are kept, int64) and of them 'rebuilt' (and
        'noisy', 'denoised'): m x the shape of a row, in the units of the reader; 'limit' (the
        size below which 99.5 % of the differences of single numbers are), 'quantiles' (101 x
        latent numbers: the percentiles of all rows' codes), 'slope' and 'offset' (d each: back to
        the units of the column, NaN where a number is no column's). Raises DataError NOT_TRAINED,
        NO_DECODER."""
        lesson = lesson_of(subject)
        codes = subject.embedding.vectors
        found = measure(lesson, codes.shape[1], self.seed, part(progress, 0.0, 0.7))
        kept = keep_rows(lesson, found.errors, self.seed, part(progress, 0.7, 0.95))
        progress(0.95, "putting the numbers together")
        rows = _per_row(lesson, found) | {"center": distances_to_center(codes, "euclidean")}
        extras = {"kept": kept.places, **kept.arrays, "limit": np.array([_limit(lesson, kept)]),
                  "quantiles": np.quantile(codes, np.linspace(0, 1, 101), axis=0)
                  .astype(np.float32), **_units(subject, lesson)}
        return Finding(
            scores=tuple(_scores(subject, lesson, found, self.seed)),
            per_row={name: values.astype(np.uint8 if self.rows_say[name].kind == "yes"
                                         else np.float32) for name, values in rows.items()},
            extras=extras, notes=_notes(subject, lesson, found, kept, self.seed))


def _per_row(lesson: Lesson, found: Measured) -> dict[str, np.ndarray]:
    rows = {"error": found.errors, "percentile": percentiles(found.errors),
            "linear": found.linear,
            "beats_linear": (found.errors if lesson.pictures else found.scaled) < found.linear}
    if not lesson.pictures and not np.allclose(lesson.material.spread, 1.0, atol=1e-3):
        rows["scaled"] = found.scaled
    if found.similarity is not None:
        rows |= {"psnr": peak_ratios(found.errors), "ssim": found.similarity}
    if found.bounds is not None:
        rows |= {"bound": found.bounds.sum(axis=1), "bound_error": found.bounds[:, 0],
                 "bound_kl": found.bounds[:, 1]}
    if lesson.held.any():
        rows["held"] = lesson.held
    if found.noisy is not None and found.denoised is not None:
        rows |= {"noisy": found.noisy, "denoised": found.denoised}
    return rows


def _limit(lesson: Lesson, kept: KeptRows) -> float:
    """Of at most _SAMPLED kept rows, evenly spread."""
    at = np.linspace(0, len(kept.places) - 1, min(_SAMPLED, len(kept.places))).astype(np.int64)
    apart = np.abs(kept.arrays["rebuilt"][at].astype(np.float32) - lesson.given(kept.places[at]))
    return float(np.quantile(apart, 0.995)) if apart.size else 0.0


def _units(subject: Subject, lesson: Lesson) -> dict[str, np.ndarray]:
    """Of numbers that are a number column, scaled: how to come back to what stands in the file."""
    names = lesson.read.features
    if not names or lesson.pictures:
        return {}
    columns = {column.name for column in subject.dataset.with_role("number")}
    slope, offset = np.full(len(names), np.nan), np.full(len(names), np.nan)
    for place, name in enumerate(names):
        if name not in columns:
            continue
        seen = np.asarray(lesson.read.vectors[:, place], dtype=np.float64)
        given = subject.dataset.numbers(name)[lesson.read.rows]
        known = np.flatnonzero(np.isfinite(given))
        if not len(known):
            continue
        low, high = known[np.argmin(given[known])], known[np.argmax(given[known])]
        if seen[high] > seen[low]:
            slope[place] = (given[high] - given[low]) / (seen[high] - seen[low])
            offset[place] = given[low] - slope[place] * seen[low]
    return {"slope": slope, "offset": offset}


def _scores(subject: Subject, lesson: Lesson, found: Measured, seed: int) -> list[Score]:
    n, space = lesson.n, lesson.read.title
    held, trained = lesson.held, ~lesson.held
    pixels = "pixels from 0 to 1" if lesson.pictures else "units of the reader"

    def score(name: str, values: np.ndarray | None, metric: str, better: str, **more: Any
              ) -> list[Score]:
        if values is None:
            return []
        known = values[np.isfinite(values)]
        return [Score(name, float(known.mean()) if len(known) else None, space, metric, len(known),
                      n, ALL_ROWS, why="" if len(known) else "Not defined for any row.",
                      better=better, **more)]

    every = score("Error of rows trained on" if held.any() else "Error", found.errors[trained],
                  f"mean squared error, {pixels}", "lower")
    if held.any():
        every += score("Error of rows held back", found.errors[held],
                       f"mean squared error, {pixels}", "lower")
        every += [_overfitting(found, held, space)]
    every += [_explained(found, space)]
    tested = held if held.any() else trained
    whose = " of rows held back" if held.any() else ""
    compared = found.errors if lesson.pictures else found.scaled
    every += score(f"PCA's error{whose}", found.linear[tested], "mean squared error, "
                   + (pixels if lesson.pictures else "scaled as the network sees them"), "lower")
    every += score(f"Share{whose} rebuilt better than by PCA",
                   (compared < found.linear)[tested].astype(np.float64),
                   f"PCA of {subject.embedding.vectors.shape[1]} numbers, fitted on "
                   f"{int(trained.sum()):,} rows", "higher")
    every += [Score("Numbers of a row for each latent number",
                    lesson.numbers / subject.embedding.vectors.shape[1], space,
                    f"{lesson.numbers:,} to {subject.embedding.vectors.shape[1]:,}", n, n,
                    ALL_ROWS)]
    if found.similarity is not None:
        window = window_for(*lesson.material.shape[1:]).said
        every += score(f"PSNR{whose}", peak_ratios(found.errors)[tested], "dB, mean of images",
                       "higher")
        every += score(f"SSIM{whose}", found.similarity[tested], f"window {window}", "higher")
    if found.bounds is not None:
        every += score(f"Negative ELBO{whose}", found.bounds.sum(axis=1)[tested], "nats of a row, "
                       "at the middle of its cloud, beta 1", "lower")
    if found.noisy is not None and found.denoised is not None:
        every += score(f"Error{whose} with noise", found.noisy[tested],
                       f"mean squared error, {pixels}", "lower", seed=seed)
        every += score(f"Error{whose} denoised", found.denoised[tested],
                       f"mean squared error, {pixels}", "lower", seed=seed)
        if lesson.pictures:
            every += score(f"PSNR{whose} with noise", peak_ratios(found.noisy)[tested],
                           "dB, mean of images", "higher", seed=seed)
            every += score(f"PSNR{whose} denoised", peak_ratios(found.denoised)[tested],
                           "dB, mean of images", "higher", seed=seed)
    return every


def _overfitting(found: Measured, held: np.ndarray, space: str) -> Score:
    ratio = ratio_of_means(found.errors[held], found.errors[~held])
    name, metric = "Error held back over error trained on", "ratio of the means"
    if ratio is None:
        return Score(name, None, space, metric, len(held), len(held), ALL_ROWS, better="lower",
                     why="Not defined: an error is 0.")
    return Score(name, ratio.value, space, metric, len(held), len(held), ALL_ROWS, better="lower",
                 low=ratio.low, high=ratio.high)


def _explained(found: Measured, space: str) -> Score:
    whole = float(found.deviation.sum())
    share = 1 - float(found.scaled.sum()) / whole if whole > 0 else None
    return Score("Share of the variance rebuilt", share, space, "scaled as the network sees them",
                 len(found.errors), len(found.errors), ALL_ROWS,
                 why="" if share is not None else "Not defined: all rows are equal.")


def _notes(subject: Subject, lesson: Lesson, found: Measured, kept: KeptRows,
           seed: int) -> tuple[str, ...]:
    notes: list[str] = []
    held = int(lesson.held.sum())
    if not lesson.trained_here:
        notes.append("The network was trained elsewhere: which of these rows it knows is not "
                     "recorded, and PCA was fitted on all of them.")
    elif not held:
        notes.append("No row was held back: whether the network knows rows by heart cannot be "
                     "told.")
    else:
        notes.append(_said_of(ratio_of_means(found.errors[lesson.held],
                                             found.errors[~lesson.held]), held))
    if len(kept.places) < lesson.n:
        notes.append(f"Of {lesson.n:,} rows {len(kept.places):,} are kept as rebuilt: the worst, "
                     f"the best and others at random (seed {seed}); the numbers are of all rows.")
    if found.noisy is not None:
        given = lesson.method.values()
        notes.append(f"Noise as the network was taught: {given['noise']}, level "
                     f"{given['level']:g}, drawn anew (seed {seed}). {_denoises(lesson, found)}")
    return tuple(notes)


def _denoises(lesson: Lesson, found: Measured) -> str:
    """Whether it beats the identity, on rows held back where there are any."""
    assert found.noisy is not None
    assert found.denoised is not None
    tested = lesson.held if lesson.held.any() else ~lesson.held
    before, after = float(found.noisy[tested].mean()), float(found.denoised[tested].mean())
    if after < before:
        return f"The network takes away {1 - after / before:.0%} of the error of the noise."
    return "The network adds more error than the noise has: leaving the noise would be better. " \
           "More latent numbers, more epochs or more noise may change that."


def _said_of(ratio: Any, held: int) -> str:
    if ratio is None or ratio.low is None:
        return f"{held:,} rows were held back: too few, or rebuilt too well, to speak of " \
               "overfitting."
    said = f"{ratio.value:.2f} times the error of rows trained on (95 % interval " \
           f"{ratio.low:.2f} to {ratio.high:.2f}; {held:,} rows held back, which also chose the " \
           "epoch)"
    if ratio.low > _OVERFIT:
        return f"Overfitting: rows held back have {said}."
    return f"No clear overfitting: rows held back have {said}."
