"""The silhouette bars of a run, or why there are none."""

from __future__ import annotations

import streamlit as st

from explorer.escape import esc_md
from explorer.run import Run
from explorer.ui.point_view import show_bars
from explorer.ui.scores_picks import offer_on_map


def show_silhouette(current: Run, names: dict[int, str], *, key: str = "silhouette") -> None:
    """One bar per row in the space that was clustered."""
    judged = current.silhouette
    if judged is None and "silhouette" in current.plan.judgements:
        st.info("The silhouettes of the edited clusters are being computed.",
                icon=":material/hourglass_empty:")
    elif judged is None or current.clustering is None:
        st.info("This recipe has no silhouette judge.")
    elif judged.scores[0].value is None:
        st.info(f"The silhouette: {esc_md(judged.scores[0].why)}", icon=":material/info:")
    else:
        score = judged.scores[0]
        if score.interval:
            st.caption(esc_md(f"Bars of a sample: {score.sample:,} of {score.total:,} rows, seed "
                              f"{score.seed}, drawn from every cluster and compared with all "
                              "rows."))
        if key == "silhouette":
            offer_on_map(current, names, key)
        show_bars(current, names, key=key)
