"""The dendrogram: the last joins of a tree, and the line at which it is cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.plot.palette import cluster_color
from explorer.plot.theme import LINE, MIDDLE_GREY, axis_title, new_figure

LEAVES = 50
"""Branch ends drawn: more are not told apart on a laptop's screen."""
_COLUMNS = 24
_LABELLED = 60


@dataclass(frozen=True)
class Crown:
    """The last joins of a tree of n rows: m branch ends, numbered 0..m-1, and m - 1 joins, m..2m-2.

    `joins` (m - 1 x 2 int64) and their `heights` (float64, rising); `rows` of every end and join
    (2m - 1 int64) and where it stands from left to right (`places`, float64); `ends` (n int32): the
    end each row is in; `below` is the highest join not drawn (0: all are drawn).
    """

    joins: np.ndarray
    heights: np.ndarray
    rows: np.ndarray
    places: np.ndarray
    ends: np.ndarray
    below: float

    @property
    def count(self) -> int:
        """How many branch ends."""
        return len(self.heights) + 1

    def inside(self, node: int) -> np.ndarray:
        """The places (int64) of the rows of an end or a join."""
        wanted = np.zeros(2 * self.count - 1, dtype=bool)
        wanted[node] = True
        for join in range(node - self.count, -1, -1):
            if wanted[self.count + join]:
                wanted[self.joins[join]] = True
        return np.flatnonzero(wanted[:self.count][self.ends])


def crown_of(merges: np.ndarray, leaves: int = LEAVES) -> Crown:
    """The last `leaves` - 1 joins of `merges` (see `values.Tree`), or all where there are fewer."""
    n = len(merges) + 1
    m = min(leaves, n)
    last = merges[n - m:]
    joins = last[:, :2].astype(np.int64)
    first = 2 * n - m  # nodes from here on are joins of the crown
    ends = np.sort(joins[joins < first])
    number = np.full(2 * n - 1, -1)
    number[ends] = np.arange(m)
    number[first:] = np.arange(m, 2 * m - 1)
    above = np.arange(2 * n - 1)
    above[merges[:n - m, :2].astype(np.intp)] = np.arange(n, first)[:, None]
    while not np.array_equal(above[above], above):
        above = above[above]
    joins = number[joins]
    rows = np.append(np.append(np.ones(n), merges[:, 3])[ends], last[:, 3]).astype(np.int64)
    return Crown(joins, last[:, 2].copy(), rows, _places(joins, rows, m),
                 number[above[:n]].astype(np.int32),
                 float(merges[n - m - 1, 2]) if m < n else 0.0)


def _places(joins: np.ndarray, rows: np.ndarray, m: int) -> np.ndarray:
    """Ends side by side, the part with more rows on the left; joins over the middle of theirs."""
    places = np.zeros(2 * m - 1)
    waiting, at = [2 * m - 2], 0
    while waiting:
        node = waiting.pop()
        if node < m:
            places[node] = at
            at += 1
        else:
            waiting += sorted(joins[node - m].tolist(), key=lambda part: (rows[part], -part))
    for join, parts in enumerate(joins):
        places[m + join] = places[parts].mean()
    return places


def draw_dendrogram(crown: Crown, labels: np.ndarray, cut: float | None, *, unit: str,
                    height: int = 380) -> Any:
    """A Figure of a crown. `labels` (m int): the cluster of each branch end at the cut (-1: rows of
    several), which colours it; `cut` the height of the line (None: none); `unit` names the
    distance. Its points answer clicks by their customdata: the number of a join or end whose rows
    can be chosen, or, below 0, a place to cut into so many clusters (-7: seven)."""
    low, high = _range(crown)
    drawn = np.append(np.full(crown.count, low), crown.heights)
    owner = _owners(crown, np.asarray(labels))
    figure = new_figure([*_branches(crown, drawn, owner), _places_to_cut(crown, low, high),
                         _places_to_choose(crown, drawn, owner)],
                        height=height, showlegend=False, hovermode="closest", hoverdistance=40)
    few = crown.count <= _LABELLED
    figure.update_xaxes(
        range=[-0.7, crown.count - 0.3], showgrid=False, tickangle=-90 if crown.count > 12 else 0,
        tickmode="array", tickvals=crown.places[:crown.count] if few else [],
        ticktext=[f"{rows:,}" for rows in crown.rows[:crown.count]] if few else [],
        title=axis_title("rows in each branch end"))
    figure.update_yaxes(range=[low, high], title=axis_title(unit))
    if cut is not None:
        figure.add_hline(y=float(np.clip(cut, low, high)),
                         line={"color": MIDDLE_GREY, "dash": "dash", "width": 2})
    return figure


def heights_to_cut(crown: Crown) -> dict[int, float]:
    """For each number of clusters the crown can be cut into (2..m) the height half way between the
    joins above and below; numbers that equal heights leave out are not there."""
    heights = np.append(crown.below, crown.heights)
    found = {}
    for count in range(2, crown.count + 1):
        above, below = heights[crown.count - count + 1], heights[crown.count - count]
        if above > below:
            found[count] = float((above + below) / 2)
    return found


def _range(crown: Crown) -> tuple[float, float]:
    high = float(crown.heights[-1]) or 1.0
    low = crown.below
    room = 0.05 * (high - low) or 0.05 * high
    return max(0.0, low - room), high + room


def _owners(crown: Crown, labels: np.ndarray) -> np.ndarray:
    """The cluster of every end and join; -1 where its rows are in several."""
    owner = np.append(labels, np.full(crown.count - 1, -1))
    for join, (left, right) in enumerate(crown.joins):
        if owner[left] == owner[right]:
            owner[crown.count + join] = owner[left]
    return owner


def _branches(crown: Crown, drawn: np.ndarray, owner: np.ndarray) -> list[Any]:
    """One line of upside-down U's per cluster; grey above the cut."""
    m = crown.count
    left, right = crown.joins.T
    top = crown.heights
    gap = np.full(m - 1, np.nan)
    across = np.column_stack([crown.places[left], crown.places[left], crown.places[right],
                              crown.places[right], gap])
    up = np.column_stack([drawn[left], top, top, drawn[right], gap])
    traces = []
    for label in np.unique(owner[m:]):
        mine = owner[m:] == label
        traces.append(_line(across[mine], up[mine], int(label)))
    # An end that is a cluster of its own hangs on a grey join: its own stretch is coloured.
    above = np.empty(m, dtype=np.int64)
    ends = crown.joins < m
    above[crown.joins[ends]] = np.broadcast_to(np.arange(m - 1)[:, None], (m - 1, 2))[ends]
    alone = np.flatnonzero((owner[:m] >= 0) & (owner[m + above] < 0))
    for end in alone:
        x = crown.places[end]
        traces.append(_line(np.array([x, x]), np.array([drawn[end], top[above[end]]]),
                            int(owner[end])))
    return traces


def _line(x: np.ndarray, y: np.ndarray, label: int) -> Any:
    import plotly.graph_objects as go

    return go.Scatter(x=x.ravel(), y=y.ravel(), mode="lines", hoverinfo="skip",
                      line={"width": 2, "color": LINE if label < 0 else cluster_color(label)})


def _places_to_cut(crown: Crown, low: float, high: float) -> Any:
    """Points nobody sees: a click anywhere finds the nearest, and with it a number of clusters."""
    import plotly.graph_objects as go

    levels = heights_to_cut(crown)
    across = np.linspace(-0.5, crown.count - 0.5, _COLUMNS)
    heights = [level for level in levels.values() if low <= level <= high]
    counts = [count for count, level in levels.items() if low <= level <= high]
    return go.Scatter(
        x=np.tile(across, len(heights)), y=np.repeat(heights, _COLUMNS), mode="markers",
        marker={"size": 12, "opacity": 0}, selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        customdata=-np.repeat(counts, _COLUMNS), hoverinfo="text",
        hovertext=np.repeat([f"click: cut here into {count} clusters" for count in counts],
                            _COLUMNS).tolist())


def _places_to_choose(crown: Crown, drawn: np.ndarray, owner: np.ndarray) -> Any:
    import plotly.graph_objects as go

    m = crown.count
    nodes = np.arange(2 * m - 1)
    words = [f"a branch end of {rows:,} rows" if node < m else f"{rows:,} rows join at {at:.4g}"
             for node, rows, at in zip(nodes, crown.rows, drawn, strict=True)]
    return go.Scatter(
        x=crown.places, y=drawn, mode="markers", cliponaxis=False,
        marker={"size": np.where(nodes < m, 8, 7),
                "symbol": np.where(nodes < m, "square", "circle"), "opacity": 1,
                "color": [MIDDLE_GREY if label < 0 else cluster_color(int(label))
                          for label in owner]},
        selected={"marker": {"opacity": 1}}, unselected={"marker": {"opacity": 1}},
        customdata=nodes,
        hovertext=[f"{text}<br>click: select them" for text in words], hoverinfo="text")
