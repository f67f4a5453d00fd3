"""Cells of a self-organising map that touch exactly: markers of a size in pixels, in a figure whose
size in pixels is known, so that a click on one is an ordinary selection of a point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.plot.theme import new_figure

_EDGE = 8
_LARGEST, _SMALLEST = 46.0, 3.0


@dataclass(frozen=True)
class Frame:
    """Where cells lie in a figure of `width` x `height` pixels: `unit` pixels are one cell; x and y
    run from `low` to `high` (pairs); `right` pixels beside the cells are free."""

    unit: float
    width: int
    height: int
    low: tuple[float, float]
    high: tuple[float, float]
    right: int
    top: int

    def size(self, hexagonal: bool) -> float:
        """The marker size of a cell that touches the next: a hexagon's is from tip to tip."""
        return self.unit * (2 / np.sqrt(3) if hexagonal else 1.0)


def frame_of(places: np.ndarray, *, most: tuple[int, int] = (860, 430), right: int = 0,
             top: int = 0, margin: float = 0.6) -> Frame:
    """The frame of neurons at m x 2 `places` (one unit a cell) in at most these pixels."""
    low, high = places.min(axis=0) - margin, places.max(axis=0) + margin
    spans = high - low
    room = np.array([most[0] - right, most[1] - top]) - 2 * _EDGE
    unit = float(np.clip((room / spans).min(), _SMALLEST, _LARGEST))
    pixels = np.ceil(spans * unit).astype(int) + 2 * _EDGE
    return Frame(unit, int(pixels[0]) + right, int(pixels[1]) + top,
                 (float(low[0]), float(low[1])), (float(high[0]), float(high[1])), right, top)


def cells(frame: Frame, places: np.ndarray, hexagonal: bool, *, neurons: np.ndarray | None = None,
          texts: list[str] | None = None, **marker: Any) -> Any:
    """A trace of cells at `places`; a click gives `neurons` (their numbers) in customdata. `marker`
    is Plotly's: color, size and so on; `texts`, ready for Plotly, show on hover."""
    import plotly.graph_objects as go

    # Plotly makes markers of different sizes see-through by itself.
    shape = {"symbol": "hexagon" if hexagonal else "square", "size": frame.size(hexagonal),
             "line": {"width": 0}, "opacity": 1} | marker
    silent = neurons is None
    return go.Scatter(
        x=places[:, 0], y=places[:, 1], mode="markers", marker=shape, showlegend=False,
        customdata=None if silent else neurons, hovertext=texts,
        hoverinfo="skip" if silent else "text",
        # What was clicked stands out a little; the other cells stay readable.
        unselected={"marker": {"opacity": 0.45}}, selected={"marker": {"opacity": 1}})


def grid_figure(frame: Frame, traces: list[Any], **layout: Any) -> Any:
    """A figure of exactly the frame's size, without axes and zoom (which would tear cells
    apart)."""
    axes = {"visible": False, "fixedrange": True, "automargin": False}
    return new_figure(
        traces, height=frame.height, width=frame.width, autosize=False, hovermode="closest",
        # With a box or lasso as the drag mode Streamlit switches the selection by click off.
        clickmode="event+select", dragmode="pan",
        margin={"l": _EDGE, "r": _EDGE + frame.right, "t": _EDGE + frame.top, "b": _EDGE},
        xaxis={**axes, "range": [frame.low[0], frame.high[0]]},
        yaxis={**axes, "range": [frame.low[1], frame.high[1]]}, **layout)


def scale_bar(title: str, frame: Frame, low: float, high: float) -> dict[str, Any]:
    """A colour bar in the free pixels at the right."""
    return {"title": {"text": title, "side": "right"}, "thickness": 12, "outlinewidth": 0,
            "len": min(1.0, 220 / max(frame.height, 1)), "nticks": 4, "x": 1.0, "xpad": 6,
            "tickvals": [low, (low + high) / 2, high], "tickformat": ".3~g"}


def ink_on(colors: list[str]) -> list[str]:
    """Black or white for text on each '#RRGGBB', whichever is read better (WCAG luminance)."""
    found = []
    for color in colors:
        parts = np.array([int(color[at:at + 2], 16) for at in (1, 3, 5)]) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        light = float(linear @ [0.2126, 0.7152, 0.0722])
        found.append("#000000" if light > 0.179 else "#FFFFFF")
    return found
