"""Map trust: what the map keeps of the embedding, and which map keeps most."""

import streamlit as st

from explorer.ui import state
from explorer.ui.empty import ready
from explorer.ui.problem import problems_shown
from explorer.ui.trust_maps import show_maps
from explorer.ui.trust_view import show_trust_of_map

st.title("Map trust", anchor=False)
with problems_shown():
    current = ready("Here the map is compared with the embedding it is a picture of.")
    if current is not None and current.projection is not None:
        study = show_trust_of_map(current, state.cluster_names())
        if study is not None:
            show_maps(current, study)
