"""How many clusters: one job over several numbers, and a click to use one."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer import values
from explorer.escape import esc_md
from explorer.plan import sweep_step
from explorer.plot.sweep import draw_sweep
from explorer.run import Run
from explorer.sweep import Sweep
from explorer.ui import state
from explorer.ui.backend import backend
from explorer.ui.job_panel import about, submit, watch

_MOST = 60


def show_sweep(current: Run) -> None:
    """The k sweep of the current clusterer, where it takes a number of clusters."""
    method = current.recipe.clustering
    if not method.sweeps:
        st.caption(f"{method.title} finds the number of clusters itself; k-means and "
                   "agglomerative clustering can be swept.")
        return
    highest = min(_MOST, len(current.rows) - 1)
    if highest < 3:
        st.caption("There are too few rows for a sweep.")
        return
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    saved = [count for count in state.document().sweep if count <= highest]
    tried = (saved[0], saved[-1]) if len(saved) > 1 else (2, min(15, highest))
    low, high = left.slider("Numbers of clusters to try", 2, highest, tried, key="sweep_range")
    counts = tuple(range(low, high + 1))
    step = sweep_step(current.plan, counts)
    entry = backend().store.find(step.key)
    if entry is not None:
        right.button("Computed", width="stretch", disabled=True, icon=":material/check:")
        _show_result(current, values.read(Sweep, entry))
        return
    if watch([step], "Trying the numbers of clusters"):
        return
    if right.button(f"Try them ({about(step.seconds)})", width="stretch", type="primary",
                    icon=":material/play_arrow:"):
        submit([step])
        state.change(sweep=counts)
        st.rerun()
    st.caption("Clusters the rows once for each number and compares the scores: the number with "
               "the best silhouette is a good start.")


def _show_result(current: Run, found: Sweep) -> None:
    method = current.recipe.clustering
    used = method.values()[method.sweeps]
    counts = found.counts.tolist()
    best = counts[int(np.nanargmax(found.mean))] if np.isfinite(found.mean).any() else counts[0]
    if st.session_state.get("sweep_count") not in counts:
        kept = st.session_state.get("kept_count")
        st.session_state["sweep_count"] = kept if kept in counts else best
    left, right, rest = st.columns([1, 1, 2], vertical_alignment="bottom")
    count = left.selectbox("Number of clusters", counts, key="sweep_count", format_func=lambda
                           count: f"{count}{_marks(count, used, best)}")
    st.session_state["kept_count"] = count
    if right.button("Use it", icon=":material/check:", disabled=count == used, width="stretch",
                    type="primary"):
        recipe = current.recipe.using(clusterer=method.with_count(int(count)))
        submit(state.plan_of(recipe).missing(backend().store))
        state.forget_form()
        state.change(recipe=recipe.to_data(), ran=recipe.to_data(), sweep=tuple(counts))
        st.rerun()
    rest.caption(f"{method.title}, {found.total:,} rows, in {esc_md(found.space)}; the band holds "
                 "80 % of the rows' silhouettes.")
    st.plotly_chart(draw_sweep(found.counts, found.mean, found.low, found.high,
                               found.davies_bouldin, found.calinski_harabasz, current=used),
                    key="sweep")


def _marks(count: int, used: int, best: int) -> str:
    words = [word for word, meant in (("now", used), ("best silhouette", best)) if count == meant]
    return f" ({', '.join(words)})" if words else ""
