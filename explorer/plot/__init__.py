"""arrays -> plotly Figure. One figure per file; plain functions, no Streamlit."""
