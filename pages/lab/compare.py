"""Compare encoders: the same rows through several of them, measured alike."""

import streamlit as st

from explorer.ui import compare_board as board
from explorer.ui.compare_choice import show_choice
from explorer.ui.compare_figures import show_figures, show_ticked
from explorer.ui.compare_view import show_comparison
from explorer.ui.empty import ready
from explorer.ui.problem import problems_shown

st.title("Compare encoders", anchor=False)
with problems_shown():
    current = ready("The same rows through several encoders: which one serves your purpose.")
    if current is not None:
        st.markdown("**Which encoder serves your purpose?**  \n:small[:gray[The same rows through "
                    "each of them: raw, PCA, pretrained models, networks trained here. Look first "
                    "at the probe, which asks what the vectors know; then at what they rebuild; a "
                    "silhouette alone decides nothing.]]")
        found = board.read(current)
        show_choice(current, started=bool(found.entries))
        if found.entries:
            show_ticked(current, show_comparison(current, found))
            show_figures(current, found)
