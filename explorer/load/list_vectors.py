"""List columns that hold vectors: lists of numbers, all of one length."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from explorer.errors import InputError, Where
from explorer.load.content import Field

_MEANT = 0.5
"""With this share of rows at one length the column is meant as vectors and the others are wrong."""


def vectors_of(source: str, field: Field) -> np.ndarray | None:
    """The n x d matrix of a list column, None when it is none; a missing list is a row of NaN.

    Raises InputError VECTOR_LENGTH naming the first row with another length.
    """
    kind = field.values.type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)
            or pa.types.is_fixed_size_list(kind)):
        return None
    element = kind.value_type
    if not (pa.types.is_integer(element) or pa.types.is_floating(element)):
        return None
    array = field.values.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], kind)
    missing = np.asarray(array.is_null().to_numpy(zero_copy_only=False), dtype=bool)
    lengths = np.asarray(pc.fill_null(pc.list_value_length(array), 0)
                         .to_numpy(zero_copy_only=False), dtype=np.int64)
    size = _common_length(source, field, lengths, missing)
    if not size:
        return None
    flat = pc.list_flatten(array)
    numbers = np.asarray(flat.to_numpy(zero_copy_only=False))  # a null inside becomes NaN
    if not missing.any():
        return np.ascontiguousarray(numbers.reshape(len(array), size))
    dtype = numbers.dtype if numbers.dtype.kind == "f" else np.dtype(np.float64)
    vectors = np.full((len(array), size), np.nan, dtype=dtype)
    vectors[~missing] = numbers.reshape(-1, size)
    return vectors


def _common_length(source: str, field: Field, lengths: np.ndarray, missing: np.ndarray) -> int:
    present = lengths[~missing]
    if not len(present):
        return 0
    size, count = Counter(present.tolist()).most_common(1)[0]
    if count == len(present):
        return int(size)
    if size < 2 or count < _MEANT * len(present):
        return 0
    row = int(np.flatnonzero(~missing & (lengths != size))[0])
    raise InputError("VECTOR_LENGTH", f"Every vector of column {field.original!r} must have {size} "
                                      f"numbers like most, got {lengths[row]}.",
                     Where(file=source, row=field.place(row), column=field.original),
                     "Correct or remove the row.")
