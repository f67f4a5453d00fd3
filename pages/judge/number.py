"""How many clusters: several methods and numbers compared, one of them used."""

import streamlit as st

from explorer.ui.empty import ready
from explorer.ui.problem import problems_shown
from explorer.ui.sweep_view import show_sweep

st.title("Number of clusters", anchor=False)
with problems_shown():
    current = ready("How many clusters are there? Here several numbers are tried and compared.")
    if current is not None and current.clustering is not None:
        st.markdown("How many clusters are there? Data seldom says so itself: try several numbers, "
                    "see which of them each index speaks for, and look at the rows before you "
                    "believe one.")
        show_sweep(current)
