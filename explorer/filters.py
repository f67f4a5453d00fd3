"""A filter as plain data: conditions on columns and results, all of which or any of which hold.

No expressions: a condition names what it looks at, one of seven tests, and values. A row without a
value (an empty cell, not a number, no vector) passes 'is empty' and no other test, not even
'is not'; such rows are counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from explorer.errors import ParameterError

Test = Literal["is", "is not", "one of", "contains", "does not contain", "between",
               "is empty"]
_INSIDE = ("contains", "does not contain")
MOST_CONDITIONS = 20
MOST_VALUES = 200
LONGEST = 1_000
"""Characters of a value."""


class Condition(BaseModel):
    """`subject` is 'cluster', a measure ('silhouette', 'strength', 'study:KEY:NAME'), 'row id' or
    'column:NAME'.

    `texts` are the values of a test on text, `numbers` of one on numbers; 'between' has two numbers
    (None: open at that end), both ends included. 'contains' and 'does not contain' look for the
    text itself, whatever its case.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    subject: str = Field(max_length=LONGEST)
    test: Test
    texts: tuple[str, ...] = Field((), max_length=MOST_VALUES)
    numbers: tuple[float | None, ...] = Field((), max_length=MOST_VALUES)

    @model_validator(mode="after")
    def _whole(self) -> Condition:
        if any(len(text) > LONGEST for text in self.texts):
            raise ValueError(f"a text must have at most {LONGEST:,} characters")
        if self.test == "between" and (self.texts or len(self.numbers) != 2):
            raise ValueError("'between' must have two numbers")
        if self.test != "between" and None in self.numbers:
            raise ValueError("only 'between' may leave a number open")
        if self.test in _INSIDE and (self.numbers or len(self.texts) != 1):
            raise ValueError(f"'{self.test}' must have one text")
        if self.test in ("is", "is not") and len(self.texts) + len(self.numbers) != 1:
            raise ValueError(f"'{self.test}' must have one value")
        if self.test == "one of" and not (self.texts or self.numbers):
            raise ValueError("'one of' must have a value")
        if self.test == "is empty" and (self.texts or self.numbers):
            raise ValueError("'is empty' has no value")
        return self


class Filter(BaseModel):
    """Rows pass where all of the conditions hold, or any of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    match: Literal["all", "any"] = "all"
    conditions: tuple[Condition, ...] = Field((), max_length=MOST_CONDITIONS)


@dataclass(frozen=True)
class Numbers:
    """n float64; NaN where there is no value."""

    values: np.ndarray


@dataclass(frozen=True)
class Texts:
    """n texts; '' or None where there is no value."""

    values: np.ndarray
    """Objects."""


Values = Numbers | Texts


@dataclass(frozen=True)
class Passed:
    """Which of n rows pass (bool), and per subject how many rows have no value."""

    rows: np.ndarray
    empty: Mapping[str, int]


def filter_from_data(data: object) -> Filter:
    """A checked filter of plain data. Raises ParameterError BAD_FILTER."""
    try:
        return Filter.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        raise ParameterError("BAD_FILTER", "The filter must be one this version wrote, got: "
                                           f"{first['msg'].removeprefix('Value error, ')}.",
                             hint="Set the filter up again.") from None


def passing(asked: Filter, n: int, values_of: Callable[[str], Values]) -> Passed:
    """The rows of n that pass; `values_of` gives the n values of a subject. Without conditions all
    pass. Raises ParameterError BAD_FILTER where a test does not fit the values."""
    rows = np.full(n, asked.match == "all" or not asked.conditions, dtype=bool)
    empty: dict[str, int] = {}
    for condition in asked.conditions:
        held, lacking = holds(condition, values_of(condition.subject))
        empty[condition.subject] = lacking
        if asked.match == "all":
            rows &= held
        else:
            rows |= held
    return Passed(rows, empty)


def holds(condition: Condition, values: Values) -> tuple[np.ndarray, int]:
    """Where a condition holds (n bool), and how many rows have no value."""
    if isinstance(values, Numbers):
        return _numbers_hold(condition, np.asarray(values.values, dtype=np.float64))
    return _texts_hold(condition, values.values)


def _numbers_hold(condition: Condition, values: np.ndarray) -> tuple[np.ndarray, int]:
    lacking = np.isnan(values)
    count = int(np.count_nonzero(lacking))
    if condition.test == "is empty":
        return lacking, count
    if condition.texts or condition.test in _INSIDE:
        raise _misfit(condition, "numbers")
    wanted = [number for number in condition.numbers if number is not None]
    if condition.test == "between":
        low, high = condition.numbers
        held = ~lacking
        if low is not None:
            held &= values >= low
        if high is not None:
            held &= values <= high
    elif condition.test == "is not":
        held = ~lacking & (values != wanted[0])
    else:
        held = np.isin(values, wanted)
    return held, count


def _texts_hold(condition: Condition, values: np.ndarray) -> tuple[np.ndarray, int]:
    n = len(values)
    lacking = np.fromiter((not text for text in values), dtype=bool, count=n)
    count = int(np.count_nonzero(lacking))
    if condition.test == "is empty":
        return lacking, count
    if condition.numbers or condition.test == "between":
        raise _misfit(condition, "texts")
    if condition.test in _INSIDE:
        part, wanted = condition.texts[0].casefold(), condition.test == "contains"
        held = np.fromiter((bool(text) and (part in text.casefold()) == wanted for text in values),
                           dtype=bool, count=n)
    else:
        asked = frozenset(condition.texts)
        held = np.fromiter((text in asked for text in values), dtype=bool, count=n)
        if condition.test == "is not":
            held = ~held
        held &= ~lacking
    return held, count


def _misfit(condition: Condition, kind: str) -> ParameterError:
    return ParameterError("BAD_FILTER", f"A test of {kind} must be one that fits them, got "
                                        f"{condition.test!r} on {condition.subject!r}.",
                          hint="The column may have another role now: set the condition up again.")
