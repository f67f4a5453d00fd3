"""Maps side by side: the same rows on several pictures, each with its own colours."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import streamlit as st

from explorer import values
from explorer.errors import ExplorerError
from explorer.escape import esc_md, shown
from explorer.jobs import Step
from explorer.plan import Plan
from explorer.project import projectors
from explorer.recipe import Recipe
from explorer.run import Run
from explorer.ui import state
from explorer.ui.backend import backend
from explorer.ui.colors import choose_coloring, colorings
from explorer.ui.job_panel import about, submit, watch
from explorer.ui.kept import Kept
from explorer.ui.map_data import Picture, picture_of
from explorer.ui.map_view import show_map
from explorer.ui.panel_form import ask_for_picture, recipe_of
from explorer.ui.point_view import show_points
from explorer.ui.problem import show_problem
from explorer.ui.silhouette_view import show_silhouette

MOST = 4
OWN, BARS = "", "bars"
_DRAWING = ("encode", "model", "graph", "project")
_pictures: Kept[Picture] = Kept(32)


@dataclass(frozen=True)
class Choice:
    """What a panel can show: `recipe` makes its picture (None: the silhouette bars)."""

    title: str
    recipe: Recipe | None


def choose_number(current: Run) -> int:
    """How many maps stand side by side (1 to 4); kept in the workspace."""
    panels = state.document().panels
    if "maps" not in st.session_state:
        st.session_state["maps"] = len(panels) + 1
    number = int(st.segmented_control("Maps", range(1, MOST + 1), key="maps", required=True,
                                      label_visibility="collapsed",
                                      format_func=lambda count: esc_md(_maps(count))) or 1)
    if number != len(panels) + 1:
        kept = panels[:number - 1]
        shown_already = {panel.get("show") for panel in kept}
        fresh = [key for key in _choices(current) if key not in (OWN, BARS, *shown_already)]
        added = [*fresh, BARS, *[OWN] * MOST][:number - 1 - len(kept)]
        state.change(panels=(*kept, *({"show": key} for key in added)))
    return number


def choose_together() -> None:
    """Whether maps move together; the choice outlives a change of page."""
    st.session_state["together_kept"] = st.toggle(
        "Move together", value=moves_together(), key="maps.together",
        help="Dragging or zooming one map moves the others: those of the same picture exactly, "
             "others to the same rows.")


def moves_together() -> bool:
    """What was chosen last, together at first."""
    return bool(st.session_state.get("together_kept", True))


def show_side_by_side(current: Run, names: dict[int, str], number: int) -> None:
    """The maps, two in a row; the first one is the recipe's own."""
    choices = _choices(current)
    for first in range(0, number, 2):
        with st.container(key="views" if number == 2 else f"views_half_{first // 2}"):
            columns = st.columns(2, gap="small")
        for place, column in enumerate(columns[:number - first], start=first):
            with column:
                _show_panel(current, names, place, choices, folded=number > 2)
        if first + 1 == number:
            columns[1].caption("Room for one more map: choose 4 above.")


def _show_panel(current: Run, names: dict[int, str], place: int,
                choices: dict[str, Choice], *, folded: bool) -> None:
    left, middle, right = st.columns([10, 2, 10], gap="xxsmall")
    with left:
        key = _choose(current, place, choices)
    if place and middle.button("", icon=":material/add:", key=f"maps.add.{place}",
                               help="Draw another picture of these rows"):
        ask_for_picture(current.recipe, place)
    name = f".{place}" if place else ""
    choice = choices[key]
    if choice.recipe is None:
        show_silhouette(current, names, key=f"silhouette{name}")
        return
    with right:
        coloring = choose_coloring(colorings(current, names), name)
    assert current.projection is not None
    if key == OWN and current.projection.points.shape[1] != 2:
        if place:
            st.info("A 3-D map stands in the first place only: choose another picture here.",
                    icon=":material/info:")
        else:
            show_map(current, coloring, names)
        return
    picture = picture_of(current) if key == OWN else _picture(choice, place)
    if picture is not None:
        show_points(current, coloring, names, key=f"map{name}", picture=picture,
                    linked=moves_together(), folded=folded)


def _choose(current: Run, place: int, choices: dict[str, Choice]) -> str:
    """What the panel shows; the first one always shows the recipe's own picture."""
    panels = state.document().panels
    kept = str(panels[place - 1].get("show", OWN)) if 0 < place <= len(panels) else OWN
    widget = f"maps.picture.{place}"
    if st.session_state.get(widget) not in choices:
        st.session_state[widget] = kept if kept in choices else OWN
    picked = str(st.selectbox("Picture", list(choices) if place else [OWN], key=widget,
                              format_func=lambda key: shown(choices[key].title),
                              label_visibility="collapsed", disabled=not place))
    if place and picked != kept:
        state.change(panels=tuple({"show": picked} if at == place - 1 else panel
                                  for at, panel in enumerate(panels)))
    return picked


def _choices(current: Run) -> dict[str, Choice]:
    """The recipe's own picture, the bars, the projectors as they are by default, and the pictures
    people asked for in this workspace."""
    recipe = current.recipe.unedited  # a picture does not depend on edits of the clusters
    found = {OWN: Choice(f"Map: {recipe.projecting.title}", recipe),
             BARS: Choice("Silhouette bars", None)}
    coordinates = len(current.dataset.with_role("coordinate")) == 2
    for method in projectors():
        if method.key != recipe.projector.method and (
                method.reads != "coordinates" or coordinates):
            found[method.key] = Choice(f"Map: {method.title}",
                                       recipe.using(projector=method.create()))
    for asked in state.document().pictures:
        variant = recipe_of(recipe, asked)
        if variant is not None:
            found[str(asked["name"])] = Choice(f"Map: {asked['title']}", variant)
    return found


def _picture(choice: Choice, place: int) -> Picture | None:
    """The picture of a panel; where it is not drawn yet, what drawing takes, or how far it is."""
    assert choice.recipe is not None
    data = state.dataset()
    assert data is not None
    name = (str(backend().store.root), data.id, tuple(data.roles.items()),
            json.dumps(choice.recipe.to_data(), sort_keys=True))
    held = _pictures.find(name)
    if held is not None:
        return held
    try:
        plan = state.plan_of(choice.recipe)
        missing = [step for step in plan.missing(backend().store) if step.kind in _DRAWING]
    except ExplorerError as error:
        show_problem(error)
        return None
    if not missing:
        return _pictures.get(name, lambda: _read(plan))
    _offer_drawing(choice, missing, place)
    return None


def _offer_drawing(choice: Choice, missing: list[Step], place: int) -> None:
    title = choice.title.removeprefix("Map: ")
    if watch(missing, f"Drawing {title}", f".{place}"):
        return
    seconds = about(sum(step.seconds for step in missing))
    st.markdown(f"This picture ({esc_md(title)}) is not drawn yet.")
    st.button(f"Draw it ({seconds})", icon=":material/play_arrow:", key=f"maps.draw.{place}",
              type="primary", on_click=submit, args=(missing,))


def _read(plan: Plan) -> Picture:
    store = backend().store
    embedding = values.read(values.Embedding, store.get(plan.embedding))
    projection = values.read(values.Projection, store.get(plan.projection))
    return Picture(plan.embedding, plan.projection, embedding.rows,
                   np.asarray(projection.points), plan.recipe.projecting.reads != "coordinates")


def _maps(number: int) -> str:
    return "1 map" if number == 1 else f" {number} "
