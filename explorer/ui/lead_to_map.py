"""From any page to the map, with rows selected there or another colour, or to a cluster."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.ui import state

READ, READ_WIDGET = "why_kept", "why.cluster"
"""The cluster read last, and the list it is chosen from."""


def lead_to_map(rows: np.ndarray | None = None, origin: str = "", coloring: str = "",
                order: str = "") -> None:
    """Show the map; `rows` (dataset rows, int64, ascending) are selected there and stand in the
    `order` (a key of `ui.row_order`), `coloring` is a key of `explorer.colorings`. Ends the run of
    the page."""
    if rows is not None:
        state.select(rows, origin)
    if coloring:
        st.session_state["coloring"] = coloring
        st.session_state.pop("color_by", None)
    if order:
        st.session_state["selected.order_kept"] = order
        st.session_state.pop("selected.order", None)
    state.go_to("pages/explore/map.py")


def lead_to_why(cluster: int) -> None:
    """Show the page that reads this cluster whole. Ends the run of the page."""
    st.session_state[READ] = cluster
    st.session_state.pop(READ_WIDGET, None)
    state.go_to("pages/explore/why.py")
