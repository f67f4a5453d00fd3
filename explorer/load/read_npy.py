"""NumPy arrays: the header is checked against the file before anything is allocated."""

from __future__ import annotations

import os
from dataclasses import dataclass
from math import prod
from tokenize import TokenError
from typing import IO

import numpy as np
import pyarrow as pa

from explorer.dataset import Issue
from explorer.errors import InputError, Where
from explorer.load.content import Block, Content, Field
from explorer.load.limits import MAX_NPY_HEADER_BYTES, MAX_ROWS, MAX_UNPACKED_BYTES
from explorer.load.options import ReadOptions, Upload
from explorer.spec import Progress

MAGIC = b"\x93NUMPY"
_ALLOWED = {np.dtype(name) for name in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4",
                                        "u8", "?")}
_BROKEN_HEADER = (ValueError, EOFError, TypeError, SyntaxError, TokenError, RecursionError)
"""What NumPy's header parser raises, as seen on mutated files."""
_ALLOWED_WORDS = "float16, float32, float64, an integer type or bool"


@dataclass(frozen=True)
class Header:
    """What an .npy header claims, and where the numbers begin."""

    shape: tuple[int, ...]
    dtype: np.dtype
    fortran: bool
    start: int

    @property
    def body(self) -> int:
        return prod(self.shape) * self.dtype.itemsize


def read_npy(upload: Upload, options: ReadOptions, progress: Progress) -> Content:
    """An n x d array as a matrix, an (n,) array as one number column.

    Raises InputError PICKLED_ARRAY, DTYPE, NOT_A_MATRIX, TRUNCATED, SHAPE_LIES, BAD_HEADER,
    NO_ROWS, TOO_MANY_ROWS.
    """
    where = Where(file=upload.name)
    with open(upload.path, "rb") as file:
        header = read_header(file, where)
        check_header(header, os.fstat(file.fileno()).st_size, where)
        progress(0.1, "Header checked")
        file.seek(header.start)
        values = np.fromfile(file, header.dtype, prod(header.shape))
    return as_content(upload, options, shaped(values, header), upload.stem)


def read_header(file: IO[bytes], where: Where) -> Header:
    """The header of an .npy stream, no more than 64 KB of it, parsed as a literal."""
    try:
        version = np.lib.format.read_magic(file)
        length_bytes = 2 if version == (1, 0) else 4
        length = file.read(length_bytes)
        if int.from_bytes(length, "little") > MAX_NPY_HEADER_BYTES:
            raise ValueError(f"a header of {int.from_bytes(length, 'little'):,} bytes")
        text = file.read(int.from_bytes(length, "little"))
        shape, fortran, dtype = _parse(version, length + text)
    except _BROKEN_HEADER as error:
        raise InputError("BAD_HEADER", f"An .npy file must begin with a sound header, got "
                                       f"{str(error)[:150]}.", where,
                         "Save the array again with numpy.save.") from None
    return Header(shape, dtype, fortran, len(MAGIC) + 2 + length_bytes + len(text))


def check_header(header: Header, size: int, where: Where) -> None:
    """Refuse types that are no numbers, shapes that are no table, and claims the `size` bytes of
    the file do not back."""
    _check_type(header, where)
    shape = header.shape
    if len(shape) not in (1, 2) or (len(shape) == 2 and shape[1] == 0):
        raise InputError("NOT_A_MATRIX", f"An array must have the shape (rows, columns), got "
                                         f"{shape}.", where,
                         "Reshape it, for instance array.reshape(len(array), -1).")
    if shape[0] == 0:
        raise InputError("NO_ROWS", f"An array must have at least one row, got shape {shape}.",
                         where)
    present = size - header.start
    if header.body > MAX_UNPACKED_BYTES or present > header.body:
        raise InputError("SHAPE_LIES", f"The numbers of shape {shape} must take {header.body:,} "
                                       f"bytes (at most {MAX_UNPACKED_BYTES:,}), got "
                                       f"{present:,} bytes.", where,
                         "The file is damaged or larger than allowed.")
    if present < header.body:
        row = header.body // shape[0]
        raise InputError("TRUNCATED", f"The array must have the {shape[0]:,} rows it declares, got "
                                      f"{present // row:,}.", where,
                         "The file is cut off: copy it again.")
    if shape[0] > MAX_ROWS:
        raise InputError("TOO_MANY_ROWS", f"An array must have at most {MAX_ROWS:,} rows, got "
                                          f"{shape[0]:,}.", where, "Upload a part of it.")


def shaped(values: np.ndarray, header: Header) -> np.ndarray:
    """Flat numbers in the header's shape, C order, native byte order."""
    array = values.reshape(header.shape, order="F" if header.fortran else "C")
    return np.ascontiguousarray(array, dtype=header.dtype.newbyteorder("="))


def as_content(upload: Upload, options: ReadOptions, array: np.ndarray, name: str) -> Content:
    """A matrix as a vector column, a single dimension as a table column."""
    if array.ndim == 2:
        return Content(upload.name, len(array), (Block(name, array),), options)
    issue = Issue("note", "ONE_DIMENSION", f"{name} has one dimension and is read as one column.")
    column = pa.chunked_array([pa.array(array)])
    return Content(upload.name, len(array), (Field(name, column),), options, (issue,))


def _parse(version: tuple[int, int], data: bytes) -> tuple[tuple[int, ...], bool, np.dtype]:
    import io

    read = np.lib.format.read_array_header_1_0 if version == (1, 0) \
        else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(io.BytesIO(data), max_header_size=MAX_NPY_HEADER_BYTES)
    if any(side < 0 for side in shape):
        raise ValueError(f"the shape {shape}")
    return shape, fortran, dtype


def _check_type(header: Header, where: Where) -> None:
    if header.dtype.hasobject:
        raise InputError("PICKLED_ARRAY", "An array must hold plain numbers, got Python objects, "
                                          "which can run code.", where,
                         "Convert it with array.astype('float32') and save it again.")
    if header.dtype.newbyteorder("=") not in _ALLOWED:
        raise InputError("DTYPE", f"An array must hold {_ALLOWED_WORDS}, got {header.dtype}.",
                         where, "Convert it with array.astype('float32') and save it again.")
