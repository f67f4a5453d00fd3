"""A cluster, or chosen rows, fall into parts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, StrictInt, model_validator

from explorer.edit import LARGEST_CLUSTER, Edit, Labelled, Touched, changing
from explorer.errors import DataError, ResultError
from explorer.values import NOISE


class Divider(BaseModel):
    """A clusterer by key with all its parameters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str
    parameters: dict[str, Any] = {}


class Split(Edit):
    """Clusters the rows of one cluster, or chosen rows, once more, in the space that was clustered.
    Every part is a new cluster, the largest first; what the clusterer calls noise is noise."""

    key: ClassVar[str] = "split"
    title: ClassVar[str] = "Split"
    done: ClassVar[str] = "split"
    rank: ClassVar[int] = 40
    divides: ClassVar[bool] = True

    clusterer: Divider = Field(description="What divides the rows, with its parameters.")
    cluster: StrictInt | None = Field(None, ge=NOISE, le=LARGEST_CLUSTER,
                                      description="The cluster to split; -1 is noise.")
    rows: str | None = Field(None, min_length=1, description="Or the dataset rows, packed.")
    total: StrictInt | None = Field(None, ge=1, description="How many rows the dataset has.")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.cluster is None) == (self.rows is None) \
                or (self.rows is None) != (self.total is None):
            raise ValueError("either a cluster or rows with their total")
        return self

    def touches(self, before: Labelled) -> Touched:
        if self.rows is not None and self.total is not None:
            return Touched(before.inside(self.rows, self.total))
        assert self.cluster is not None, "validated above"
        if self.cluster != NOISE:
            before.must_have(self.cluster)
        return Touched(changing(before.labels == self.cluster))

    def apply(self, before: Labelled, parts: np.ndarray | None = None) -> Labelled:
        """Raises also DataError ONE_GROUP where the clusterer found fewer than two parts."""
        touched = self.touches(before).rows
        if parts is None or parts.shape != (int(touched.sum()),):
            raise ResultError("ROW_COUNT", f"A split must get a part for each of its "
                                           f"{int(touched.sum()):,} rows, got others.")
        count = int(parts.max(initial=NOISE)) + 1
        if count < 2:
            raise DataError("ONE_GROUP", f"A split must find at least two groups among the "
                                         f"{len(parts):,} rows, got {count}.",
                            hint="Ask for more or smaller clusters, or use another method.")
        labels = before.labels.copy()
        labels[touched] = np.where(parts == NOISE, NOISE, parts + before.next)
        return replace(before, labels=labels, next=before.next + count)
