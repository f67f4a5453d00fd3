"""What the clusters are set beside: a column, other clusters of the same rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import streamlit as st

from explorer.agreement import Sorted, agreement_step
from explorer.changes import KINDS, changes_of
from explorer.cluster import Clusterer, clusterers
from explorer.encode import Encoder, encoders
from explorer.errors import ExplorerError
from explorer.escape import esc_md, shown
from explorer.jobs import Step
from explorer.known_groups import group_columns
from explorer.plan import Plan
from explorer.propose import fitting_encoders
from explorer.recipe import Recipe, open_recipe
from explorer.run import Run
from explorer.study.agreement import Agreement, Noise
from explorer.study.step import study_step
from explorer.ui import state
from explorer.ui.backend import backend
from explorer.ui.form import choose_method
from explorer.ui.problem import show_problem
from explorer.workspace import Family

COLUMN, BEFORE, CLUSTERER, ENCODER, WORKSPACE = (
    "A column", "Clusters before edits", "Another clusterer", "Another encoder",
    "Another workspace")
_MEMORY = "agreement_against"


@dataclass(frozen=True)
class Other:
    """The other side of a comparison: the `step` that makes it, what is computed before it
    (`waiting`), what it is called, the names of its clusters where they have some; `study` where
    the comparison is a study of the run."""

    step: Step
    title: str
    waiting: tuple[Step, ...] = ()
    names: Mapping[int, str] = field(default_factory=dict)
    study: Agreement | None = None
    groups: int = 200
    """About how many groups it has."""


def choose_other(current: Run, noise: Noise) -> Other | None:
    """The other side as the person chose it; None while something is missing, which is said."""
    options = [COLUMN, *([BEFORE] if current.plan.edited else []), CLUSTERER, ENCODER, WORKSPACE]
    if st.session_state.get("agreement.against") not in options:
        kept = st.session_state.get(_MEMORY)
        columns = any(not offer.why for offer in group_columns(current.dataset))
        st.session_state["agreement.against"] = kept if kept in options else (
            COLUMN if columns else CLUSTERER)
    chosen = str(st.segmented_control("Compare the clusters with", options, required=True,
                                      key="agreement.against",
                                      format_func=lambda option: esc_md(option)))
    st.session_state[_MEMORY] = chosen
    chooser: Callable[[Run, Noise], Other | None] = {
        COLUMN: _column, BEFORE: _before, CLUSTERER: _clusterer, ENCODER: _encoder,
        WORKSPACE: _workspace}[chosen]
    try:
        return chooser(current, noise)
    except ExplorerError as error:
        show_problem(error)
        return None


def choose_column(current: Run, key: str, saved: str, label: str = "Column") -> str:
    """A column that sorts the rows into groups, those that do not listed with the reason; '' where
    there is none."""
    offers = group_columns(current.dataset)
    fitting = [offer.name for offer in offers if not offer.why]
    refused = [f"{offer.name} ({offer.why})" for offer in offers if offer.why]
    if not fitting:
        st.info("No column sorts the rows into groups: a column with the role label or category "
                "and 2 to 200 different values would. Roles are set on the Bring data page.",
                icon=":material/info:")
        return ""
    if st.session_state.get(key) not in fitting:
        st.session_state[key] = saved if saved in fitting else fitting[0]
    listed = f" Not offered: {', '.join(refused[:8])}." if refused else ""
    return str(st.selectbox(label, fitting, key=key, format_func=shown, help=esc_md(
        "Labels, categories, and numbers with few different values; labels first." + listed)))


def _column(current: Run, noise: Noise) -> Other | None:
    made = next((study for study in current.recipe.studying if isinstance(study, Agreement)), None)
    name = choose_column(current, "agreement.column", made.column if made else "")
    if not name:
        return None
    study = Agreement.create(column=name, noise=noise)
    return Other(study_step(current.plan, study), name, study=study,
                 groups=current.dataset.column(name).distinct or 200)


def _before(current: Run, noise: Noise) -> Other:
    assert current.original is not None
    step = agreement_step(Sorted.of(current.plan), Sorted.of(current.plan, original=True), noise,
                          len(current.rows))
    return Other(step, "before your edits", groups=current.original.count)


def _clusterer(current: Run, noise: Noise) -> Other | None:
    with st.container(border=True):
        method = choose_method("agreement_clusterer", clusterers(), current.recipe.clusterer, None)
    if not isinstance(method, Clusterer):
        return None
    return _with(current, current.recipe.unedited.using(clusterer=method), method.title, noise)


def _encoder(current: Run, noise: Noise) -> Other | None:
    data = current.dataset
    with st.container(border=True):
        st.caption("The same clusterer, on vectors that another encoder makes of the same rows.")
        method = choose_method("agreement_encoder", encoders(), current.recipe.encoder, None,
                               [encoder.key for encoder in fitting_encoders(data)],
                               lambda encoder: encoder.offers(data))
    if not isinstance(method, Encoder):
        return None
    return _with(current, current.recipe.unedited.using(encoder=method), method.title, noise)


def _workspace(current: Run, noise: Noise) -> Other | None:
    asked = st.text_input("Address of the workspace", key="agreement.workspace",
                          placeholder="paste the address another tab shows",
                          help="The address of a workspace on this server that holds the same "
                               "data: its clusters, as they were last edited there.").strip()
    identifier = re.sub(r".*[?&]w=([^&#]+).*", r"\1", asked)
    if not identifier:
        return None
    held = backend().workspaces.open(identifier)
    document = state.Document.model_validate(held.document)
    if document.dataset != current.dataset.id or document.ran is None:
        st.warning("That workspace holds other data, or nothing was computed there yet.",
                   icon=":material/warning:")
        return None
    recipe = open_recipe(document.ran).recipe.bare
    base = state.plan_of(recipe).clustering
    trail = backend().workspaces.trail(identifier, Family(KINDS, "clustering", base))
    changes = changes_of(((step.operation, step.payload) for step in trail.active), base)
    edited = recipe.using(edits=[*(made.model_dump(mode="json") for made in recipe.edits),
                                 *changes.edits])
    return _with(current, edited, held.name, noise, dict(changes.names))


def _with(current: Run, recipe: Recipe, title: str, noise: Noise,
          names: Mapping[int, str] | None = None) -> Other | None:
    """The clusters of another recipe on the same rows."""
    plan = state.plan_of(recipe)
    if plan.clustering == current.plan.clustering:
        st.caption("These are the clusters of the map: choose another method or other parameters.")
        return None
    step = agreement_step(Sorted.of(current.plan), Sorted.of(plan), noise, len(current.rows))
    return Other(step, title, waiting_for(plan), names or {})


def waiting_for(plan: Plan) -> tuple[Step, ...]:
    """The steps on the way to the clusters of a plan that are still to be computed."""
    kinds = {"encode", "model", "tree", "cluster", "edit"}
    if plan.recipe.cluster_in == "projection":
        kinds |= {"graph", "project"}
    return tuple(step for step in plan.missing(backend().store) if step.kind in kinds)
