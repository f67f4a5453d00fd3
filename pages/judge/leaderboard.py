"""Leaderboard: many recipes measured alike."""

import streamlit as st

st.title("Leaderboard", anchor=False)
