"""The texts of a data set as the text encoders read them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import numpy as np

from explorer.dataset import Column, Dataset
from explorer.encode.unit import left_out
from explorer.errors import DataError, ParameterError, Where

LONGEST_QUESTION = 10_000
"""Characters of a typed text; models read far less."""
_INVISIBLE = ("Zs", "Zl", "Zp", "Cc", "Cf")


@dataclass(frozen=True)
class Texts:
    """The non-empty texts `values` (Unicode NFC) of the dataset rows `rows` (int64, ascending);
    `columns` names where they come from."""

    values: list[str]
    rows: np.ndarray
    columns: str
    notes: tuple[str, ...]


def text_columns(dataset: Dataset) -> tuple[Column, ...]:
    """All columns with the role text, in file order; DataError NO_TEXT when there is none."""
    columns = tuple(column for column in dataset.with_role("text") if column.place == "table")
    if not columns:
        roles = ", ".join(f"{column.name} ({column.role})" for column in dataset.columns)
        raise DataError("NO_TEXT", f"At least one column must have the role text, got {roles}.",
                        hint="Give a column the role text, or choose another encoder.")
    return columns


def read_texts(dataset: Dataset) -> Texts:
    """One text a row: the text columns joined by a newline, empty cells skipped.

    Rows with nothing but white space or invisible characters are left out and noted. Composed and
    decomposed letters count as the same (NFC); the data set keeps what was uploaded. Raises
    DataError NO_TEXT.
    """
    names = [column.name for column in text_columns(dataset)]
    joined = ["\n".join(part for part in parts if _visible(part))
              for parts in zip(*(dataset.texts(name) for name in names), strict=True)]
    filled = np.array([bool(text) for text in joined], dtype=bool)
    if not filled.any():
        raise DataError("NO_TEXT", f"At least one text must not be empty, got {len(joined)} "
                                   "empty ones.", Where(column=", ".join(names)),
                        "Choose another column as text, or another encoder.")
    notes: tuple[str, ...] = ()
    if len(names) > 1:
        notes += (f"Texts joined from the columns {', '.join(names)}.",)
    if not filled.all():
        notes += (left_out(np.flatnonzero(~filled), "no text"),)
    values = [unicodedata.normalize("NFC", text) for text in joined if text]
    return Texts(values, np.flatnonzero(filled).astype(np.int64), ", ".join(names), notes)


def read_question(text: str) -> str:
    """A typed text as the texts of rows are read (NFC). Raises ParameterError EMPTY_TEXT where
    nothing of it can be seen, TOO_LONG."""
    if len(text) > LONGEST_QUESTION:
        raise ParameterError("TOO_LONG", f"The text must have at most {LONGEST_QUESTION:,} "
                                         f"characters, got {len(text):,}.",
                             Where(parameter="text"), "Use its first sentences.")
    if not _visible(text):
        raise ParameterError("EMPTY_TEXT", "The text must have letters or digits, got none.",
                             Where(parameter="text"), "Type a few words.")
    whole = text.encode("utf-8", "replace").decode()  # half characters make tokenisers fail
    return unicodedata.normalize("NFC", whole)


def _visible(text: str) -> bool:
    """Whether anything is to be seen: no separator, control or format character."""
    return any(unicodedata.category(character) not in _INVISIBLE for character in text)
