"""What the page 'Anomalies' is set to: score, line, labels; kept in the workspace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
import streamlit as st

from explorer.escape import esc_md
from explorer.judge.detection import line_of_share
from explorer.measures import Measure
from explorer.ui import state

BY_SHARE, BY_VALUE = "by share", "by value"
_SCORE, _BY, _SHARE = "anomalies.score", "anomalies.by", "anomalies.share"
_FIRST_SHARE = 5.0
_STEPS = 200


def choose_score(offered: Mapping[str, Measure]) -> Measure:
    """One of these scores."""
    _show(_SCORE, lambda kept: kept if kept in offered else next(iter(offered)), "score")
    if st.session_state[_SCORE] not in offered:
        st.session_state[_SCORE] = next(iter(offered))
    key = str(st.selectbox("How odd a row is, by", list(offered), key=_SCORE, on_change=_save,
                           args=(_SCORE, "score"),
                           format_func=lambda one: offered[one].title,
                           help="Scores of the page Outliers, duplicates are offered here too, "
                                "once they are computed there."))
    return offered[key]


def choose_line(measure: Measure, known: np.ndarray) -> float:
    """The threshold among these finite scores: the share of rows at or above it, or its value."""
    _show(_BY, lambda kept: kept if kept in (BY_SHARE, BY_VALUE) else BY_SHARE, "by")
    by = st.segmented_control("Threshold", [BY_SHARE, BY_VALUE], key=_BY, required=True,
                              on_change=_save, args=(_BY, "by"))
    if by == BY_SHARE:
        _show(_SHARE, lambda kept: float(kept) if _is_share(kept) else _FIRST_SHARE, "share")
        share = float(st.slider("Share of rows that count as odd, %", 0.1, 50.0, step=0.1,
                                key=_SHARE, on_change=_save, args=(_SHARE, "share"),
                                format="%.1f"))
        return line_of_share(known, share / 100)
    low, high = float(known.min()), float(known.max())
    key, name = _line_key(measure), f"line.{measure.key}"
    first = line_of_share(known, _FIRST_SHARE / 100)
    _show(key, lambda kept: min(max(float(first if kept is None else kept), low), high), name)
    return float(st.slider("Line", low, high, step=(high - low) / _STEPS, key=key,
                           on_change=_save, args=(key, name), format="%.4g",
                           help="Rows at or above it count as odd."))


def set_line(measure: Measure, line: float) -> None:
    """Put the line there; for callbacks."""
    key = _line_key(measure)
    st.session_state[_BY], st.session_state[key] = BY_VALUE, line
    _keep({"by": BY_VALUE, f"line.{measure.key}": line})


def choose_labels(columns: list[str], values: Callable[[str], tuple[str, ...]]) -> tuple[str, ...]:
    """Which values of which of these columns count as anomalous: the column, then its values; ()
    where none is chosen. `values` reads those of a column."""
    key = "anomalies.column"
    _show(key, lambda kept: kept if kept in columns else None, "column")
    if st.session_state[key] not in (None, *columns):
        st.session_state[key] = None
    column = st.selectbox("Column that says so", columns, key=key, on_change=_save,
                          args=(key, "column"), placeholder="none: only look", index=None,
                          help="A label or category: with it the page says how many of the odd "
                               "rows are truly anomalous.")
    if column is None:
        return ()
    there = values(column)
    name = f"values.{column}"
    chosen_key = f"anomalies.{name}"
    _show(chosen_key, lambda kept: [value for value in kept or [] if value in there], name)
    chosen = st.multiselect("Values that count as anomalous", list(there), key=chosen_key,
                            on_change=_save, args=(chosen_key, name))
    return (str(column), *map(str, chosen))


def said_line(measure: Measure, line: float) -> str:
    """The line in words, safe for Markdown."""
    return f"{esc_md(measure.title)} at least {line:.4g}"


def _line_key(measure: Measure) -> str:
    return f"anomalies.line.{measure.key}"


def _is_share(kept: Any) -> bool:
    return isinstance(kept, int | float) and 0.1 <= kept <= 50


def _show(key: str, fitting: Callable[[Any], Any], name: str) -> None:
    """The widget shows what the workspace keeps, made fitting, unless it holds something."""
    if key not in st.session_state:
        st.session_state[key] = fitting(state.document().anomalies.get(name))


def _save(key: str, name: str) -> None:
    _keep({name: st.session_state[key]})


def _keep(changed: dict[str, Any]) -> None:
    state.change(anomalies=cast("dict[str, Any]", {**state.document().anomalies, **changed}))
