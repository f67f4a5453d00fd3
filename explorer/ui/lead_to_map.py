"""From any page to the map, with rows selected there or another colour."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.ui import state


def lead_to_map(rows: np.ndarray | None = None, origin: str = "", coloring: str = "") -> None:
    """Show the map; `rows` (dataset rows, int64, ascending) are selected there, `coloring` is a key
    of `explorer.colorings`. Ends the run of the page."""
    if rows is not None:
        state.select(rows, origin)
    if coloring:
        st.session_state["coloring"] = coloring
        st.session_state.pop("color_by", None)
    state.go_to("pages/explore/map.py")
