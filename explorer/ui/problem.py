"""How an error looks: what is wrong, where, what to do. User text is literal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import streamlit as st

from explorer.errors import ExplorerError, Where
from explorer.escape import esc_md
from explorer.ui import state


def show_problem(error: ExplorerError) -> None:
    """One card for one refusal."""
    place = _place(error.where)
    lines = [f"**{esc_md(error.message)}**"]
    if place:
        lines.append(f"Where: {esc_md(place)}")
    if error.hint:
        lines.append(esc_md(error.hint))
    st.error("\n\n".join(lines), icon=":material/error:")
    st.caption(f"Code {esc_md(error.code)}")
    if error.code == "CONFLICT":
        _offer_ways_out()


@contextmanager
def problems_shown() -> Iterator[None]:
    """Inside this block an ExplorerError becomes its card and the page goes on after it."""
    try:
        yield
    except ExplorerError as error:
        show_problem(error)


def show_notes(notes: Sequence[str]) -> None:
    """What a method did that a person should know, one line each."""
    for note in dict.fromkeys(notes):
        st.caption(f":material/info: {esc_md(note)}")


def _place(where: Where) -> str:
    """A place in a person's data; a parameter stands in the message and on the form."""
    column = where.column.removeprefix("column ") if where.column is not None else None
    return str(replace(where, column=column, parameter=None))


def _offer_ways_out() -> None:
    # Callbacks: the conflict may come from a button, which is not pressed any more at the rerun.
    left, right, _ = st.columns([2, 2, 3])
    left.button("Show the other tab's state", icon=":material/sync:", type="primary",
                width="stretch", on_click=state.reload, key="conflict_reload")
    right.button("Keep mine in a new workspace", icon=":material/call_split:", width="stretch",
                 on_click=state.keep_mine, key="conflict_keep")
