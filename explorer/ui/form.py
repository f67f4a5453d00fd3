"""A form out of a declaration: one widget per parameter, its bounds, its sentence."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import streamlit as st

from explorer.errors import ExplorerError
from explorer.escape import esc_md
from explorer.recipe import Call
from explorer.spec import Facts, Method, Parameter, Registry
from explorer.ui import state
from explorer.ui.problem import show_notes, show_problem

_NONE = "automatic"
_WORDS = {"n": "number of", "min": "minimum", "max": "maximum", "dist": "distance",
          "init": "start", "neighbors": "neighbours"}
"""Parameters bear their library's names; people read words."""
M = TypeVar("M", bound=Method)
Offers = Callable[[type[Any]], Mapping[str, Sequence[str]]]


@dataclass(frozen=True)
class _Field:
    """A parameter on the form: its widget's key, the value it starts from, its bounds."""

    parameter: Parameter
    key: str
    value: Any
    low: float | None
    high: float | None

    @property
    def label(self) -> str:
        """What stands above the widget."""
        return label_of(self.parameter.name)

    @property
    def help(self) -> str:
        """The sentence of the declaration, and the values allowed for this data."""
        return esc_md(f"{self.parameter.description} {self._allowed()}".strip())

    def _allowed(self) -> str:
        above = "above" if self.parameter.exclusive_low else "from"
        low = f" {above} {_bound(self.low)}" if self.low is not None else ""
        high = f" up to {_bound(self.high)}" if self.high is not None else ""
        return f"Allowed:{low}{high}." if low or high else ""


def label_of(name: str) -> str:
    """A parameter's name in words: 'n_neighbors' is 'Number of neighbours'."""
    return " ".join(_WORDS.get(word, word) for word in name.split("_")).capitalize()


def choose_method(slot: str, registry: Registry[Any], current: Call, facts: Facts | None,
                  offered: Sequence[str] | None = None,
                  offers: Offers | None = None) -> Method | None:
    """Widgets for a slot of the recipe; the declaration as filled in, or None when it is refused
    (the reason is shown). `facts`: what is known of the input, so that limits follow the data;
    `offers`: the values to offer for text parameters of a method ('' among them: may stay empty).
    A method chosen again comes back with the values it had."""
    keys = list(offered if offered is not None else registry.keys())
    if current.method not in keys:
        keys.append(current.method)
    chosen = f"{slot}.method"
    _remember(chosen, current.method)
    key = st.selectbox("Method", keys, format_func=lambda key: registry.get(key).title,
                       key=chosen, label_visibility="collapsed")
    cls = registry.get(key)
    st.caption(esc_md(cls.describe()))
    return edit_method(slot, cls, current.parameters if key == current.method else {}, facts,
                       offers)


def edit_method(slot: str, cls: type[M], given: Mapping[str, Any], facts: Facts | None,
                offers: Offers | None = None, fixed: Mapping[str, Any] | None = None) -> M | None:
    """Widgets for the parameters of one method, starting from `given`; the declaration as filled
    in, or None when it is refused (the reason is shown). `fixed` parameters are chosen elsewhere:
    they have no widget here."""
    kept: dict[str, Any] = st.session_state.setdefault("kept_values", {})
    memory = f"{slot}.{cls.key}"
    try:
        method = cls.create(**_fields(slot, cls, given or kept.get(memory, {}), facts,
                                      offers(cls) if offers else {}, fixed or {}))
        if facts is not None:
            show_notes(method.check(facts))
    except ExplorerError as error:
        show_problem(with_label(error))
        return None
    kept[memory] = method.values()
    changed = method.changed()
    if changed:
        listed = ", ".join(f"{label_of(name).lower()} {_plain(value)}"
                           for name, value in changed.items())
        st.caption(f"Differs from the defaults: {esc_md(listed)}")
    return method


def with_label(error: ExplorerError) -> ExplorerError:
    """The same refusal, naming the parameter as the form does."""
    name = error.where.parameter
    if name is None or not error.message.startswith(f"{name} "):
        return error
    return type(error)(error.code, error.message.replace(name, label_of(name), 1), error.where,
                       error.hint)


def _fields(slot: str, cls: type[Method], given: Mapping[str, Any], facts: Facts | None,
            offered: Mapping[str, Sequence[str]], fixed: Mapping[str, Any]) -> dict[str, Any]:
    limits = cls.create().limits(facts) if facts is not None else {}
    drawn: dict[str, Any] = dict(fixed)

    def draw(parameters: Sequence[Parameter]) -> None:
        columns = st.columns(2)
        for index, parameter in enumerate(parameters):
            with columns[index % 2]:
                drawn[parameter.name] = _field(slot, cls, parameter, given, limits,
                                               offered.get(parameter.name))

    open_ones = [parameter for parameter in cls.parameters() if parameter.name not in fixed]
    folded = [parameter for parameter in open_ones if parameter.advanced]
    plain = [parameter for parameter in open_ones if not parameter.advanced]
    if plain:
        draw(plain)
    if folded:
        with st.expander("More parameters"):
            draw(folded)
    return drawn


def _field(slot: str, cls: type[Method], parameter: Parameter, given: Mapping[str, Any],
           limits: Mapping[str, tuple[float, float]], offered: Sequence[str] | None) -> Any:
    low, high = _bounds(parameter, limits.get(parameter.name))
    value = given.get(parameter.name, parameter.default)
    key = f"{slot}.{cls.key}.{parameter.name}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        if parameter.name not in given:
            value = _fitting(parameter, value, low, high)
        elif key not in st.session_state:
            value = _clamped(cls, parameter, value, low, high)
    field = _Field(parameter, key, value, low, high)
    if offered is not None and parameter.kind == "text":
        return _offer(field, offered)
    if parameter.optional:
        _remember(f"{field.key}.auto", value is None)
        if st.checkbox(f"{field.label}: {_NONE}", key=f"{field.key}.auto", help=field.help):
            return None
        if value is None:
            start = _clamp(10 if parameter.kind == "int" else 1.0, low, high)
            field = _Field(parameter, field.key, start, low, high)
    return _WIDGETS[parameter.kind](field)


def _fitting(parameter: Parameter, default: float, low: float | None, high: float | None) -> float:
    """A default that this data does not allow becomes the nearest value that it does."""
    fitting = _clamp(default, low, high)
    if fitting != default:
        st.caption(f"{label_of(parameter.name)} is usually {default:g}; this data allows "
                   f"{fitting:g}.")
    return fitting


def _clamped(cls: type[Method], parameter: Parameter, saved: float, low: float | None,
             high: float | None) -> float:
    """A saved value that this data no longer allows becomes the nearest that it does. What a person
    types is refused in words instead."""
    allowed = _clamp(saved, low, high)
    if allowed != saved:
        state.note_recipe(f"{cls.title}: {label_of(parameter.name).lower()} was {saved:g} in the "
                          f"saved recipe; this data allows {allowed:g}.")
    return allowed


def _number(field: _Field) -> int | float:
    # Bounds stay off the widget: it would turn red and keep the old value, without a word. The
    # declaration refuses what is out of bounds and says what is allowed.
    kind: Callable[[Any], Any] = int if field.parameter.kind == "int" else float
    _remember(field.key, kind(field.value))
    step = 1 if kind is int else _step(field.low, field.high, float(field.value))
    return st.number_input(field.label, step=kind(step), key=field.key, help=field.help,
                           format=None if kind is int else "%g")


def _switch(field: _Field) -> bool:
    _remember(field.key, bool(field.value))
    return st.checkbox(field.label, key=field.key, help=field.help)


def _choice(field: _Field) -> str:
    _remember(field.key, field.value)
    return st.selectbox(field.label, field.parameter.choices, key=field.key,
                        help=field.help)


def _text(field: _Field) -> str:
    _remember(field.key, field.value or "")
    return st.text_input(field.label, key=field.key, help=field.help)


def _offer(field: _Field, offered: Sequence[str]) -> str:
    blank = "" in offered
    choices = list(dict.fromkeys([*offered, *([field.value] if field.value else [])]))
    _remember(field.key, field.value if field.value or blank else None)
    words = "Choose one, or type its name" if choices else "None found: type its name"
    return st.selectbox(field.label, choices, key=field.key, index=None,
                        accept_new_options=True, placeholder=words,
                        format_func=lambda choice: choice or _NONE, help=field.help) or ""


def _list(field: _Field) -> list[str]:
    _remember(field.key, ", ".join(str(item) for item in field.value or ()))
    text = st.text_input(field.label, key=field.key, help=field.help)
    return [item.strip() for item in text.split(",") if item.strip()]


_WIDGETS: dict[str, Callable[[_Field], Any]] = {
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


def _clamp(value: float, low: float | None, high: float | None) -> float:
    if low is not None:
        value = max(value, low)
    return value if high is None else min(value, high)


def _step(low: float | None, high: float | None, value: float) -> float:
    if high is not None and low is not None and high - low <= 1:
        return 0.05
    return 0.1 if abs(value) < 10 else 1.0


def _bound(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:g}"


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
