"""What each number of a trained network's latent space is used for."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from explorer.encode import Encoder
from explorer.encode.unit import UnitLength
from explorer.judge.latent_numbers import ACTIVE, Spread, spread_of
from explorer.spec import Cost, Progress, advanced, part
from explorer.study import Input, Study
from explorer.study.rebuilt_rows import Lesson, lesson_of
from explorer.study.subject import Subject
from explorer.values import Finding, Score

_MOST_COMPARED = 256
"""Latent numbers up to which all pairs are kept for the picture of their correlations."""
_DECODED = 20_000
"""Rows decoded, at most, to see what each number is worth: shared by the numbers."""
_NOTHING_LEFT = 1e-12


def is_at_length_one(encoder: Encoder) -> bool:
    """Whether an encoder brings its vectors to length 1."""
    return isinstance(encoder, UnitLength) and encoder.normalize


class LatentUnits(Study):
    """Measures for each latent number how much of the rows it carries: its divergence from chance
    (of a variational network), its variance, and what is lost when it is held at its mean; and how
    far two numbers say the same."""

    key: ClassVar[str] = "latent_units"
    title: ClassVar[str] = "Units of the latent space"
    question: ClassVar[str] = "Which latent numbers are used, and do they stand for one thing each?"
    reads: ClassVar[tuple[Input, ...]] = ("read", "model", "embedding")
    reads_data: ClassVar[bool] = True

    sample: int = Field(
        20_000, ge=50, le=1_000_000, description="At most so many rows are looked at, drawn by the "
                                                 "seed.")
    seed: int = advanced(0, ge=0, description="Draws the rows. Same seed, same result.")

    def estimate(self, n: int, d: int) -> Cost:
        rows = min(n, self.sample) + _DECODED
        return Cost(3 + 1e-4 * rows + 5e-8 * rows * d, 500_000_000 + 40 * rows * d)

    def study(self, subject: Subject, progress: Progress) -> Finding:
        """Table 'units': one record per latent number. Extras, by latent number: 'variance',
        'mean', 'on', 'kl' (of variational networks), 'worth'; 'explained' by principal axis,
        'correlation' (d x d, up to 256 numbers), 'codes' (n x d: raw ones, where the embedding is
        brought to length 1)."""
        lesson = lesson_of(subject)
        chosen = self._drawn(lesson.n)
        # At length 1 they are no codes any more, and all of them are needed to decode. The recipe
        # says so, not the network: one network serves both.
        raw = lesson.method.codes(lesson.material.values, lesson.weights, part(
            progress, 0.0, 0.3)) if is_at_length_one(subject.recipe.encoding) else None
        codes = subject.embedding.vectors[chosen] if raw is None else raw[chosen]
        spread = spread_of(codes, part(progress, 0.3, 0.4))
        divergences = lesson.method.divergences(lesson.material.values[chosen], lesson.weights,
                                                part(progress, 0.4, 0.6))
        kl = None if divergences is None else divergences.mean(axis=0, dtype=np.float64)
        worth = self._worth(lesson, codes, chosen, spread, part(progress, 0.6, 1.0))
        extras = {"variance": spread.variance, "mean": spread.mean, "on": spread.on,
                  "explained": spread.explained, "worth": worth, "rows": np.array([len(chosen)])}
        if kl is not None:
            extras["kl"] = kl
        if len(spread.mean) <= _MOST_COMPARED:
            extras["correlation"] = spread.correlation
        if raw is not None:
            extras["codes"] = raw
        return Finding(scores=self._scores(subject, len(chosen), lesson.n, spread, kl),
                       tables={"units": _table(spread, kl, worth)}, extras=extras)

    def _drawn(self, n: int) -> np.ndarray:
        """The places of the rows looked at, ascending."""
        if n <= self.sample:
            return np.arange(n)
        drawn = np.random.default_rng(self.seed).choice(n, self.sample, replace=False)
        return np.sort(drawn)

    def _worth(self, lesson: Lesson, codes: np.ndarray, chosen: np.ndarray, spread: Spread,
               progress: Progress) -> np.ndarray:
        """d float64: by how much the mean squared error of the decoder (in the network's scale)
        grows when the number is held at its mean, over the error when all are: 1 would be all that
        the code carries. NaN where there are too many numbers, or the code carries nothing."""
        d = codes.shape[1]
        rows = min(len(codes), 256, _DECODED // (d + 2))
        if rows < 16 and rows < len(codes):
            return np.full(d, np.nan)
        some = np.random.default_rng(self.seed).permutation(len(codes))[:rows]
        given = lesson.material.values[chosen[some]]

        def error(changed: np.ndarray) -> float:
            made = lesson.method.decoded(changed, lesson.material.shape, lesson.weights)
            return float(np.square(made - given, dtype=np.float64).mean())

        whole = error(codes[some])
        mean = spread.mean.astype(np.float32)
        nothing = error(np.repeat(mean[None], rows, axis=0)) - whole
        found = np.full(d, np.nan)
        if nothing <= _NOTHING_LEFT:
            return found
        for number in range(d):
            progress(number / d, f"latent number {number + 1} of {d:,} held")
            held = codes[some].copy()
            held[:, number] = mean[number]
            found[number] = (error(held) - whole) / nothing
        return found

    def _scores(self, subject: Subject, sample: int, total: int, spread: Spread,
                kl: np.ndarray | None) -> tuple[Score, ...]:
        seed = self.seed if sample < total else None

        def score(name: str, value: float | None, metric: str, why: str = "") -> Score:
            return Score(name, value, subject.embedded.title, metric, sample, total,
                         "noise rows included", seed=seed, why=why)
        d = len(spread.mean)
        found = []
        if kl is not None:
            found += [score(f"Active units (of {d:,})", float(np.count_nonzero(kl > ACTIVE)),
                            f"mean KL above {ACTIVE} nats"),
                      score("KL of a row in all", float(kl.sum()), "nats")]
        else:
            found.append(score(f"Numbers that vary (of {d:,})",
                               float(np.count_nonzero(spread.variance > 0)), "variance above 0"))
        found.append(score("Directions in use", spread.directions,
                           "participation ratio of the variances along the principal axes",
                           "" if spread.directions is not None else "no number varies"))
        pair = spread.closest
        found.append(score(
            "Largest correlation" + ("" if pair is None else
                                     f" (z{pair[0] + 1} and z{pair[1] + 1})"),
            None if pair is None else float(spread.correlation[pair]), "Pearson correlation",
            "fewer than two numbers vary" if pair is None else ""))
        return tuple(found)


def _table(spread: Spread, kl: np.ndarray | None, worth: np.ndarray) -> list[dict[str, Any]]:
    """One record per latent number, the most telling first."""
    by = spread.variance if kl is None else kl
    return [{"number": f"z{number + 1}", **({} if kl is None else {"KL": float(kl[number])}),
             "variance": float(spread.variance[number]), "mean": float(spread.mean[number]),
             "on": float(spread.on[number]), "worth": _known(worth[number])}
            for number in np.argsort(-by, kind="stable").tolist()]


def _known(number: float) -> float | None:
    return float(number) if np.isfinite(number) else None
