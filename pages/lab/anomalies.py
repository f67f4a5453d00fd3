"""Anomalies."""

import streamlit as st

from explorer.ui.empty import ready
from explorer.ui.problem import problems_shown

st.title("Anomalies", anchor=False)
with problems_shown():
    current = ready("Rows a trained network cannot rebuild are unlike the others.")
