"""How many clusters: one job over several numbers and methods, and a click to use one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from explorer import values
from explorer.cluster import Clusterer, clusterers
from explorer.errors import ExplorerError
from explorer.escape import esc_md
from explorer.jobs import Step
from explorer.recipe import Call
from explorer.run import Run
from explorer.spec import Facts
from explorer.sweep import Sweep
from explorer.sweep_step import sweep_step, swept_judges, swept_methods
from explorer.ui import state
from explorer.ui.backend import backend
from explorer.ui.job_panel import about, submit, watch
from explorer.ui.kept import Kept
from explorer.ui.shared import calibration
from explorer.ui.sweep_result import show_result
from explorer.values import facts_in, facts_of

_MOST = 60
_sweeps: Kept[Sweep] = Kept(64)
_facts: Kept[Facts] = Kept(64)


def show_sweep(current: Run) -> None:
    """The form of the sweep, its job, and what it found."""
    highest = min(_MOST, len(current.rows) - 1)
    if highest < 3:
        st.info("There are too few rows for a sweep: it needs at least four.",
                icon=":material/info:")
        return
    offered = _offer(swept_methods(current.recipe, state.document().sweep_methods),
                     _facts_of(current), highest)
    methods = _choose_methods(current, offered)
    left, right = st.columns([3, 1], vertical_alignment="bottom", gap="medium")
    saved = [count for count in state.document().sweep if count <= highest]
    tried = (saved[0], saved[-1]) if len(saved) > 1 else (2, min(15, highest))
    low, high = left.slider("Numbers of clusters to try", 2, highest, tried, key="sweep_range")
    if not methods:
        st.caption("Choose at least one method.")
        return
    counts = tuple(range(low, high + 1))
    keys = [*(method.key for method in methods), *(judge.key for judge in
                                                   swept_judges(current.recipe))]
    step = sweep_step(current.plan, counts, methods, calibration(tuple(keys)))
    found = _read(step.key)
    if found is not None:
        right.button("Computed", width="stretch", disabled=True, icon=":material/check:")
        _remember(counts, methods)
        show_result(current, found, step.key, _user(current, counts, methods))
        return
    if watch([step], "Trying the numbers of clusters"):
        return
    right.button(f"Try them ({about(step.seconds)})", width="stretch", type="primary",
                 icon=":material/play_arrow:", key="sweep_try", on_click=_start,
                 args=(step, counts, methods))
    st.caption("Clusters the rows once for each number and method and judges every result. All of "
               "it is kept: using a number later computes nothing, and trying more numbers or "
               "methods computes only what is new.")


def _choose_methods(current: Run, offered: dict[str, Clusterer]) -> list[Clusterer]:
    """Which of the offered methods to try."""
    if not offered:
        return []
    if "sweep_with" not in st.session_state:
        known = [call["method"] for call in state.document().sweep_methods]
        wanted = known or [current.recipe.clusterer.method]
        st.session_state["sweep_with"] = [key for key in wanted if key in offered] or [
            next(iter(offered))]
    chosen = st.pills(
        "Methods to try", list(offered), selection_mode="multi", key="sweep_with",
        format_func=lambda key: esc_md(clusterers().get(key).title),
        help="Methods that take a number of clusters. The recipe's has the recipe's parameters, "
             "the others their defaults.")
    return [offered[key] for key in offered if key in chosen]


def _offer(methods: Sequence[Clusterer], facts: Facts, highest: int) -> dict[str, Clusterer]:
    """Those that take this data; the others are named with their reason."""
    offered: dict[str, Clusterer] = {}
    for method in methods:
        try:
            method.with_count(min(3, highest)).check(facts)
            offered[method.key] = method
        except ExplorerError as error:
            st.caption(f":material/info: {esc_md(method.title)} cannot be tried: "
                       f"{esc_md(error.message)}")
    return offered


def _facts_of(current: Run) -> Facts:
    """What is known of the clustered vectors."""
    def look() -> Facts:
        entry = backend().store.get(current.plan.clustered)
        if current.recipe.cluster_in == "projection":
            assert current.projection is not None
            return facts_of(current.projection.points)
        return facts_in(entry) or Facts(*entry.array("vectors").shape)
    return _facts.get((str(backend().store.root), current.plan.clustered), look)


def _read(key: str) -> Sweep | None:
    named = (str(backend().store.root), key)
    held = _sweeps.find(named)
    if held is not None:
        return held
    entry = backend().store.find(key)
    return None if entry is None else _sweeps.get(named, lambda: values.read(Sweep, entry))


def _start(step: Step, counts: tuple[int, ...], methods: Sequence[Clusterer]) -> None:
    submit([step])
    _remember(counts, methods)


def _remember(counts: tuple[int, ...], methods: Sequence[Clusterer]) -> None:
    """The workspace comes back to this sweep."""
    state.change(sweep=counts, sweep_methods=tuple(
        Call.of(method).model_dump(mode="json") for method in methods))


def _user(current: Run, counts: tuple[int, ...],
          methods: Sequence[Clusterer]) -> Callable[[str, int], None]:
    """The callback that makes a method with a number of clusters the recipe's."""
    known = {method.key: method for method in methods}

    def use(key: str, count: int) -> None:
        recipe = current.recipe.unedited.using(clusterer=known[key].with_count(count))
        submit(state.plan_of(recipe).missing(backend().store))
        state.forget_form()
        state.change(recipe=recipe.to_data(), ran=recipe.to_data())
        _remember(counts, methods)
    return use
