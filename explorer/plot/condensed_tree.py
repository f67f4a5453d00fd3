"""HDBSCAN's condensed tree: every cluster there is at some density, as an icicle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.escape import esc_plotly
from explorer.plot.palette import cluster_color, with_alpha
from explorer.plot.theme import LINE, axis_title, new_figure, say_why

MOST = 300
"""Branches drawn, those with most rows; more are thinner than a pixel."""
_STEPS = 40
_NAMED = 40
_DOWN, _ACROSS = 14, 20
"""Places to click in a branch as tall, or as wide, as the figure."""


@dataclass(frozen=True)
class Icicle:
    """The condensed tree laid out. Of b branches: `parent` (-1: root), the heights (distances)
    `top` and `bottom` between which each is there, `rows` at its top, `cluster` (its label, -1: not
    chosen), the `middle` of where it stands among the n rows; `widths`: for each a k x 2 array of
    heights, falling, and the rows still in it from there down."""

    parent: np.ndarray
    top: np.ndarray
    bottom: np.ndarray
    rows: np.ndarray
    cluster: np.ndarray
    middle: np.ndarray
    widths: Sequence[np.ndarray]

    def holder(self) -> np.ndarray:
        """The cluster each branch is or lies in (b int, -1: none)."""
        found = self.cluster.copy()
        for branch in range(1, len(found)):  # parents stand before children
            if found[branch] < 0:
                found[branch] = found[self.parent[branch]]
        return found


def lay_out(branches: np.ndarray, last: np.ndarray, left: np.ndarray) -> Icicle:
    """The icicle of `branches` (b x 6), `last` and `left` (n each), extras of HDBSCAN's result."""
    parent, rows = branches[:, 0].astype(np.int64), branches[:, 3].astype(np.int64)
    top, bottom, cluster = branches[:, 1], branches[:, 2], branches[:, 4].astype(np.int64)
    order = np.lexsort((-np.asarray(left), last))
    bounds = np.searchsorted(np.asarray(last)[order], np.arange(len(parent) + 1))
    children: list[list[int]] = [[] for _ in parent]
    for branch in range(1, len(parent)):
        children[parent[branch]].append(branch)
    middle = np.zeros(len(parent))
    widths = []
    middle[0] = rows[0] / 2
    for branch in range(len(parent)):
        leaving = np.asarray(left, dtype=np.float64)[order[bounds[branch]:bounds[branch + 1]]]
        widths.append(_widths(top[branch], bottom[branch], int(rows[branch]), leaving))
        inner = sorted(children[branch], key=lambda part: -rows[part])
        at = middle[branch] - rows[inner].sum() / 2
        for part in inner:
            middle[part] = at + rows[part] / 2
            at += rows[part]
    return Icicle(parent, top, bottom, rows, cluster, middle, widths)


def _widths(top: float, bottom: float, rows: int, leaving: np.ndarray) -> np.ndarray:
    """Heights and the rows left from there down; at most _STEPS of them, evenly over the rows."""
    if len(leaving) > _STEPS:
        some = np.unique(np.linspace(0, len(leaving) - 1, _STEPS).astype(int))
    else:
        some = np.arange(len(leaving))
    heights = np.clip(leaving[some], bottom, top)
    steps = np.column_stack([heights, rows - (some + 1)])
    return np.vstack([[top, rows], steps, [bottom, rows - len(leaving)]])


def draw_condensed_tree(icicle: Icicle, names: Mapping[int, str], texts: Sequence[str], *,
                        unit: str, height: int = 420) -> Any:
    """A Figure of an icicle: from above (far apart: all rows are one group) to below (only what is
    close stays together) each branch is as wide as it has rows. Chosen branches and what lies in
    them have their cluster's colour, the others are grey. `names` of clusters, `texts` of all
    branches on hover (plain text); `unit` names the distance. A point's customdata is its
    branch."""
    if len(icicle.parent) == 1 and (icicle.cluster < 0).all():
        return say_why("No part of the rows is dense enough to be a cluster of the smallest size: "
                       "the tree is one branch.", height=height)
    drawn = np.sort(np.argsort(-icicle.rows, kind="stable")[:MOST])
    holder = icicle.holder()
    traces = [_shape(icicle, int(branch), int(holder[branch])) for branch in drawn]
    traces.append(_places(icicle, drawn, texts))
    chosen = [int(branch) for branch in drawn if icicle.cluster[branch] >= 0]
    named = _names(icicle, chosen, names) if len(chosen) <= _NAMED else []
    figure = new_figure(traces, height=height, showlegend=False, hovermode="closest",
                        hoverdistance=30, annotations=named)
    figure.update_xaxes(visible=False, range=[-0.01 * icicle.rows[0], 1.01 * icicle.rows[0]])
    low, high = float(icicle.bottom.min()), float(icicle.top.max())
    room = (0.03 * (high - low)) or 1.0
    figure.update_yaxes(range=[low - room * (8 if named else 1), high + room],
                        title=axis_title(unit))
    return figure


def _shape(icicle: Icicle, branch: int, holder: int) -> Any:
    import plotly.graph_objects as go

    heights, rows = icicle.widths[branch].T
    # Steps: a row is in the branch down to the height where it leaves.
    y = np.repeat(heights, 2)[1:]
    half = np.repeat(rows, 2)[:-1] / 2
    middle = icicle.middle[branch]
    own = icicle.cluster[branch] >= 0
    color = cluster_color(holder) if holder >= 0 else "#8A8A8A"
    return go.Scatter(
        x=np.concatenate([middle - half, (middle + half)[::-1]]), y=np.concatenate([y, y[::-1]]),
        mode="lines", fill="toself", hoverinfo="skip",
        fillcolor=with_alpha(color, 0.8 if own else 0.45 if holder >= 0 else 0.25),
        line={"width": 2 if own else 0.7, "color": color if own else LINE})


def _places(icicle: Icicle, drawn: np.ndarray, texts: Sequence[str]) -> Any:
    """Points nobody sees, all over the branches: a click finds the nearest."""
    import plotly.graph_objects as go

    tall = float(icicle.top.max() - icicle.bottom.min()) or 1.0
    x, y, branches, said = [], [], [], []
    for branch in drawn.tolist():
        heights, rows = icicle.widths[branch].T
        steps = int(np.clip(_DOWN * (heights[0] - heights[-1]) / tall, 2, _DOWN))
        columns = int(np.clip(_ACROSS * icicle.rows[branch] / icicle.rows[0], 1, _ACROSS))
        at = np.linspace(heights[0], heights[-1], steps + 2)[1:-1]
        # Heights fall: the width at a height is that of the last step above it.
        place = np.searchsorted(-heights, -at, side="right") - 1
        across = np.linspace(-0.5, 0.5, columns + 2)[1:-1]
        x.append((icicle.middle[branch] + across[:, None] * rows[place]).ravel())
        y.append(np.tile(at, columns))
        branches += [branch] * (steps * columns)
        said += [esc_plotly(texts[branch], 400, wrap=60)] * (steps * columns)
    return go.Scatter(
        x=np.concatenate(x), y=np.concatenate(y), mode="markers", hoverinfo="text", hovertext=said,
        marker={"size": 10, "opacity": 0}, selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}}, customdata=np.array(branches))


def _names(icicle: Icicle, chosen: Sequence[int], names: Mapping[int, str]) -> list[dict[str, Any]]:
    """The clusters' names, upright under their branches, where neighbours cannot meet."""
    return [{"x": float(icicle.middle[branch]), "y": _foot(icicle, branch), "showarrow": False,
             "text": esc_plotly(names.get(int(icicle.cluster[branch]), ""), 14), "textangle": -90,
             "yanchor": "top", "yshift": -3, "font": {"size": 11}} for branch in chosen]


def _foot(icicle: Icicle, branch: int) -> float:
    """The lowest height of a branch and all that splits from it."""
    under = {branch}
    for other in range(branch + 1, len(icicle.parent)):
        if int(icicle.parent[other]) in under:
            under.add(other)
    return float(icicle.bottom[sorted(under)].min())
