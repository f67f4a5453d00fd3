"""How many clusters: one job over several numbers, and a click to use one."""

from __future__ import annotations

import streamlit as st

from explorer import values
from explorer.plan import sweep_step
from explorer.plot.sweep import draw_sweep
from explorer.run import Run
from explorer.sweep import Sweep
from explorer.ui import state
from explorer.ui.backend import backend
from explorer.ui.job_panel import seconds_in_words, submit, watch

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
    low, high = left.slider("From and to", 2, highest, (2, min(15, highest)), key="sweep_range")
    counts = tuple(range(low, high + 1))
    step = sweep_step(current.plan, counts)
    if right.button(f"Sweep (about {seconds_in_words(step.seconds)})", width="stretch",
                    disabled=backend().store.has(step.key), icon=":material/play_arrow:"):
        submit([step])
        state.change(sweep=counts)
        st.rerun()
    shown = sweep_step(current.plan, state.document().sweep or counts)
    entry = backend().store.find(shown.key)
    if entry is None:
        watch([shown], "Sweeping the number of clusters")
        return
    _show_result(current, values.read(Sweep, entry))


def _show_result(current: Run, found: Sweep) -> None:
    method = current.recipe.clustering
    used = method.values()[method.sweeps]
    st.plotly_chart(draw_sweep(found.counts, found.mean, found.low, found.high,
                               found.davies_bouldin, found.calinski_harabasz, current=used),
                    key="sweep")
    st.caption(f"{method.title}, {found.total:,} rows, in {found.space}; the band holds 80 % of "
               "the rows' silhouettes.")
    left, right, _ = st.columns([1, 1, 2], vertical_alignment="bottom")
    count = left.selectbox("Number of clusters", found.counts.tolist(), key="sweep_count",
                           index=found.counts.tolist().index(used) if used in found.counts else 0)
    if right.button("Use it", icon=":material/check:", disabled=count == used, width="stretch"):
        recipe = current.recipe.using(clusterer=method.with_count(int(count)))
        submit(state.plan_of(recipe).missing(backend().store))
        st.session_state.pop(f"clusterer.{method.key}.{method.sweeps}", None)
        state.change(recipe=recipe.to_data(), ran=recipe.to_data())
        st.rerun()
