"""Several clusters become one."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field, StrictInt, model_validator

from explorer.edit import LARGEST_CLUSTER, LONGEST, Edit, Labelled, Touched, changing

Number = Annotated[int, Field(strict=True, ge=0, le=LARGEST_CLUSTER)]


class Merge(Edit):
    """Puts all rows of several clusters into one of them; that one keeps its number and name."""

    key: ClassVar[str] = "merge"
    title: ClassVar[str] = "Merge clusters"
    done: ClassVar[str] = "merge"
    rank: ClassVar[int] = 10

    clusters: tuple[Number, ...] = Field(min_length=2, max_length=LONGEST,
                                            description="The clusters to merge.")
    into: StrictInt = Field(ge=0, le=LARGEST_CLUSTER, description="The one that stays.")

    @model_validator(mode="after")
    def _named(self) -> Self:
        if len(set(self.clusters)) < len(self.clusters) or self.into not in self.clusters:
            raise ValueError("clusters must be different, and one of them must stay")
        return self

    def touches(self, before: Labelled) -> Touched:
        for cluster in self.clusters:
            before.must_have(cluster)
        inside = np.isin(before.labels, self.clusters)
        return Touched(changing(inside & (before.labels != self.into)), (self.into,))

    def apply(self, before: Labelled, parts: np.ndarray | None = None) -> Labelled:
        return before.moved(self.touches(before).rows, self.into)
