"""Our own map and silhouette bars: components that draw by WebGL and canvas in the browser.

What the front end (`front/view.js`, `front/bars.js`) is given, as plain data at every rerun. What
is large is named by an address and fetched once; `key` beside an address changes with the content.
A place is the number of a row in the results of an embedding.

Both:
    module      address of the module that draws
    height      pixels; without it the view is as high as what it stands in
    group       views of one group share selection and the row under the mouse, by dataset row
    rows        name of the embedding: views of the same have the same places
    ids         {key, url} uint32, the dataset row of every place; missing: place i is row i
    chosen      {key, bits or url, origin, turn} or null: the selection as packed bits (first place
                in the highest bit), in base64 or behind an address; `origin` and `turn` as the
                view sent them, else ''
    card        address of the cards: + '/<place>' gives {title, color, texts, facts, image}
    thumbs      address of the pictures: + '/<place>'; missing without images
The map:
    n           how many places
    panel       name of the map on the page: each remembers where it stood
    geometry    {key, url, half, middle, unit}: n x 2 float32 in [-1, 1]; `half` how far they reach,
                a point of the projection is middle + unit * point
    colors      {key, url, bytes, palette, grey, title, kind, ...}: n codes of 1 or 2 bytes into
                `palette`; `grey` is the code of noise or missing values, -1: none
                kind 'category': items [{code, name}]; 'number': low, high, levels, missing
    names       [{name, x, y, count, code}] of clusters, biggest first
    title       words over the map, where several stand side by side
    lines       {from, to, lost, false} places to draw lines between, or null; `lost` and `false`
                are there where a map is judged, in looks of their own, and said in words
    filter      {key, url} packed bits, or null: rows without their bit are not drawn nor picked
    place       {key, viewport: {x, y, zoom}, hidden: [code]} or null: taken once per key
    linked      whether maps of the same geometry move together
    folded      whether the legend is closed at first
The bars:
    key, n, order (address, uint32), values (address, float32), low, high, mean, groups [{name,
    color, start, end, mean}] of the clusters with bars
What comes back, as triggers:
    chosen      {bits, count, n, rows, origin, turn, how}: all that is chosen now among these
                places; how: replace, add or subtract
    link        {viewport, hidden}: the person asks for a link to this view
    lost        true: an address answered 404; the rerun puts its content back, then fetch again
    nowebgl     true: this browser cannot draw the map
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from explorer.colorings import Coloring
from explorer.measures import made_of
from explorer.plot.palette import cluster_color
from explorer.run import Run, name_of
from explorer.ui import marks, state
from explorer.ui.map_data import (
    Picture,
    as_rows,
    bars_of,
    chosen_told,
    colors_told,
    digest,
    filter_told,
    ids_told,
    lines_told,
    middles_of,
    picture_of,
    places_of,
)
from explorer.ui.rows_of_map import RowsOfMap
from explorer.ui.served import card_address, front_file, module_address, picture_address, shelf
from explorer.values import Judgement

# Streamlit runs this text from a blob address, from where nothing relative can be imported. The
# module is asked for once; later calls find it loaded.
LOADER = """
const loaded = new Map();
export default function (component) {
  const address = new URL(component.data.module, document.baseURI).href;
  let end = null;
  let gone = false;
  const start = (module) => {
    loaded.set(address, module);
    if (!gone) end = module.show(component);
  };
  const fail = (error) => {
    component.parentElement.querySelector(".status").textContent =
      `This view could not be loaded (${error.message}). Reload the page.`;
  };
  if (loaded.has(address)) start(loaded.get(address));
  else import(address).then(start).catch(fail);
  return () => { gone = true; end?.(); };
}
"""
# What Streamlit (1.67) puts between its own frame and our element has no height.
_FILL = ":host > div, :host > div > div { height: 100%; }\n"
_SENT = "chosen_by"
"""The view that made the selection, its number there, and a digest of the rows."""


def show_points(current: Run, coloring: Coloring, names: dict[int, str], *, key: str,
                picture: Picture | None = None, title: str = "", linked: bool = False,
                folded: bool = False) -> None:
    """The rows of a run on its own picture (n x 2), or on another; choosing there changes the
    page's selection."""
    picture = picture or picture_of(current)
    geometry = (picture.embedding, picture.projection, picture.same_units)
    places = places_of(picture)
    data = {
        **_common(current, picture, names), "module": module_address("view.js"),
        "n": len(picture.rows),
        "geometry": {"key": digest(geometry), "half": places.half, "middle": places.middle,
                     "unit": places.unit,
                     "url": shelf.put(("points", *geometry), lambda: places.data)},
        "colors": colors_told(current, picture, coloring),
        "names": [{**middle, "name": name_of(middle["code"], names)}
                  for middle in middles_of(current, picture)],
        "title": title, "linked": linked, "folded": folded, "panel": key,
        "lines": lines_told(picture, marks.lines()),
        "filter": filter_told(picture, marks.filtered()),
        "place": st.session_state.get(f"{key}.place"),
    }
    _component("view")(key=key, data=data, height="stretch",
                       on_chosen_change=_chooser(picture, key), on_lost_change=_put_back,
                       on_link_change=_link_asked(key), on_nowebgl_change=_without_webgl)


def show_bars(current: Run, names: dict[int, str], *, key: str,
              judged: tuple[str, Judgement] | None = None) -> None:
    """One bar per row with a silhouette, in the space that was clustered or as `judged` (its key
    and itself) has it; bars choose rows. Rows that a filter hides have no bar."""
    name, judgement = judged or (current.plan.judgements["silhouette"], current.silhouette)
    assert judgement is not None
    passing = marks.filtered()
    content = (current.plan.embedding, name,
               "" if passing is None else digest(passing.tobytes()))
    bars, picture = bars_of(current, name, judgement, passing), picture_of(current)
    data = {
        **_common(current, picture, names), "module": module_address("bars.js"),
        "key": digest(content), "n": len(current.rows), "mean": judgement.scores[0].value,
        "low": bars.low, "high": bars.high,
        "order": shelf.put(("order", *content), lambda: bars.order),
        "values": shelf.put(("values", *content), lambda: bars.values),
        "groups": [{"name": name_of(group.cluster, names), "color": cluster_color(group.cluster),
                    "start": group.start, "end": group.end, "mean": group.mean}
                   for group in bars.groups],
    }
    _component("bars")(key=key, data=data, height="stretch",
                       on_chosen_change=_chooser(picture, key), on_lost_change=_put_back)


def place_view(key: str, name: str, viewport: dict[str, float], hidden: list[int],
               alone: list[int]) -> None:
    """Show the map `key` at that place (`x`, `y`, `zoom` as its trigger `link` gave them) with
    these categories hidden, or shown `alone`; taken once for each `name`."""
    st.session_state[f"{key}.place"] = {"key": name, "viewport": viewport, "hidden": hidden,
                                        "alone": alone}


def link_asked() -> dict[str, Any] | None:
    """What the last press of 'Link to this view' was about: {view, viewport, hidden}; None when
    there was none. Told once."""
    found: dict[str, Any] | None = st.session_state.pop("link_asked", None)
    return found


def note_sent(said: dict[str, Any]) -> None:
    """Remember which view has just made the selection, and its number there: the view then does
    not take its own selection for news."""
    st.session_state[_SENT] = {"origin": said["origin"], "turn": said["turn"],
                               "rows": digest(state.selection().rows.tobytes())}


def sent_by(name: str) -> dict[str, Any]:
    """`origin` and `turn` of the view that made the selection whose rows have that digest."""
    sent: dict[str, Any] = st.session_state.get(_SENT, {})
    mine = sent.get("rows") == name
    return {"origin": sent["origin"] if mine else "", "turn": sent["turn"] if mine else 0}


def _component(name: str) -> Any:
    return st.components.v2.component(f"explorer_{name}", html=front_file(f"{name}.html"),
                                      css=_FILL + front_file("view.css"), js=LOADER)


def _common(current: Run, picture: Picture, names: dict[int, str]) -> dict[str, Any]:
    """What the map and the bars are both told."""
    rows_key = (current.dataset.id, tuple(current.dataset.roles.items()), picture.embedding,
                current.plan.clustering, made_of(current), tuple(sorted(names.items())))
    token = shelf.put_rows(rows_key, lambda: RowsOfMap(current, names, picture.rows))
    told = {"group": digest(current.dataset.id), "rows": digest(picture.embedding),
            "chosen": _chosen(picture), "card": card_address(token)}
    ids = ids_told(picture, current.dataset.n)
    if ids is not None:
        told["ids"] = ids
    if current.dataset.has_images:
        told["thumbs"] = picture_address(token)
    return told


def _chosen(picture: Picture) -> dict[str, Any] | None:
    rows = state.selection().rows
    if not len(rows):
        return None
    name = digest(rows.tobytes())
    return {"key": name, **chosen_told(picture, rows, name), **sent_by(name)}


def _chooser(picture: Picture, key: str) -> Callable[[], None]:
    def choose() -> None:
        said = st.session_state[key]["chosen"]
        # A view may still speak of the run that was there before.
        if said is None or said["rows"] != digest(picture.embedding) or _is_late(said):
            return
        rows = as_rows(picture, said["bits"])
        if said.get("how", "replace") != "replace":  # rows this map does not hold stay as they were
            before = state.selection().rows
            rows = np.union1d(rows, before[~np.isin(before, picture.rows)])
        state.select(rows, key)
        note_sent(said)
    return choose


def _is_late(said: dict[str, Any]) -> bool:
    """Whether the same page has told a newer selection already."""
    sent: dict[str, Any] = st.session_state.get(_SENT, {})
    return bool(sent) and sent["origin"] == said["origin"] and said["turn"] < sent["turn"]


def _link_asked(key: str) -> Callable[[], None]:
    def ask() -> None:
        said = st.session_state[key]["link"]
        if said is not None:
            st.session_state["link_asked"] = {"view": key, **said}
    return ask


def _put_back() -> None:
    """Nothing to do: the rerun that this call begins puts what it shows back on the shelf."""


def _without_webgl() -> None:
    st.session_state["no_webgl"] = True
