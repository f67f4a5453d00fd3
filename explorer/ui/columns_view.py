"""Histograms and bar charts of columns, linked to the map: what is selected there shows here at
once, and a range or a bar here selects there.

What the front end (`front/columns.js`) is given, besides `module`, `group`, `chosen`, `filter` as
in `point_view`; its places are the rows of the data set, all `n` of them:
    rows        name of the data set
    charts      [{key, url, title, kind, ...}]: n codes of one byte behind `url`, 255 no value
                kind 'number': edges, whole; 'category': names, colors or null, others (how many
                more values share the code 254)
What comes back: chosen {bits, count, n, how, rows, origin, turn}, lost.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from explorer.escape import shown
from explorer.filters import Texts
from explorer.plot.bins import Bins, Categories, bin_labels, bin_numbers, bin_texts
from explorer.plot.palette import cluster_color
from explorer.run import Run
from explorer.ui import marks, state
from explorer.ui.kept import Kept
from explorer.ui.map_data import digest
from explorer.ui.point_view import LOADER, note_sent, sent_by
from explorer.ui.row_values import Subject, made_of, subjects, values_of
from explorer.ui.served import front_file, module_address, shelf

FIRST, MOST = 6, 24
_CHOSEN, _KEY = "columns_chosen", "columns"
_LENGTH = "length:"
Binned = Bins | Categories
_binned: Kept[tuple[Binned, tuple[int, ...]]] = Kept(64 * 2**20, lambda pair: len(pair[0].data))


def show_columns(current: Run, names: dict[int, str]) -> None:
    """Charts of the columns chosen; without a choice the first few."""
    known = charted(current)
    chosen = _choose(known)
    if not chosen:
        st.caption("Choose at least one column to see how its values lie.")
        return
    data = current.dataset
    told = {
        "module": module_address("columns.js"), "group": digest(data.id), "n": data.n,
        "rows": digest(("columns", data.id)), "chosen": _selected(current),
        "filter": _filter(current),
        "charts": [_chart(current, known[key], names) for key in chosen],
    }
    st.components.v2.component(
        "explorer_columns", html=front_file("columns.html"),
        css=front_file("view.css") + front_file("columns.css"), js=LOADER)(
            key=_KEY, data=told, on_chosen_change=_chooser(current), on_lost_change=_put_back)


def charted(current: Run) -> dict[str, Subject]:
    """What can be drawn: results, numbers and categories by their values, texts by their length."""
    roles = current.dataset.roles
    found = {}
    for key, subject in subjects(current).items():
        role = roles.get(key.removeprefix("column:")) if key.startswith("column:") else ""
        if key == "row id" or role in ("id", "ignore"):
            continue
        if role == "text":
            subject = Subject(f"{_LENGTH}{key}", f"{subject.title}: length in characters", "number")
        found[subject.key] = subject
    return found


def _choose(known: dict[str, Subject]) -> list[str]:
    kept = st.session_state.get(_CHOSEN, list(known)[:FIRST])
    if "columns.which" not in st.session_state:
        st.session_state["columns.which"] = [key for key in kept if key in known]
    chosen: list[str] = st.multiselect(
        "Columns to draw", list(known), key="columns.which", max_selections=MOST,
        format_func=lambda key: shown(known[key].title), placeholder="choose columns",
        label_visibility="collapsed")
    st.session_state[_CHOSEN] = chosen
    return chosen


def _chart(current: Run, subject: Subject, names: dict[int, str]) -> dict[str, Any]:
    content = ("binned", made_of(current, subject))
    binned, labels = _binned.get(content, lambda: _bin(current, subject))
    told = {"key": digest(content), "url": shelf.put(content, lambda: binned.data),
            "title": shown(subject.title)}
    if isinstance(binned, Bins):
        return {**told, "kind": "number", "edges": binned.edges, "whole": binned.whole}
    listed = [subject.name(label, names) for label in labels] or \
        [shown(name) for name in binned.names]
    return {**told, "kind": "category", "names": listed, "others": binned.others,
            "colors": [cluster_color(label) for label in labels] or None}


def _bin(current: Run, subject: Subject) -> tuple[Binned, tuple[int, ...]]:
    if subject.key.startswith(_LENGTH):
        column = subject.key.removeprefix(f"{_LENGTH}column:")
        lengths = np.array([len(text) or np.nan for text in current.dataset.texts(column)])
        return bin_numbers(lengths), ()
    values = values_of(current, subject)
    if isinstance(values, Texts):
        return bin_texts(values.values), ()
    if subject.kind == "cluster":
        return bin_labels(values.values)
    if subject.kind == "yes":
        return bin_texts(np.where(np.isnan(values.values), "", np.where(
            values.values > 0, "yes", "no")).astype(object)), ()
    return bin_numbers(values.values), ()


def _selected(current: Run) -> dict[str, Any] | None:
    rows = state.selection().rows
    if not len(rows):
        return None
    name = digest(rows.tobytes())
    return {"key": name, "url": _bits(current, rows, name), **sent_by(name)}


def _filter(current: Run) -> dict[str, Any] | None:
    rows = marks.filtered()
    if rows is None:
        return None
    name = digest(rows.tobytes())
    return {"key": name, "url": _bits(current, rows, name)}


def _bits(current: Run, rows: np.ndarray, name: str) -> str:
    """The address of these dataset rows as packed bits."""
    def pack() -> bytes:
        inside = np.zeros(current.dataset.n, dtype=bool)
        inside[rows] = True
        return np.packbits(inside).tobytes()
    return shelf.put(("rows of", current.dataset.id, name), pack)


def _chooser(current: Run) -> Callable[[], None]:
    n, name = current.dataset.n, digest(("columns", current.dataset.id))

    def choose() -> None:
        said = st.session_state[_KEY]["chosen"]
        # Charts may still speak of the data that was there before.
        if said is None or said["rows"] != name:
            return
        packed = np.frombuffer(base64.b64decode(said["bits"]), dtype=np.uint8)
        inside = np.unpackbits(packed, count=n) if len(packed) else np.zeros(0)
        state.select(np.flatnonzero(inside), "columns")
        note_sent(said)
    return choose


def _put_back() -> None:
    """Nothing to do: the rerun that this call begins puts what it shows back on the shelf."""
