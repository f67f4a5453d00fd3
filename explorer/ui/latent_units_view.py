"""What each latent number stands for, as the study found it: scores, bars, correlations."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from explorer.judge.latent_numbers import ACTIVE
from explorer.plot.latent_numbers import draw_correlations, draw_numbers
from explorer.ui.study_view import show_scores
from explorer.ui.trained import TrainedRun
from explorer.values import Finding

_BARS = {"kl": "KL, nats", "variance": "variance", "worth": "share of what the code carries"}
_HELP = {
    "kl": "How far each number of a row is from chance, averaged over rows: the mean divergence of "
          "its cloud from the standard normal distribution. 0: the network does not use it.",
    "variance": "How much the number differs between rows. In an autoencoder its scale is free: "
                "a large variance need not mean much.",
    "worth": "By how much the error grows when this number alone is held at its mean, as a share "
             "of the growth when all are (up to 256 rows). They need not add up to 1: numbers that "
             "say the same replace each other.",
}
_NAMES = {"kl": "KL", "variance": "Variance", "worth": "What it is worth"}


def show_units(found: Finding, trained: TrainedRun) -> None:
    """Scores at the left; bars of the numbers and their correlations."""
    left, middle, right = st.columns([5, 6, 6], gap="medium")
    with left:
        show_scores(found)
    kinds = [kind for kind in ("kl", "worth", "variance") if kind in found.extras
             and np.isfinite(found.extras[kind]).any()]
    with middle:
        kind = st.segmented_control("Bars show", kinds, default=kinds[0], key="latent.bars",
                                    format_func=lambda kind: _NAMES[kind]) or kinds[0]
        st.plotly_chart(draw_numbers(found.extras[kind], what=_BARS[kind],
                                     line=ACTIVE if kind == "kl" else None), key="latent.numbers")
        st.caption(_HELP[kind])
    with right:
        correlation = found.extras.get("correlation")
        if correlation is None:
            st.info(f"With {len(found.extras['variance']):,} latent numbers there are too many "
                    "pairs to draw.", icon=":material/info:")
        else:
            st.markdown("Correlation of the numbers")
            st.plotly_chart(draw_correlations(correlation), key="latent.correlations")
            st.caption("0 (white) off the diagonal: each number says something of its own. Near 1 "
                       "or -1: two of them say the same.")
    with st.expander("All latent numbers in a table"):
        st.dataframe(found.tables["units"], hide_index=True, column_config=_columns(),
                     key="latent.table")


def _columns() -> dict[str, Any]:
    column = st.column_config
    return {"KL": column.NumberColumn("KL, nats", format="%.4f"),
            "variance": column.NumberColumn(format="%.4g"),
            "mean": column.NumberColumn(format="%.4g"),
            "on": column.NumberColumn("on", format="percent",
                                      help="The share of the rows in which it is not 0."),
            "worth": column.NumberColumn("what it is worth", format="%.3f",
                                         help=_HELP["worth"])}
