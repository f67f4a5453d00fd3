"""Compare encoders."""

import streamlit as st

from explorer.ui.empty import ready
from explorer.ui.problem import problems_shown

st.title("Compare encoders", anchor=False)
with problems_shown():
    current = ready("The same rows through several encoders: which one serves your purpose.")
