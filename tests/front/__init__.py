"""The map's front end alone in Chromium, without Streamlit."""
