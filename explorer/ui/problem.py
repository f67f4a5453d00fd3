"""How an error looks: what is wrong, where, what to do. User text is literal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import streamlit as st

from explorer.errors import ExplorerError
from explorer.escape import esc_md


def show_problem(error: ExplorerError) -> None:
    """One card for one refusal."""
    place = str(error.where)
    lines = [f"**{esc_md(error.message)}**"]
    if place:
        lines.append(f"Where: {esc_md(place)}")
    if error.hint:
        lines.append(esc_md(error.hint))
    st.error("\n\n".join(lines), icon=":material/error:")
    st.caption(f"Code {esc_md(error.code)}")


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
