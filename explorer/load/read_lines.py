"""A .txt file: a table when its lines have a delimiter in common, else one text per line."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from explorer.dataset import Issue
from explorer.errors import InputError, Where
from explorer.load.content import Content, Field, first_places, number_of
from explorer.load.csv_layout import find_layout
from explorer.load.decode import NulCount, find_encoding, lines_of, open_text
from explorer.load.limits import MAX_CELL_CHARACTERS, MAX_ROWS
from explorer.load.options import ReadOptions, Upload
from explorer.load.read_csv import read_csv
from explorer.spec import Progress

_TABLE_SHARE = 0.95


def read_lines(upload: Upload, options: ReadOptions, progress: Progress) -> Content:
    """n texts in a column 'text', or the table `read_csv` finds.

    Raises InputError NO_ROWS, CELL_TOO_LONG, TOO_MANY_ROWS and those of `read_csv`.
    """
    encoding = find_encoding(upload, options.encoding)
    layout = find_layout(upload, encoding.name, options)
    if options.delimiter != "auto" or (layout.width > 1 and layout.share >= _TABLE_SHARE):
        return read_csv(upload, options, progress)
    nuls = NulCount()
    texts: list[str] = []
    places: list[int] = []
    blank: list[int] = []
    with open_text(upload, encoding.name) as file:
        for number, line in enumerate(lines_of(file, nuls), 1):
            text = line.rstrip("\r\n")
            _check(upload, number, text, len(texts))
            if text:
                texts.append(text)
                places.append(number)
            else:
                blank.append(number)
    if options.header == "yes":
        texts, places = texts[1:], places[1:]
    if not texts:
        raise InputError("NO_ROWS", f"{upload.name} must have at least one line of text, got none.",
                         Where(file=upload.name))
    issues = [*encoding.issues, *nuls.issues(),
              Issue("note", "ONE_TEXT_PER_LINE",
                    f"{upload.name} has no delimiter in common: every line is read as one text.")]
    if blank:
        issues.append(Issue("note", "BLANK_LINES",
                            f"{number_of(len(blank), 'blank line')} were passed over.", len(blank),
                            first_places(blank)))
    values = pa.chunked_array([texts], pa.string())
    found = replace(options, encoding=encoding.name, header="no")
    field = Field("text", values, np.array(places, dtype=np.int64))
    return Content(upload.name, len(texts), (field,), found, tuple(issues))


def _check(upload: Upload, number: int, text: str, count: int) -> None:
    if len(text) > MAX_CELL_CHARACTERS:
        raise InputError("CELL_TOO_LONG", f"A line must have at most {MAX_CELL_CHARACTERS:,} "
                                          f"characters, got {len(text):,}.",
                         Where(file=upload.name, row=number), "Break it into several texts.")
    if count > MAX_ROWS:
        raise InputError("TOO_MANY_ROWS", f"{upload.name} must have at most {MAX_ROWS:,} lines, "
                                          "got more.", Where(file=upload.name),
                         "Upload a part of it.")
