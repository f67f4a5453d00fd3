"""The map as a Plotly figure: of three dimensions, and where a browser has no WebGL of its own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import streamlit as st

from explorer.colorings import HOVER_ROWS, Coloring
from explorer.escape import esc_md
from explorer.plot.map import draw_map, point_rows
from explorer.run import Run
from explorer.ui import state
from explorer.ui.colors import colors_of, hover_texts
from explorer.ui.kept import Kept

SELECTABLE_ROWS = 150_000
"""A lasso comes back as text, 130 bytes a row; the connection closes at 25 MB."""
_HEIGHT = 540
CLICK = "Click"
# While dragging selects, Streamlit (1.67) takes clicks on points away: hence a tool for each.
_DRAG = {CLICK: "pan", "Lasso": "lasso", "Box": "select"}
_LIVE_ROWS = 2_000
"""A selection that a figure holds itself comes again with every later click anywhere: 1 MB for
5,000 rows. A larger one is drawn into the figure instead, which then forgets it."""
_CONFIG = {"displaylogo": False, "scrollZoom": True,
           "modeBarButtonsToRemove": ["autoScale2d", "toggleSpikelines"],
           "toImageButtonOptions": {"format": "png", "scale": 2, "filename": "map"}}


def show_map(current: Run, coloring: Coloring, names: dict[int, str]) -> None:
    """The scatter plot of the projection; in two dimensions box, lasso and click choose rows."""
    projection = current.projection
    assert projection is not None
    flat = projection.points.shape[1] == 2
    few = len(current.rows) <= SELECTABLE_ROWS
    tool = _choose_tool() if flat and few else CLICK
    base = ("map", current.dataset.id, current.plan.projection, current.plan.clustering,
            current.plan.judgements.get("silhouette"), coloring.content,
            tuple(sorted(names.items())), tuple(current.dataset.roles.items()), tool)
    marks = _marks(current, base)
    figure = _kept(base, marks, lambda: draw_map(
        np.asarray(projection.points), rows=current.rows.astype(np.int32),
        colors=colors_of(coloring),
        hover=hover_texts(current, names), selected=marks, axes=projection.axes,
        units=current.recipe.projecting.units, dragmode=_DRAG[tool], height=_HEIGHT))
    if flat and few:
        st.plotly_chart(figure, key="map", config=_CONFIG, height="stretch",
                        on_select=_chooser(base, marks), selection_mode=("points", "box", "lasso"))
    else:
        st.plotly_chart(figure, key="map", config=_CONFIG, height="stretch")


def show_limits(current: Run) -> None:
    """What this map does not do, and what does it instead."""
    projection = current.projection
    assert projection is not None
    flat = projection.points.shape[1] == 2
    if flat:
        st.caption("This browser draws no WebGL, so a plainer map is shown: without pictures on "
                   "hover, and every change of the colours starts it again.")
    if flat and len(current.rows) > SELECTABLE_ROWS:
        st.caption(f"Above {SELECTABLE_ROWS:,} rows this map cannot be lassoed: choose bars of the "
                   "silhouette plot, or clusters on the Clusters page.")
    elif not flat:
        st.caption("A 3-D picture cannot be lassoed: drag to turn it, scroll to zoom; choose bars "
                   "of the silhouette plot, or clusters on the Clusters page.")
    if len(current.rows) > HOVER_ROWS:
        st.caption(f"Above {HOVER_ROWS:,} rows a point shows its row id and cluster only.")


def _choose_tool() -> str:
    """What the mouse does on the figure: a key of _DRAG; the choice outlives a change of page."""
    if "tool" not in st.session_state:
        st.session_state["tool"] = st.session_state.get("tool_kept", CLICK)
    chosen = st.segmented_control("Select by", list(_DRAG), key="tool", required=True,
                                  label_visibility="collapsed") or CLICK
    st.session_state["tool_kept"] = chosen
    return chosen


def score_line(current: Run) -> tuple[str, str]:
    """The scores in one line, and what makes them true in another."""
    parts = []
    for score in current.scores:
        value = "not defined" if score.value is None else _number(score.value)
        arrow = "↑" if score.better == "higher" else "↓"
        within = f" ({esc_md(score.interval)})" if score.interval else ""
        parts.append(f"{esc_md(score.name)} {arrow} **{value}**{within}")
    first = current.scores[0] if current.scores else None
    if first is None:
        computed = bool(current.plan.judgements)
        return ("Scores: being computed" if computed else "No scores",
                "of the clusters as edited" if computed else "this recipe has no judge")
    metrics = dict.fromkeys(score.metric for score in current.scores)
    distance = esc_md(f"{first.metric} distance" if len(metrics) == 1 else "; ".join(
        f"{metric} distance ({', '.join(s.name for s in current.scores if s.metric == metric)})"
        for metric in metrics))
    lost = current.dataset.n - len(current.rows)
    left_out = f" ({lost:,} more without a vector)" if lost else ""
    basis = (f"{max(score.sample for score in current.scores):,} of {first.total:,} rows{left_out}"
             f"{_sampled(current)} · {esc_md(first.noise)} · "
             f"{distance} in {esc_md(first.space)} · map: {_map_words(current)}")
    return " · ".join(parts), basis


def _sampled(current: Run) -> str:
    """What is said of scores that a sample estimates."""
    return "".join(
        " · " + esc_md(f"{score.name}: estimated from a sample of {score.sample:,} of them, seed "
                       f"{score.seed}, with its 95 % confidence interval in brackets")
        for score in current.scores if score.interval)


def _map_words(current: Run) -> str:
    seed = getattr(current.recipe.projecting, "seed", None)
    return esc_md(current.recipe.projecting.title + ("" if seed is None else f", seed {seed}"))


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3f}"


def _marks(current: Run, base: tuple[Any, ...], *,
           shows_itself: bool = True) -> np.ndarray | None:
    """The rows to mark in a figure (n bool). None where nothing is chosen, or where it was chosen
    in this very figure: the browser still shows it there, and the view stays as it was."""
    chosen = state.selection()
    if not len(chosen.rows):
        return None
    if shows_itself and chosen.origin == str(base) and len(chosen.rows) <= _LIVE_ROWS:
        event: Any = st.session_state.get(base[0])
        if event and np.array_equal(point_rows(event["selection"]), chosen.rows):
            return None
    return np.isin(current.rows, chosen.rows)


def _chooser(base: tuple[Any, ...], marks: np.ndarray | None) -> Callable[[], None]:
    # A figure with marks is drawn anew with the next ones: its own selection does not outlive that.
    origin = str(base) if marks is None else f"marked {base[0]}"

    def choose() -> None:
        event: Any = st.session_state.get(base[0])
        state.select(point_rows(event["selection"] if event else {}), origin)
    return choose


def _kept(base: tuple[Any, ...], marks: np.ndarray | None, draw: Callable[[], Any]) -> Any:
    """A figure is built once per content for everybody: building it again costs more than drawing.
    `base` names all of its content but the marks."""
    key = (base, None if marks is None else np.packbits(marks).tobytes())
    st.session_state[f"figure.{base[0]}"] = key
    with nullcontext() if FIGURES.holds(key) else st.spinner("Drawing …"):
        return FIGURES.get(key, lambda: _as_sent(draw()))


def _as_sent(figure: Any) -> Any:
    """The figure with the plain data Streamlit asks of it at every rerun made once: copying it and
    coding its arrays is most of what showing an unchanged figure costs."""
    plain = figure.to_dict()
    for trace in plain["data"]:
        if isinstance(trace.get("text"), np.ndarray):
            trace["text"] = trace["text"].tolist()
    figure.to_dict = lambda: plain
    return figure


def _weight(figure: Any) -> int:
    """About the bytes of a figure on the wire."""
    return _characters(figure.to_dict())


def _characters(plain: Any) -> int:
    if isinstance(plain, dict):
        return sum(map(_characters, plain.values()))
    if isinstance(plain, list | tuple):
        return sum(map(_characters, plain))
    return len(plain) if isinstance(plain, str) else 8


FIGURES: Kept[Any] = Kept(200_000_000, _weight)
"""Of all sessions, by their bytes; a session's `figure.<name>` is the key of the one it shows."""
