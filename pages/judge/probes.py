"""Probes: how well the vectors predict a column, and which encoder's do best."""

import streamlit as st

from explorer.escape import esc_md
from explorer.study.probe import Probe
from explorer.ui import state
from explorer.ui.empty import ready
from explorer.ui.probe_compare import show_comparison
from explorer.ui.probe_view import choose_probe, show_probe
from explorer.ui.problem import problems_shown

st.title("Probes", anchor=False)
with problems_shown():
    current = ready("Here simple predictors show how much of a column the vectors carry: the "
                    "number that decides between encoders.")
    if current is not None:
        st.markdown(f"**{esc_md(Probe.question)}**  \n:small[:gray[{esc_md(Probe.describe())}]]")
        study = choose_probe(current)
        if study is not None:
            own, others = st.tabs(["These vectors", "Compare encoders"])
            with own:
                show_probe(current, study, state.cluster_names())
            with others:
                show_comparison(current, study)
