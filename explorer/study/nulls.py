"""The same pipeline on data without groups: vectors, picture where it was clustered, clusters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.errors import DataError, ParameterError, ResultError
from explorer.judge.null_data import (
    Cloud,
    gaussian_like,
    measure_cloud,
    on_sphere,
    shuffled_columns,
    to_sphere,
    uniform_box,
)
from explorer.project import Projector
from explorer.spec import Progress, part
from explorer.study.subject import Subject, cluster_again, project_again
from explorer.study.vary import some_rows
from explorer.values import Clustering

SHUFFLED, GAUSSIAN, UNIFORM = "shuffled columns", "one Gaussian cloud", "evenly spread"
MEANINGS = {
    SHUFFLED: "every column keeps its values, each in an order of its own: what ties columns "
              "together is gone",
    GAUSSIAN: "one cloud with the same spread in every direction (covariance): stretched, but "
              "without groups",
    UNIFORM: "rows spread evenly over a box around the data, along its principal axes"}
GUESSED_WIDTH = 384


@dataclass(frozen=True)
class Base:
    """What nulls are made of: m x d `vectors` of the run at `rows` (int64), their `cloud`;
    `projector` when the picture was clustered; whether rows have length 1 (`sphere`)."""

    vectors: np.ndarray
    rows: np.ndarray
    cloud: Cloud
    projector: Projector | None
    sphere: bool

    def make(self, kind: str, draw: np.random.Generator) -> np.ndarray:
        """m x d float32 vectors of one kind of null."""
        if kind == SHUFFLED:
            made = shuffled_columns(self.vectors, draw)
        elif kind == GAUSSIAN:
            made = gaussian_like(self.cloud, len(self.vectors), draw)
        else:
            made = uniform_box(self.cloud, len(self.vectors), draw)
        return to_sphere(made) if self.sphere else made


@dataclass(frozen=True)
class Outcome:
    """The vectors that were clustered and what was found there; `why` when nothing could be."""

    vectors: np.ndarray
    found: Clustering | None
    why: str = ""


def base_of(subject: Subject, most_rows: int, seed: int) -> Base:
    """The vectors nulls are made of: the embedding's, of all rows or `most_rows` drawn. Ready-made
    coordinates that were clustered cannot be drawn again: nulls are made of them."""
    recipe = subject.recipe
    drawn = recipe.cluster_in == "projection" and recipe.projecting.reads != "coordinates"
    space = subject.embedded if drawn else subject.clustered
    rows = some_rows(len(space.vectors), most_rows, np.random.default_rng([seed, 1]))
    vectors = np.ascontiguousarray(space.vectors[rows])
    return Base(vectors, rows, measure_cloud(vectors), recipe.projecting if drawn else None,
                on_sphere(vectors))


def pipeline(subject: Subject, base: Base, vectors: np.ndarray, progress: Progress) -> Outcome:
    """The run's own picture (where it was clustered) and clusters of other vectors."""
    method = subject.recipe.clustering
    try:
        if base.projector is not None:
            vectors = project_again(base.projector, vectors, part(progress, 0, 0.8)).points
            return Outcome(vectors, cluster_again(method, vectors, part(progress, 0.8, 1)))
        return Outcome(vectors, cluster_again(method, vectors, progress))
    except (DataError, ParameterError, ResultError) as error:
        return Outcome(vectors, None, error.message)


def observed(subject: Subject, base: Base, progress: Progress) -> Outcome:
    """The run's own clusters, or of a sample of its rows those the same pipeline finds there."""
    if len(base.rows) == len(subject.original.labels):
        return Outcome(subject.clustered.vectors, subject.original)
    return pipeline(subject, base, base.vectors, progress)


def said_of(subject: Subject, base: Base) -> list[str]:
    """What a reader must know of the nulls."""
    n, m = len(subject.original.labels), len(base.rows)
    notes = [f"Made of the numbers the encoder gave ({base.vectors.shape[1]:,} per row), not of "
             "the raw data."]
    if base.projector is not None:
        notes.append(f"The clusters were made in the picture, so {base.projector.title} draws a "
                     "picture of every null data set, too: pictures make islands of nothing.")
    if base.sphere:
        notes.append("All rows have length 1; the null rows were scaled to length 1 as well.")
    if m < n:
        notes.append(f"On {m:,} of {n:,} rows, drawn at random: your own score is that of the same "
                     "method on those rows.")
    if subject.recipe.edits:
        notes.append("Edits by hand cannot be repeated on other data: your score is that of the "
                     "clusters before them.")
    return notes
