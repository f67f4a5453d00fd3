"""The gallery: rows as pictures or cards of text. Only what is in sight is fetched.

What the front end (`front/gallery.js`) is given, besides `module`, `height`, `group`, `chosen`,
`card` as in `point_view`; its places are the rows of the data set, all `n` of them:
    key         changes with the rows or their order
    order       address: the dataset rows shown, in their order (uint32)
    values      address: what they are sorted by (float64), or null
    groups      [{name, color, start, end}] parts of the order under a heading of their own
    sorted      what the values are, in words
    tiles       address of the tiles: + '?rows=<row>,<row>...'
    pictures    address of the pictures: + '/<row>'; null: cards of text
    fixed       true: rows are looked at, not chosen
What comes back: chosen {bits, count, n, key, origin, turn}, lost.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from explorer.measures import made_of
from explorer.plot.palette import NOISE_COLOR, cluster_color
from explorer.run import Run, name_of
from explorer.ui import state
from explorer.ui.gallery_rows import GalleryRows
from explorer.ui.kept import Kept
from explorer.ui.map_data import digest
from explorer.ui.point_view import LOADER, note_sent, sent_by
from explorer.ui.row_order import Group, Ordered
from explorer.ui.served import (
    card_address,
    front_file,
    module_address,
    picture_address,
    shelf,
    tiles_address,
)

_bits: Kept[str] = Kept(16 * 2**20, len)


def show_gallery(current: Run, ordered: Ordered, names: dict[int, str], key: str, *,
                 about: str = "", height: int = 420, choosing: bool = True) -> None:
    """These dataset rows in their order. `choosing` there changes the selection, with the origin
    `key`; else a click opens the row. `about` says what the rows are sorted by."""
    data = current.dataset
    token = shelf.put_rows(("gallery", data.id, tuple(data.roles.items()), current.plan.embedding,
                            current.plan.clustering, made_of(current),
                            tuple(sorted(names.items()))),
                           lambda: GalleryRows(current, names))
    rows, values = ordered.rows.astype("<u4").tobytes(), ordered.values
    content = ("gallery", data.id, digest(rows),
               None if values is None else digest(values.tobytes()))
    told = {
        "module": module_address("gallery.js"), "height": height, "group": digest(data.id),
        "n": data.n, "key": digest((content, ordered.groups)),
        "order": shelf.put((*content, "order"), lambda: rows),
        "values": None if values is None else
        shelf.put((*content, "values"), lambda: values.astype("<f8").tobytes()),
        "groups": [_group(group, names) for group in ordered.groups], "sorted": about,
        "tiles": tiles_address(token), "card": card_address(token),
        "pictures": picture_address(token) if data.has_images else None,
        "fixed": not choosing, "chosen": _chosen(data.n, data.id) if choosing else None,
    }
    st.components.v2.component(
        "explorer_gallery", html=front_file("gallery.html"),
        css=front_file("view.css") + front_file("gallery.css"), js=LOADER)(
            key=f"{key}.gallery", data=told, on_chosen_change=_chooser(data.n, data.id, key),
            on_lost_change=_put_back)


def _group(group: Group, names: dict[int, str]) -> dict[str, Any]:
    known = group.cluster is not None
    return {"name": name_of(group.cluster, names) if group.cluster is not None
            else "Without a vector", "start": group.start, "end": group.end,
            "color": cluster_color(group.cluster) if known and group.cluster is not None
            else NOISE_COLOR}


def _chosen(n: int, dataset: str) -> dict[str, Any] | None:
    rows = state.selection().rows
    if not len(rows):
        return None
    name = digest(rows.tobytes())

    def pack() -> str:
        inside = np.zeros(n, dtype=bool)
        inside[rows] = True
        return base64.b64encode(np.packbits(inside).tobytes()).decode()
    return {"key": name, "bits": _bits.get((dataset, name), pack), **sent_by(name)}


def _chooser(n: int, dataset: str, key: str) -> Callable[[], None]:
    def choose() -> None:
        said = st.session_state[f"{key}.gallery"]["chosen"]
        # A gallery may still speak of the data that was there before.
        if said is None or said["key"] != digest(dataset):
            return
        packed = np.frombuffer(base64.b64decode(said["bits"]), dtype=np.uint8)
        rows = np.flatnonzero(np.unpackbits(packed, count=n)) if len(packed) else np.empty(0)
        state.select(rows, key)
        note_sent(said)
    return choose


def _put_back() -> None:
    """Nothing to do: the rerun that this call begins puts what it shows back on the shelf."""
