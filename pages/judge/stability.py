"""Stability: what comes out again when it is computed again."""

import streamlit as st

from explorer.ui import state
from explorer.ui.empty import ready
from explorer.ui.problem import problems_shown
from explorer.ui.sections import choose_section
from explorer.ui.stability_counts import show_stability_by_k
from explorer.ui.stability_map import show_map_stability
from explorer.ui.stability_view import show_clusters

st.title("Stability", anchor=False)
with problems_shown():
    current = ready("What is real comes out again when seeds, rows or parameters change a little. "
                    "Here clusters and maps are made again and compared.")
    if current is not None and current.clustering is not None:
        names = state.cluster_names()
        section = choose_section("stability", ("Clusters", "Map", "Number of clusters"))
        if section == "Clusters":
            show_clusters(current, names)
        elif section == "Map":
            show_map_stability(current, names)
        else:
            show_stability_by_k(current)
