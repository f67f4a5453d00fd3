"""A form out of a declaration: one widget per parameter, its bounds, its sentence."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from explorer.errors import ExplorerError, ParameterError
from explorer.escape import esc_md
from explorer.recipe import Call
from explorer.spec import Facts, Method, Parameter, Registry
from explorer.ui.problem import show_notes, show_problem

_NONE = "automatic"
Offers = Callable[[type[Any]], Mapping[str, Sequence[str]]]


def choose_method(slot: str, registry: Registry[Any], current: Call, facts: Facts | None,
                  offered: Sequence[str] | None = None,
                  offers: Offers | None = None) -> Method | None:
    """Widgets for a slot of the recipe; the declaration as filled in, or None when it is refused
    (the reason is shown). `facts`: what is known of the input, so that limits follow the data;
    `offers`: the values to offer for text parameters of a method."""
    keys = list(offered if offered is not None else registry.keys())
    if current.method not in keys:
        keys.append(current.method)
    state = f"{slot}.method"
    _remember(state, current.method)
    key = st.selectbox("Method", keys, format_func=lambda key: registry.get(key).title,
                       key=state, label_visibility="collapsed")
    cls = registry.get(key)
    st.caption(esc_md(cls.describe()))
    given = current.parameters if key == current.method else {}
    try:
        method = cls.create(**_fields(slot, cls, given, facts, offers(cls) if offers else {}))
        if facts is not None:
            show_notes(method.check(facts))
    except ExplorerError as error:
        show_problem(error)
        return None
    changed = method.changed()
    if changed:
        listed = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in changed.items())
        st.caption(f"Differs from the defaults: {esc_md(listed)}")
    return method


def _fields(slot: str, cls: type[Method], given: Mapping[str, Any], facts: Facts | None,
            offered: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    parameters = cls.parameters()
    limits = cls.create().limits(facts) if facts is not None else {}
    values: dict[str, Any] = {}
    plain = [parameter for parameter in parameters if not parameter.advanced]
    folded = [parameter for parameter in parameters if parameter.advanced]
    columns = st.columns(2)
    for index, parameter in enumerate(plain):
        with columns[index % 2]:
            values[parameter.name] = _field(slot, cls, parameter, given, limits,
                                            offered.get(parameter.name))
    if folded:
        with st.expander("More parameters"):
            columns = st.columns(2)
            for index, parameter in enumerate(folded):
                with columns[index % 2]:
                    values[parameter.name] = _field(slot, cls, parameter, given, limits,
                                                offered.get(parameter.name))
    return values


def _field(slot: str, cls: type[Method], parameter: Parameter, given: Mapping[str, Any],
           limits: Mapping[str, tuple[float, float]], offered: Sequence[str] | None) -> Any:
    key = f"{slot}.{cls.key}.{parameter.name}"
    value = given.get(parameter.name, parameter.default)
    low, high = _bounds(parameter, limits.get(parameter.name))
    if offered is not None and parameter.kind == "text":
        return _offer(parameter, key, value, offered)
    draw = _WIDGETS[parameter.kind]
    if parameter.optional:
        _remember(f"{key}.auto", value is None)
        if st.checkbox(f"{parameter.label}: {_NONE}", key=f"{key}.auto",
                       help=esc_md(parameter.description)):
            return None
        value = value if value is not None else _start(parameter, low, high)
    return draw(parameter, key, value, low, high)


def _number(parameter: Parameter, key: str, value: Any, low: float | None,
            high: float | None) -> int | float:
    kind: Callable[[Any], Any] = int if parameter.kind == "int" else float
    if low is not None and high is not None and low > high:
        raise ParameterError("OUT_OF_RANGE", f"{parameter.label} has no allowed value for this "
                                             "data: there are too few rows.")
    held = st.session_state.get(key)
    if held is not None and _outside(held, low, high):
        del st.session_state[key]
    clamped = _clamp(value, low, high)
    _remember(key, kind(clamped))
    if clamped != value:
        st.caption(f"{parameter.label} was {value:g}; this data allows {clamped:g}.")
    step = 1 if parameter.kind == "int" else _step(low, high, float(clamped))
    return st.number_input(parameter.label, min_value=None if low is None else kind(low),
                           max_value=None if high is None else kind(high), step=kind(step),
                           format=None if parameter.kind == "int" else "%g", key=key,
                           help=esc_md(parameter.description))


def _switch(parameter: Parameter, key: str, value: Any, low: float | None,
            high: float | None) -> bool:
    _remember(key, bool(value))
    return st.checkbox(parameter.label, key=key, help=esc_md(parameter.description))


def _choice(parameter: Parameter, key: str, value: Any, low: float | None,
            high: float | None) -> str:
    _remember(key, value)
    return st.selectbox(parameter.label, parameter.choices, key=key,
                        help=esc_md(parameter.description))


def _text(parameter: Parameter, key: str, value: Any, low: float | None,
          high: float | None) -> str:
    _remember(key, value or "")
    return st.text_input(parameter.label, key=key, help=esc_md(parameter.description))


def _offer(parameter: Parameter, key: str, value: Any, offered: Sequence[str]) -> str:
    choices = list(dict.fromkeys([parameter.default, *offered, value]))
    _remember(key, value)
    return st.selectbox(parameter.label, choices, key=key, accept_new_options=True,
                        format_func=lambda choice: choice or _NONE,
                        help=esc_md(parameter.description)) or ""


def _list(parameter: Parameter, key: str, value: Any, low: float | None,
          high: float | None) -> list[str]:
    _remember(key, ", ".join(str(item) for item in value or ()))
    text = st.text_input(parameter.label, key=key, help=esc_md(parameter.description))
    return [item.strip() for item in text.split(",") if item.strip()]


_WIDGETS: dict[str, Callable[..., Any]] = {
    "int": _number, "float": _number, "bool": _switch, "choice": _choice, "text": _text,
    "list": _list,
}


def _remember(key: str, value: Any) -> None:
    """Widgets forget their value when their page is left: put the saved one back before drawing."""
    if key not in st.session_state:
        st.session_state[key] = value


def _bounds(parameter: Parameter,
            limit: tuple[float, float] | None) -> tuple[float | None, float | None]:
    low, high = parameter.low, parameter.high
    if limit is not None:
        low = limit[0] if low is None else max(low, limit[0])
        high = limit[1] if high is None else min(high, limit[1])
    return low, (math.floor(high) if high is not None and parameter.kind == "int" else high)


def _start(parameter: Parameter, low: float | None, high: float | None) -> float:
    return _clamp(10 if parameter.kind == "int" else 1.0, low, high)


def _clamp(value: float, low: float | None, high: float | None) -> float:
    if low is not None:
        value = max(value, low)
    return value if high is None else min(value, high)


def _outside(value: float, low: float | None, high: float | None) -> bool:
    return _clamp(value, low, high) != value


def _step(low: float | None, high: float | None, value: float) -> float:
    if high is not None and low is not None and high - low <= 1:
        return 0.05
    return 0.1 if abs(value) < 10 else 1.0
