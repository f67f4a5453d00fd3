"""A column of the dataset as groups of rows: what clusters and embeddings are compared with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.dataset import Column, Dataset
from explorer.encode import Encoder
from explorer.errors import ExplorerError, ParameterError, Where

MOST_GROUPS = 200
"""A column with more different values does not sort rows into groups."""
FEW_NUMBERS = 50
"""A column of numbers with at most so many different ones may stand for classes."""


@dataclass(frozen=True)
class Groups:
    """n `codes` (int32; -1 is missing), numbered by falling count (ties by name), their `names`."""

    codes: np.ndarray
    names: tuple[str, ...]

    @property
    def missing(self) -> int:
        """How many rows have no value."""
        return int(np.count_nonzero(self.codes < 0))


@dataclass(frozen=True)
class Offer:
    """A column that people may choose, or `why` they may not."""

    name: str
    why: str = ""


def groups_of(dataset: Dataset, column: str, rows: np.ndarray) -> Groups:
    """The values of a column at these dataset rows as groups; an empty cell belongs to none.

    Raises ParameterError NO_COLUMN, TOO_MANY_VALUES; DataError NO_COLUMN.
    """
    if not column:
        raise ParameterError("NO_COLUMN", "column must be one of the data set's columns, got none.",
                             Where(parameter="column"),
                             "Give a column the role label on the Bring data page.")
    texts = np.array(dataset.texts(column), dtype=object)[rows]
    found, inverse, counts = np.unique(texts, return_inverse=True, return_counts=True)
    there = [place for place in range(len(found)) if found[place] != ""]
    if len(there) > MOST_GROUPS:
        raise ParameterError("TOO_MANY_VALUES", f"column must have at most {MOST_GROUPS} different "
                             f"values, got {len(there):,} in {column}.", Where(parameter="column"),
                             "Choose a column that sorts the rows into groups.")
    order = sorted(there, key=lambda place: (-counts[place], found[place]))
    rank = np.full(len(found), -1, dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    codes = rank[inverse] if len(found) else np.empty(0, dtype=np.int32)
    return Groups(codes, tuple(str(found[place]) for place in order))


def group_columns(dataset: Dataset) -> tuple[Offer, ...]:
    """The columns of the table that may sort rows into groups, labels first; and those that may
    not, with the reason."""
    found = []
    for column in sorted(dataset.columns, key=lambda column: column.role != "label"):
        if column.place == "table" and not column.dimensions and column.role in (
                "label", "category", "number"):
            found.append(Offer(column.name, _refusal(column)))
    return tuple(found)


def _refusal(column: Column) -> str:
    most = FEW_NUMBERS if column.role == "number" else MOST_GROUPS
    if column.distinct is None:
        return ""
    if column.distinct > most:
        return f"{column.distinct:,} different values, at most {most} make groups"
    return "one value only" if column.distinct < 2 else ""


def read_by(encoder: Encoder, dataset: Dataset, column: str) -> bool:
    """Whether the encoder made the vectors from that column too: then they know the answer."""
    try:
        return any(other.name == column for other in encoder.columns(dataset))
    except ExplorerError:
        return False
