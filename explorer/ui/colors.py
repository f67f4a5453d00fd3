"""The colouring people chose, and colours and hover texts made once for all sessions."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from explorer import colorings as made
from explorer.colorings import Coloring
from explorer.escape import shown
from explorer.plot.palette import CategoryColors, NumberColors
from explorer.run import Run
from explorer.ui import state
from explorer.ui.cut_preview import KEY as CUT
from explorer.ui.cut_preview import cut_coloring
from explorer.ui.kept import Kept

_texts: Kept[list[str]] = Kept(8)
_colors: Kept[CategoryColors | NumberColors] = Kept(
    64 * 2**20, lambda found: int((found.codes if isinstance(found, CategoryColors)
                                   else found.values).nbytes))


def colorings(current: Run, names: dict[int, str]) -> dict[str, Coloring]:
    """What the map can be coloured by, with this session's selection and the cut it tries."""
    found = made.colorings(current, names, state.selection().rows)
    tried = cut_coloring(current)
    return found if tried is None else {**found, CUT: tried}


def colors_of(coloring: Coloring) -> CategoryColors | NumberColors:
    """The colours of the rows covered."""
    return _colors.get(coloring.content, coloring.make)


def choose_coloring(options: Mapping[str, Coloring], name: str = "") -> Coloring:
    """The list of colourings of the map `name`; the choice outlives a change of page."""
    widget, memory = f"color_by{name}", f"coloring{name}"
    kept = st.session_state.get(memory)
    if st.session_state.get(widget) not in options:
        st.session_state[widget] = kept if kept in options else next(iter(options))
    chosen: str = st.selectbox("Colour by", list(options), key=widget,
                               label_visibility="collapsed",
                               format_func=lambda key: f"Colour: {shown(options[key].title)}")
    st.session_state[memory] = chosen
    return options[chosen]


def chosen_coloring(options: Mapping[str, Coloring], name: str = "") -> Coloring:
    """What was chosen last for the map `name`, without the list."""
    kept = str(st.session_state.get(f"coloring{name}"))
    return options[kept if kept in options else next(iter(options))]


def hover_texts(current: Run, names: dict[int, str]) -> list[str]:
    """What each row covered says on hover, ready for Plotly."""
    key = (current.dataset.id, tuple(current.dataset.roles.items()), current.plan.embedding,
           current.plan.clustering, tuple(sorted(names.items())))
    return _texts.get(key, lambda: made.hover_texts(current, names))
