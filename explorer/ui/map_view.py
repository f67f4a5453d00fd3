"""The map and the silhouette plot: two views of one selection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from explorer.escape import esc_md
from explorer.plot.map import draw_map, point_rows
from explorer.plot.silhouette import draw_silhouette
from explorer.run import Run, name_of
from explorer.ui import state
from explorer.ui.colors import HOVER_ROWS, Coloring, hover_texts

SELECTABLE_ROWS = 150_000
"""A lasso comes back as text, 130 bytes a row; the connection closes at 25 MB."""
_CONFIG = {"displaylogo": False, "scrollZoom": True,
           "modeBarButtonsToRemove": ["autoScale2d", "toggleSpikelines"],
           "toImageButtonOptions": {"format": "png", "scale": 2, "filename": "map"}}


def show_map(current: Run, coloring: Coloring, coloring_key: str, names: dict[int, str],
             height: int) -> None:
    """The scatter plot of the projection; box, lasso and click choose rows."""
    projection = current.projection
    assert projection is not None
    base = ("map", current.plan.projection, current.plan.clustering, coloring_key,
            tuple(sorted(names.items())))
    chosen = state.selection()
    overlay = len(chosen.rows) > 0 and chosen.origin != str(base)
    marked = _mask(current, chosen.rows) if overlay else None
    figure = _kept("map", (*base, height, _mark(marked)), lambda: draw_map(
        np.asarray(projection.points), rows=current.rows.astype(np.int32), colors=coloring.draw(),
        hover=hover_texts(current, names), selected=marked, axes=projection.axes, height=height))
    many = len(current.rows) > SELECTABLE_ROWS
    flat = projection.points.shape[1] == 2
    if many or not flat:
        st.plotly_chart(figure, key="map", config=_CONFIG)
    else:
        st.plotly_chart(figure, key="map", config=_CONFIG, on_select=_chooser("map", str(base)),
                        selection_mode=("points", "box", "lasso"))
    if many:
        st.caption(f"Above {SELECTABLE_ROWS:,} rows this map cannot be lassoed: choose clusters "
                   "on the Clusters page.")
    if not flat:
        st.caption("A 3-D picture cannot be lassoed: choose bars of the silhouette plot, or "
                   "clusters on the Clusters page.")
    if len(current.rows) > HOVER_ROWS:
        st.caption(f"Hover texts are left out above {HOVER_ROWS:,} rows; click a point to see it.")


def show_silhouette(current: Run, names: dict[int, str], height: int) -> None:
    """One bar per row in the space that was clustered; bars choose rows."""
    judged = current.silhouette
    clustering = current.clustering
    if judged is None or clustering is None:
        st.info("This recipe has no silhouette judge.")
        return
    score = judged.scores[0]
    if score.value is None:
        st.info(f"The silhouette is not defined: {score.why}")
        return
    base = ("silhouette", current.plan.judgements["silhouette"], tuple(sorted(names.items())))
    chosen = state.selection()
    overlay = len(chosen.rows) > 0 and chosen.origin != str(base)
    marked = _mask(current, chosen.rows) if overlay else None
    figure = _kept("silhouette", (*base, height, _mark(marked)), lambda: draw_silhouette(
        np.asarray(judged.per_row["silhouette"]), np.asarray(clustering.labels),
        np.asarray(judged.per_row["second"]), rows=current.rows.astype(np.int32),
        names={label: name_of(label, names) for label in range(clustering.count)},
        noise=clustering.noise, mean=score.value, selected=marked, height=height))
    st.plotly_chart(figure, key="silhouette", config=_CONFIG,
                    on_select=_chooser("silhouette", str(base)), selection_mode=("points", "box"))


def score_line(current: Run) -> tuple[str, str]:
    """The scores in one line, and what makes them true in another."""
    parts = []
    for score in current.scores:
        value = "not defined" if score.value is None else _number(score.value)
        arrow = "↑" if score.better == "higher" else "↓"
        parts.append(f"{score.name} {arrow} **{value}**")
    first = current.scores[0] if current.scores else None
    if first is None:
        return "", ""
    basis = (f"{first.sample:,} of {first.total:,} rows · {esc_md(first.noise)} · {first.metric} "
             f"distance in {esc_md(first.space)} · map: {current.recipe.projecting.title}, seed "
             f"{getattr(current.recipe.projecting, 'seed', 'none')}")
    return " · ".join(parts), basis


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3f}"


def _chooser(key: str, base: str) -> Callable[[], None]:
    def choose() -> None:
        event: Any = st.session_state.get(key)
        rows = point_rows(event["selection"] if event else {})
        state.select(rows, base)
    return choose


def _mask(current: Run, rows: np.ndarray) -> np.ndarray:
    return np.isin(current.rows, rows)


def _mark(marked: np.ndarray | None) -> str:
    return "" if marked is None else str(hash(np.packbits(marked).tobytes()))


def _kept(name: str, key: tuple[Any, ...], draw: Callable[[], Any]) -> Any:
    """A figure is built once per content: building and hashing it again costs more than drawing."""
    held = st.session_state.get(f"figure.{name}")
    if held is None or held[0] != key:
        held = (key, draw())
        st.session_state[f"figure.{name}"] = held
    return held[1]
