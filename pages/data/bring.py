"""Bring data: upload or sample, check what was found, start."""

import streamlit as st

from explorer.ui import state
from explorer.ui.bring import choose_source, offer_recipe, show_import
from explorer.ui.preview import edit_roles, show_preview, show_report
from explorer.ui.problem import problems_shown
from explorer.ui.reading import offer_other_reading

st.title("Bring data", anchor=False)
with problems_shown():
    opened = state.document()
    data = state.dataset()
    if opened.importing:
        show_import(opened.importing)
    elif data is None:
        choose_source()
    else:
        show_report(data)
        if offer_recipe(data):
            show_preview(data)
            edit_roles(data)
        else:  # first what the person has to change
            edit_roles(data)
            show_preview(data)
        offer_other_reading(data)
