"""One parameter as form, CLI and docs see it, read off a pydantic field; and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

import annotated_types
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from explorer.errors import ParameterError, Where

LONGEST_TEXT = 1_000
LONGEST_LIST = 1_000
_LARGEST_WHOLE = 2**63 - 1
"""What the libraries below can hold as a whole number."""


@dataclass(frozen=True)
class Parameter:
    """One parameter: its name and kind, default, sentence and bounds."""

    name: str
    kind: Literal["int", "float", "bool", "choice", "text", "list"]
    default: Any
    description: str
    advanced: bool
    low: float | None = None
    high: float | None = None
    exclusive_low: bool = False
    choices: tuple[str, ...] = ()
    optional: bool = False

    @property
    def label(self) -> str:
        return self.name.replace("_", " ").capitalize()

    def nearest(self, value: Any) -> Any:
        """The allowed value nearest to a number that is out of bounds; else the default."""
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if self.kind not in ("int", "float") or not number or value != value:
            return self.default
        if self.high is not None and value > self.high:
            return int(self.high) if self.kind == "int" else self.high
        if self.low is not None and value < self.low and not self.exclusive_low:
            return int(self.low) if self.kind == "int" else self.low
        return self.default


def parameter_of(name: str, info: FieldInfo) -> Parameter:
    """The parameter a field declares."""
    annotation, optional = _without_none(info.annotation)
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    low = high = None
    exclusive = False
    for mark in info.metadata:
        if isinstance(mark, annotated_types.Ge):
            low = float(mark.ge)  # type: ignore[arg-type]
        elif isinstance(mark, annotated_types.Gt):
            low, exclusive = float(mark.gt), True  # type: ignore[arg-type]
        elif isinstance(mark, annotated_types.Le):
            high = float(mark.le)  # type: ignore[arg-type]
    default = list(info.default) if isinstance(info.default, tuple) else info.default
    choices = tuple(str(choice) for choice in get_args(annotation))
    kind = _kind(annotation)
    return Parameter(name=name, kind=kind, default=default,
                     description=info.description or "", advanced=bool(extra.get("advanced")),
                     low=low, high=high, exclusive_low=exclusive,
                     choices=choices if kind == "choice" else (), optional=optional)


def refuse_odd_values(fields: Mapping[str, FieldInfo], given: Mapping[str, Any]) -> None:
    """Refuse what pydantic would take for a number, text or list although nobody means it: True as
    1, bytes, whole numbers no library can hold, lists without end.

    Raises ParameterError OUT_OF_RANGE.
    """
    for name, value in given.items():
        if name not in fields:
            continue
        kind = _kind(_without_none(fields[name].annotation)[0])
        allowed = ""
        if isinstance(value, (bytes, bytearray)):
            allowed = "text or number"
        elif kind in ("int", "float") and isinstance(value, bool):
            allowed = "number"
        elif kind == "int" and isinstance(value, int) and abs(value) > _LARGEST_WHOLE:
            allowed = f"whole number up to {_LARGEST_WHOLE:,}"
        elif kind == "list" and isinstance(value, (list, tuple)) and len(value) > LONGEST_LIST:
            allowed = f"list of at most {LONGEST_LIST:,} entries"
        if allowed:
            raise ParameterError("OUT_OF_RANGE", f"{name} must be a {allowed}, got "
                                                 f"{shown(value)}.", Where(parameter=name))


def parameter_error(title: str, fields: Mapping[str, FieldInfo],
                    error: ValidationError) -> ParameterError:
    """The first thing pydantic refused, in our words: UNKNOWN_PARAMETER or OUT_OF_RANGE."""
    first = error.errors()[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] == "extra_forbidden":
        known = ", ".join(fields)
        return ParameterError("UNKNOWN_PARAMETER", f"{title} has no parameter {name[:80]!r}; it "
                                                   f"has: {known or 'none'}.",
                              Where(parameter=name[:80]))
    allowed = first["msg"].removeprefix("Input should be ").removeprefix("a ")
    if first["type"] == "string_too_long":
        allowed = f"at most {first['ctx']['max_length']:,} characters long"
    return ParameterError("OUT_OF_RANGE", f"{name} must be {allowed}, got "
                                          f"{shown(first['input'])}.", Where(parameter=name))


def shown(value: Any) -> str:
    """A refused value, short enough for a sentence: numbers as they are, all else quoted."""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 10**30 else "a number of more than 30 digits"
    try:
        return repr(str(value)[:80])
    except ValueError:  # Python does not write out whole numbers of more than 4,300 digits
        return f"a {type(value).__name__} of numbers too long to show"


def _kind(annotation: Any) -> Literal["int", "float", "bool", "choice", "text", "list"]:
    if get_origin(annotation) is Literal:
        return "choice"
    if get_origin(annotation) in (tuple, list):
        return "list"
    kinds: dict[Any, Literal["int", "float", "bool", "text"]] = {
        bool: "bool", int: "int", float: "float", str: "text"}
    return kinds[annotation]


def _without_none(annotation: Any) -> tuple[Any, bool]:
    arguments = get_args(annotation)
    if type(None) in arguments:
        rest = [argument for argument in arguments if argument is not type(None)]
        return rest[0], True
    return annotation, False
