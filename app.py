"""The frame around every page: navigation and the name of the data at hand."""

import streamlit as st

from explorer.ui.frame import draw_frame

st.set_page_config(page_title="Embedding Explorer", page_icon=":material/scatter_plot:",
                   layout="wide")

page = st.navigation({
    "Data": [
        st.Page("pages/data/bring.py", title="Bring data", icon=":material/upload_file:",
                default=True),
    ],
    "Explore": [
        st.Page("pages/explore/recipe.py", title="Recipe", icon=":material/tune:"),
        st.Page("pages/explore/map.py", title="Map", icon=":material/scatter_plot:"),
        st.Page("pages/explore/clusters.py", title="Clusters", icon=":material/category:"),
    ],
    "Take away": [
        st.Page("pages/take/export.py", title="Export", icon=":material/download:"),
    ],
    "About": [
        st.Page("pages/about/methods.py", title="Methods", icon=":material/menu_book:"),
        st.Page("pages/about/jobs.py", title="Jobs", icon=":material/list_alt:"),
    ],
})
if draw_frame():
    page.run()
