"""What all figures share: a frame for light and dark pages, and the figure that says why not."""

from __future__ import annotations

from typing import Any

from explorer.escape import esc_plotly

CLEAR = "rgba(0,0,0,0)"
GRID = "rgba(128,128,128,0.22)"
LINE = "rgba(128,128,128,0.75)"
# Contrast above 4 on white and on Streamlit's dark page alike.
MIDDLE_GREY = "#7A7A7A"


def new_figure(traces: list[Any], *, height: int, title: str = "", **layout: Any) -> Any:
    """A Figure on a clear background. Text colours are left to the page's theme (Streamlit puts
    its own in); outside of it Plotly's default stands on white."""
    import plotly.graph_objects as go

    axis = {"automargin": True, "gridcolor": GRID, "zeroline": False}
    frame: dict[str, Any] = {
        "template": "none", "height": height, "paper_bgcolor": CLEAR, "plot_bgcolor": CLEAR,
        "margin": {"l": 10, "r": 10, "t": 40 if title else 10, "b": 10},
        "hoverlabel": {"namelength": -1}, "modebar": {"bgcolor": CLEAR, "color": MIDDLE_GREY},
        "legend": {"bgcolor": CLEAR, "itemsizing": "constant"}, "xaxis": axis, "yaxis": axis}
    if title:
        frame["title"] = {"text": esc_plotly(title, 120), "x": 0, "xref": "paper"}
    for name, value in layout.items():
        frame[name] = frame[name] | value if name in frame else value
    # In one piece: each later update of a layout costs Plotly more than the whole of it here.
    return go.Figure(traces, layout=frame)


def say_why(reason: str, *, height: int = 240, title: str = "") -> Any:
    """A figure without data that says in words why there is none."""
    figure = new_figure([], height=height, title=title)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    figure.add_annotation(text=esc_plotly(reason, 400, wrap=60), showarrow=False,
                          x=0.5, y=0.5, xref="paper", yref="paper", font={"size": 14})
    return figure


def axis_title(text: str) -> dict[str, str]:
    """An axis title, shown literally."""
    return {"text": esc_plotly(text, 80)}
