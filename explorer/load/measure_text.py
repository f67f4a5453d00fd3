"""What the cells of a text column are: numbers, codes, dates, words. Counted in Arrow, not in
Python, because a column may have five million of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_COMMA_NUMBER = r"^[+-]?([0-9]{1,3}(\.[0-9]{3})+|[0-9]+)(,[0-9]+)?([eE][+-]?[0-9]+)?$"
_THOUSANDS = r"^[+-]?[0-9]{1,3}(,[0-9]{3})+$"
_NOT_FINITE = r"^[+-]?([iI][nN][fF]([iI][nN][iI][tT][yY])?|[nN][aA][nN])$"
_CODE = r"^([+-]?0[0-9]+([.,][0-9]*)?|[0-9]+[eE][0-9]+|[0-9]+(_[0-9]+)+|\+[0-9]{7,})$"
"""Cells a number would change: 007, 1e5, 1_000, +4917012345."""
_LONG = r"^[+-]?[0-9]{16,}$"
_HUGE = r"[eE]\+?[0-9]{3,}$"
_DATE = (r"^([0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2,4})"
         r"([T ].*)?$")
_WORD = r"\S+"
MARKS = ("na", "n/a", "#n/a", "null", "none", "nil", "missing", "-", "--", "?", ".")
"""What people write for 'missing' in number columns."""
_EXACT = 2**53
_SAMPLE = 10_000


@dataclass(frozen=True)
class NumberCells:
    """n booleans each: `plain` numbers, `infinite` ones (inf, nan, 1e400), `odd` words; `codes`
    are those of the plain ones that a number would change."""

    decimal: str
    plain: np.ndarray
    infinite: np.ndarray
    odd: np.ndarray
    marks: np.ndarray
    codes: np.ndarray
    whole: bool

    @property
    def share(self) -> float:
        """Numbers among the cells that are neither empty nor marked as missing."""
        numbers = np.count_nonzero(self.plain) + np.count_nonzero(self.infinite)
        rest = np.count_nonzero(self.odd)
        return numbers / (numbers + rest) if self.plain.any() else 0.0


class TextCells:
    """A text column, trimmed, with its empty cells marked."""

    def __init__(self, values: pa.ChunkedArray) -> None:
        self.trimmed = pc.fill_null(pc.utf8_trim_whitespace(values.cast(pa.large_string())), "")
        self.empty = _flags(pc.equal(self.trimmed, ""))
        self.filled = self.trimmed.filter(pa.array(~self.empty))

    @cached_property
    def distinct(self) -> int:
        return int(pc.count_distinct(self.filled).as_py())

    @cached_property
    def mean_length(self) -> float:
        return float(pc.mean(pc.utf8_length(self.filled)).as_py() or 0.0)

    @cached_property
    def longest(self) -> int:
        return int(pc.max(pc.utf8_length(self.filled)).as_py() or 0)

    @cached_property
    def mean_words(self) -> float:
        """Words per filled cell, from the first ten thousand."""
        sample = self.filled.slice(0, _SAMPLE)
        return float(pc.mean(pc.count_substring_regex(sample, _WORD)).as_py() or 0.0)

    def share_matching(self, pattern: str) -> float:
        """The share of filled cells that match."""
        if not len(self.filled):
            return 0.0
        return float(pc.mean(pc.match_substring_regex(self.filled, pattern)).as_py())

    @property
    def dates(self) -> float:
        return self.share_matching(_DATE)

    @property
    def with_digit(self) -> float:
        return self.share_matching("[0-9]")

    def numbers(self, delimiter: str) -> NumberCells:
        """The cells as numbers, with the decimal mark that fits: the comma only where it fits more
        cells and cannot be the thousands mark of another country."""
        dot = self._numbers(".", _NUMBER)
        if dot.share == 1.0 or not pc.any(pc.match_substring(self.trimmed, ",")).as_py():
            return dot
        comma = self._numbers(",", _COMMA_NUMBER)
        if comma.share <= dot.share:
            return dot
        grouped = _flags(pc.match_substring_regex(self.trimmed, _THOUSANDS))
        with_comma = _flags(pc.match_substring(self.trimmed, ",")) & comma.plain
        ambiguous = with_comma.any() and not (with_comma & ~grouped).any()
        # Under a decimal comma '1.5' would be read as 15: such a cell speaks against it.
        dotted = _flags(pc.match_substring(self.trimmed, ".")) & dot.plain & ~comma.plain
        if dotted.any() or (ambiguous and delimiter not in (";", "\t")):
            return dot
        return comma

    def _numbers(self, decimal: str, pattern: str) -> NumberCells:
        codes = _flags(pc.match_substring_regex(self.trimmed, _CODE))
        plain = _flags(pc.match_substring_regex(self.trimmed, pattern)) | codes
        infinite = _flags(pc.match_substring_regex(self.trimmed, _NOT_FINITE))
        huge = np.flatnonzero(_flags(pc.match_substring_regex(self.trimmed, _HUGE)) & plain)
        for row in huge:
            if np.isinf(float(self.trimmed[row].as_py().replace(",", "."))):
                plain[row], infinite[row] = False, True
        marks = _flags(pc.is_in(pc.utf8_lower(self.trimmed), value_set=pa.array(
            MARKS, pa.large_string())))
        codes &= ~infinite
        long = np.flatnonzero(_flags(pc.match_substring_regex(self.trimmed, _LONG)))
        for row in long:
            codes[row] = codes[row] or abs(int(self.trimmed[row].as_py()[:40])) > _EXACT
        odd = ~(plain | infinite | marks | self.empty)
        whole = not _flags(pc.match_substring_regex(self.trimmed, "[.,eE]"))[plain].any()
        return NumberCells(decimal, plain, infinite, odd, marks, codes, whole)


def _flags(values: pa.ChunkedArray) -> np.ndarray:
    flags: np.ndarray = values.to_numpy(zero_copy_only=False) if isinstance(values, pa.Array) \
        else values.to_numpy()
    return np.array(flags, dtype=bool)
