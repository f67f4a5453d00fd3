"""The map with its silhouettes, and the rows chosen on either."""

import streamlit as st

from explorer.ui import state
from explorer.ui.colors import choose_coloring, colorings
from explorer.ui.empty import ready
from explorer.ui.map_view import choose_tool, score_line, show_limits, show_map, show_silhouette
from explorer.ui.notes_view import show_run_notes
from explorer.ui.problem import problems_shown
from explorer.ui.recipe_form import show_stale
from explorer.ui.selection_view import show_selection

HEIGHT = 540

with problems_shown():
    current = ready("The map shows every row as a point; rows that are alike lie near each other.")
    if current is not None:
        draft = state.draft()
        if draft is not None:
            show_stale(current, draft)
        names = state.cluster_names()
        options = colorings(current, names)
        chooser, tools, scores = st.columns([5, 4, 13], vertical_alignment="center")
        with chooser:
            key = choose_coloring(options)
        with tools:
            tool = choose_tool()
        numbers, basis = score_line(current)
        scores.markdown(f"{numbers}  \n:small[:gray[{basis}]]")
        with st.container(key="views"):
            left, right = st.columns([8, 5], gap="small")
            with left:
                from explorer.ui.point_view import show_points
                show_points(current, options[key].draw(), key, names, key='map', height=HEIGHT)
            with right:
                from explorer.ui.point_view import show_bars
                show_bars(current, names, key='silhouette', height=HEIGHT)
        show_limits(current)
        show_selection(current, names)
        show_run_notes(current)
