"""What people clicked in a Plotly figure: the numbers its points carry."""

from __future__ import annotations

from typing import Any

import streamlit as st


def clicked(chart: str) -> list[tuple[float, ...]]:
    """The customdata of each point that is chosen in the figure of that key, for callbacks; points
    without one are left out."""
    event: Any = st.session_state.get(chart)
    points = event["selection"]["points"] if event else []
    return [numbers_of(point["customdata"]) for point in points
            if point.get("customdata") is not None]


def numbers_of(told: Any) -> tuple[float, ...]:
    """The numbers of one point. A browser gives a number, a list, or a row of a typed array as an
    object of its places: {"0": ..., "1": ...}."""
    if isinstance(told, dict):
        return tuple(float(told[place]) for place in sorted(told, key=int))
    if isinstance(told, list | tuple):
        return tuple(float(number) for number in told)
    return (float(told),)
