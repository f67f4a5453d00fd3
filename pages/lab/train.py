"""Train an encoder."""

import streamlit as st

from explorer.ui.empty import ready
from explorer.ui.problem import problems_shown

st.title("Train an encoder", anchor=False)
with problems_shown():
    current = ready("Networks that learn from your own rows: watch one learn, stop it when "
                    "it is good, and its vectors are clustered and drawn like any other.")
