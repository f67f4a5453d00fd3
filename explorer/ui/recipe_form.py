"""The recipe as four forms; what is on the form is saved at once, the run is a button."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from explorer import values
from explorer.cluster import clusterers
from explorer.dataset import Dataset
from explorer.encode import Encoder, encoders
from explorer.errors import ExplorerError
from explorer.escape import esc_md
from explorer.project import projectors
from explorer.propose import fitting_encoders, propose
from explorer.recipe import Call, Recipe, recipe_from_data, recipe_from_yaml
from explorer.run import Run
from explorer.spec import Facts
from explorer.store import Entry
from explorer.ui import state
from explorer.ui.backend import backend
from explorer.ui.form import choose_method, edit_method, with_label
from explorer.ui.job_panel import about, submit, watch
from explorer.ui.problem import problems_shown, show_notes, show_problem


@dataclass(frozen=True)
class Edited:
    """The recipe as filled in, or None while the steps named in `refused` are."""

    recipe: Recipe | None
    refused: tuple[str, ...] = ()


def edit_recipe(data: Dataset, recipe: Recipe) -> Edited:
    """The forms of all steps."""
    changed = st.container()
    left, right = st.columns(2, gap="medium")
    with left:
        encoder = _encode_step(data, recipe)
        facts = _facts(data, recipe if encoder is None else recipe.using(encoder=encoder))
        projector = _step("2 Project", "Vectors become a picture.", "projector", projectors(),
                          recipe.projector, facts, _offered_projectors(data))
    with right:
        clusterer, space = _cluster_step(recipe, facts)
        scores = _judge_step(recipe)
    with changed:
        show_notes(state.recipe_notes())
    if facts.zeros and None in (projector, clusterer):
        _offer_leaving_out(encoder, facts)
    steps = {"1 Encode": encoder, "2 Project": projector, "3 Cluster": clusterer,
             "4 Judge": scores}
    refused = tuple(title for title, method in steps.items() if method is None)
    if refused:
        return Edited(None, refused)
    return Edited(recipe.using(encoder=encoder, projector=projector, clusterer=clusterer,
                               cluster_in=space, judges=scores))


def run_bar(recipe: Recipe) -> None:
    """What a run would compute and the button that starts it; progress while it runs."""
    try:
        plan = state.plan_of(recipe)
        missing = plan.missing(backend().store)
    except ExplorerError as error:
        show_problem(error)
        return
    if not missing:
        if state.document().ran != recipe.to_data():
            state.change(ran=recipe.to_data())
        left, right = st.columns([1, 3], vertical_alignment="center")
        if left.button("See the map", type="primary", icon=":material/scatter_plot:",
                       width="stretch"):
            state.go_to("pages/explore/map.py")
        right.caption(":material/check_circle: All steps of this recipe are computed.")
        return
    if watch(missing, "Computing the recipe"):
        return
    left, right = st.columns([1, 3], vertical_alignment="center")
    if left.button("Run", type="primary", icon=":material/play_arrow:", width="stretch"):
        submit(missing)
        state.change(ran=recipe.to_data())
        st.rerun()
    names = ", ".join(dict.fromkeys(step.title for step in missing))
    right.caption(f"Takes {about(sum(step.seconds for step in missing))}. To compute: "
                  f"{esc_md(names)}.")


def take_recipe(data: Dataset, recipe: Recipe) -> None:
    """Download, upload, and back to the proposal."""
    first, second, third = st.columns(3)
    whole = recipe_from_data(state.asked(recipe.to_data()))
    first.download_button("Download recipe", whole.to_yaml(), "recipe.yaml", "application/yaml",
                          icon=":material/download:", width="stretch",
                          help="Replay it with: explorer run recipe.yaml --data FILE --out DIR")
    if second.button("Use a recipe file", icon=":material/upload_file:", width="stretch"):
        _use_file(data)
    if third.button("Back to the proposal", icon=":material/undo:", width="stretch"):
        _replace(propose(data).recipe, data.roles)
        st.rerun()


@st.dialog("Use a recipe file")
def _use_file(data: Dataset) -> None:
    st.caption("Every step is set as in the file. Column roles are taken where the names are the "
               "same.")
    file = st.file_uploader("Recipe (YAML or JSON)", type=["yaml", "yml", "json"],
                            max_upload_size=8)
    if file is None or not st.button("Use it", type="primary"):
        return
    with problems_shown():
        given = recipe_from_yaml(file.getvalue().decode("utf-8", errors="replace"))
        roles = data.roles | {name: role for name, role in given.roles.items()
                              if name in data.roles}
        _replace(given.bare.using(dataset=data.id, dataset_name=data.name, roles=roles), roles)
        if given.studies:
            state.change(studies=tuple(given.to_data()["studies"]))
        st.rerun()


def show_stale(ran: Run, recipe: Recipe) -> None:
    """On the map: the form was changed since this map was asked for."""
    # Edits by hand come after those of the recipe, and are no change of it.
    if (ran.recipe.unedited == recipe.unedited
            and ran.recipe.edits[:len(recipe.edits)] == recipe.edits):
        return
    left, right = st.columns([4, 1], vertical_alignment="center")
    left.info("This is the map of the recipe you ran last. You have changed the recipe since.",
              icon=":material/change_circle:")
    if right.button("Run the changed recipe", width="stretch"):
        try:
            submit(state.plan_of(recipe).missing(backend().store))
            state.change(ran=recipe.to_data())
            st.rerun()
        except ExplorerError as error:
            show_problem(error)


def _step(title: str, words: str, slot: str, registry: Any, call: Any, facts: Facts | None,
          offered: list[str] | None = None) -> Any:
    with st.container(border=True):
        st.markdown(f"**{title}** · {words}")
        return choose_method(slot, registry, call, facts, offered)


def _encode_step(data: Dataset, recipe: Recipe) -> Encoder | None:
    """The encoder's form; it also refuses what is known beforehand: no columns, no model."""
    with st.container(border=True):
        st.markdown("**1 Encode** · Rows become vectors.")
        encoder = choose_method("encoder", encoders(), recipe.encoder, None,
                                [method.key for method in fitting_encoders(data)],
                                lambda method: method.offers(data))
        if not isinstance(encoder, Encoder):
            return None
        try:
            names = ", ".join(column.name for column in encoder.columns(data)[:8])
            encoder.fingerprint()
        except ExplorerError as error:
            show_problem(with_label(error))
            return None
        more = len(encoder.columns(data)) - 8
        st.caption(f"Reads {esc_md(names)}{f' and {more} more columns' if more > 0 else ''}. Roles "
                   "are changed on the page Bring data.")
        entry = _stored(recipe.using(encoder=encoder))
        show_notes(values.read(values.Embedding, entry).notes if entry is not None else ())
        return encoder


def _cluster_step(recipe: Recipe, facts: Facts) -> Any:
    with st.container(border=True):
        st.markdown("**3 Cluster** · Vectors become groups.")
        spaces = {"embedding": "the embedding", "projection": "the picture"}
        if "cluster_in" not in st.session_state:
            st.session_state["cluster_in"] = recipe.cluster_in
        space = st.segmented_control("Cluster in", list(spaces), key="cluster_in", required=True,
                                     format_func=lambda space: spaces[space])
        if space == "projection":
            st.warning("Distances in a picture are distorted: clusters found there, and their "
                       "scores, speak of the picture and are labelled so.")
            width = int(recipe.projector.parameters.get("dimensions", 2))
            facts = Facts(n=facts.n, d=width)
        return choose_method("clusterer", clusterers(), recipe.clusterer, facts), space


def _judge_step(recipe: Recipe) -> tuple[Call, ...] | None:
    """The judges as filled in; None while one is refused."""
    with st.container(border=True):
        titles = ", ".join(judge.title for judge in recipe.judging)
        st.markdown("**4 Judge** · Every clustering is judged in the space it was made in, noise "
                    "left out and counted.")
        st.caption(titles)
        found: list[Call] = []
        for judge in recipe.judging:
            if not judge.parameters():
                found.append(Call.of(judge))
                continue
            st.caption(f"{esc_md(judge.title)}:")
            filled = edit_method("judge", type(judge), judge.values(), None)
            if filled is None:
                return None
            found.append(Call.of(filled))
    return tuple(found)


def _offer_leaving_out(encoder: Encoder | None, facts: Facts) -> None:
    """Cosine distance has no use for all-zero rows: one click leaves them out, listed."""
    if encoder is None or "normalize" not in type(encoder).model_fields:
        return

    def leave_out() -> None:
        st.session_state[f"encoder.{encoder.key}.normalize"] = True

    st.button(f"Leave out the {facts.zeros:,} all-zero rows", icon=":material/filter_alt:",
              on_click=leave_out,
              help="Switches 'normalize' on in step 1: every vector gets length 1, and rows "
                   "without a direction are left out and listed.")


def _facts(data: Dataset, recipe: Recipe) -> Facts:
    """Of the embedding when it is there, else what the dataset says."""
    entry = _stored(recipe)
    if entry is None:
        return Facts(n=data.n, d=max(2, len(data.columns)))
    return values.facts_in(entry) or Facts(*entry.array("vectors").shape)


def _stored(recipe: Recipe) -> Entry | None:
    """The recipe's embedding, where it was computed before."""
    try:
        return backend().store.find(state.plan_of(recipe).embedding)
    except ExplorerError:
        return None  # the step it comes from shows the reason


def _offered_projectors(data: Dataset) -> list[str]:
    coordinates = len(data.with_role("coordinate")) in (2, 3)
    return [method.key for method in projectors() if method.reads != "coordinates" or coordinates]


def _replace(recipe: Recipe, roles: dict[str, str]) -> None:
    """Another recipe on the form: the widgets forget what they held."""
    state.forget_form()
    state.change(recipe=recipe.to_data(), roles=roles, reasons=())
