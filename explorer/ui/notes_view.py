"""What the methods of a run had to say."""

from __future__ import annotations

import streamlit as st

from explorer.plot.scree import draw_scree
from explorer.run import Run
from explorer.ui.problem import show_notes


def show_run_notes(current: Run) -> None:
    """Notes of every step, and the scree plot where the projection has one."""
    notes = [note for value in (current.embedding, current.projection, current.clustering,
                                *current.judgements.values())
             if value is not None for note in value.notes]
    projection = current.projection
    ratios = projection.extras.get("explained_variance_ratio") if projection is not None else None
    if not notes and ratios is None:
        return
    label = f"Notes on this run: {len(dict.fromkeys(notes))}" if notes else "Explained variance"
    with st.expander(label, icon=":material/info:"):
        show_notes(notes)
        if ratios is not None and projection is not None:
            st.plotly_chart(draw_scree(ratios, drawn=projection.points.shape[1]), key="scree")
