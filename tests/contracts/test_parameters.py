"""Every parameter of every method there is, present and future: what is out of bounds, of the wrong
kind or far too long is refused by name; what is at the bounds works, or is refused in words."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from explorer.errors import Cancelled, DataError, ExplorerError, ParameterError, Where
from explorer.parameters import parameter_of
from explorer.spec import Facts, Method, Parameter
from explorer.store import Store
from tests.contracts.cases import (
    IDS,
    METHODS,
    PARAMETER_IDS,
    PARAMETERS,
    Data,
    execute,
    small,
    usual,
)

each_method = pytest.mark.parametrize(("family", "method"), METHODS, ids=IDS)
each_parameter = pytest.mark.parametrize(("method", "parameter"), PARAMETERS, ids=PARAMETER_IDS)
FAMILY = {method.key: family for family, method in METHODS}
N, D = 60, 5
_ENOUGH = 0.7
"""Seconds after which a run at a bound has shown that it works and is stopped."""
_TRAINED = 0.1
"""The same for trainings, whose bounds are of epochs: the first of them show it."""


def junk(parameter: Parameter) -> list[Any]:
    """What nobody means, for a parameter of this kind."""
    values: list[Any] = [{"a": 1}, b"8", object(), [1, [2]], {1, 2}, lambda: 1]
    if parameter.kind in ("int", "float"):
        values += ["many", "", "nan", "1e999", True, False, math.nan, math.inf, -math.inf,
                   10**400, -10**400, "9" * 10_000, np.array([1, 2]), 1 + 2j]
        if parameter.kind == "int":
            values += [2.5, 2**64, "0x10"]
        if parameter.low is not None:
            below = math.nextafter(parameter.low, -math.inf)
            values += [parameter.low if parameter.exclusive_low else below, parameter.low - 1]
        if parameter.high is not None:
            values += [math.nextafter(parameter.high, math.inf), parameter.high + 1]
    if parameter.kind == "choice":
        values += ["no such choice", "", " ", "x" * 10_000, 0, True,
                   f"{parameter.choices[0]} ", parameter.choices[0].upper() + "x"]
    if parameter.kind == "bool":
        values += ["perhaps", "", 2, -1, 0.5, math.nan]
    if parameter.kind == "text":
        values += ["x" * 10_000, "\ud800", 5, 1.5, True]
    if parameter.kind == "list":
        values += ["x" * 10_000, ["x" * 10_000], ["x"] * 10_000, [None], [["x"]], 5]
    return values if parameter.optional else [*values, None]


@each_parameter
def test_junk_is_refused_by_name(method: type[Method], parameter: Parameter) -> None:
    for value in junk(parameter):
        with pytest.raises(ParameterError) as refused:
            method.create(**{parameter.name: value})
        assert refused.value.code == "OUT_OF_RANGE", value
        assert refused.value.where == Where(parameter=parameter.name)
        assert parameter.name in refused.value.message
        assert len(str(refused.value)) < 500


@each_parameter
def test_at_its_bounds_it_works_or_says_why_not(method: type[Method], parameter: Parameter,
                                                blobs: np.ndarray, store: Store) -> None:
    family = FAMILY[method.key]
    data = usual(blobs, store)
    bounds: list[Any] = [bound for bound in (parameter.low, parameter.high) if bound is not None]
    if parameter.kind == "int":
        bounds = [int(bound) for bound in bounds]
    if parameter.exclusive_low and bounds:
        bounds[0] = math.nextafter(bounds[0], math.inf)
    values = {"choice": list(parameter.choices), "bool": [False, True],
              "text": ["", "x" * 1000, "a\0b", "../../etc/passwd", "http://a.b/c"],
              "list": [[], ["x"]]}.get(parameter.kind, bounds)
    for value in values:
        if "minilm" in (method.key, {"texts": "minilm"}.get(str(value))):
            continue  # a large model, which tests/encode has
        declaration = method.create(**{**small(method).values(), parameter.name: value})
        assert getattr(declaration, parameter.name) == value
        works(lambda declaration=declaration: execute(family, declaration, data, store,
                                                      _until_enough(method)))


def works(run: Callable[[], Any]) -> None:
    """An answer, a refusal in words, or still at it; not a result that cannot be true."""
    refused: ExplorerError | None = None
    try:
        run()
    except Cancelled:
        return
    except ExplorerError as error:
        refused = error
    if refused is not None:
        assert isinstance(refused, (ParameterError, DataError)), refused
        assert refused.message.endswith(".")
        assert len(refused.message) > 20


def _until_enough(method: type[Method]) -> Callable[[float, str], None]:
    started = time.monotonic()
    enough = _TRAINED if getattr(method, "trains", False) else _ENOUGH

    def progress(fraction: float, text: str) -> None:
        if time.monotonic() - started > enough and 0.1 < fraction < 1:
            raise Cancelled

    return progress


@each_method
def test_k01_k05_k11_k24_bounds_that_follow_the_data(family: str, method: type[Method],
                                                     blobs: np.ndarray, store: Store) -> None:
    limits = small(method).limits(Facts(N, D, N))
    data = Data(blobs, np.arange(N, dtype=np.int32) % 3, None)  # type: ignore[arg-type]
    for name, (low, high) in limits.items():
        declared = parameter_of(name, method.model_fields[name])
        step = 1 if declared.kind == "int" else 0.5
        kind: type = int if declared.kind == "int" else float
        assert low <= high
        for value in (kind(low), kind(min(high, declared.high or high))):
            method.create(**{**small(method).values(), name: value}).check(Facts(N, D, N))
        for value in (kind(low) - step, kind(high) + step):
            if _outside(declared, value):
                continue  # `create` refuses it already
            declaration = method.create(**{**small(method).values(), name: value})
            if family in ("neighbors", "judge", "encode"):
                with pytest.raises(ParameterError) as refused:
                    declaration.check(Facts(N, D, N))
            else:
                with pytest.raises(ParameterError) as refused:
                    execute(family, declaration, data, store)
            assert refused.value.code == "OUT_OF_RANGE"
            assert refused.value.where.parameter == name
            assert str(int(high)) in refused.value.message


def _outside(parameter: Parameter, value: float) -> bool:
    return ((parameter.low is not None and value < parameter.low)
            or (parameter.high is not None and value > parameter.high))


@each_parameter
def test_k01_the_nearest_allowed_value_is_allowed(method: type[Method],
                                                  parameter: Parameter) -> None:
    for value in junk(parameter):
        method.create(**{parameter.name: parameter.nearest(value)})
