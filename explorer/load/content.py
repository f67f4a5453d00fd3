"""What a reader hands over: columns as they are in the file, before anybody judges their role."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import pyarrow as pa

from explorer.dataset import Issue, Role
from explorer.load.limits import MAX_OFFERED, MAX_OFFERED_NAME, MAX_PLACES
from explorer.load.options import ReadOptions


@dataclass(frozen=True)
class Field:
    """One table column of n cells. `places` are the rows' numbers as an editor counts them (int64,
    None: 1..n). `delimiter` is the file's, when it has one. `role` is set where the reader knows
    it, with `why`."""

    original: str
    values: pa.ChunkedArray
    places: np.ndarray | None = None
    delimiter: str = ""
    role: Role | None = None
    why: str = ""

    def place(self, row: int) -> int:
        """Where row `row` (from 0) is in the file."""
        return int(self.places[row]) if self.places is not None else row + 1


@dataclass(frozen=True)
class Block:
    """An n x d matrix in the file's dtype, native byte order."""

    original: str
    vectors: np.ndarray
    places: np.ndarray | None = None


@dataclass(frozen=True)
class Pictures:
    """Offsets (n + 1 int64) into images.bin and thumbs.bin, already written in the folder."""

    images: np.ndarray
    thumbs: np.ndarray
    distinct: int


@dataclass(frozen=True)
class Content:
    """What is in one file, or in several files joined. `options` are those asked for, with every
    'auto' replaced by what was found. `left_out` names images that could not be read."""

    source: str
    n: int
    fields: tuple[Field | Block, ...]
    options: ReadOptions
    issues: tuple[Issue, ...] = ()
    pictures: Pictures | None = None
    left_out: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(field.original for field in self.fields)

    def with_issues(self, issues: Iterable[Issue]) -> Content:
        """The same with more lines in the report."""
        return replace(self, issues=(*self.issues, *issues))


def first_places(places: Sequence[int] | np.ndarray, limit: int = MAX_PLACES) -> tuple[int, ...]:
    """The first few places, as plain ints for the report."""
    return tuple(int(place) for place in places[:limit])


def shown(text: object, limit: int = 60) -> str:
    """A value for a message: quoted, one line, cut with a mark."""
    plain = repr(text)
    return plain if len(plain) <= limit else f"{plain[:limit]}…"


def cut(text: str, limit: int = 60) -> str:
    """A name for a message, cut with a mark."""
    return text if len(text) <= limit else f"{text[:limit]}…"


def offer(names: Iterable[str]) -> tuple[str, ...]:
    """The `choices` of a refusal: names a person can tell apart and a page can hold."""
    return tuple(islice((name for name in names if name.strip() and len(name) <= MAX_OFFERED_NAME),
                        MAX_OFFERED))


def number_of(count: int, thing: str) -> str:
    """'1 row', '1,234 rows'."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def take(field: Field | Block, rows: np.ndarray) -> Field | Block:
    """The column with its rows in another order or fewer."""
    places = np.asarray(rows, dtype=np.int64) + 1 if field.places is None else field.places[rows]
    if isinstance(field, Block):
        return replace(field, vectors=np.ascontiguousarray(field.vectors[rows]), places=places)
    return replace(field, values=field.values.take(pa.array(rows)), places=places)
