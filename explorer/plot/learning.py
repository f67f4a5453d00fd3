"""How a network learned: its loss, and the parts of it, after every epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.escape import esc_plotly
from explorer.plot.palette import cluster_color
from explorer.plot.theme import GRID, MIDDLE_GREY, axis_title, new_figure, say_why

_GAP = 0.13
"""Between two panels, of the width; of the height where they stand above each other."""
_MAIN = 0.56


@dataclass(frozen=True)
class Part:
    """A number the training watches: its mean over the rows learned from (`train`) and over the
    rows held back (`held`; empty where none are), one for each epoch, float64."""

    name: str
    train: np.ndarray
    held: np.ndarray

    @property
    def positive(self) -> bool:
        """Whether it can be drawn on a logarithmic axis."""
        every = np.concatenate([self.train, self.held])
        return bool((every[np.isfinite(every)] > 0).all())


def parts_of(history: Mapping[str, Sequence[float] | np.ndarray]) -> tuple[Part, ...]:
    """The parts of a training's history ('train.loss', 'validation.loss', ...), 'loss' first."""
    names = [name.removeprefix("train.") for name in history if name.startswith("train.")]
    names.sort(key=lambda name: (name != "loss", name.lower()))
    return tuple(Part(name, np.asarray(history[f"train.{name}"], dtype=np.float64),
                      np.asarray(history.get(f"validation.{name}", ()), dtype=np.float64))
                 for name in names)


def draw_learning(parts: Sequence[Part], *, best: int, log: bool = False, first: int = 1,
                  height: int = 330) -> Any:
    """A Figure of every part over the epochs from `first` on: what is made small large on the left,
    its parts small on the right. `best` is the epoch whose weights are kept (from 1; 0: none yet),
    a star. `log`: logarithmic, where a part is positive throughout."""
    import plotly.graph_objects as go

    last = max((len(part.train) for part in parts), default=0)
    if not last:
        return say_why("No epoch is over yet.", height=height)
    first = min(first, last)
    traces: list[Any] = []
    axes: dict[str, Any] = {}
    titles: list[dict[str, Any]] = []
    for place, part in enumerate(parts):
        number = "" if place == 0 else str(place + 1)
        across, up = _domain(place, len(parts))
        axes[f"xaxis{number}"] = _axis(across) | {
            "anchor": f"y{number}", "range": _range(first, last), "tickformat": "d",
            "title": axis_title("epoch") if up[0] == 0 else None, "showticklabels": up[0] == 0,
            **({"dtick": 1} if last - first < 8 else {"nticks": 8})}
        axes[f"yaxis{number}"] = _axis(up) | {
            "anchor": f"x{number}", "type": "log" if log and part.positive else "linear",
            "nticks": 6, "exponentformat": "power"}
        titles.append({"text": f"<b>{esc_plotly(part.name, 40)}</b>", "x": across[0], "y": up[1],
                       "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom",
                       "showarrow": False, "font": {"size": 13}})
        traces += _lines(go, part, number, best, first, shown=place == 0)
    return new_figure(traces, height=height, annotations=titles, hovermode="closest",
                      showlegend=True, dragmode="zoom", **axes,
                      legend={"orientation": "h", "x": 0, "y": -0.17, "yanchor": "top"},
                      margin={"t": 26, "b": 40})


def _lines(go: Any, part: Part, number: str, best: int, first: int, *, shown: bool) -> list[Any]:
    """The two lines of a part and the star; `shown` in the legend."""
    found: list[Any] = []
    for name, values, color, dash in (("rows learned from", part.train, cluster_color(0), "solid"),
                                      ("rows held back", part.held, cluster_color(1), "dash")):
        if not len(values):
            continue
        epochs = np.arange(1, len(values) + 1)[first - 1:]
        found.append(go.Scatter(
            x=epochs, y=values[first - 1:], name=name, legendgroup=name, showlegend=shown,
            xaxis=f"x{number}", yaxis=f"y{number}", line={"color": color, "width": 2, "dash": dash},
            mode="lines+markers" if len(epochs) < 3 else "lines",
            hovertemplate=f"epoch %{{x}}, {name}: %{{y:.5g}}<extra></extra>"))
    judged = part.held if len(part.held) else part.train
    if first <= best <= len(judged):
        found.append(go.Scatter(
            x=[best], y=[judged[best - 1]], name=f"best epoch ({best:d})", legendgroup="best",
            showlegend=shown, xaxis=f"x{number}", yaxis=f"y{number}", mode="markers",
            marker={"symbol": "star", "size": 14, "color": cluster_color(2),
                    "line": {"width": 1, "color": MIDDLE_GREY}},
            hovertemplate="best epoch %{x}: %{y:.5g}<extra></extra>"))
    return found


def _domain(place: int, count: int) -> tuple[list[float], list[float]]:
    """Across and up, of the whole figure."""
    if count == 1:
        return [0.0, 1.0], [0.0, 1.0]
    if place == 0:
        return [0.0, _MAIN], [0.0, 1.0]
    small = (1 - _GAP * (count - 2)) / (count - 1)
    low = (count - 1 - place) * (small + _GAP)
    return [_MAIN + _GAP, 1.0], [low, min(1.0, low + small)]


def _axis(domain: list[float]) -> dict[str, Any]:
    return {"automargin": True, "gridcolor": GRID, "zeroline": False, "domain": domain}


def _range(first: int, last: int) -> list[float]:
    room = max(0.5, 0.02 * (last - first))
    return [first - room, last + room]
