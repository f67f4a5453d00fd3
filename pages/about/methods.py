"""Every method with its parameters, from the declarations."""

import streamlit as st

from explorer.cluster import clusterers
from explorer.encode import encoders
from explorer.judge import judges
from explorer.neighbors import neighbor_searches
from explorer.project import projectors
from explorer.study import studies
from explorer.ui.methods_view import show_registry

st.title("Methods", anchor=False)
st.caption("What this app can do, and every parameter of it. The same names are flags of the "
           "`explorer` command.")
SECTIONS = {"Encode": encoders(), "Project": projectors(), "Cluster": clusterers(),
            "Judge": judges(), "Study": studies(), "Neighbours": neighbor_searches()}
for tab, registry in zip(st.tabs(list(SECTIONS)), SECTIONS.values(), strict=True):
    with tab:
        show_registry(registry)
