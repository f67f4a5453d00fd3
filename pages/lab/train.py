"""Train an encoder."""

import streamlit as st

from explorer.ui.problem import problems_shown
from explorer.ui.train_view import show_training

st.title("Train an encoder", anchor=False)
with problems_shown():
    show_training()
