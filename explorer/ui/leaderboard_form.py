"""What to compare: tick methods, list values, see how much work it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import streamlit as st

from explorer.cluster import clusterers
from explorer.errors import ExplorerError
from explorer.escape import esc_md, shown
from explorer.known_groups import group_columns
from explorer.leaderboard import Contest, combine, varied, varies
from explorer.project import projectors
from explorer.propose import fitting_encoders
from explorer.recipe import Call, Recipe
from explorer.run import Run
from explorer.spec import Method
from explorer.ui import leaderboard_board as board
from explorer.ui import state
from explorer.ui.form import label_of, with_label
from explorer.ui.job_panel import about, submit
from explorer.ui.problem import show_problem

_NONE = ""


def show_form(current: Run, started: bool) -> None:
    """The three lists, the column, and the button with its estimate; folded where there is a board
    already (`started`)."""
    base = current.recipe.unedited
    coordinates = len(current.dataset.with_role("coordinate")) in (2, 3)
    with st.expander("Add recipes", expanded=not started, icon=":material/add:"):
        st.caption("Every ticked encoder, projector and clusterer is combined with every other. "
                   "Shared steps are computed once. List values of a parameter with commas "
                   "(5, 10, 15) to try each; without values the method runs with the recipe's "
                   "parameters, or its defaults.")
        try:
            encoders = _choose("encoder", fitting_encoders(current.dataset), base.encoder)
            drawn = [one for one in projectors() if one.reads != "coordinates" or coordinates]
            maps = _choose("projector", drawn, base.projector)
            groups = _choose("clusterer", clusterers(), base.clusterer)
            contest = _contest(current)
            recipes = combine(base, encoders, maps, groups)
            steps = board.plan_all(recipes, contest) if recipes else ()
        except ExplorerError as error:
            show_problem(with_label(error))
            return
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(f"Compare {len(recipes)} recipes", type="primary", disabled=not recipes,
                      icon=":material/play_arrow:", key="leaderboard.run",
                      on_click=_start, args=(recipes, contest))
            st.caption(_work(len(recipes), len(steps), sum(step.seconds for step in steps)))


def _work(recipes: int, steps: int, seconds: float) -> str:
    if not recipes:
        return "Tick at least one encoder, one projector and one clusterer."
    if not steps:
        return "Everything is computed already."
    return f"{steps} steps to compute, {about(seconds)} of one core; they go on while you do " \
           "something else, and after a reload."


def _choose(slot: str, offered: Iterable[type[Method]], now: Call) -> list[Method]:
    """The methods ticked for a slot, each with its listed values."""
    methods = {method.key: method for method in offered}
    key = f"leaderboard.{slot}"
    kept = st.session_state.get(f"{key}.kept", [now.method])
    if key not in st.session_state:
        st.session_state[key] = [one for one in kept if one in methods]
    chosen: list[str] = st.multiselect(f"{slot.capitalize()}s", list(methods), key=key,
                                       format_func=lambda name: methods[name].title)
    st.session_state[f"{key}.kept"] = chosen
    found: list[Method] = []
    for name in chosen:
        method = methods[name]
        parameter, listed = _values(slot, method, now)
        found += varied(method, now, parameter, listed)
    return found


def _values(slot: str, method: type[Method], now: Call) -> tuple[str, str]:
    """The parameter to vary and its values as typed; kept while the page is away."""
    names = varies(method)
    if not names:
        return "", ""
    key = f"leaderboard.{slot}.{method.key}"
    title, left, right = st.columns([2, 3, 5], vertical_alignment="center")
    title.markdown(f":small[{esc_md(method.title)}]")
    kept = st.session_state.setdefault("leaderboard.values", {})
    known, typed = kept.get(key, (names[0], ""))
    for name, value in ((f"{key}.of", known), (f"{key}.values", typed)):
        if name not in st.session_state:
            st.session_state[name] = value
    chosen = str(left.selectbox("Parameter", names, key=f"{key}.of", format_func=label_of,
                                label_visibility="collapsed"))
    default = next(one.default for one in method.parameters() if one.name == chosen)
    if now.method == method.key:
        default = now.parameters.get(chosen, default)
    listed = str(right.text_input("Values", key=f"{key}.values", label_visibility="collapsed",
                                  placeholder=f"values with commas; as it is: {default}"))
    kept[key] = (chosen, listed)
    return chosen, listed


def _contest(current: Run) -> Contest:
    told = state.document().leaderboard
    columns = [_NONE, *(offer.name for offer in group_columns(current.dataset) if not offer.why)]
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    saved = str(told.get("column", columns[1] if len(columns) > 1 else _NONE))
    if st.session_state.get("leaderboard.column") not in columns:
        st.session_state["leaderboard.column"] = saved if saved in columns else _NONE
    if "leaderboard.trust" not in st.session_state:
        st.session_state["leaderboard.trust"] = bool(told.get("trust", True))
    column = str(left.selectbox(
        "Known groups", columns, key="leaderboard.column",
        format_func=lambda name: shown(name) or "none",
        help="A column to compare the clusters with (ARI) and to predict from the vectors "
             "(probe): these two can be compared across encoders."))
    trust = right.checkbox("Judge the maps too", key="leaderboard.trust",
                           help="Trustworthiness of every projection: neighbours on the map that "
                                "are neighbours in the embedding.")
    return Contest(column, bool(trust))


def _start(recipes: Sequence[Recipe], contest: Contest) -> None:
    try:
        board.keep(recipes, contest)
        submit(board.read_board().missing)
    except ExplorerError as error:
        st.session_state["leaderboard.problem"] = error
