"""Bring data: upload or sample, check what was found, start."""

import streamlit as st

from explorer.ui import state
from explorer.ui.bring import (
    choose_source,
    edit_roles,
    offer_recipe,
    show_import,
    show_preview,
    show_report,
)
from explorer.ui.problem import problems_shown

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
        offer_recipe(data)
        show_preview(data)
        edit_roles(data)
