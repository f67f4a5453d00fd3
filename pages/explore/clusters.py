"""Clusters: judge them, name them, pick them, find a better number of them."""

import streamlit as st

from explorer.run import rows_of_clusters
from explorer.ui import state
from explorer.ui.cluster_table import edit_clusters
from explorer.ui.edit_history import show_steps
from explorer.ui.edit_view import offer_merge, offer_split
from explorer.ui.empty import ready
from explorer.ui.lead_to_map import lead_to_why
from explorer.ui.map_view import score_line
from explorer.ui.problem import problems_shown
from explorer.ui.rows_view import show_rows

st.title("Clusters", anchor=False)
with problems_shown():
    current = ready("Here the clusters are listed, named and picked.")
    if current is not None and current.clustering is not None:
        numbers, basis = score_line(current)
        st.markdown(f"{numbers}  \n:small[:gray[{basis}]]")
        names = state.cluster_names()
        show_steps(current, names)
        if not current.clustering.count:
            st.warning("No clusters were found: every row is noise. Try a smaller minimum cluster "
                       "size, clustering in the picture, or K-means.")
            if st.button("Change the recipe", icon=":material/tune:"):
                state.go_to("pages/explore/recipe.py")
        ticked = edit_clusters(current, names)
        if ticked:
            rows = rows_of_clusters(current, set(ticked))
            left, why, middle, right = st.columns([3, 1, 1, 1], vertical_alignment="center")
            left.markdown(f"**{len(ticked)} clusters picked, {len(rows):,} rows**")
            if why.button("Why?", icon=":material/help:", width="stretch",
                          help="The first of them read whole: a rule, typical and odd rows."):
                lead_to_why(ticked[0])
            if middle.button("Show on map", icon=":material/scatter_plot:", width="stretch"):
                state.select(rows, "clusters")
                state.go_to("pages/explore/map.py")
            if right.button("Export", type="primary", icon=":material/download:",
                            width="stretch"):
                state.go_to("pages/take/export.py")
            offer_merge(current, names, ticked)
            offer_split(current, names, ticked)
        else:
            st.caption("Tick clusters to see their rows, merge, split or export them. Double-click "
                       "a name or a note to change it.")
        if st.button("Find a better number of clusters", icon=":material/query_stats:",
                     type="tertiary"):
            state.go_to("pages/judge/number.py")
        if ticked:
            show_rows(current, rows, names, "picked")
