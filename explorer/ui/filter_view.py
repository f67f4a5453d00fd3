"""The filter builder: conditions by choice, never by an expression."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from explorer.escape import esc_md, shown
from explorer.filters import MOST_CONDITIONS, Filter, Numbers
from explorer.run import Run
from explorer.ui import state
from explorer.ui.filter_state import ask, asked, clear_filter, condition, passed, usable
from explorer.ui.row_values import Subject, listed_values, subjects, values_of
from explorer.ui.rows_view import counted
from explorer.values import NOISE

_DRAFTS, _NEXT, _MATCH = "filter_drafts", "filter_next", "filter_match"
_TESTS = {"number": ("between", "is", "is not", "is empty"),
          "cluster": ("one of", "is", "is not", "is empty"),
          "yes": ("is", "is empty"),
          "text": ("contains", "does not contain", "is", "is not", "one of", "is empty")}
_ALL, _ANY = "all of them", "any of them"


def show_filter(current: Run, names: dict[int, str]) -> None:
    """Conditions on columns and results; the map shows only the rows that pass."""
    known = subjects(current)
    drafts = _drafts()
    st.markdown("**Filter** · the maps show only rows that meet these conditions")
    for draft in drafts:
        _show_condition(current, draft, known, names)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button("Add a condition", icon=":material/add:", key="filter.add", on_click=_add,
                  args=(next(iter(known)),), disabled=len(drafts) >= MOST_CONDITIONS,
                  help=f"At most {MOST_CONDITIONS:d}.")
        if len(drafts) > 1:
            _seed("filter.match", st.session_state.get(_MATCH, _ALL))
            st.segmented_control("Rows must meet", [_ALL, _ANY], key="filter.match", required=True,
                                 label_visibility="collapsed", on_change=_read, args=(known,))
        if drafts:
            st.button("Clear", icon=":material/close:", key="filter.drop", on_click=clear_filter)
    _show_result(current, names)


def _show_result(current: Run, names: dict[int, str]) -> None:
    wanted, known = usable(current), subjects(current)
    if not wanted.conditions:
        return
    found = passed(current, wanted)
    rows = np.flatnonzero(found.rows)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(width="content"):
            st.markdown(f"**{len(rows):,}** of {counted(current.dataset.n)} pass.")
        st.button("Select these rows", icon=":material/select_all:", key="filter.select",
                  disabled=not len(rows), on_click=state.select, args=(rows, "filter"))
    for key, count in found.empty.items():
        if count:
            have = "has" if count == 1 else "have"
            st.caption(f"{counted(count)} {have} no value: {esc_md(known[key].title)}. They pass "
                       "'is empty' only.")


def _show_condition(current: Run, draft: dict[str, Any], known: dict[str, Subject],
                    names: dict[int, str]) -> None:
    """One line: what, which test, which values, and a way to take it out."""
    at = f"filter.{draft['id']}"
    if draft["subject"] not in known:
        draft.update(_blank(next(iter(known))))
    what, test, values, out = st.columns([4, 3, 8, 1], vertical_alignment="bottom", gap="small")
    _seed(f"{at}.subject", draft["subject"])
    subject = known[what.selectbox("Column", list(known), key=f"{at}.subject",
                                   format_func=lambda key: shown(known[key].title),
                                   label_visibility="collapsed", on_change=_read, args=(known,))]
    tests = _TESTS[subject.kind]
    _seed(f"{at}.test", draft["test"] if draft["test"] in tests else tests[0])
    chosen = test.selectbox("Test", tests, key=f"{at}.test", label_visibility="collapsed",
                            on_change=_read, args=(known,))
    draft.update(subject=subject.key, test=chosen)
    with values:
        _show_values(current, at, subject, chosen, draft, names, known)
    out.button("", icon=":material/delete:", key=f"{at}.out", type="tertiary",
               help="Takes this condition out.", on_click=_take_out, args=(draft["id"], known))


def _show_values(current: Run, at: str, subject: Subject, test: str, draft: dict[str, Any],
                 names: dict[int, str], known: dict[str, Subject]) -> None:
    told: dict[str, Any] = {"label_visibility": "collapsed", "on_change": _read, "args": (known,)}
    if test == "is empty":
        return
    if test == "between":
        low, high = st.columns(2, gap="small")
        for place, column, words in ((0, low, "From"), (1, high, "To")):
            _seed(f"{at}.number{place}", _at(draft["numbers"], place))
            column.number_input(esc_md(words), key=f"{at}.number{place}", value=None,
                                placeholder=f"{words.lower()} (open)", format="%g", **told)
    elif subject.kind == "number":
        _seed(f"{at}.number0", _at(draft["numbers"], 0))
        st.number_input("Number", key=f"{at}.number0", value=None, placeholder="number",
                        format="%g", **told)
    elif subject.kind == "cluster":
        labels = _labels(current, subject)
        _choose(at, test, labels, [int(number) for number in draft["numbers"] if number is not None
                                   and int(number) in labels],
                lambda label: shown(subject.name(label, names)), told)
    elif subject.kind == "yes":
        _choose(at, test, [1, 0], [int(number) for number in draft["numbers"] if number in (0, 1)],
                lambda value: "yes" if value else "no", told)
    elif test in ("contains", "does not contain"):
        _seed(f"{at}.text", _at(draft["texts"], 0) or "")
        st.text_input("Text", key=f"{at}.text", placeholder="text, in capitals or not", **told)
    else:
        values = list(listed_values(current, subject))
        held = [text for text in draft["texts"] if text in values] if values else draft["texts"]
        _choose(at, test, values or list(draft["texts"]), held, shown, told,
                free=not values)


def _labels(current: Run, subject: Subject) -> list[int]:
    """The clusters there are, noise last."""
    found = values_of(current, subject)
    assert isinstance(found, Numbers)
    labels = [int(label) for label in np.unique(found.values[np.isfinite(found.values)])]
    return sorted(labels, key=lambda label: (label == NOISE, label))


def _choose(at: str, test: str, options: list[Any], held: list[Any], name: Any,
            told: dict[str, Any], free: bool = False) -> None:
    """One value of a list or several; `free`: the list is too long to show, people type."""
    if test == "one of":
        _seed(f"{at}.many", held)
        st.multiselect("Values", options, key=f"{at}.many", format_func=name,
                       accept_new_options=free,
                       placeholder="type values" if free else "choose values", **told)
    elif free:
        _seed(f"{at}.text", _at(held, 0) or "")
        st.text_input("Value", key=f"{at}.text", placeholder="the whole value", **told)
    else:
        _seed(f"{at}.one", _at(held, 0))
        st.selectbox("Value", options, index=None, key=f"{at}.one", format_func=name,
                     placeholder="choose a value", **told)


def _drafts() -> list[dict[str, Any]]:
    """What stands on the form; begun with the filter in force, which a link may have brought."""
    if _DRAFTS not in st.session_state:
        wanted = asked()
        st.session_state[_MATCH] = _ALL if wanted.match == "all" else _ANY
        st.session_state[_DRAFTS] = [
            {"id": at, "subject": one.subject, "test": one.test, "texts": list(one.texts),
             "numbers": list(one.numbers)} for at, one in enumerate(wanted.conditions)]
        st.session_state[_NEXT] = len(wanted.conditions)
    drafts: list[dict[str, Any]] = st.session_state[_DRAFTS]
    return drafts


def _blank(subject: str) -> dict[str, Any]:
    return {"subject": subject, "test": "", "texts": [], "numbers": []}


def _add(subject: str) -> None:
    number = st.session_state[_NEXT]
    st.session_state[_NEXT] = number + 1
    _drafts().append({"id": number, **_blank(subject)})


def _take_out(id: int, known: dict[str, Subject]) -> None:
    st.session_state[_DRAFTS] = [draft for draft in _drafts() if draft["id"] != id]
    _read(known)


def _read(known: dict[str, Subject]) -> None:
    """Take over what the widgets say; those of another test are not on the page."""
    drafts = _drafts()
    for draft in drafts:
        at = f"filter.{draft['id']}"
        subject = st.session_state.get(f"{at}.subject", draft["subject"])
        test = st.session_state.get(f"{at}.test", draft["test"])
        if subject != draft["subject"]:
            draft.update(_blank(subject))
            for name in ("test", "text", "many", "one", "number0", "number1"):
                st.session_state.pop(f"{at}.{name}", None)
            continue
        if test != draft["test"]:
            for name in ("text", "many", "one", "number0", "number1"):
                st.session_state.pop(f"{at}.{name}", None)
            most = 1 if test not in ("one of", "between") else None
            draft.update(test=test, texts=draft["texts"][:most], numbers=(
                [None, None] if test == "between" else draft["numbers"][:most]))
            continue
        _read_values(draft, at, known[subject])
    match = st.session_state.get("filter.match", st.session_state.get(_MATCH, _ALL))
    st.session_state[_MATCH] = match
    whole = [condition(known[draft["subject"]], draft["test"], draft["texts"], draft["numbers"])
             for draft in drafts if draft["subject"] in known and draft["test"]]
    ask(Filter(match="all" if match == _ALL else "any",
               conditions=tuple(one for one in whole if one is not None)))


def _read_values(draft: dict[str, Any], at: str, subject: Subject) -> None:
    held = st.session_state
    if draft["test"] == "between":
        draft["numbers"] = [held.get(f"{at}.number0"), held.get(f"{at}.number1")]
    elif subject.kind == "number":
        draft["numbers"] = [held.get(f"{at}.number0")]
    else:
        values = held.get(f"{at}.many") if draft["test"] == "one of" else [
            held.get(f"{at}.one", held.get(f"{at}.text"))]
        values = [value for value in values or [] if value not in (None, "")]
        draft["texts" if subject.kind == "text" else "numbers"] = values


def _seed(key: str, value: Any) -> None:
    """A widget shows what is kept, also after a change of page took its own memory."""
    if key not in st.session_state:
        st.session_state[key] = value


def _at(values: list[Any], place: int) -> Any:
    return values[place] if place < len(values) else None

