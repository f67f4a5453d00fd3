"""Why these clusters: one read whole, and what all of them may follow by accident."""

import streamlit as st

from explorer.ui import state
from explorer.ui.empty import ready
from explorer.ui.problem import problems_shown
from explorer.ui.why_view import show_why

st.title("Why these clusters", anchor=False)
with problems_shown():
    current = ready("Here a cluster is read whole: what sets it apart, a rule that tells it, its "
                    "typical and its odd rows.")
    if current is not None and current.clustering is not None:
        show_why(current, state.cluster_names())
