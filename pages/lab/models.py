"""Models."""

import streamlit as st

from explorer.ui.models_download import show_download
from explorer.ui.models_view import show_by_hand, show_models, show_network_state
from explorer.ui.problem import problems_shown

st.title("Models", anchor=False)
st.markdown("Pretrained models turn your texts and images into vectors without any training. Which "
            "are on this machine, what does each need, and how do you get another?")
with problems_shown():
    show_network_state()
    show_models()
with problems_shown():
    show_download()
    show_by_hand()
