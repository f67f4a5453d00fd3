"""The silhouette bench: every score of the run, and the rows that do not fit."""

import streamlit as st

from explorer.ui import state
from explorer.ui.empty import ready
from explorer.ui.problem import problems_shown
from explorer.ui.scores_view import show_scores

st.title("Scores", anchor=False)
with problems_shown():
    current = ready("How well do the rows fit their clusters? Here every index is shown, and the "
                    "rows that would rather be in another cluster.")
    if current is not None and current.clustering is not None:
        show_scores(current, state.cluster_names())
