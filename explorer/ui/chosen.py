"""The selection of a tab, and the selections before and after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import streamlit as st

from explorer.row_sets import pack_rows, unpack_rows

_NOW, _PAST = "selection", "past_selections"
STEPS = 200
BYTES = 2 * 2**20
"""What one tab may hold of former selections: a lasso around half a million scattered points of a
million is 170 kB, an ordinary one a few hundred bytes."""


@dataclass(frozen=True)
class Selection:
    """Chosen dataset rows (int64, ascending) and the view they were chosen in."""

    rows: np.ndarray
    origin: str = ""


@dataclass(frozen=True)
class Step:
    """A selection of `count` rows, packed."""

    bits: str
    n: int
    count: int
    origin: str

    @classmethod
    def of(cls, selection: Selection) -> Step:
        """Packed as of so many rows as it needs: not every selection knows its dataset."""
        n = int(selection.rows[-1]) + 1 if len(selection.rows) else 0
        return cls(pack_rows(selection.rows, n), n, len(selection.rows), selection.origin)

    def selection(self) -> Selection:
        """What was packed."""
        return Selection(unpack_rows(self.bits, self.n), self.origin)


@dataclass
class Past:
    """The selections that `undo` and `redo` bring back: the last STEPS, at most BYTES of them (the
    newest of them always)."""

    before: list[Step] = field(default_factory=list)
    after: list[Step] = field(default_factory=list)

    def note(self, left: Selection) -> None:
        """Another selection takes the place of `left`: what had been undone cannot be redone."""
        self.after.clear()
        self.before.append(Step.of(left))
        held = sum(len(step.bits) for step in self.before)
        while len(self.before) > 1 and (held > BYTES or len(self.before) > STEPS):
            held -= len(self.before.pop(0).bits)

    def undo(self, now: Selection) -> Selection | None:
        """The selection before `now`; None when there is none."""
        return _move(self.before, self.after, now)

    def redo(self, now: Selection) -> Selection | None:
        """The selection undone last; None when there is none."""
        return _move(self.after, self.before, now)


def _move(source: list[Step], target: list[Step], now: Selection) -> Selection | None:
    if not source:
        return None
    target.append(Step.of(now))
    return source.pop().selection()


COMBINED: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "replace": lambda now, rows: rows,
    "add": np.union1d,
    "common": np.intersect1d,
    "take away": np.setdiff1d,
}
"""How rows meet the selection there is: both int64, ascending, each once; so is what comes out."""


def selection() -> Selection:
    """The rows every view shows as chosen."""
    found: Selection = st.session_state.get(_NOW, Selection(np.empty(0, dtype=np.int64)))
    return found


def past_selections() -> Past:
    """The selections of this tab before and after the one shown."""
    found: Past = st.session_state.setdefault(_PAST, Past())
    return found


def select(rows: np.ndarray, origin: str, how: str = "replace") -> None:
    """Choose these dataset rows, from the view `origin`: they replace the selection, or meet it as
    `how` says (COMBINED). The former one can be brought back."""
    now = selection()
    rows = COMBINED[how](now.rows, np.unique(np.asarray(rows, dtype=np.int64)))
    if not np.array_equal(now.rows, rows):
        past_selections().note(now)
    st.session_state[_NOW] = Selection(rows, origin)


def undo_selection() -> None:
    """Bring back the selection before this one, where there is one."""
    st.session_state[_NOW] = past_selections().undo(selection()) or selection()


def redo_selection() -> None:
    """Bring back the selection undone last, where there is one."""
    st.session_state[_NOW] = past_selections().redo(selection()) or selection()


def forget_selection() -> None:
    """Choose nothing; what was chosen can be brought back."""
    select(np.empty(0, dtype=np.int64), "")


def drop_selections() -> None:
    """Choose nothing and forget all former selections: they were of other data."""
    st.session_state.pop(_NOW, None)
    st.session_state.pop(_PAST, None)
