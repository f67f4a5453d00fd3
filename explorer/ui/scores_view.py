"""The silhouette bench: both spaces side by side, the rows that do not fit, every index."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.escape import esc_md
from explorer.run import Run
from explorer.ui import state
from explorer.ui.backend import backend
from explorer.ui.job_panel import about, submit, watch
from explorer.ui.point_view import show_bars
from explorer.ui.rows_view import counted
from explorer.ui.scores_data import Asked, Bench, read_bench
from explorer.ui.scores_picks import offer_picks, say_selection
from explorer.ui.scores_tables import show_clusters, show_indices
from explorer.ui.selection_bar import show_selection_bar
from explorer.ui.selection_view import show_selection
from explorer.values import Judgement

CHEAP = 5.0
"""Seconds up to which what is missing is computed without being asked for."""
_HEIGHT = 380
_VIEWS = ("Rows", "Clusters", "All indices")


def show_scores(current: Run, names: dict[int, str]) -> None:
    """The bench of a run."""
    bench = read_bench(current)
    _compute_cheap(bench)
    st.markdown(_headline(bench))
    _show_missing(bench)
    if "scores_show" not in st.session_state:
        st.session_state["scores_show"] = st.session_state.get("scores_show_kept", _VIEWS[0])
    view = st.segmented_control("Show", _VIEWS, key="scores_show", required=True,
                                label_visibility="collapsed") or _VIEWS[0]
    st.session_state["scores_show_kept"] = view
    if view == "Rows":
        _show_rows(bench, names)
    elif view == "Clusters":
        show_clusters(bench, names)
    else:
        show_indices(bench)
    say_selection()
    show_selection_bar(current)
    if len(state.selection().rows):
        if st.button("Show on map", icon=":material/scatter_plot:", key="scores_map"):
            state.go_to("pages/explore/map.py")
        show_selection(current, names)


def _headline(bench: Bench) -> str:
    """The silhouette in a sentence."""
    found = bench.silhouette.found
    if found is None:
        return "How well do the rows fit their clusters? The silhouette is not computed yet."
    score = found.scores[0]
    if score.value is None:
        return f"The silhouette: {esc_md(score.why)}"
    below = int(np.count_nonzero(bench.values < 0))
    known = int(np.count_nonzero(np.isfinite(bench.values)))
    noise = "" if score.noise == "no noise rows" else f" ({esc_md(score.noise)})"
    return (f"A row's silhouette says whether it is nearer to its own cluster (up to 1) or to "
            f"another (down to -1). Here the mean is **{score.value:.3f}**; **{below:,}** of "
            f"{counted(known)}{noise} are nearer to another cluster.")


def _show_rows(bench: Bench, names: dict[int, str]) -> None:
    found = bench.silhouette.found
    if found is None or found.scores[0].value is None:
        return
    offer_picks(bench, names)
    left, right = st.columns(2, gap="medium")
    with left:
        _show_side("In the clustered space", bench.silhouette, found)
        with st.container(height=_HEIGHT, border=False):
            show_bars(bench.run, names, key="bench_own", judged=(bench.silhouette.step.key, found))
    with right:
        if bench.picture is None:
            st.markdown("**On the picture**")
            st.caption("The picture itself was clustered: the bars on the left are about it, and "
                       "there is no second silhouette to compare them with.")
        elif bench.picture.found is None:
            st.markdown("**On the picture**")
            st.caption("Not computed yet.")
        elif bench.picture.found.scores[0].value is None:
            st.caption(esc_md(bench.picture.found.scores[0].why))
        else:
            shown = bench.picture.found
            _show_side("On the picture", bench.picture, shown)
            with st.container(height=_HEIGHT, border=False):
                show_bars(bench.run, names, key="bench_picture",
                          judged=(bench.picture.step.key, shown))


def _show_side(title: str, asked: Asked, found: Judgement) -> None:
    score = found.scores[0]
    assert score.value is not None
    within = f" ({score.interval})" if score.interval else ""
    seed = "" if score.seed is None else f" · seed {score.seed}"
    basis = (f"{score.space} · {score.metric} distance · {score.sample:,} of {score.total:,} rows "
             f"· {score.noise}{seed}")
    st.markdown(f"**{esc_md(title)}** · mean **{score.value:.3f}**{esc_md(within)}  \n:small[:gray["
                f"{esc_md(basis)}]]")


def _compute_cheap(bench: Bench) -> None:
    """Queue what takes little and was never tried."""
    cheap = [one.step for one in bench.missing if one.step.seconds <= CHEAP]
    if cheap and not backend().read_only:
        known = backend().jobs.views([step.key for step in cheap])
        submit([step for step in cheap if step.key not in known])


def _show_missing(bench: Bench) -> None:
    missing = [one.step for one in bench.missing]
    if not missing or watch(missing, "Computing the scores", ".scores"):
        return
    titles = ", ".join(dict.fromkeys(
        step.title + (" on the picture" if step.payload["space"] == "beside" else "")
        for step in missing))
    left, right = st.columns([3, 1], vertical_alignment="center")
    left.caption(f"Not computed yet: {esc_md(titles)}.")
    right.button(f"Compute ({about(sum(step.seconds for step in missing))})", width="stretch",
                 icon=":material/play_arrow:", key="scores_compute", on_click=submit,
                 args=(missing,))
