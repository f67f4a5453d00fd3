"""What was done to the clusters of the open workspace, and what a person does to them next.

Everything is in the workspace's log, and read from it at every rerun: another tab, a reload and a
restart show the same clusters. The recipe last run stays as it is; its edits are added here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import streamlit as st

from explorer import steps
from explorer.changes import KINDS, Changes, changes_of, refuse_locked
from explorer.dataset import Dataset
from explorer.edit import Edit, Labelled
from explorer.errors import DataError, ExplorerError
from explorer.jobs import Step
from explorer.recipe import Call, open_recipe
from explorer.run import Run, name_of
from explorer.spec import silent
from explorer.ui import state
from explorer.ui.backend import backend
from explorer.ui.kept import Kept
from explorer.workspace import Family, Operation, Trail

__all__ = ["LONGEST_NAME", "LONGEST_NOTE", "Worked", "annotate", "apply", "attempt",
           "back_to_original", "edited", "labelled", "lock", "problem", "redo", "refuse_locked",
           "rename", "told", "undo", "worked"]

_PROBLEM = "edit_problem"
LONGEST_NAME = 120
LONGEST_NOTE = 2_000


@dataclass(frozen=True)
class Worked:
    """The clustering `base` of the recipe last run as people changed it: the `trail` of what they
    did, the `changes` it comes to, and the recipe with the edits that are computed as `ran`;
    `waiting` are the steps of those that are not."""

    base: str
    trail: Trail
    changes: Changes
    ran: dict[str, Any]
    waiting: tuple[Step, ...] = ()

    @property
    def family(self) -> Family:
        return _family(self.base)


_bases: Kept[str] = Kept(64)
_trails: Kept[tuple[Trail, Changes]] = Kept(64)
_whole: Kept[dict[str, Any]] = Kept(64)


def edited(ran: dict[str, Any], data: Dataset) -> dict[str, Any]:
    """The recipe `ran` on the open dataset with the edits of this workspace that are computed."""
    return _worked(ran, data).ran


def worked() -> Worked:
    """What was done to the clusters now open; nothing before the first run."""
    data, ran = state.dataset(), state.document().ran
    if data is None or ran is None:
        return Worked("", Trail(), Changes(), {})
    return _worked(ran, data)


def labelled(current: Run) -> Labelled:
    """The clustering of a run as edits see it."""
    assert current.clustering is not None
    return steps.labelled(current.clustering, current.rows, current.dataset.n)


def apply(edit: Edit, after: int, told: str, names: Mapping[int, str] | None = None) -> None:
    """Do an edit and log it; for callbacks. `after`: the newest step the person saw; `told` how
    the history calls it; `names` for the clusters it makes. What goes wrong waits for `problem`."""
    with _minding():
        current = state.current_run()
        found = worked()
        assert current is not None
        if found.waiting:
            raise DataError("EDIT_RUNNING", "The next edit must wait for the one that is being "
                                            "computed.", hint="Wait, or undo that one.")
        before = labelled(current)
        called = {cluster: name_of(cluster, state.cluster_names()) for cluster in before.clusters}
        refuse_locked(edit, before, found.changes.locked, called)
        call = Call.of(edit).model_dump(mode="json")
        calls = [made.model_dump(mode="json") for made in current.recipe.edits]
        plan = state.plan_of(current.recipe.using(edits=[*calls, call]))
        if not edit.divides:  # milliseconds, and nobody need wait for a place in the queue
            steps.compute(next(step.payload for step in plan.steps if step.key == plan.clustering),
                          backend().store, silent)
        _log("edit", {"edit": call, "result": plan.clustering, "told": told, "first": before.next,
                      "names": {str(cluster): name for cluster, name in (names or {}).items()}},
             after)
        _compute(plan.missing(backend().store))


def undo(after: int) -> None:
    """Take back the newest step; for callbacks."""
    with _minding():
        backend().workspaces.undo(state.open_workspace().id, worked().family, after)
        _compute_missing()


def redo(after: int) -> None:
    """Bring back the step undone last; for callbacks."""
    with _minding():
        backend().workspaces.redo(state.open_workspace().id, worked().family, after)
        _compute_missing()


def back_to_original(after: int) -> None:
    """Show the clusters as the recipe made them, as one more step; for callbacks."""
    with _minding():
        current = state.current_run()
        assert current is not None
        assert current.original is not None
        _log("edit", {"edit": None, "first": current.original.next, "told": "back to the original"},
             after)
        _compute_missing()


def rename(cluster: int, name: str, after: int | None = None) -> None:
    """Log the name of a cluster ('' takes it back). Raises DataError TOO_LONG."""
    _log("rename", {"cluster": cluster, "name": _fitting("name", name, LONGEST_NAME)}, after)


def annotate(cluster: int, note: str, after: int | None = None) -> None:
    """Log the note about a cluster ('' takes it away). Raises DataError TOO_LONG."""
    _log("note", {"cluster": cluster, "note": _fitting("note", note, LONGEST_NOTE)}, after)


def lock(cluster: int, locked: bool, after: int | None = None) -> None:
    """Log whether a cluster keeps its rows through all edits."""
    _log("lock", {"cluster": cluster, "locked": locked}, after)


def told(step: Operation, names: Mapping[int, str]) -> str:
    """A step as the history and the undo button call it; not escaped."""
    payload = step.payload
    if step.operation == "edit":
        return str(payload["told"])
    called = name_of(int(payload["cluster"]), {})
    if step.operation == "rename":
        return f"name of {called}" + (f": {payload['name']}" if payload["name"] else " taken back")
    if step.operation == "note":
        return f"note on {name_of(int(payload['cluster']), dict(names))}"
    return f"{'lock' if payload['locked'] else 'unlock'} of {called}"


def problem() -> ExplorerError | None:
    """Why the last step was not done, until the next one."""
    found: ExplorerError | None = st.session_state.get(_PROBLEM)
    return found


def attempt(step: Callable[..., None], *given: Any) -> None:
    """`rename`, `annotate` or `lock` as a callback."""
    with _minding():
        step(*given)


@contextmanager
def _minding() -> Iterator[None]:
    """A callback has no place on the page to say what went wrong."""
    st.session_state.pop(_PROBLEM, None)
    try:
        yield
    except ExplorerError as error:
        st.session_state[_PROBLEM] = error


def _log(kind: str, payload: dict[str, Any], after: int | None) -> None:
    base = worked().base
    backend().workspaces.log(state.open_workspace().id, kind, {"clustering": base, **payload},
                             _family(base), after)


def _fitting(what: str, text: str, longest: int) -> str:
    text = text.strip()
    if len(text) > longest:
        raise DataError("TOO_LONG", f"A {what} must have at most {longest:,} characters, got "
                                    f"{len(text):,}.")
    return text


def _family(base: str) -> Family:
    return Family(KINDS, "clustering", base)


def _compute_missing() -> None:
    """Queue what the state now shown lacks: a result may be gone, or was never finished."""
    current = state.current_run()
    if current is not None:
        _compute(worked().waiting or current.plan.missing(backend().store))
    ticked = st.session_state.get("ticked")
    if ticked and current is not None and current.clustering is not None:
        st.session_state["ticked"] = [cluster for cluster in ticked
                                      if cluster < 0 or cluster in current.clustering.sizes]


def _compute(missing: tuple[Step, ...]) -> None:
    st.session_state.pop("export_clusters", None)
    if missing:
        backend().jobs.submit(missing, state.open_workspace().id)


def _worked(ran: dict[str, Any], data: Dataset) -> Worked:
    store, workspace = backend().store, state.open_workspace().id
    made_of = (str(store.root), st.session_state.get("dataset_of"), json.dumps(ran, sort_keys=True))
    base = _bases.get(made_of, lambda: state.plan_of(open_recipe(ran).recipe).clustering)
    stamp = backend().workspaces.stamp(workspace)
    trail, changes = _trails.get((str(store.root), workspace, base, stamp),
                                 lambda: _read(workspace, base))
    if not changes.edits:
        return Worked(base, trail, changes, ran)
    key = (made_of, workspace, stamp)
    held = _whole.find(key)
    if held is not None:
        return Worked(base, trail, changes, held)
    return _progressed(Worked(base, trail, changes, ran), key)


def _progressed(found: Worked, key: object) -> Worked:
    """As far as the edits are computed. Of a recipe that is not computed itself, all: the page
    then says that it has to be run."""
    store = backend().store
    given = list(found.ran.get("edits", ()))
    whole = {**found.ran, "edits": [*given, *found.changes.edits]}
    plan = state.plan_of(open_recipe(whole).recipe)
    there = 0
    for made in plan.edited[len(given):]:
        if not store.has(made):
            break
        there += 1
    if there == len(plan.edited) - len(given) or not store.has(found.base):
        _whole.get(key, lambda: whole)
        return Worked(found.base, found.trail, found.changes, whole)
    shown = [*given, *found.changes.edits[:there]]
    ran = {**found.ran, "edits": shown} if shown else found.ran
    return Worked(found.base, found.trail, found.changes, ran, plan.missing(store))


def _read(workspace: str, base: str) -> tuple[Trail, Changes]:
    trail = backend().workspaces.trail(workspace, _family(base))
    return trail, changes_of(((step.operation, step.payload) for step in trail.active), base)
