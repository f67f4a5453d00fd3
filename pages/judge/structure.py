"""Real structure?: the run against data without groups."""

import streamlit as st

from explorer.ui.empty import ready
from explorer.ui.problem import problems_shown
from explorer.ui.sections import choose_section
from explorer.ui.stability_counts import show_gap
from explorer.ui.structure_view import show_hopkins, show_nulls

st.title("Real structure?", anchor=False)
with problems_shown():
    current = ready("Methods find clusters in noise, too. Here your clusters are set beside those "
                    "of data that has none.")
    if current is not None and current.clustering is not None:
        section = choose_section("structure", ("Against noise", "Hopkins statistic",
                                               "Gap statistic"))
        if section == "Against noise":
            show_nulls(current)
        elif section == "Hopkins statistic":
            show_hopkins(current)
        else:
            show_gap(current)
