"""Below the table: the probes with their intervals, the neighbours in common, and what to do with
the ticked encoders."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from explorer.escape import esc_md
from explorer.plan import missing
from explorer.plot.intervals import Estimate, draw_intervals
from explorer.plot.shares import draw_shares
from explorer.project import Projector, projectors
from explorer.run import Run
from explorer.ui import panels, state, train_ask
from explorer.ui.backend import backend
from explorer.ui.compare_board import Comparison, Entry
from explorer.ui.compare_view import title_of
from explorer.ui.job_panel import submit
from explorer.ui.panel_form import add_picture
from explorer.ui.problem import show_problem

MAP = "pages/explore/map.py"
_DRAWING = ("encode", "model", "graph", "project")


def show_ticked(current: Run, ticked: Sequence[Entry]) -> None:
    """What can be done with the encoders that are ticked."""
    if not ticked:
        return
    others = [entry for entry in ticked if entry.recipe.encoder != current.recipe.encoder]
    with st.container(horizontal=True, vertical_alignment="center"):
        if len(ticked) == 1 and st.button(
                "Use in the recipe", key="compare.use", icon=":material/check:",
                disabled=not others or ticked[0].plan is None):
            train_ask.use(ticked[0].recipe.encoding)
            failed = train_ask.problem()
            if failed is None:
                state.go_to(MAP)
            else:
                show_problem(failed)
        if others and st.button("Maps side by side", key="compare.maps",
                                icon=":material/grid_view:",
                                disabled=len(others) > panels.MOST - 1):
            _side_by_side(current, others)
            state.go_to(MAP)
        st.caption(_said(current, ticked, others))


def _said(current: Run, ticked: Sequence[Entry], others: Sequence[Entry]) -> str:
    if len(others) > panels.MOST - 1:
        return f"{panels.MOST:d} maps fit side by side, and the first is the recipe's own: tick " \
               f"at most {panels.MOST - 1:d} others."
    names = ", ".join(esc_md(title_of(current, entry)) for entry in others)
    if not others:
        return "This is the recipe's encoder already."
    own = esc_md(current.recipe.encoding.title)
    drawn = esc_md(_projector(current).title)
    return f"Maps: the recipe's own ({own}) and {names}, all by {drawn}; what is not drawn yet " \
           "is computed."


def _projector(current: Run) -> Projector:
    """The recipe's projector; where that shows ready-made columns, which no encoder changes, PCA.
    """
    own = current.recipe.projecting
    return projectors().create("pca") if own.reads == "coordinates" else own


def _side_by_side(current: Run, others: Sequence[Entry]) -> None:
    projector = _projector(current)
    base = current.recipe.unedited
    names = [add_picture(base, entry.recipe.encoding, projector) for entry in others]
    state.change(panels=tuple({"show": name} for name in names))
    st.session_state["maps"] = len(names) + 1
    for place in range(1, panels.MOST):
        st.session_state.pop(f"maps.picture.{place}", None)
    drawing = [step for entry in others for step in state.plan_of(
        base.using(encoder=entry.recipe.encoder, projector=projector)).steps
        if step.kind in _DRAWING]
    submit(missing(drawing, backend().store))


def show_figures(current: Run, found: Comparison) -> None:
    """The probes and the neighbours as figures, as far as they are there."""
    titles = {entry.name: title_of(current, entry) for entry in found.entries}
    estimates = [Estimate(titles[entry.name], series, number.value, number.low, number.high)
                 for entry in found.entries
                 for series, number in (("kNN probe", entry.line.near),
                                        ("linear probe", entry.line.linear))
                 if number is not None]
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Who knows the groups best?**  \n:small[:gray[Accuracy on rows not learned "
                    "from, with 95 % intervals. Where they overlap widely, these rows do not "
                    "decide.]]")
        if estimates:
            st.plotly_chart(draw_intervals(estimates, axis="accuracy"), key="compare.intervals",
                            config={"displayModeBar": False})
        else:
            st.caption("Not defined without known groups, or not computed yet.")
    with right:
        _show_shared(found, titles)


def _show_shared(found: Comparison, titles: dict[str, str]) -> None:
    st.markdown("**Who sees the same neighbours?**  \n:small[:gray[The share of a row's nearest "
                "rows that two encoders agree on: two that agree tell the same story, whatever "
                "their scores.]]")
    if found.shared is None:
        st.caption("Not computed yet.")
        return
    keys = [line["key"] for line in found.shared.tables["embeddings"]]
    there = [entry for entry in found.entries
             if entry.plan is not None and entry.plan.embedding in keys]
    at = np.ix_(*[[keys.index(entry.plan.embedding) for entry in there
                   if entry.plan is not None]] * 2)
    shared, low, high = (found.shared.extras[name][at] for name in ("shared", "low", "high"))
    among = int(found.shared.extras["among"][0])
    st.plotly_chart(draw_shares(shared, [titles[entry.name] for entry in there], low=low,
                                high=high, said=f"of the {found.terms.k} nearest rows"),
                    key="compare.shared", config={"displayModeBar": False})
    st.caption(f"k = {found.terms.k:d}, {esc_md(found.terms.metric)} distance; by chance "
               f"{found.terms.k / max(1, among - 1):.1%}.")
    for note in found.shared.notes:
        st.caption(f":material/info: {esc_md(note)}")
