"""Rows become a cluster of their own."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field, StrictInt

from explorer.edit import Edit, Labelled, Touched


class Separate(Edit):
    """Makes a new cluster of rows, with a number nothing had before."""

    key: ClassVar[str] = "separate"
    title: ClassVar[str] = "New cluster"
    done: ClassVar[str] = "new cluster"
    rank: ClassVar[int] = 30

    rows: str = Field(min_length=1, description="The dataset rows, packed.")
    total: StrictInt = Field(ge=1, description="How many rows the dataset has.")

    def touches(self, before: Labelled) -> Touched:
        return Touched(before.inside(self.rows, self.total))

    def apply(self, before: Labelled, parts: np.ndarray | None = None) -> Labelled:
        return before.moved(self.touches(before).rows, before.next)
