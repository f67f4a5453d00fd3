"""Ticked recipes: one opened, or two side by side with the rows that moved."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explorer.agreement import Sorted, agreement_step
from explorer.colorings import colorings
from explorer.escape import esc_md
from explorer.run import Run
from explorer.ui import state
from explorer.ui.agreement_view import Pair, compared, show_pair
from explorer.ui.backend import backend
from explorer.ui.leaderboard_board import Entry
from explorer.ui.leaderboard_view import title_of, use
from explorer.ui.map_data import picture_of
from explorer.ui.point_view import show_points
from explorer.ui.selection_bar import show_selection_bar
from explorer.ui.shared import shared_run


def show_ticked(current: Run, ticked: Sequence[Entry]) -> None:
    """What can be done with the recipes that are ticked."""
    if not ticked:
        return
    if len(ticked) > 2:
        st.caption(f"{len(ticked)} recipes are ticked: tick two to see them side by side.")
        return
    runs = [_run(entry) for entry in ticked]
    for column, entry, number in zip(st.columns(2, gap="small"), ticked, range(2), strict=False):
        with column:
            st.markdown(f"**{'Left' if number == 0 else 'Right'}:** {esc_md(title_of(entry))}"
                        if len(ticked) == 2 else esc_md(title_of(entry)))
            if st.button("Use this recipe", key=f"leaderboard.use.{number}",
                         icon=":material/check:", disabled=entry.plan is None):
                use(entry)
                state.go_to("pages/explore/map.py")
    if len(ticked) == 1:
        st.caption("Tick a second recipe to see both maps, and the rows that changed side.")
        return
    if any(run is None for run in runs):
        st.info("Both recipes must be computed before their maps can be shown.",
                icon=":material/info:")
        return
    left, right = (run for run in runs if run is not None)
    _show_maps(left, right)
    show_selection_bar(current)
    _show_overlap(left, right, [title_of(entry) for entry in ticked])


def _show_maps(left: Run, right: Run) -> None:
    with st.container(key="views_half_board"):
        for number, (column, run) in enumerate(zip(st.columns(2, gap="small"), (left, right),
                                                   strict=True)):
            with column:
                assert run.projection is not None
                if run.projection.points.shape[1] != 2 or st.session_state.get("no_webgl"):
                    st.info("This map is not flat, or this browser cannot draw it: open its "
                            "recipe to see it.", icon=":material/info:")
                    continue
                show_points(run, colorings(run, {})["cluster"], {}, key=f"map.board{number}",
                            picture=picture_of(run), linked=True, folded=True)


def _show_overlap(left: Run, right: Run, titles: Sequence[str]) -> None:
    if left.plan.clustering == right.plan.clustering:
        st.caption("Both recipes have the same clusters: only their pictures differ.")
        return
    assert left.clustering is not None
    assert right.clustering is not None
    step = agreement_step(Sorted.of(left.plan), Sorted.of(right.plan), "a group of its own",
                          len(left.rows))
    groups = max(left.clustering.count, right.clustering.count, 1)
    finding = compared(step, len(left.rows) * groups)
    if finding is None:
        return
    st.markdown(f"**Left:** {esc_md(titles[0])} · **Right:** {esc_md(titles[1])}")
    show_pair(Pair(step.key, finding, left.rows, "left", "right"), "leaderboard")


def _run(entry: Entry) -> Run | None:
    """The run of an entry, shared by all sessions; None where its map or clusters are missing."""
    if entry.plan is None:
        return None
    plan = entry.plan
    if any(step.kind in ("encode", "project", "cluster") for step in entry.steps):
        return None
    told = (st.session_state.get("dataset_of"), entry.name, plan.projection, plan.clustering)
    return shared_run(("leaderboard", *told), Run(plan, backend().store))
