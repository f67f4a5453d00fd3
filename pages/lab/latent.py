"""Latent space."""

import streamlit as st

from explorer.ui.latent_view import show_latent
from explorer.ui.problem import problems_shown
from explorer.ui.trained import trained_run

INTRO = ("A trained network squeezes every row into a few latent numbers and rebuilds it from "
         "them. Here you change these numbers and see at once what the network makes of them.")

st.title("Latent space", anchor=False)
with problems_shown():
    trained = trained_run(INTRO, rebuilds=True)
    if trained is not None:
        st.caption(INTRO)
        show_latent(trained)
