"""The map page: one line of controls, the views, and one open panel below them."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from explorer.colorings import Coloring
from explorer.escape import esc_md
from explorer.run import Run
from explorer.ui.colors import choose_coloring, chosen_coloring, colorings
from explorer.ui.columns_view import show_columns
from explorer.ui.decode_view import has_decoder, show_decode
from explorer.ui.edit_view import show_edits
from explorer.ui.filter_state import keep_filter
from explorer.ui.links import save_view
from explorer.ui.map_view import score_line, show_limits, show_map
from explorer.ui.marks import set_lines
from explorer.ui.method_view import show_method
from explorer.ui.neighbors_view import mark_neighbors, show_neighbors
from explorer.ui.panels import choose_number, choose_together, show_side_by_side
from explorer.ui.picture_menu import offer_pictures
from explorer.ui.point_view import link_asked, show_points
from explorer.ui.search_view import show_search
from explorer.ui.selection_bar import attempt, show_selection_bar
from explorer.ui.selection_view import show_selection
from explorer.ui.silhouette_view import show_silhouette
from explorer.ui.trust_panel import mark_trust, show_trust

Panel = Callable[[Run, dict[int, str]], None]
PANELS: tuple[tuple[str, Panel], ...] = (
    ("Selection", show_selection),
    ("Columns", show_columns),
    ("Neighbours", show_neighbors),
    ("Trust", show_trust),
    ("Search", show_search),
    ("Edit clusters", show_edits),
    ("Method", show_method),
    ("Decode", show_decode),
)
"""What stands under the views: only the open one runs."""
OFFERED: dict[str, Callable[[Run], bool]] = {"Decode": has_decoder}
"""When a panel is there at all, where that depends on the run."""


def show_page(current: Run, names: dict[int, str]) -> None:
    """Controls, views and the open panel of a finished run."""
    _draw_lines(current)
    keep_filter(current, names)
    coloring, number = _show_controls(current, names)
    if number > 1:
        show_side_by_side(current, names, number)
    else:
        with st.container(key="views"):
            left, right = st.columns([8, 5], gap="small")
            with left:
                if _ours(current):
                    show_points(current, coloring, names, key="map")
                else:
                    show_map(current, coloring, names)
            with right:
                show_silhouette(current, names)
    if not _ours(current):
        show_limits(current)
    asked = link_asked()
    if asked is not None:
        attempt(lambda: save_view(current, asked["viewport"], asked["hidden"], asked["view"],
                                  asked.get("alone", ())))
    show_selection_bar(current)
    _show_panel(current, names)


def _show_controls(current: Run, names: dict[int, str]) -> tuple[Coloring, int]:
    """The line above the views: the (first) map's colours, how many maps, the scores."""
    colors, maps, menu, scores = st.columns([48, 43, 10, 119], gap="xsmall",
                                            vertical_alignment="center")
    with maps:
        number = 1 if st.session_state.get("no_webgl") else choose_number(current)
    options = colorings(current, names)
    with colors:
        # Side by side every map has its colours over itself.
        coloring = choose_coloring(options) if number == 1 else chosen_coloring(options)
        if number > 1:
            choose_together()
    with menu:
        offer_pictures(current, coloring, names)
    numbers, basis = score_line(current)
    scores.markdown(f"{numbers}  \n:small[:gray[{basis}]]")
    return coloring, number


def _draw_lines(current: Run) -> None:
    """Lines to neighbours, while their panel is open: what the views draw is known before them."""
    panel = st.session_state.get("panel", st.session_state.get("panel_kept"))
    if panel == "Neighbours":
        mark_neighbors(current)
    elif panel == "Trust":
        mark_trust(current)
    else:
        set_lines(None)


def _ours(current: Run) -> bool:
    """Whether our own view can draw the map: flat, in a browser with WebGL."""
    projection = current.projection
    assert projection is not None
    return projection.points.shape[1] == 2 and not st.session_state.get("no_webgl")


def _show_panel(current: Run, names: dict[int, str]) -> None:
    """The panels' switch, where there is more than one, and the one that is open."""
    panels = {title: panel for title, panel in PANELS
              if title not in OFFERED or OFFERED[title](current)}
    titles = list(panels)
    if len(titles) > 1:
        kept = st.session_state.get("panel", st.session_state.get("panel_kept"))
        st.session_state["panel"] = kept if kept in titles else titles[0]
        chosen = st.segmented_control("Panel", titles, key="panel", required=True,
                                      format_func=lambda title: esc_md(title),
                                      label_visibility="collapsed") or titles[0]
        st.session_state["panel_kept"] = chosen
    else:
        chosen = titles[0]
    panels[chosen](current, names)
