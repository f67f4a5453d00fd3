"""Latent space."""

import streamlit as st

from explorer.ui.empty import ready
from explorer.ui.problem import problems_shown

st.title("Latent space", anchor=False)
with problems_shown():
    current = ready("The space a trained network has made of your rows: move in it and see "
                    "what it stands for.")
