"""The stability of the map on a page: the same map drawn again, side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from explorer.colorings import by_cluster
from explorer.escape import esc_md
from explorer.plot.copies import MOST_DRAWN, draw_copies
from explorer.plot.palette import CategoryColors
from explorer.run import Run
from explorer.study.map_stability import MapStability
from explorer.ui import state
from explorer.ui.basis import show_basis
from explorer.ui.kept import Kept
from explorer.ui.stability_view import show_on_map
from explorer.ui.study_view import ask, show_said, show_scores
from explorer.values import Finding

_figures: Kept[Any] = Kept(16)


def show_map_stability(current: Run, names: dict[int, str]) -> None:
    """The study, its headline, the maps side by side, and the rows whose neighbours change."""
    answer = ask(MapStability, current)
    if answer is None:
        return
    study, found = answer
    if "maps" not in found.extras:
        st.info(esc_md(found.scores[0].why), icon=":material/info:")
        show_scores(found)
        return
    score = found.scores[0]
    records = found.tables["maps"]
    if score.value is not None:
        chance = min(study.neighbors, score.total - 1) / max(1, score.total - 1)
        st.markdown(
            f"Of a row's neighbours on the map, **{score.value:.0%}** are its neighbours on a new "
            f"map, too (mean of {len(records):,} maps; two unrelated maps would share about "
            f"{chance:.1%}).", help=(
                "A neighbourhood that comes and goes is made by the draw: do not read it. The "
                "place of a whole group on the map may change while its neighbourhoods stay: the "
                "Procrustes distance below tells. Whether the map is true to the vectors is "
                "another question: see Map trust."))
    show_basis(score)
    show_said(found)
    _show_copies(current, study, found, names)
    kept = np.asarray(found.per_row["kept"])
    loose = np.flatnonzero(kept < 0.5)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(f"Select the {len(loose):,} rows with other neighbours on most maps",
                  icon=":material/select_all:", disabled=not len(loose), key="map_stability.loose",
                  help="Rows of which less than half of the neighbours stay, on average.",
                  on_click=state.select, args=(current.rows[loose], "stability"))
        if st.button("Colour the map by this", icon=":material/palette:",
                     key="map_stability.color"):
            show_on_map(MapStability.key, "kept")
        if st.button("Show the selection on the map", icon=":material/scatter_plot:",
                     key="map_stability.show", disabled=not len(state.selection().rows)):
            show_on_map(MapStability.key, "kept")
    st.dataframe(records, hide_index=True, column_config={
        "same neighbours": st.column_config.NumberColumn(format="percent"),
        "Procrustes distance": st.column_config.NumberColumn(
            format="%.4f", help="From the map you see: 0 the same after moving, turning, mirroring "
                                "and scaling, 1 nothing in common.")})
    with st.expander("Numbers and their basis"):
        show_scores(found)


def _show_copies(current: Run, study: MapStability, found: Finding,
                 names: dict[int, str]) -> None:
    maps, rows = np.asarray(found.extras["maps"]), np.asarray(found.extras["shown"])
    records = found.tables["maps"]
    titles = ["the map you see", *(f"{record['map']} ({record['change']}): "
                                   f"{record['same neighbours']:.0%} same neighbours"
                                   for record in records)]

    def draw() -> Any:
        whole = by_cluster(current, names)
        return draw_copies(maps, titles, CategoryColors(whole.codes[rows], whole.names,
                                                        whole.colors))
    key = (current.plan.projection, current.plan.clustering, tuple(sorted(study.values().items())))
    st.plotly_chart(_figures.get(key, draw), key="map_stability.copies",
                    config={"displayModeBar": False})
    parts = ["Each map is laid over the one you see (moved, turned, mirrored, scaled); colours are "
             "the clusters."]
    if len(rows) < len(current.rows):
        parts.append(f"Drawn are {len(rows):,} of {len(current.rows):,} rows.")
    if len(maps) > MOST_DRAWN:
        parts.append(f"The first {MOST_DRAWN} of {len(maps)} maps.")
    if maps.shape[2] == 3:
        parts.append("Of three dimensions the first two are drawn.")
    st.caption(esc_md(" ".join(parts)))
