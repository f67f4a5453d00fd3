"""Ready-made coordinates."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from explorer.errors import DataError
from explorer.project import Projector
from explorer.spec import Cost, Facts, Progress
from explorer.values import Graph, Projection


class Given(Projector):
    """Shows two or three columns of the data as they are, for maps made elsewhere."""

    key: ClassVar[str] = "given"
    title: ClassVar[str] = "Coordinates from the data"
    rank: ClassVar[int] = 4
    units: ClassVar[bool] = True
    reads: ClassVar[str] = "coordinates"
    largest_allowed: ClassVar[float] = 1e30

    @property
    def scale_free(self) -> bool:
        return False  # shown as they are

    def check(self, facts: Facts) -> tuple[str, ...]:
        notes = super().check(facts)
        _refuse_columns(facts.d)
        return notes

    def project(self, vectors: np.ndarray, progress: Progress,
                graph: Graph | None = None) -> Projection:
        """The n x 2 or n x 3 columns as float32. A note says when float32 is too coarse for them.

        Raises DataError COORDINATE_COLUMNS for another number of columns.
        """
        _refuse_columns(vectors.shape[1])
        points = np.array(vectors, dtype=np.float32)
        axes = ("x", "y", "z")[:vectors.shape[1]]
        progress(1.0, f"{len(points):,} rows placed")
        return Projection(points, axes, _coarse(vectors, axes))

    def estimate(self, n: int, d: int) -> Cost:
        return Cost(0.01 + 1e-8 * n * d, 12 * n * d)


def _coarse(vectors: np.ndarray, axes: tuple[str, ...]) -> tuple[str, ...]:
    """One note per axis whose float32 steps are visible: fewer than 10,000 steps in its range."""
    notes = []
    for axis, column in zip(axes, vectors.T, strict=True):
        if not len(column):
            continue
        step = float(np.spacing(np.float32(np.abs(column).max())))
        span = float(column.max()) - float(column.min())
        if 0 < span < 10_000 * step:
            notes.append(f"{axis} is drawn in steps of {step:.3g}, because its values are large "
                         "next to their range; subtract an offset from the column for a finer map")
    return tuple(notes)


def _refuse_columns(given: int) -> None:
    if given not in (2, 3):
        raise DataError("COORDINATE_COLUMNS", f"Ready-made coordinates must be 2 or 3 columns, "
                        f"got {given}.", hint="Choose two or three number columns.")
