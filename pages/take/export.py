"""Take rows away: choose, look, download."""

import streamlit as st

from explorer.ui import state
from explorer.ui.empty import ready
from explorer.ui.export_form import choose_format, choose_rows, preview, take_away
from explorer.ui.problem import problems_shown

st.title("Export", anchor=False)
with problems_shown():
    current = ready("Here selected rows and clusters are taken away, with all that made them.",
                    whole=True)
    if current is not None:
        names = state.cluster_names()
        rows = choose_rows(current, names)
        if not len(rows):
            st.caption("Choose at least one cluster; or select rows on the map.")
        else:
            form = choose_format(current)
            take_away(current, rows, form, names)
            preview(current, rows, names)
