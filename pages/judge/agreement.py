"""Agreement: the clusters beside a column, or beside other clusters."""

import streamlit as st

from explorer.ui import state
from explorer.ui.agreement_view import show_agreement
from explorer.ui.empty import ready
from explorer.ui.problem import problems_shown

st.title("Agreement", anchor=False)
with problems_shown():
    current = ready("Here clusters are set beside a column that is known already, or beside other "
                    "clusters of the same rows.")
    if current is not None and current.clustering is not None:
        show_agreement(current, state.cluster_names())
