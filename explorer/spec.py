"""A method = one file, one class, one declaration.

From the declaration come validation, form, CLI flags, docs, recipe entry, cache key and the
contract tests. Nothing else in the project lists methods or their parameters.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import json
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar, Generic, Literal, Self, TypeVar, get_args, get_origin

import annotated_types
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from explorer.errors import DataError, ParameterError, Where

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
    zero; `largest` absolute value; `constant` columns without any spread.
    """

    n: int
    d: int
    distinct: int | None = None
    zeros: int = 0
    largest: float = 0.0
    constant: int = 0


@dataclass(frozen=True)
class Cost:
    """What a step will take, for the form; calibrated by earlier runs where there are any."""

    seconds: float
    bytes: int


@dataclass(frozen=True)
class Parameter:
    """One parameter as form, CLI and docs see it."""

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


class Method(BaseModel):
    """Base of every declaration: fields are parameters, class variables are identity."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True,
                              allow_inf_nan=False)

    key: ClassVar[str]
    title: ClassVar[str]
    version: ClassVar[int] = 1
    family: ClassVar[str]
    """encoder, projector, clusterer, judge: the name of the slot in a recipe."""
    min_rows: ClassVar[int] = 1
    min_distinct: ClassVar[int] = 1
    largest_allowed: ClassVar[float] = 1e15
    """Above this magnitude float32 squares overflow: refuse rather than draw nonsense."""

    @classmethod
    def create(cls, **given: Any) -> Self:
        """The declaration with these parameters, or a ParameterError naming the first bad one."""
        try:
            return cls(**given)
        except ValidationError as error:
            raise _parameter_error(cls, error) from None

    @classmethod
    def parameters(cls) -> tuple[Parameter, ...]:
        """Every field, in the order written."""
        return tuple(_parameter(name, info) for name, info in cls.model_fields.items())

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

    def limits(self, facts: Facts) -> Mapping[str, tuple[float, float]]:
        """Bounds that follow the data: parameter -> (low, high). Form and `check` both use them."""
        return {}

    def check(self, facts: Facts) -> tuple[str, ...]:
        """Refuse what cannot work on this input; return notes on what will be odd.

        Raises DataError (TOO_FEW_ROWS, IDENTICAL_ROWS, TOO_LARGE_VALUES, ZERO_VECTORS) or
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
        if facts.largest > self.largest_allowed:
            raise DataError(
                "TOO_LARGE_VALUES",
                f"Values must be at most {self.largest_allowed:g} in magnitude, "
                f"got {facts.largest:g}.",
                hint="Scale the columns (standard or min-max) or normalise the vectors.")
        if facts.zeros and getattr(self, "metric", None) == "cosine":
            raise DataError(
                "ZERO_VECTORS",
                f"Cosine distance must have vectors with a direction, got {facts.zeros} "
                f"all-zero rows among {facts.n}.",
                hint="Use the Euclidean metric, or leave these rows out in the encode step.")
        for name, (low, high) in self.limits(facts).items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise ParameterError(
                    "OUT_OF_RANGE",
                    f"{name} must be between {low:g} and {high:g} for {facts.n} rows and "
                    f"{facts.d} columns, got {value:g}.",
                    Where(parameter=name), hint=f"Choose a value up to {high:g}.")
        return ()

    def estimate(self, n: int, d: int) -> Cost:
        """Seconds on two ordinary cores and peak bytes for n x d; rough, before calibration."""
        return Cost(seconds=0.05 + 2e-8 * n * d, bytes=8 * n * d)

    def identity(self) -> dict[str, Any]:
        """What of this declaration decides a result: key, version, ALL parameters."""
        return {"method": self.key, "version": self.version, "parameters": self.values()}


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


def _parameter(name: str, info: FieldInfo) -> Parameter:
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
    choices: tuple[str, ...] = ()
    if get_origin(annotation) is Literal:
        kind, choices = "choice", tuple(str(choice) for choice in get_args(annotation))
    elif get_origin(annotation) in (tuple, list):
        kind = "list"
    else:
        kind = {bool: "bool", int: "int", float: "float", str: "text"}[annotation]
    default = list(info.default) if isinstance(info.default, tuple) else info.default
    return Parameter(name=name, kind=kind, default=default,  # type: ignore[arg-type]
                     description=info.description or "", advanced=bool(extra.get("advanced")),
                     low=low, high=high, exclusive_low=exclusive, choices=choices,
                     optional=optional)


def _without_none(annotation: Any) -> tuple[Any, bool]:
    arguments = get_args(annotation)
    if type(None) in arguments:
        rest = [argument for argument in arguments if argument is not type(None)]
        return rest[0], True
    return annotation, False


def _parameter_error(cls: type[Method], error: ValidationError) -> ParameterError:
    first = error.errors()[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] == "extra_forbidden":
        known = ", ".join(cls.model_fields)
        return ParameterError("UNKNOWN_PARAMETER",
                              f"{cls.title} has no parameter {name!r}; it has: {known or 'none'}.",
                              Where(parameter=name))
    allowed = first["msg"].removeprefix("Input should be ").removeprefix("a ")
    return ParameterError("OUT_OF_RANGE",
                          f"{name} must be {allowed}, got {str(first['input'])[:80]!r}.",
                          Where(parameter=name))
