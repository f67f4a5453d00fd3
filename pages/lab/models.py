"""Models."""

import streamlit as st

from explorer.ui.empty import ready
from explorer.ui.problem import problems_shown

st.title("Models", anchor=False)
with problems_shown():
    current = ready("The models on this machine: what each is, what it needs, and how to "
                    "get another.")
