"""(labels, edit) -> labels. One file per edit; `edits()` finds them.

An edit never gives another number to a cluster it does not touch, and a number once used is never
given to another cluster: names, notes and colours stay true through any list of edits, so edited
clusterings have gaps.
"""

from __future__ import annotations

import sys
from abc import abstractmethod
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import ConfigDict, ValidationError

from explorer.errors import DataError
from explorer.parameters import parameter_error
from explorer.row_sets import unpack_rows
from explorer.spec import Method, Registry, discover
from explorer.values import NOISE

LONGEST = 500
"""Edits in a recipe: each is a step of its own."""
LARGEST_CLUSTER = 2**31 - 2


@dataclass(frozen=True)
class Labelled:
    """A clustering as edits see it: n `labels` (int32, -1 noise) of the dataset rows `rows` (int64,
    ascending) of `total`. `next` is the number of the next new cluster, above all ever used."""

    labels: np.ndarray
    rows: np.ndarray
    total: int
    next: int

    @cached_property
    def clusters(self) -> tuple[int, ...]:
        """The cluster numbers there are, ascending; noise is none."""
        return tuple(np.unique(self.labels[self.labels != NOISE]).tolist())

    def inside(self, rows: str, total: int) -> np.ndarray:
        """n bool: which of the labelled rows are in a packed set of `total` dataset rows. Raises
        DataError ROW_COUNT, BAD_ROWS, NO_ROWS."""
        if total != self.total:
            raise DataError("ROW_COUNT", f"The rows of an edit must be of a data set of "
                                         f"{self.total:,} rows, got {total:,}.",
                            hint="The edit was made on other data.")
        chosen = np.zeros(self.total, dtype=bool)
        chosen[unpack_rows(rows, total)] = True
        found: np.ndarray = chosen[self.rows]
        if not found.any():
            raise DataError("NO_ROWS", "An edit must have at least one row that is clustered, got "
                                       "none.", hint="Select rows that have a vector.")
        return found

    def must_have(self, cluster: int) -> None:
        """Raise DataError NO_CLUSTER when there is no row in that cluster."""
        if cluster not in self.clusters:
            raise DataError("NO_CLUSTER", f"An edit must name clusters that are there, got "
                                          f"{cluster}.",
                            hint="It was made on another clustering, or its rows were moved away.")

    def moved(self, where: np.ndarray, to: int) -> Labelled:
        """These rows (n bool) in cluster `to`; `next` keeps above it."""
        labels = self.labels.copy()
        labels[where] = to
        return replace(self, labels=labels, next=max(self.next, to + 1))


@dataclass(frozen=True)
class Touched:
    """What an edit changes: n bool `rows` that get another label, and the clusters that are there
    and get them (`into`)."""

    rows: np.ndarray
    into: tuple[int, ...] = ()


class Edit(Method):
    """One change to a clustering, as plain data: it replays on the same clustering."""

    # Row sets are long texts: what unpacks them sets the bounds.
    model_config = ConfigDict(frozen=True, extra="forbid", str_max_length=None)

    family: ClassVar[str] = "edit"
    done: ClassVar[str]
    """The title as something that happened: 'merge', 'split'."""
    divides: ClassVar[bool] = False
    """Whether a clusterer divides the touched rows: then vectors are needed."""

    @classmethod
    def create(cls, **given: Any) -> Self:
        """The edit with these parameters, or a ParameterError naming the first bad one."""
        try:
            return cls(**given)
        except ValidationError as error:
            raise parameter_error(cls.title, cls.model_fields, error) from None

    @abstractmethod
    def touches(self, before: Labelled) -> Touched:
        """The rows it changes; for a preview, and for locks. Raises DataError ROW_COUNT, BAD_ROWS,
        NO_ROWS, NO_CLUSTER, NO_CHANGE."""

    @abstractmethod
    def apply(self, before: Labelled, parts: np.ndarray | None = None) -> Labelled:
        """The clustering after the edit. `parts`: of an edit that `divides`, the clusterer's int32
        labels (0.., -1 noise) of the touched rows in their order. Raises what `touches` raises."""


def changing(rows: np.ndarray) -> np.ndarray:
    """The mask itself; DataError NO_CHANGE when it is empty."""
    if not rows.any():
        raise DataError("NO_CHANGE", "An edit must change at least one row, got none.",
                        hint="The rows are where you want them already.")
    return rows


@cache
def edits() -> Registry[Edit]:
    """Every edit of this package, by key."""
    return discover(sys.modules[__name__], Edit)
