"""The hit map of a self-organising map: how many rows each neuron has, of which cluster, and the
most typical picture or words of each."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from explorer.escape import esc_plotly
from explorer.plot.neuron_cells import Frame, cells, frame_of, grid_figure, ink_on
from explorer.plot.palette import cluster_color
from explorer.plot.theme import GRID

_WITH_WORDS = 26.0
"""Pixels of a cell from which a word fits in."""
_PICTURE = 0.66


def draw_hit_map(places: np.ndarray, hits: np.ndarray, labels: np.ndarray, hexagonal: bool, *,
                 texts: list[str] | None = None, pictures: Sequence[bytes] = (),
                 words: Sequence[str] = ()) -> Any:
    """A Figure of m neurons at `places` (m x 2): the area of a cell goes with its rows (`hits`, m),
    its colour with the cluster of most of them (`labels`, m, -1 none or noise). With `pictures` (m
    encoded images, b'' none) or `words` (m) every cell is full and shows its own. `texts`, ready
    for Plotly, show on hover; customdata is the neuron."""
    full = bool(len(pictures) or len(words))
    frame = frame_of(places, most=(980, 560) if full else (860, 430))
    used = np.flatnonzero(hits)
    colors = [cluster_color(int(label)) for label in labels[used]]
    whole = frame.size(hexagonal)
    share = np.ones(len(used)) if full else np.sqrt(hits[used] / hits.max())
    traces = [cells(frame, places, hexagonal, color="rgba(0,0,0,0)", size=0.96 * whole,
                    line={"width": 1, "color": GRID}),
              cells(frame, places[used], hexagonal, neurons=used,
                    texts=None if texts is None else [texts[neuron] for neuron in used],
                    color=colors, size=np.maximum(4.0, 0.96 * whole * share))]
    if len(words) and frame.unit >= _WITH_WORDS:
        traces.append(_words(frame, places[used], [words[int(neuron)] for neuron in used], colors))
    images = []
    if len(pictures):
        images = [{"source": _sprite(frame, places, pictures), "xref": "paper", "yref": "paper",
                   "x": 0, "y": 1, "sizex": 1, "sizey": 1, "sizing": "stretch", "layer": "above"}]
    return grid_figure(frame, traces, images=images)


def _words(frame: Frame, places: np.ndarray, words: list[str], colors: list[str]) -> Any:
    import plotly.graph_objects as go

    inks = ink_on(colors)
    letters = max(3, int(frame.unit / 5.2))
    return go.Scatter(
        x=places[:, 0], y=places[:, 1], mode="text", showlegend=False, hoverinfo="skip",
        text=[esc_plotly(word, letters) for word in words],
        textfont={"size": 9, "color": inks})


def _sprite(frame: Frame, places: np.ndarray, pictures: Sequence[bytes]) -> str:
    """All pictures at their places in one image, as a data address: hundreds of small ones cost a
    browser more than one large one."""
    from PIL import Image

    sharp = 2  # pixels of the image per pixel of the page
    spans = np.subtract(frame.high, frame.low)
    size = tuple(np.ceil(spans * frame.unit * sharp).astype(int).tolist())
    sheet = Image.new("RGBA", size)
    side = max(2, int(_PICTURE * frame.unit * sharp))
    for (x, y), data in zip(places, pictures, strict=True):
        if not data:
            continue
        with Image.open(io.BytesIO(data)) as opened:
            one = opened.convert("RGBA")
        scale = side / max(one.size)
        # Enlarged pixels stay squares; made smaller they are averaged.
        how = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.BOX
        one = one.resize((max(1, round(one.width * scale)), max(1, round(one.height * scale))), how)
        left = (x - frame.low[0]) * frame.unit * sharp - one.width / 2
        top = (frame.high[1] - y) * frame.unit * sharp - one.height / 2
        sheet.paste(one, (round(left), round(top)), one)
    written = io.BytesIO()
    sheet.save(written, "PNG")
    return "data:image/png;base64," + base64.b64encode(written.getvalue()).decode()
