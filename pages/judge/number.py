"""How many clusters: several methods and numbers compared, one of them used."""

from functools import partial

import streamlit as st

from explorer.ui.empty import ready
from explorer.ui.problem import problems_shown
from explorer.ui.sections import choose_section
from explorer.ui.stability_counts import show_gap, show_stability_by_k
from explorer.ui.sweep_view import show_sweep

PARTS = {"Indices": show_sweep, "Gap statistic": partial(show_gap, leads=False),
         "Stability": partial(show_stability_by_k, leads=False)}

st.title("Number of clusters", anchor=False)
with problems_shown():
    current = ready("How many clusters are there? Here several numbers are tried and compared.")
    if current is not None and current.clustering is not None:
        st.markdown("How many clusters are there? Data seldom says so itself: try several numbers, "
                    "see which of them each index speaks for, and look at the rows before you "
                    "believe one.")
        PARTS[choose_section("number", list(PARTS))](current)
