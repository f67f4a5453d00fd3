"""What stands around every page."""

from __future__ import annotations

import streamlit as st

from explorer.errors import ExplorerError
from explorer.escape import esc_md
from explorer.ui import state
from explorer.ui.links import opened_view, show_opened
from explorer.ui.rows_view import counted
from explorer.ui.trouble import show_done, show_read_only, show_trouble

_STYLE = """
<style>
[data-testid="stHeader"] {height: 2.25rem; min-height: 2.25rem; background: transparent;}
[data-testid="stMainBlockContainer"] {padding: 2.25rem 2rem 2rem 2rem;}
[data-testid="stSidebarHeader"] {height: 2.25rem; min-height: 2.25rem; margin-bottom: 0;}
[data-testid="stHeadingWithActionElements"] h1 {padding-top: 0;}
/* After a lasso Plotly's own outline swallows hover inside the selected area. */
.js-plotly-plot .selectionlayer path {pointer-events: none !important;}
/* The map page's views take what the window has, between a laptop and a large screen. A view in
   it is as high as its place: every element between has to say so. */
.st-key-views {flex: none; height: clamp(440px, calc(100vh - 240px), 1000px);}
[class*="st-key-views_half"] {flex: none; height: clamp(330px, calc(50vh - 70px), 640px);}
[class*="st-key-views"] > *, [class*="st-key-views"] > * > [data-testid="stHorizontalBlock"],
[class*="st-key-views"] > * > * > [data-testid="stColumn"],
[class*="st-key-views"] > * > * > [data-testid="stColumn"] > [data-testid="stVerticalBlock"]
  {height: 100%;}
[class*="st-key-views"] .stElementContainer:has(.stBidiComponent) {flex: 1; min-height: 0;}
[class*="st-key-views"] .stBidiComponent,
[class*="st-key-views"] [data-testid="stBidiComponentIsolated"] {height: 100%;}
/* Until the browser has drawn a figure (seconds for many rows) its place says so. */
.stPlotlyChart:not(:has(.main-svg))::before {content: "Drawing …"; display: block; opacity: 0.6;
  padding-top: 8rem; text-align: center;}
</style>
"""


def draw_frame() -> bool:
    """The sidebar's words on the open data; False when the workspace cannot be opened (the reason
    and a way out are shown)."""
    st.html(_STYLE)
    show_done()
    try:
        show_read_only()
        opened_view()
        data = state.dataset()
    except ExplorerError as error:
        show_trouble(error)
        return False
    with st.sidebar:
        if data is None:
            st.caption("No data yet.")
        else:
            st.markdown(f"**{esc_md(data.name)}**")
            st.caption(f"{counted(data.n, 'row')}, {counted(len(data.columns), 'column')}")
            if st.button("Start with other data", icon=":material/add:", type="tertiary",
                         help="Opens an empty workspace. This one stays under its address."):
                state.start_over()
                state.go_to("pages/data/bring.py")
    show_opened()
    return True
