"""The jobs of this workspace, newest first."""

import streamlit as st

from explorer.ui import state
from explorer.ui.jobs_view import show_jobs

st.title("Jobs", anchor=False)
show_jobs(state.open_workspace().id)
