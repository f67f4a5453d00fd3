"""Reconstruction: any row through the trained network and back, and how well that went."""

import streamlit as st

from explorer.ui import state
from explorer.ui.problem import problems_shown
from explorer.ui.rebuild_view import show_rebuild
from explorer.ui.trained import trained_run

st.title("Reconstruction", anchor=False)
with problems_shown():
    found = trained_run("What a trained network keeps of a row, and what it loses: each row is "
                        "squeezed into a few numbers and rebuilt from them.", rebuilds=True)
    if found is not None:
        show_rebuild(found, state.cluster_names())
