"""What panels draw on the maps besides the selection: lines to rows, and which rows pass a filter.

Both are of one session and of one dataset: with other data open they are not there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import streamlit as st

from explorer.ui import state


def _none() -> np.ndarray:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Lines:
    """Lines on the map from dataset row `source` to the dataset rows `targets` (int64), and in
    looks of their own, with words on the map, to `lost` neighbours (near in the embedding, far on
    the map) and to `false` ones (near on the map only)."""

    source: int
    targets: np.ndarray
    lost: np.ndarray = field(default_factory=_none)
    false: np.ndarray = field(default_factory=_none)


@dataclass(frozen=True)
class Filter:
    """The dataset rows (int64, ascending) that pass; `words` say what they must be."""

    rows: np.ndarray
    words: str


def lines() -> Lines | None:
    """The lines to draw, if any."""
    found: Lines | None = _held("lines")
    return found


def set_lines(drawn: Lines | None) -> None:
    """Draw these lines on every map; None takes them away."""
    _hold("lines", drawn)


def filtered() -> np.ndarray | None:
    """The dataset rows that pass the filter (int64, ascending); None: there is no filter."""
    found = filter_in_force()
    return None if found is None else found.rows


def filter_in_force() -> Filter | None:
    """The filter with its words, if any."""
    found: Filter | None = _held("filter")
    return found


def set_filtered(rows: np.ndarray | None, words: str = "") -> None:
    """Show only these dataset rows on every map; None shows all again."""
    _hold("filter", None if rows is None
          else Filter(np.unique(np.asarray(rows, dtype=np.int64)), words))


def _held(name: str) -> Any:
    dataset, value = st.session_state.get(f"mark.{name}", ("", None))
    return value if value is not None and dataset == state.document().dataset else None


def _hold(name: str, value: Lines | Filter | None) -> None:
    st.session_state[f"mark.{name}"] = (state.document().dataset, value)
