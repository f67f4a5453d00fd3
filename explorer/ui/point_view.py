"""Our own map: a component that draws points by WebGL and keeps them while colours change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from explorer.plot.bars import sort_bars
from explorer.plot.palette import CategoryColors, NumberColors, cluster_color
from explorer.plot.points import (
    LEVELS,
    Places,
    code_categories,
    code_numbers,
    ends_of,
    place_points,
)
from explorer.run import Run, name_of
from explorer.ui import state
from explorer.ui.rows_of_map import RowsOfMap
from explorer.ui.served import (
    card_address,
    front_file,
    module_address,
    picture_address,
    shelf,
)

# Streamlit runs this text from a blob address, from where nothing relative can be imported. The
# module is asked for once; later calls find it loaded.
_JS = """
const loaded = new Map();
export default function (component) {
  const address = new URL(component.data.module, document.baseURI).href;
  let end = null;
  let gone = false;
  const start = (module) => { loaded.set(address, module); if (!gone) end = module.show(component); };
  if (loaded.has(address)) start(loaded.get(address)); else import(address).then(start);
  return () => { gone = true; end?.(); };
}
"""


@dataclass(frozen=True)
class Chosen:
    """A selection as it came from the front end: who made it and its number there."""

    rows: np.ndarray
    origin: str
    turn: int


def _component(name: str) -> Any:
    return st.components.v2.component(f"explorer_{name}", html=front_file(f"{name}.html"),
                                      css=front_file("view.css"), js=_JS)


def show_points(current: Run, colors: CategoryColors | NumberColors, colors_key: object,
                names: dict[int, str], *, key: str, height: int) -> None:
    """The projection of a run as a map (n x 2); choosing there changes the page's selection."""
    projection = current.projection
    assert projection is not None
    geometry = ("points", current.plan.projection)
    places = _places(current, geometry)
    data = {
        "module": module_address("view.js"), "height": height,
        "group": current.plan.dataset.id,
        "rows": current.plan.embedding,
        "geometry": {"key": str(geometry), "url": shelf.put(geometry, lambda: places.data),
                     "half": places.half},
        "colors": _colors(colors, (current.plan.embedding, colors_key)),
        "names": _names(current, places, names) if current.clustering is not None else [],
        "chosen": _chosen(current),
        **_rows(current, names),
    }
    _component("view")(key=key, data=data, on_chosen_change=_chooser(current, key),
                 on_nowebgl_change=_without_webgl)


def show_bars(current: Run, names: dict[int, str], *, key: str, height: int) -> None:
    """One bar per row in the space that was clustered; bars choose rows."""
    judged, clustering = current.silhouette, current.clustering
    assert judged is not None
    assert clustering is not None
    values = np.asarray(judged.per_row["silhouette"])
    content = ("bars", current.plan.judgements["silhouette"])
    held = st.session_state.get("bars")
    if held is None or held[0] != content:
        held = (content, sort_bars(values, clustering.labels))
        st.session_state["bars"] = held
    bars = held[1]
    data = {
        "module": module_address("bars.js"), "height": height, "key": str(content),
        "group": current.plan.dataset.id, "rows": current.plan.embedding, "n": len(values),
        "order": shelf.put((content, "order"), lambda: bars.order),
        "values": shelf.put((content, "values"), lambda: bars.values),
        "low": bars.low, "high": bars.high, "mean": judged.scores[0].value,
        "groups": [{"name": name_of(group.cluster, names), "color": cluster_color(group.cluster),
                    "start": group.start, "end": group.end, "mean": group.mean}
                   for group in bars.groups],
        "chosen": _chosen(current),
        **_rows(current, names),
    }
    _component("bars")(key=key, data=data, on_chosen_change=_chooser(current, key))


def _places(current: Run, key: object) -> Places:
    held = st.session_state.get("places")
    if held is None or held[0] != key:
        assert current.projection is not None
        held = (key, place_points(np.asarray(current.projection.points),
                                  same_units=current.recipe.projector.method != "given"))
        st.session_state["places"] = held
    places: Places = held[1]
    return places


def _colors(colors: CategoryColors | NumberColors, key: object) -> dict[str, Any]:
    category = isinstance(colors, CategoryColors)
    coded = code_categories(colors) if isinstance(colors, CategoryColors) else code_numbers(colors)
    told: dict[str, Any] = {
        "key": str((key, coded.palette if category else None)),
        "url": shelf.put(("colors", key), lambda: coded.data), "bytes": coded.width,
        "palette": coded.palette, "grey": coded.grey, "title": colors.title}
    if isinstance(colors, CategoryColors):
        items = [{"code": code, "name": colors.name(code)}
                 for code in range(len(coded.palette) - 1)]
        if coded.grey >= 0:
            items.append({"code": coded.grey, "name": colors.name(-1)})
        return {**told, "kind": "category", "items": items}
    low, high = ends_of(colors)
    return {**told, "kind": "number", "low": f"{low:.4g}", "high": f"{high:.4g}",
            "levels": LEVELS, "missing": "not defined" if coded.grey >= 0 else ""}


def _names(current: Run, places: Places, names: dict[int, str]) -> list[dict[str, Any]]:
    """The clusters' names at the median of their points, biggest first."""
    assert current.clustering is not None
    assert current.projection is not None
    labels, points = current.clustering.labels, np.asarray(current.projection.points)
    found = []
    for cluster in range(current.clustering.count):
        inside = labels == cluster
        x, y = places.put(np.median(points[inside], axis=0)[None])[0]
        found.append({"name": name_of(cluster, names), "x": float(x), "y": float(y),
                      "count": int(inside.sum()), "code": cluster})
    return sorted(found, key=lambda name: -name["count"])


def _rows(current: Run, names: dict[int, str]) -> dict[str, str]:
    key = ("rows", current.plan.dataset.id, tuple(current.dataset.roles.items()),
           current.plan.clustering, tuple(sorted(names.items())),
           tuple(current.plan.judgements.items()))
    token = shelf.put_rows(key, lambda: RowsOfMap(current, names, ""))
    rows = shelf.rows_of(token)
    if isinstance(rows, RowsOfMap) and not rows.token:
        object.__setattr__(rows, "token", token)
    told = {"card": card_address(token)}
    if current.dataset.has_images:
        told["thumbs"] = picture_address(token)
    return told


def _chosen(current: Run) -> dict[str, Any] | None:
    import base64
    import hashlib

    rows = state.selection().rows
    if not len(rows):
        return None
    flags = np.packbits(np.isin(current.rows, rows)).tobytes()
    sent: dict[str, Any] = st.session_state.get("chosen_by", {})
    mine = sent.get("rows_key") == hashlib.sha256(rows.tobytes()).hexdigest()
    return {"key": hashlib.sha256(flags).hexdigest()[:16], "bits": base64.b64encode(flags).decode(),
            "origin": sent.get("origin", "") if mine else "", "turn": sent.get("turn", 0)}


def _chooser(current: Run, key: str) -> Callable[[], None]:
    def choose() -> None:
        import base64
        import hashlib

        said = st.session_state[key]["chosen"]
        if said is None or said["rows"] != current.plan.embedding:
            return
        bits = np.frombuffer(base64.b64decode(said["bits"]), dtype=np.uint8)
        inside = np.unpackbits(bits, count=len(current.rows)).astype(bool) if len(bits) else \
            np.zeros(len(current.rows), dtype=bool)
        rows = current.rows[inside]
        state.select(rows, key)
        st.session_state["chosen_by"] = {
            "origin": said["origin"], "turn": said["turn"],
            "rows_key": hashlib.sha256(state.selection().rows.tobytes()).hexdigest()}
    return choose


def _without_webgl() -> None:
    st.session_state["no_webgl"] = True
