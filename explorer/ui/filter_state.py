"""The filter of a tab as it stands on the form, and the rows it lets through."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from explorer.filters import Condition, Filter, Passed, passing
from explorer.run import Run
from explorer.ui import marks
from explorer.ui.kept import Kept
from explorer.ui.row_values import Subject, made_of, subjects, values_of

_ASKED, _FOR = "filter_asked", "filter_for"
_WORDS = 160
_passed: Kept[Passed] = Kept(32 * 2**20, lambda passed: len(passed.rows))


def asked() -> Filter:
    """The filter as it stands, whole conditions only; without any all rows are shown."""
    found: Filter = st.session_state.get(_ASKED, Filter())
    return found


def ask(wanted: Filter) -> None:
    """Filter by this from the next drawing of the page on."""
    st.session_state[_ASKED] = wanted


def clear_filter() -> None:
    """Show all rows again, whoever hid them."""
    for name in [name for name in st.session_state if str(name).startswith("filter")]:
        del st.session_state[name]
    marks.set_filtered(None)


def keep_filter(current: Run, names: dict[int, str]) -> None:
    """Called before the maps are drawn: the filter's rows change with the filter and with what the
    conditions look at (a new clustering has other rows in cluster 0)."""
    wanted = usable(current)
    name = (_content(current, wanted), tuple(sorted(names.items()))) if wanted.conditions else None
    if st.session_state.get(_FOR) == name:
        return
    st.session_state[_FOR] = name
    if name is None:
        marks.set_filtered(None)
    else:
        marks.set_filtered(np.flatnonzero(passed(current, wanted).rows),
                           in_words(wanted, subjects(current), names))


def usable(current: Run) -> Filter:
    """The conditions asked for that fit this run: its columns may have other roles by now."""
    known, wanted = subjects(current), asked()
    fitting = tuple(one for one in wanted.conditions
                    if one.subject in known and fits(one, known[one.subject]))
    return wanted.model_copy(update={"conditions": fitting})


def passed(current: Run, wanted: Filter) -> Passed:
    """The rows of the dataset that pass, computed once for all sessions."""
    known = subjects(current)
    return _passed.get(_content(current, wanted), lambda: passing(
        wanted, current.dataset.n, lambda key: values_of(current, known[key])))


def fits(condition: Condition, subject: Subject) -> bool:
    """Whether the values of the condition are of the subject's kind."""
    if condition.test == "is empty":
        return True
    return bool(condition.texts) == (subject.kind == "text")


def in_words(wanted: Filter, known: dict[str, Subject], names: dict[int, str]) -> str:
    """'species is setosa and silhouette between 0.2 and 0.5'; not escaped, cut when it is long."""
    parts = [_condition_in_words(one, known[one.subject], names) for one in wanted.conditions]
    words = (" and " if wanted.match == "all" else " or ").join(parts)
    return words if len(words) <= _WORDS else f"{words[:_WORDS - 1]}…"


def _condition_in_words(one: Condition, subject: Subject, names: dict[int, str]) -> str:
    title = subject.title
    if one.test == "is empty":
        return f"{title} is empty"
    if one.test == "between":
        low, high = one.numbers
        if low is None:
            return f"{title} at most {high:g}"
        return f"{title} at least {low:g}" if high is None else f"{title} {low:g} to {high:g}"
    if subject.kind == "cluster":
        values = [subject.name(int(label or 0), names) for label in one.numbers]
    elif subject.kind == "yes":
        values = ["yes" if number else "no" for number in one.numbers]
    else:
        values = [*one.texts, *(f"{number:g}" for number in one.numbers)]
    return f"{title} {one.test} {', '.join(values)}"


def _content(current: Run, wanted: Filter) -> Any:
    known = subjects(current)
    return (wanted.model_dump_json(), current.dataset.id,
            tuple(made_of(current, known[one.subject]) for one in wanted.conditions))


def condition(subject: Subject, test: Any, texts: list[str], numbers: list[float | None]
              ) -> Condition | None:
    """A condition of what stands on the form; None while it is not whole."""
    try:
        if subject.kind == "text":
            return Condition(subject=subject.key, test=test, texts=tuple(texts))
        if test == "between" and not any(number is not None for number in numbers):
            return None
        found = Condition(subject=subject.key, test=test, numbers=tuple(numbers))
    except ValueError:
        return None
    return found if test == "is empty" or found.numbers else None

