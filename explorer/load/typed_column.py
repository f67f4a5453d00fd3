"""A column growing cell by cell from values that carry their own types (JSON, Excel)."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa

_BATCH = 8192
_EXACT = 2**53
_INT64 = 2**63
_LONG = {frozenset({"int", "long"}): "long"}
_TYPES: dict[str, pa.DataType] = {
    "null": pa.null(), "bool": pa.bool_(), "int": pa.int64(), "long": pa.int64(),
    "float": pa.float64(),
    "str": pa.string(), "datetime": pa.timestamp("us"), "date": pa.date32(),
    "time": pa.time64("us"), "ints": pa.list_(pa.int64()), "floats": pa.list_(pa.float64()),
}


class TypedColumn:
    """Cells of one kind keep it; cells of several kinds all become text by `as_mixed_text`.

    `merged` maps two kinds to the one that holds both without loss, as Excel's ints and floats.
    Batches are turned into Arrow as they fill, so that a column costs its bytes and not its
    Python objects.
    """

    def __init__(self, as_mixed_text: Callable[[Any], str],
                 merged: dict[frozenset[str], str] | None = None) -> None:
        self._as_mixed_text = as_mixed_text
        self._merged = _LONG | (merged or {})
        self._waiting: list[Any] = []
        self._batches: list[pa.Array] = []
        self._kinds: set[str] = set()
        self._length = 0
        self.lone_surrogates = 0

    def __len__(self) -> int:
        return self._length

    def append(self, value: Any) -> None:
        """The next cell; None is missing."""
        self._length += 1
        self._waiting.append(value)
        if len(self._waiting) >= _BATCH:
            self._flush()

    def pad(self, length: int) -> None:
        """Missing cells up to `length`."""
        while self._length < length:
            self.append(None)

    @property
    def mixed_scalars(self) -> bool:
        """Whether the cells became text because plain values of several kinds met."""
        return self._target() == "mixed" and len(self._kinds) > 1

    def finish(self) -> pa.ChunkedArray:
        """The column: every cell as given, or all as text."""
        self._flush()
        target = self._target()
        if target == "mixed":
            return pa.chunked_array([self._texts(batch) for batch in self._batches], pa.string())
        kind = _TYPES[target]
        return pa.chunked_array([batch if batch.type == kind else batch.cast(kind)
                                 for batch in self._batches], kind)

    def _target(self) -> str:
        kinds = self._kinds | {kind for kind in map(_kind, self._waiting) if kind != "null"}
        if len(kinds) > 1:
            return self._merged.get(frozenset(kinds), "mixed")
        only = next(iter(kinds), "null")
        return only if only in _TYPES else "mixed"

    def _flush(self) -> None:
        if not self._waiting:
            return
        kinds = {kind for kind in map(_kind, self._waiting) if kind != "null"}
        self._kinds |= kinds
        target = self._target()
        if target != "mixed":
            self._batches.append(pa.array([self._clean(value) for value in self._waiting],
                                          _TYPES[target]))
        else:
            # Texts made now are final; `_texts` leaves them alone by their type.
            self._batches.append(pa.array(
                [None if value is None else self._clean(self._as_mixed_text(value))
                 for value in self._waiting], pa.large_string()))
        self._waiting.clear()

    def _texts(self, batch: pa.Array) -> pa.Array:
        if batch.type == pa.large_string():
            return batch.cast(pa.string())
        return pa.array([None if value is None else self._as_mixed_text(value)
                         for value in batch.to_pylist()], pa.string())

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            whole = whole_text(value)
            self.lone_surrogates += whole != value
            return whole
        return value


def whole_text(text: str) -> str:
    """The text with U+FFFD for every half of a surrogate pair, which is no character at all."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def json_text(value: Any) -> str:
    """A value of a mixed JSON column: its JSON, so that 1 and "1" stay different."""
    return json.dumps(value, ensure_ascii=False)


def cell_text(value: Any) -> str:
    """A value of a mixed Excel column as a person reads it."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat(" ") if isinstance(value, dt.datetime) else value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        if -_EXACT <= value <= _EXACT:
            return "int"
        return "long" if -_INT64 <= value < _INT64 else "other"
    if isinstance(value, list):
        return _list_kind(value)
    name = type(value).__name__
    return name if name in _TYPES else "other"


def _list_kind(values: list[Any]) -> str:
    """Lists of numbers become vectors; an int among floats is the same number as a float."""
    kinds = set(map(_kind, values))
    if kinds and kinds <= {"int", "long"}:
        return "ints"
    return "floats" if kinds and kinds <= {"int", "float"} else "other"
