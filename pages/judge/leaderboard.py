"""Leaderboard: many recipes measured alike, and two of them side by side."""

import streamlit as st

from explorer.ui.empty import ready
from explorer.ui.leaderboard_board import read_board
from explorer.ui.leaderboard_form import show_form
from explorer.ui.leaderboard_pair import show_ticked
from explorer.ui.leaderboard_view import show_board
from explorer.ui.problem import problems_shown, show_problem

st.title("Leaderboard", anchor=False)
with problems_shown():
    current = ready("Here many recipes are computed in the background and measured alike.")
    if current is not None:
        st.markdown("**Which recipe does best?**  \n:small[:gray[Combines encoders, projectors and "
                    "clusterers, computes every combination in the background, and puts their "
                    "numbers in one table. It goes on while you look at something else.]]")
        found = read_board()
        show_form(current, started=bool(found.entries))
        problem = st.session_state.pop("leaderboard.problem", None)
        if problem is not None:
            show_problem(problem)
        if found.entries:
            show_ticked(current, show_board(found))
