"""Shared Streamlit pieces: state, forms, job panel, views."""
