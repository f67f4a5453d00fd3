"""Train an encoder."""

import streamlit as st

from explorer.ui import state
from explorer.ui.empty import no_data
from explorer.ui.problem import problems_shown
from explorer.ui.train_view import INTRO, show_training

st.title("Train an encoder", anchor=False)
with problems_shown():
    data = state.dataset()
    if data is None:
        no_data(INTRO)
    else:
        show_training(data)
