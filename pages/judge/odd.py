"""Outliers and duplicates: rows far from all others, and rows too near to another."""

import streamlit as st

from explorer.ui import state
from explorer.ui.duplicates_view import show_duplicates
from explorer.ui.empty import ready
from explorer.ui.outliers_view import show_outliers
from explorer.ui.problem import problems_shown

_SHOWN = {"Outliers": show_outliers, "Near-duplicates": show_duplicates}

st.title("Outliers and duplicates", anchor=False)
with problems_shown():
    current = ready("Here strange rows and rows that are nearly the same are found.")
    if current is not None and current.clustering is not None:
        if "odd.part" not in st.session_state:
            st.session_state["odd.part"] = st.session_state.get("odd_kept", "Outliers")
        part = st.segmented_control("Part", list(_SHOWN), key="odd.part", required=True,
                                    label_visibility="collapsed") or "Outliers"
        st.session_state["odd_kept"] = part
        _SHOWN[part](current, state.cluster_names())
