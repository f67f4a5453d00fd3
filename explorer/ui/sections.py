"""The parts of a page, one shown at a time; the choice outlives a change of page."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st


def choose_section(page: str, sections: Sequence[str]) -> str:
    """The part of `page` to show."""
    widget, memory = f"section.{page}", f"section_kept.{page}"
    if st.session_state.get(widget) not in sections:
        kept = st.session_state.get(memory)
        st.session_state[widget] = kept if kept in sections else sections[0]
    chosen = st.segmented_control("Part of the page", list(sections), key=widget,
                                  label_visibility="collapsed", required=True)
    st.session_state[memory] = chosen
    return str(chosen)
