"""Rows move to a cluster that is there, or to noise."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field, StrictInt

from explorer.edit import LARGEST_CLUSTER, Edit, Labelled, Touched, changing
from explorer.values import NOISE


class Assign(Edit):
    """Moves rows to a cluster that is there, or to noise (-1)."""

    key: ClassVar[str] = "assign"
    title: ClassVar[str] = "Move rows"
    done: ClassVar[str] = "move"
    rank: ClassVar[int] = 20

    rows: str = Field(min_length=1, description="The dataset rows, packed.")
    total: StrictInt = Field(ge=1, description="How many rows the dataset has.")
    to: StrictInt = Field(ge=NOISE, le=LARGEST_CLUSTER,
                          description="The cluster they move to; -1 is noise.")

    def touches(self, before: Labelled) -> Touched:
        inside = before.inside(self.rows, self.total)
        if self.to == NOISE:
            return Touched(changing(inside & (before.labels != NOISE)))
        before.must_have(self.to)
        return Touched(changing(inside & (before.labels != self.to)), (self.to,))

    def apply(self, before: Labelled, parts: np.ndarray | None = None) -> Labelled:
        return before.moved(self.touches(before).rows, self.to)
