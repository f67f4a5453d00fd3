"""Taking the map away as it is: a picture file, made when its button is pressed."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from explorer.colorings import Coloring
from explorer.escape import esc_md, safe_filename
from explorer.map_files import SVG_ROWS, Look, draw_html, draw_png, draw_svg
from explorer.run import Run
from explorer.ui import marks, state

_FORMS: tuple[tuple[str, str, str, Callable[[Run, Look], bytes], str], ...] = (
    ("PNG", "png", "image/png", draw_png, "2,400 pixels wide, for slides and papers."),
    ("SVG", "svg", "image/svg+xml", draw_svg, "Sharp at any size; every point can be edited."),
    ("HTML", "html", "text/html", draw_html,
     "To zoom and hover in any browser, without a network (about 5 MB)."),
)


def offer_pictures(current: Run, coloring: Coloring, names: dict[int, str]) -> None:
    """The menu 'Take the picture': the whole map in its present colours, with the selection and
    the filter in force."""
    assert current.projection is not None
    with (st.container(key="picture_menu"),
          st.popover("", icon=":material/photo_camera:", help="Take the picture")):
        st.markdown("**Take the picture**")
        st.caption("The whole map in the colours chosen, with the clusters' names, the selection "
                   "and the filter.")
        flat = current.projection.points.shape[1] == 2
        for title, ending, mime, draw, words in _FORMS:
            still, large = ending != "html", len(current.rows) > SVG_ROWS and ending != "png"
            why = ("A 3-D map is taken as HTML only." if still and not flat else
                   f"Up to {SVG_ROWS:,} rows: take PNG." if large else "")
            st.download_button(esc_md(title), _drawn(draw, current, coloring, names),
                               safe_filename(f"{current.dataset.name} map.{ending}"), mime,
                               icon=":material/download:", key=f"picture.{ending}",
                               on_click="ignore", disabled=bool(why), help=esc_md(why or words),
                               width="stretch")


def _drawn(draw: Callable[[Run, Look], bytes], current: Run, coloring: Coloring,
           names: dict[int, str]) -> Callable[[], bytes]:
    """What draws when the button is pressed, of what is shown now."""
    rows, held = state.selection().rows, marks.filter_in_force()
    look = Look(coloring, names, rows if len(rows) else None,
                held.rows if held is not None else None, held.words if held is not None else "")
    return lambda: draw(current, look)
