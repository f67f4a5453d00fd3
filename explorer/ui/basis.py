"""What a number rests on, in one grey line under it."""

from __future__ import annotations

import streamlit as st

from explorer.escape import esc_md
from explorer.values import Score


def show_basis(score: Score, *more: str) -> None:
    """Space, distance, sample, noise and seed of a score, and what else there is to say."""
    sample = (f"{score.total:,} rows" if score.sample == score.total
              else f"{score.sample:,} of {score.total:,} rows")
    words = [f"in {score.space}", score.metric, sample, score.noise,
             "" if score.seed is None else f"seed {score.seed}", *more]
    st.markdown(f":small[:gray[{esc_md(' · '.join(word for word in words if word))}]]")
