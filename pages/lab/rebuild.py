"""Reconstruction."""

import streamlit as st

from explorer.ui.empty import ready
from explorer.ui.problem import problems_shown

st.title("Reconstruction", anchor=False)
with problems_shown():
    current = ready("What a trained network keeps of a row, and what it loses.")
