"""The recipe: every step with all its parameters."""

import streamlit as st

from explorer.escape import esc_md
from explorer.propose import propose
from explorer.ui import state
from explorer.ui.empty import no_data
from explorer.ui.problem import problems_shown
from explorer.ui.recipe_form import edit_recipe, run_bar, take_recipe

st.title("Recipe", anchor=False)
with problems_shown():
    data = state.dataset()
    if data is None:
        no_data("A recipe says how rows become vectors, a picture, groups and scores.")
    else:
        recipe = state.draft()
        if recipe is None:
            recipe = propose(data).recipe
            state.change(recipe=recipe.to_data())
        bar = st.container()
        edited = edit_recipe(data, recipe)
        with bar, problems_shown():
            if edited.recipe is None:
                steps = esc_md(" and ".join(edited.refused))
                st.error(f"The recipe cannot run yet: see step {steps}.", icon=":material/error:")
            else:
                state.change(recipe=edited.recipe.to_data())
                run_bar(edited.recipe)
        take_recipe(data, edited.recipe or recipe)
