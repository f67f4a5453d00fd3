"""Anomalies: rows that are unlike the others to a trained network."""

import streamlit as st

from explorer.ui import state
from explorer.ui.anomalies_view import show_anomalies
from explorer.ui.problem import problems_shown
from explorer.ui.trained import trained_run

INTRO = ("Which rows are unlike the others? A network trained on your rows rebuilds well what it "
         "has seen often; what it cannot rebuild is unusual, or broken.")

st.title("Anomalies", anchor=False)
with problems_shown():
    found = trained_run(INTRO, rebuilds=True)
    if found is not None:
        st.markdown(INTRO)
        show_anomalies(found, state.cluster_names())
