"""Do the rows clump at all, before any clustering? The Hopkins statistic with its own nulls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from explorer.judge.against_null import compare
from explorer.judge.hopkins_statistic import hopkins
from explorer.judge.null_data import gaussian_like, measure_cloud, uniform_box
from explorer.spec import Cost, Progress, advanced
from explorer.study import Study
from explorer.study.nulls import GAUSSIAN, UNIFORM
from explorer.study.subject import Subject
from explorer.study.vary import some_rows
from explorer.values import Finding, Score

if TYPE_CHECKING:
    from explorer.recipe import Recipe

_MANY = 20


class Hopkins(Study):
    """Compares how near rows lie to each other with how near random places lie to rows: 0.5 for
    rows spread evenly, towards 1 for rows in clumps. One round cloud already clumps, so the number
    is set beside those of even data and of one cloud with the same covariance."""

    key: ClassVar[str] = "hopkins"
    title: ClassVar[str] = "Hopkins statistic"
    question: ClassVar[str] = "Do the rows clump at all, before any clustering?"
    reads: ClassVar[tuple[Any, ...]] = ("clustered",)
    min_rows: ClassVar[int] = 10
    min_distinct: ClassVar[int] = 3

    components: int | None = Field(
        10, ge=1, description="Along how many principal components to measure; the statistic takes "
        "powers of distances that say nothing in many dimensions. Empty: all.")
    places: int = Field(100, ge=5, le=10_000, description="How many random places and rows to "
                        "compare in one draw, at most a tenth of the rows.")
    rounds: int = Field(20, ge=1, le=1_000, description="How often to draw them; the mean counts.")
    runs: int = Field(50, ge=4, le=1_000, description="How many data sets without groups to "
                      "compare with, of each kind.")
    most_rows: int = advanced(10_000, ge=10, description="The most rows; of larger data a random "
                              "part is used.")
    seed: int = advanced(0, ge=0, le=2**31, description="Same seed, same result.")

    def expense(self, recipe: Recipe, n: int, d: int) -> Cost:
        return self.estimate(n, d)

    def estimate(self, n: int, d: int) -> Cost:
        m = min(n, self.most_rows)
        wide = min(d, self.components or d)
        drawn = (1 + 2 * self.runs) * self.rounds
        each = 2 * min(self.places, max(1, m // 10)) * m * (2e-9 + 2.5e-10 * wide)
        return Cost(0.1 + drawn * each + 2e-9 * m * d * min(m, d) + 4e-9 * min(m, d) ** 3,
                    40 * m * d + 16 * min(m, d) ** 2)

    def study(self, subject: Subject, progress: Progress) -> Finding:
        """Table 'nulls': per kind of null the mean, p and z. Extras 'values' (kinds x runs),
        'observed' (1), 'draws' (the draws that were averaged)."""
        space = subject.clustered
        n = len(space.vectors)
        rows = some_rows(n, self.most_rows, np.random.default_rng([self.seed, 1]))
        progress(0.0, "principal components")
        cloud = measure_cloud(space.vectors[rows])
        wide = min(self.components or len(cloud.axes), len(cloud.axes))
        along = (space.vectors[rows] - cloud.mean) @ cloud.axes[:wide].T
        count = max(2, min(self.places, len(rows) // 10))
        kinds = (UNIFORM, GAUSSIAN)
        total = 1 + len(kinds) * self.runs
        own = self._averaged(along, count, 0)
        inner = measure_cloud(along)
        values = np.full((len(kinds), self.runs), np.nan)
        for place in range(len(kinds) * self.runs):
            row, run = divmod(place, self.runs)
            progress((1 + place) / total, f"{kinds[row]}: {run + 1} of {self.runs}")
            draw = np.random.default_rng([self.seed, 2 + row, run])
            make = uniform_box if row == 0 else gaussian_like
            values[row, run] = np.mean(self._averaged(make(inner, len(rows), draw), count,
                                                   1 + place))
        value = float(own.mean()) if np.isfinite(own).all() else None
        why = "" if value is not None else "Not defined: all distances are 0."
        title = f"{space.title}, first {wide} of {len(cloud.axes)} principal components"
        told = [compare(value, row) for row in values]
        scores = [Score(f"Hopkins statistic, mean of {self.rounds} draws", value, title,
                        "euclidean", len(rows), n, "noise counts like others", self.seed, why)]
        scores += [Score(f"p against {kind}", found.p, title, "euclidean", len(rows), n,
                         "noise counts like others", self.seed, why, "lower")
                   for kind, found in zip(kinds, told, strict=True)]
        return Finding(
            scores=tuple(scores), notes=self._notes(subject, wide, count),
            tables={"nulls": [{"data": kind, "score": "Hopkins statistic", "better": "higher",
                               "yours": value, "null mean": found.mean, "p": found.p,
                               "z": found.z, "as good": found.as_good, "runs": found.runs,
                               "defined": found.defined}
                              for kind, found in zip(kinds, told, strict=True)]},
            extras={"values": values[:, :, None], "observed": np.array(
                [np.nan if value is None else value]), "draws": own})

    def _averaged(self, vectors: np.ndarray, count: int, number: int) -> np.ndarray:
        """The statistic of `draws` draws from m x r vectors, in the box around them."""
        draw = np.random.default_rng([self.seed, 10, number])
        cloud = measure_cloud(vectors)
        return np.array([hopkins(vectors, cloud, count, draw) for _ in range(self.rounds)])

    def _notes(self, subject: Subject, wide: int, count: int) -> tuple[str, ...]:
        notes = [f"{count:,} places and rows a draw. There is no threshold from the books here: p "
                 "says in how many data sets without groups the number was as high."]
        if wide > _MANY:
            notes.append(f"In {wide} dimensions nearly all of a box lies in its corners, where no "
                         "row is: the number is near 1 for any data. Measure fewer components.")
        if subject.recipe.clustering.distance != "euclidean":
            notes.append(f"The clusters were made with {subject.recipe.clustering.distance} "
                         "distance; this statistic measures straight distance.")
        return tuple(notes)
