"""A method = one file, one class, one declaration.

From the declaration come validation, form, CLI flags, docs, recipe entry, cache key and the
contract tests. Nothing else in the project lists methods or their parameters.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import json
import math
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from explorer.errors import DataError, ParameterError, Where
from explorer.parameters import (
    LONGEST_TEXT,
    Parameter,
    parameter_error,
    parameter_of,
    refuse_odd_values,
    shown,
)

__all__ = ["Cost", "Facts", "Method", "Parameter", "Progress", "Registry", "advanced", "discover",
           "part", "result_key", "silent"]

Progress = Callable[[float, str], None]
"""`progress(fraction, text)`: reports how far a step is (0..1, never backwards) and is the point
where a cancel stops it, by raising `errors.Cancelled`."""


def silent(fraction: float, text: str) -> None:
    """The progress of scripts and tests: says nothing, stops nothing."""


def part(progress: Progress, start: float, end: float) -> Progress:
    """`progress` squeezed into `start..end`, for a step that calls another."""
    return lambda fraction, text: progress(start + (end - start) * fraction, text)


def advanced(default: Any, **bounds: Any) -> Any:
    """A field most people never touch: the form folds it away."""
    return Field(default, json_schema_extra={"advanced": True}, **bounds)


@dataclass(frozen=True)
class Facts:
    """What a method may know of its input before it runs.

    `n` rows, `d` columns; `distinct` different rows (None: not counted); `zeros` rows that are all
    zero, the first of them `zero_rows` (places from 0); `largest` absolute value; `constant`
    columns without any spread.
    """

    n: int
    d: int
    distinct: int | None = None
    zeros: int = 0
    largest: float = 0.0
    constant: int = 0
    zero_rows: tuple[int, ...] = ()


@dataclass(frozen=True)
class Cost:
    """What a step will take, for the form; calibrated by earlier runs where there are any."""

    seconds: float
    bytes: int


class Method(BaseModel):
    """Base of every declaration: fields are parameters, class variables are identity."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True,
                              allow_inf_nan=False, str_max_length=LONGEST_TEXT)

    key: ClassVar[str]
    title: ClassVar[str]
    version: ClassVar[int] = 1
    family: ClassVar[str]
    """encoder, projector, clusterer, judge: the name of the slot in a recipe."""
    min_rows: ClassVar[int] = 1
    min_distinct: ClassVar[int] = 1
    largest_allowed: ClassVar[float] = 1e15
    """Above this magnitude float32 squares overflow: rescale or refuse, never draw nonsense."""
    follows_rows: ClassVar[bool] = True
    """Whether the same rows in another order give the same result in that order. False for what
    draws random numbers row by row; the contract tests hold every other method to it."""
    sees_origin: ClassVar[bool] = False
    """Whether it looks at the rows from zero, so that a constant column is not nothing to it. The
    contract tests hold every other method to a result that a constant column does not change."""
    draws: ClassVar[tuple[str, ...]] = ()
    """What its results have to show beyond the usual views: names that `ui/method_view.py` knows,
    drawn from the `extras` of its result."""

    @classmethod
    def create(cls, **given: Any) -> Self:
        """The declaration with these parameters, or a ParameterError naming the first bad one."""
        refuse_odd_values(cls.model_fields, given)
        try:
            return cls(**given)
        except ValidationError as error:
            raise parameter_error(cls.title, cls.model_fields, error) from None

    @classmethod
    def parameters(cls) -> tuple[Parameter, ...]:
        """Every field, in the order written."""
        return tuple(parameter_of(name, info) for name, info in cls.model_fields.items())

    @classmethod
    def describe(cls) -> str:
        """The class docstring, as people read it in form and docs."""
        return inspect.cleandoc(cls.__doc__ or "")

    def values(self) -> dict[str, Any]:
        """All parameters, defaults included."""
        return self.model_dump(mode="json")

    def changed(self) -> dict[str, Any]:
        """The parameters that differ from the defaults."""
        defaults = {parameter.name: parameter.default for parameter in self.parameters()}
        return {name: value for name, value in self.values().items() if value != defaults[name]}

    @property
    def scale_free(self) -> bool:
        """Whether only ratios of distances matter, so that huge values may be divided by one
        power of two before the method sees them."""
        return True

    def limits(self, facts: Facts) -> Mapping[str, tuple[float, float]]:
        """Bounds that follow the data: parameter -> (low, high). Form and `check` both use them."""
        return {}

    def check(self, facts: Facts) -> tuple[str, ...]:
        """Refuse what cannot work on this input; return notes on what will be odd.

        Raises DataError (TOO_FEW_ROWS, IDENTICAL_ROWS, ZERO_VECTORS, TOO_LARGE_VALUES) or
        ParameterError (OUT_OF_RANGE). Methods extend it and call super().
        """
        if facts.n < self.min_rows:
            raise DataError("TOO_FEW_ROWS",
                            f"{self.title} must have at least {self.min_rows} rows, got {facts.n}.",
                            hint="Use a larger data set or another method.")
        if facts.distinct is not None and facts.distinct < self.min_distinct:
            raise DataError(
                "IDENTICAL_ROWS",
                f"{self.title} must have at least {self.min_distinct} different rows, "
                f"got {facts.distinct} among {facts.n}.",
                hint="The rows are copies of each other: choose other columns or another encoder.")
        if facts.largest > self.largest_allowed and not self.scale_free:
            raise DataError(
                "TOO_LARGE_VALUES",
                f"Values must be at most {self.largest_allowed:g} in magnitude, "
                f"got {facts.largest:g}.",
                hint="Scale the columns (standard or min-max) or normalise the vectors.")
        if facts.zeros and getattr(self, "metric", None) == "cosine":
            raise DataError(
                "ZERO_VECTORS",
                f"Cosine distance must have vectors with a direction, got {facts.zeros} "
                f"all-zero rows among {facts.n}{_listed(facts)}.",
                hint="Switch 'normalize' on in the encode step: it leaves these rows out and lists "
                     "them. Or use the Euclidean metric.")
        for name, (low, high) in self.limits(facts).items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise ParameterError(
                    "OUT_OF_RANGE",
                    f"{name} must be between {low:g} and {high:g} for {facts.n} rows and "
                    f"{facts.d} columns, got {shown(value)}.", Where(parameter=name),
                    hint=f"Choose a value {f'up to {high:g}' if value > high else f'from {low:g}'}"
                         ".")
        if facts.largest > self.largest_allowed:
            return (f"Values reach {facts.largest:.3g}: all are divided by "
                    f"{2.0 ** scale_exponent(facts):.3g} (a power of two, which changes no digit) "
                    "first. Groups and scores depend on ratios only; numbers on axes are in that "
                    "unit.",)
        return ()

    def estimate(self, n: int, d: int) -> Cost:
        """Seconds on two ordinary cores and peak bytes for n x d; rough, before calibration."""
        return Cost(seconds=0.05 + 2e-8 * n * d, bytes=8 * n * d)

    def identity(self) -> dict[str, Any]:
        """What of this declaration decides a result: key, version, ALL parameters."""
        return {"method": self.key, "version": self.version, "parameters": self.values()}


def scale_exponent(facts: Facts) -> int:
    """The power of two that brings the largest value to between 1/2 and 1."""
    return math.frexp(facts.largest)[1]


def _listed(facts: Facts) -> str:
    if not facts.zero_rows:
        return ""
    more = ", ..." if facts.zeros > len(facts.zero_rows) else ""
    return f" (rows {', '.join(str(row + 1) for row in facts.zero_rows)}{more})"


def result_key(step: str, *parts: Any) -> str:
    """The name of a result: blake2b over the canonical JSON of what makes it (32 hex digits)."""
    text = json.dumps([step, *parts], sort_keys=True, separators=(",", ":"), allow_nan=False,
                      ensure_ascii=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


M = TypeVar("M", bound=Method)


class Registry(Generic[M]):
    """The methods of one family, by key, in the order their titles sort by `rank`."""

    def __init__(self, family: str, methods: dict[str, type[M]]) -> None:
        self.family = family
        self._methods = methods

    def __iter__(self) -> Iterator[type[M]]:
        return iter(self._methods.values())

    def __len__(self) -> int:
        return len(self._methods)

    def __contains__(self, key: str) -> bool:
        return key in self._methods

    def keys(self) -> tuple[str, ...]:
        return tuple(self._methods)

    def get(self, key: str) -> type[M]:
        """The class of that key, or ParameterError UNKNOWN_METHOD naming the ones there are."""
        if key not in self._methods:
            raise ParameterError(
                "UNKNOWN_METHOD",
                f"{self.family} must be one of {', '.join(self._methods)}, got {key!r}.",
                Where(parameter=self.family))
        return self._methods[key]

    def create(self, key: str, parameters: Mapping[str, Any] | None = None) -> M:
        return self.get(key).create(**(parameters or {}))


def discover(package: ModuleType, base: type[M]) -> Registry[M]:
    """Import every module of `package` and collect the concrete subclasses of `base`.

    Raises ImportError for a broken module and ValueError for two equal keys, a key that is not its
    file's name, or a method without title, family or docstring: all at start, all loudly.
    """
    found: dict[str, type[M]] = {}
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda info: info.name):
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        for value in vars(module).values():
            if not (inspect.isclass(value) and issubclass(value, base)):
                continue
            if value.__module__ != module.__name__ or "key" not in vars(value):
                continue
            if value.key in found:
                raise ValueError(f"two methods of {package.__name__} have the key {value.key!r}")
            if value.key != info.name:
                raise ValueError(f"{module.__name__} holds the key {value.key!r}, not its own name")
            if not value.describe():
                raise ValueError(f"{module.__name__} has no docstring for people to read")
            found[value.key] = value
    ranked = sorted(found.values(), key=lambda method: (getattr(method, "rank", 100), method.title))
    return Registry(base.family, {method.key: method for method in ranked})
