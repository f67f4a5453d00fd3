"""Whether two tables put side by side by row order speak of the same rows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from explorer.dataset import Issue
from explorer.load.content import Content, Field, first_places, number_of, shown


def differences(first: Content, other: Content) -> Iterator[Issue]:
    """A warning for every column both have whose cells differ, by line of the first file. The
    column is named in `entries` when it would join them: all different, and every one in both."""
    theirs = _columns(other)
    for name, field in _columns(first).items():
        if name not in theirs or not name.strip():
            continue
        left, right = _texts(field), _texts(theirs[name])
        if left is None or right is None:
            continue
        rows = np.flatnonzero(pc.not_equal(left, right).to_numpy())
        if not len(rows):
            continue
        row = int(rows[0])
        joins = _joins(left, right)
        advice = " Join the files by this column instead." if joins else ""
        yield Issue("warning", "ORDER_DIFFERS",
                    f"{first.source} and {other.source} both have the column {shown(name)}, but "
                    f"its values differ in {number_of(len(rows), 'row')}, first "
                    f"{shown(left[row].as_py())} and {shown(right[row].as_py())}: row order may "
                    f"have put together what does not belong together.{advice}", len(rows),
                    first_places([field.place(int(row)) for row in rows[:100]]),
                    (name,) if joins else ())


def _columns(content: Content) -> dict[str, Field]:
    """The first column of each name."""
    return {field.original: field for field in reversed(content.fields)
            if isinstance(field, Field)}


def _texts(field: Field) -> pa.ChunkedArray | None:
    """The cells as text, missing ones empty; None for what has no short text, such as lists."""
    try:
        return pc.fill_null(field.values.cast(pa.large_string()), "")
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def _joins(left: pa.ChunkedArray, right: pa.ChunkedArray) -> bool:
    different = all(pc.count_distinct(values).as_py() == len(values) for values in (left, right))
    return different and bool(pc.all(pc.is_in(left, value_set=right)).as_py())
