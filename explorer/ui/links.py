"""Addresses that open what is on screen: `?w=<workspace>&v=<view>`; the view itself is in the
workspace's log, under a name made of its content and of the workspace's secret."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st
from pydantic import BaseModel, ConfigDict, ValidationError

from explorer.changes import KINDS
from explorer.errors import ExplorerError, StoreError
from explorer.escape import esc_md
from explorer.filters import Filter
from explorer.row_sets import pack_rows, unpack_rows
from explorer.run import Run
from explorer.ui import edits, marks, state
from explorer.ui.backend import backend
from explorer.ui.filter_state import ask, asked, clear_filter
from explorer.ui.point_view import place_view
from explorer.workspace import Family, Operation

SAVE = "view.save"
MOST = 500
MOST_BYTES = 16 * 2**20
_SCREEN = {"panel_kept": "panel", "columns_chosen": "columns.which",
           **{f"coloring{map}": f"color_by{map}" for map in ("", ".1", ".2", ".3")}}
"""What a person set up on the page, by the name it is kept under, and the widget that shows it."""
_OF_PANELS = ("maps", "maps.picture.1", "maps.picture.2", "maps.picture.3")
_ADDRESS, _SAID, _APPLIED = "link_address", "link_said", "link_applied"


class View(BaseModel):
    """What was on screen. `seq` apart, two equal ones are one link."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    dataset: str
    source: str = ""
    upload: dict[str, Any] = {}
    roles: dict[str, str] = {}
    ran: dict[str, Any]
    base: str = ""
    """The clustering of `ran`, before any edit."""
    edits: tuple[dict[str, Any], ...] = ()
    """The log of names, notes, locks and edits of its clusters: {operation, payload}."""
    panels: tuple[dict[str, Any], ...] = ()
    pictures: tuple[dict[str, Any], ...] = ()
    studies: tuple[dict[str, Any], ...] = ()
    selection: str = ""
    """Packed rows; '' is none."""
    n: int = 0
    filter: Filter = Filter()
    hiding: str = ""
    """Packed rows that a search left on the map, where no filter did; `words` say of what."""
    words: str = ""
    screen: dict[str, Any] = {}
    places: dict[str, Any] = {}
    """Map -> {viewport, hidden, alone}; a map that is not named is shown whole."""


def save_view(current: Run, viewport: dict[str, float] | None, hidden: Sequence[int],
              view: str = "map", alone: Sequence[int] = ()) -> str:
    """Keep what is on screen in the workspace and show the address that opens it; `viewport`,
    `hidden` and `alone` are what the map `view` told (None: it is shown whole). Returns the view's
    name.

    Raises StoreError TOO_MANY, TOO_LARGE.
    """
    shown = _on_screen(current, {} if viewport is None else {
        view: {"viewport": viewport, "hidden": list(hidden), "alone": list(alone)}})
    told = shown.model_dump(mode="json")
    shelf, workspace = backend().workspaces, state.open_workspace().id
    text = json.dumps(told, sort_keys=True).encode()
    name = hashlib.blake2b(text, key=workspace.encode()[:64], digest_size=12).hexdigest()
    if _find(workspace, name) is None:
        _check_room(len(text), shelf.trail(workspace, Family((SAVE,))).active)
        # The names of the results keep them from being tidied away.
        results = sorted({step.key for step in current.plan.steps})
        shelf.log(workspace, SAVE, {"id": name, "view": told, "results": results})
    st.session_state[_ADDRESS] = (workspace, name)
    st.session_state[_APPLIED] = (workspace, name, shown)
    st.query_params["v"] = name
    return name


def show_address() -> None:
    """The address just made, to be copied."""
    made = st.session_state.pop(_ADDRESS, None)
    if made is not None:
        _show_address(*made)


@st.dialog("Link to this view", width="medium")
def _show_address(workspace: str, name: str) -> None:
    st.markdown("Who opens this address sees exactly this view: data, recipe, clusters, colours, "
                "place on the map, filter and selection.")
    st.code(_address(workspace, name), language=None, wrap_lines=True)
    st.caption("It names this workspace: whoever has it, and can reach this server, can also "
               "change what is in the workspace. Where that was changed, the address opens this "
               "view as a copy.")


def opened_view() -> None:
    """Show what the address names by `v`, once; called before anything of the page is drawn.

    Where the workspace has moved on since, the view is opened as a copy of the workspace.
    """
    name = st.query_params.get("v")
    if not name:
        return
    opened = state.open_workspace()
    *applied, view = st.session_state.get(_APPLIED, ("", "", None))
    if applied == [opened.id, name]:
        if not _is_shown(view):  # the work goes on: a reload shows it, not the view again
            del st.query_params["v"]
        return
    found = _find(opened.id, name)
    if found is None:
        del st.query_params["v"]
        st.session_state[_SAID] = ("The address names a view that is not in this workspace: the "
                                   "workspace is shown as it is now. Was the address copied whole?")
        return
    try:
        _open(found, name)
    except ExplorerError as error:
        del st.query_params["v"]
        st.session_state[_SAID] = f"The view of this address cannot be shown: {error}"
        return
    st.session_state[_APPLIED] = (state.open_workspace().id, name, found)


def show_opened() -> None:
    """What there is to say of the address that was opened, until it is closed."""
    said = st.session_state.get(_SAID)
    if said:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.info(esc_md(said), icon=":material/link:")
            st.button("", icon=":material/close:", type="tertiary", key="link.read",
                      help="Closes this note.", on_click=st.session_state.pop, args=(_SAID, None))


def _open(view: View, name: str) -> None:
    if not _is_shown(view):
        _open_as_copy(view)
        st.session_state[_SAID] = ("The work went on since this link was made: this is a copy of "
                                   "what was on screen then, in a workspace of its own. The other "
                                   "one is as it was.")
    state.forget_form()
    state.drop_selections()
    clear_filter()
    if view.selection:
        state.select(unpack_rows(view.selection, view.n), "link")
    if view.filter.conditions:
        ask(view.filter)
    elif view.hiding:
        marks.set_filtered(unpack_rows(view.hiding, view.n), view.words)
    for kept, widget in _SCREEN.items():
        st.session_state.pop(widget, None)
        st.session_state.pop(kept, None)
        if kept in view.screen:
            st.session_state[kept] = view.screen[kept]
    for widget in _OF_PANELS:
        st.session_state.pop(widget, None)
    for key, place in view.places.items():
        place_view(key, name, place["viewport"], place["hidden"], place["alone"])


def _open_as_copy(view: View) -> None:
    """A new workspace with what the view is of, and with the log of the one open: saved selections
    as they are now, what was done to these clusters as it was then."""
    opened = state.open_workspace()
    steps = [step for step in backend().workspaces.operations(opened.id)
             if step.operation not in KINDS or step.payload["clustering"] != view.base]
    then = [Operation(0, made["operation"], made["payload"], 0.0) for made in view.edits]
    document = opened.document.model_copy(update={
        "dataset": view.dataset, "source": view.source, "upload": view.upload,
        "roles": view.roles, "recipe": view.ran, "ran": view.ran, "panels": view.panels,
        "pictures": view.pictures, "studies": view.studies, "reasons": (), "sweep": (),
        "importing": "", "reading": {}})
    state.open_copy(document, [*steps, *then])


def _on_screen(current: Run, places: dict[str, Any]) -> View:
    document, rows = state.document(), state.selection().rows
    n, asked_for, hiding = current.dataset.n, asked(), marks.filter_in_force()
    searched = hiding is not None and not asked_for.conditions
    return View(dataset=document.dataset, source=document.source, upload=document.upload,
                roles=document.roles, ran=document.ran or {}, base=edits.worked().base,
                edits=_edits(),
                panels=document.panels, pictures=document.pictures,
                studies=document.studies,
                selection=pack_rows(rows, n) if len(rows) else "", n=n, filter=asked_for,
                hiding=pack_rows(hiding.rows, n) if hiding and searched else "",
                words=hiding.words if hiding and searched else "",
                screen={kept: st.session_state[kept] for kept in _SCREEN
                        if kept in st.session_state}, places=places)


def _is_shown(view: View) -> bool:
    """Whether the open workspace still has the data, the recipe, the edits and the maps of the
    view."""
    document = state.document()
    return ((document.dataset, document.roles, document.ran, document.panels)
            == (view.dataset, view.roles, view.ran, view.panels) and _edits() == view.edits)


def _edits() -> tuple[dict[str, Any], ...]:
    return tuple({"operation": step.operation, "payload": step.payload}
                 for step in edits.worked().trail.active)


def _find(workspace: str, name: str) -> View | None:
    """The view of that name."""
    for step in backend().workspaces.trail(workspace, Family((SAVE,), "id", name)).active:
        try:
            return View.model_validate(step.payload["view"])
        except ValidationError:
            return None
    return None


def _check_room(size: int, saved: Sequence[Operation]) -> None:
    if len(saved) >= MOST:
        raise StoreError("TOO_MANY", f"A workspace keeps at most {MOST} links.",
                         hint="Use one that was made, or go on in a new workspace.")
    held = sum(len(json.dumps(step.payload["view"])) for step in saved)
    if held + size > MOST_BYTES:
        raise StoreError("TOO_LARGE", f"A workspace's log has room for {MOST_BYTES // 2**20} MB of "
                                      "links.", hint="Save the selection under a name and share "
                                                     "the address of the workspace.")


def _address(workspace: str, name: str) -> str:
    """As the browser knows this page."""
    parts = urlsplit(st.context.url or "")
    return urlunsplit((parts.scheme, parts.netloc, parts.path,
                       urlencode({"w": workspace, "v": name}), ""))
