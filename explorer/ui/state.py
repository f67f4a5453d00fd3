"""What one browser tab is looking at: its workspace (saved at every change) and its selection."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from pydantic import BaseModel, ConfigDict

from explorer.dataset import Dataset, open_dataset
from explorer.errors import StoreError
from explorer.imports import imported
from explorer.jobs import Step
from explorer.plan import Plan, make_plan
from explorer.recipe import Recipe, open_recipe
from explorer.run import Run
from explorer.ui.backend import backend
from explorer.ui.chosen import (
    Selection,
    drop_selections,
    forget_selection,
    past_selections,
    redo_selection,
    select,
    selection,
    undo_selection,
)
from explorer.ui.shared import calibration, missing_of_whole, shared_dataset, shared_run
from explorer.workspace import Operation

__all__ = [
    "Document", "Opened", "Selection", "asked", "change", "cluster_names", "current_run", "dataset",
    "document", "draft", "drop_selections", "forget_form", "forget_selection", "go_to", "keep_mine",
    "missing", "note_recipe", "open_copy", "open_workspace", "past_selections", "plan_of",
    "recipe_notes", "redo_selection", "reload", "select", "selection",
    "start_over", "undo_selection",
]

_OPENED = "opened"
_UNSAVED = "unsaved"
_FORMS = ("encoder.", "projector.", "clusterer.", "cluster_in", "judge.", "sweep_range", "study.",
          "train.", "anomalies.")


class Document(BaseModel):
    """A workspace as plain data. `recipe` is the one on the form, `ran` the one last asked for."""

    model_config = ConfigDict(frozen=True, extra="allow")

    dataset: str = ""
    roles: dict[str, str] = {}
    source: str = ""
    """The import `dataset` came from: other files may have the same content."""
    upload: dict[str, Any] = {}
    """The kept files and options `dataset` was read from; empty for a sample."""
    importing: str = ""
    reading: dict[str, Any] = {}
    """The same for the import under way."""
    recipe: dict[str, Any] | None = None
    ran: dict[str, Any] | None = None
    reasons: tuple[str, ...] = ()
    sweep: tuple[int, ...] = ()
    sweep_methods: tuple[dict[str, Any], ...] = ()
    """The numbers of clusters tried last, and the clusterers tried, as calls."""
    studies: tuple[dict[str, Any], ...] = ()
    """The studies asked for, one of each kind, as calls."""
    leaderboard: dict[str, Any] = {}
    """The recipes that are compared, and against what (see ui/leaderboard_board.py)."""
    comparison: dict[str, Any] = {}
    """The encoders that are compared, as calls, and against what (see ui/compare_choice.py)."""
    panels: tuple[dict[str, Any], ...] = ()
    """What the second to fourth map side by side show (see ui/panels.py)."""
    pictures: tuple[dict[str, Any], ...] = ()
    """The other pictures asked for (see ui/panel_form.py)."""
    anomalies: dict[str, Any] = {}
    """Score, threshold and labels of the page 'Anomalies' (see ui/anomalies_choice.py)."""
    trained: tuple[dict[str, Any], ...] = ()
    """The networks asked for, as calls of their encoders, the newest first."""
    ran_before: dict[str, Any] | None = None
    """The recipe that was computed whole before a network was asked for: the way back."""


@dataclass
class Opened:
    """The workspace open in this session and the version it was read or saved at."""

    id: str
    document: Document
    version: int


def open_workspace() -> Opened:
    """The workspace named in the address (`?w=`), the one already open, or a new empty one.

    Raises StoreError NO_WORKSPACE when the address names one that is not here.
    """
    asked = st.query_params.get("w")
    opened: Opened | None = st.session_state.get(_OPENED)
    if opened is None or (asked and asked != opened.id):
        shelf = backend().workspaces
        opened = _read(asked) if asked else Opened("", Document(), 0)
        if not asked:
            opened.id = shelf.create("Untitled")
            opened.version = shelf.open(opened.id).version
        st.session_state[_OPENED] = opened
        drop_selections()
    if asked != opened.id:
        st.query_params["w"] = opened.id
    return opened


def document() -> Document:
    """The open workspace's document."""
    return open_workspace().document


def change(**fields: Any) -> None:
    """Save the document with other fields. Raises StoreError CONFLICT when another tab saved
    first: nothing is overwritten, `reload` shows the other's state and `keep_mine` moves this
    tab's to a workspace of its own."""
    opened = open_workspace()
    changed = opened.document.model_copy(update=fields)
    if changed == opened.document:
        return
    try:
        opened.version = backend().workspaces.save(opened.id, changed.model_dump(mode="json"),
                                                   opened.version)
    except StoreError as error:
        if error.code == "CONFLICT":
            st.session_state[_UNSAVED] = changed
        raise
    opened.document = changed


def reload() -> None:
    """Show the workspace as another tab left it; what this one could not save is let go."""
    st.session_state[_OPENED] = _read(open_workspace().id)
    st.session_state.pop(_UNSAVED, None)
    forget_form()
    drop_selections()


def keep_mine() -> None:
    """Move what this tab could not save, with the log of names, to a new workspace."""
    opened = open_workspace()
    mine: Document = st.session_state.pop(_UNSAVED, opened.document)
    open_copy(mine, backend().workspaces.operations(opened.id))


def open_copy(document: Document, steps: Sequence[Operation]) -> None:
    """Open a new workspace with this document and this log; the one open until now stays."""
    shelf = backend().workspaces
    copy = shelf.create("Untitled")
    for step in steps:
        shelf.log(copy, step.operation, step.payload)
    shelf.save(copy, document.model_dump(mode="json"), shelf.open(copy).version)
    st.session_state[_OPENED] = _read(copy)
    st.query_params["w"] = copy


def forget_form() -> None:
    """Let the recipe's and the sweep's widgets show what is saved, not what they held."""
    for key in list(st.session_state):
        if str(key).startswith(_FORMS):
            del st.session_state[key]
    st.session_state.pop("kept_values", None)
    st.session_state.pop("recipe_notes", None)


def start_over() -> None:
    """A new empty workspace; the old one stays under its address."""
    forget_form()
    for name in ("ticked", "color_by", "export_rows", "export_clusters"):
        st.session_state.pop(name, None)
    st.session_state.pop(_OPENED, None)
    st.query_params.pop("w", None)
    open_workspace()


def go_to(page: str) -> None:
    """Show another page of this workspace; its address names the workspace from the start."""
    st.switch_page(page, query_params={"w": open_workspace().id})


def dataset() -> Dataset | None:
    """The open dataset with the person's roles; None before an import."""
    opened = document()
    if not opened.dataset:
        return None
    wanted = (opened.dataset, opened.source, tuple(sorted(opened.roles.items())))
    found: Dataset | None = st.session_state.get("dataset")
    if found is None or st.session_state.get("dataset_of") != wanted:
        found = shared_dataset(opened.dataset, wanted, lambda: _open_dataset(opened))
        st.session_state["dataset"] = found
        st.session_state["dataset_of"] = wanted
    return found


def draft() -> Recipe | None:
    """The recipe on the form, as this version can run it; `recipe_notes` has what was changed."""
    data = document().recipe
    if not data:
        return None
    opened = open_recipe(data)
    note_recipe(*opened.notes)
    return opened.recipe.bare


def note_recipe(*notes: str) -> None:
    """Remember what had to be changed in the saved recipe, until another takes its place."""
    if notes:
        said = st.session_state.setdefault("recipe_notes", {})
        said.setdefault(open_workspace().id, {}).update(dict.fromkeys(notes))


def recipe_notes() -> tuple[str, ...]:
    """What was changed in the saved recipe of this workspace, in words."""
    return tuple(st.session_state.get("recipe_notes", {}).get(open_workspace().id, ()))


def current_run() -> Run | None:
    """The results of the recipe last asked for, its clusters as people edited them, as far as they
    are there."""
    opened = document()
    data = dataset()
    if data is None or opened.ran is None:
        return None
    from explorer.ui import edits  # which reads what is open here

    return _run_of(asked(edits.edited(opened.ran, data)), data)


def asked(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe as plain data, with the studies of this workspace."""
    studies = document().studies
    return {**recipe, "studies": list(studies)} if studies else dict(recipe)


def missing(current: Run) -> tuple[Step, ...]:
    """The steps of a run that are still to be computed."""
    if st.session_state.get("run_whole") and st.session_state.get("run") is current:
        return missing_of_whole(current)
    return current.plan.missing(backend().store)


def plan_of(recipe: Recipe) -> Plan:
    """The plan of a recipe on the open dataset, with this machine's calibration."""
    data = dataset()
    assert data is not None, "plan_of is called on pages that have a dataset"
    methods = (recipe.encoder.method, f"{recipe.encoder.method}.model", recipe.projector.method,
               recipe.clusterer.method,
               *(call.method for call in recipe.judges), "nearest")
    return make_plan(recipe, data, backend().store, calibration(methods))


def cluster_names() -> dict[int, str]:
    """The names people gave to the clusters of the current clustering."""
    from explorer.ui import edits  # which reads what is open here

    return dict(edits.worked().changes.names)


def _read(identifier: str) -> Opened:
    found = backend().workspaces.open(identifier)
    return Opened(found.id, Document.model_validate(found.document), found.version)


def _open_dataset(opened: Document) -> Dataset:
    store = backend().store
    found = imported(store, opened.source) if opened.source else None
    if found is None or found.id != opened.dataset:
        found = open_dataset(store, opened.dataset)
    return found.with_roles(opened.roles)


def _run_of(ran: Mapping[str, Any], data: Dataset) -> Run:
    """The Run object is kept between reruns while the recipe, the roles and what is stored stay the
    same, and shared between sessions, so that its arrays are opened once."""
    cached: Run | None = st.session_state.get("run")
    if (cached is not None and cached.dataset.id == data.id and st.session_state["run_of"] == ran
            and st.session_state["run_roles"] == data.roles and st.session_state["run_whole"]):
        return cached
    fresh = Run(plan_of(open_recipe(ran).recipe), backend().store)
    whole = fresh.complete
    if whole:
        fresh = shared_run((st.session_state["dataset_of"], json.dumps(ran, sort_keys=True)), fresh)
    if cached is not None and cached.plan.original != fresh.plan.original:
        st.session_state.pop("ticked", None)  # a number of the old clustering names other rows now
    st.session_state["run"] = fresh
    st.session_state["run_of"] = dict(ran)
    st.session_state["run_roles"] = data.roles
    st.session_state["run_whole"] = whole
    return fresh
