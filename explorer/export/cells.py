"""Arrow values as the text of a CSV cell or a JSON value, nothing lost on the way."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

import numpy as np
import pyarrow as pa

from explorer.escape import csv_cell

_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?", re.ASCII)
_QUOTED = re.compile(r'[",\r\n]|^\s|\s$|^$')


def csv_texts(values: pa.ChunkedArray, *, excel_safe: bool) -> list[str]:
    """One CSV cell per value, quoted where needed. Empty is a missing value, "" an empty text.

    With `excel_safe` a text that a spreadsheet would compute is disarmed by `csv_cell`; a number,
    or a text that is a plain number, is not, whatever its sign.
    """
    texts = _texts(values)
    if excel_safe and not (pa.types.is_floating(values.type) or pa.types.is_integer(values.type)):
        texts = [text if text is None or _NUMBER.fullmatch(text) else csv_cell(text)
                 for text in texts]
    return ["" if text is None else quoted(text) for text in texts]


def quoted(text: str) -> str:
    """A CSV field (RFC 4180); a lone carriage return is quoted too, or readers see two rows."""
    if _QUOTED.search(text):
        return '"' + text.replace('"', '""') + '"'
    return text


def json_texts(values: pa.ChunkedArray) -> list[str]:
    """One JSON value per value. Like Python's json, NaN and Infinity stand as such."""
    kind = values.type
    if pa.types.is_floating(kind):
        return ["null" if text is None else _json_number(text) for text in _float_texts(values)]
    if _is_float_list(kind):
        return _json_lists(values)
    return [json.dumps(value, ensure_ascii=False, default=_plain)
            for value in values.to_pylist()]


def _texts(values: pa.ChunkedArray) -> list[str | None]:
    kind = values.type
    if pa.types.is_floating(kind):
        return _float_texts(values)
    as_text: Callable[[Any], str]
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return values.to_pylist()
    if _is_float_list(kind):
        return [None if text == "null" else text for text in _json_lists(values)]
    if pa.types.is_nested(kind):
        as_text = _as_json
    elif pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind):
        as_text = str
    else:
        as_text = _plain
    return [None if value is None else value if isinstance(value, str) else as_text(value)
            for value in values.to_pylist()]


def _float_texts(values: pa.ChunkedArray) -> list[str | None]:
    """The shortest text that reads back as the same float of the column's own width."""
    missing = values.is_null().to_pylist()
    numbers = values.to_numpy()
    texts = map(repr, numbers.tolist()) if values.type == pa.float64() else map(str, numbers)
    return [None if gone else text for gone, text in zip(missing, texts, strict=True)]


def _is_float_list(kind: pa.DataType) -> bool:
    return (pa.types.is_list(kind) or pa.types.is_large_list(kind)
            or pa.types.is_fixed_size_list(kind)) and pa.types.is_floating(kind.value_type)


def _json_lists(values: pa.ChunkedArray) -> list[str]:
    texts = []
    for chunk in values.chunks:
        for value in chunk:
            inner = None if value is None or not value.is_valid else value.values
            if inner is None:
                texts.append("null")
                continue
            cells = _float_texts(pa.chunked_array([inner]))
            texts.append("[" + ", ".join("null" if cell is None else _json_number(cell)
                                         for cell in cells) + "]")
    return texts


_JSON_NUMBERS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def _json_number(text: str) -> str:
    return _JSON_NUMBERS.get(text, text)


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> str:
    """Dates in ISO form, bytes in base64, everything else (decimals ...) as Python writes it."""
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, np.generic):
        return str(value.item())
    return str(value)
