"""What the study of a map's trust says of some rows: their share, the worst of them, by cluster."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st

from explorer.errors import ExplorerError
from explorer.escape import esc_md, shown
from explorer.run import Run, name_of
from explorer.study.map_trust import MapTrust
from explorer.ui import state
from explorer.ui.cells import shown_cell
from explorer.ui.rows_view import counted
from explorer.values import Finding

MAP = "pages/explore/map.py"
_WORST = {"kept": "fewest neighbours kept", "trust": "least trustworthy (strangers beside them)",
          "continuity": "least continuous (neighbours landed far away)",
          "stretch:high": "most stretched surroundings",
          "stretch:low": "most compressed surroundings"}


def asked_for() -> MapTrust:
    """The study with the parameters asked for last in this workspace, else as it is by default."""
    for made in state.document().studies:
        if made["method"] == MapTrust.key:
            try:
                return MapTrust.create(**made["parameters"])
            except ExplorerError:  # of another version
                break
    return MapTrust.create()


def trust_found(current: Run) -> tuple[MapTrust, Finding] | None:
    """The study asked for last and what it found, where it is computed for this map."""
    study = asked_for()
    found = current.finding(study)
    return None if found is None else (study, found)


def show_share_of_rows(current: Run, places: np.ndarray) -> None:
    """How much the map keeps of the neighbours of several rows (places, ascending)."""
    found = trust_found(current)
    if found is None:
        left, right = st.columns([3, 1], vertical_alignment="center")
        left.caption(f"{counted(len(places))} selected. How much the map keeps of several rows is "
                     "known once the whole map was measured; of one row it is shown at once.")
        if right.button("Measure the whole map", width="stretch", icon=":material/verified:"):
            state.go_to("pages/judge/trust.py")
        return
    study, finding = found
    metric = study.measures_by(current.recipe.projecting.distance)
    lines = []
    for name, said in study.rows_say.items():
        values = np.asarray(finding.per_row[name])
        all_ = values[np.isfinite(values)]
        known = values[places][np.isfinite(values[places])]
        if not len(known):
            lines.append(f"- {esc_md(said.title)}: not measured for these rows")
            continue
        here, there = ((f"{mean:.0%}" if name == "kept" else f"{mean:.3f}")
                       for mean in (known.mean(), all_.mean()))
        lines.append(f"- {esc_md(said.title)}: **{esc_md(here)}** on average over "
                     f"{counted(len(known))}; the whole map {esc_md(there)}")
    st.markdown("\n".join(lines))
    st.caption(f"k={study.neighbors:d}, {esc_md(metric)} distance in the embedding against the "
               "map.")
    _offer_their_neighbours(current, finding, places)


def _offer_their_neighbours(current: Run, finding: Finding, places: np.ndarray) -> None:
    """Selections of what these rows lost and what was put beside them."""
    if "near" not in finding.extras:
        return
    near, drawn = (np.asarray(finding.extras[name][places]) for name in ("near", "shown"))
    lost = _missing_in(near, drawn)
    false = _missing_in(drawn, near)
    with st.container(horizontal=True, gap="small"):
        for words, other in (("lost", lost), ("false", false)):
            rows = current.rows[np.setdiff1d(other, places)]
            st.button(f"Select their {esc_md(words)} neighbours ({len(rows):,})",
                      disabled=not len(rows), key=f"trust.of_rows.{words}",
                      icon=":material/select_all:",
                      help="Those outside this selection.",
                      on_click=partial(state.select, rows, "trust"))


def _missing_in(lists: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The entries of m x k `lists` that are not in the same row of `others`, each once."""
    inside = (lists[:, :, None] == others[:, None, :]).any(axis=2)
    return np.unique(lists[~inside])


def offer_worst(current: Run, finding: Finding) -> None:
    """The rows the map treats worst, as a selection or as a colour."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        by = st.selectbox("Rows with the", list(_WORST), key="trust.worst_by", width=330,
                          format_func=lambda key: shown(_WORST[key]))
        most = max(1, len(current.rows))
        count = int(st.number_input("How many", 1, most, min(50, most), key="trust.worst",
                                    width=120))
        name, _, end = by.partition(":")
        values = np.asarray(finding.per_row[name], dtype=np.float64)
        known = np.flatnonzero(np.isfinite(values))
        order = np.argsort(-values[known] if end == "high" else values[known], kind="stable")
        rows = current.rows[known[order[:count]]]
        st.button(f"Select {'this row' if len(rows) == 1 else f'these {len(rows):,}'}",
                  icon=":material/select_all:", disabled=not len(rows), key="trust.worst_select",
                  on_click=partial(state.select, rows, "trust"))
        if st.button("Show them on the map", icon=":material/scatter_plot:", type="primary",
                     disabled=not len(rows)):
            state.select(rows, "trust")
            color_map_by(name)
            st.session_state["panel_kept"] = "Trust"
            st.session_state.pop("panel", None)
            state.go_to(MAP)
        if st.button("Colour the map by this", icon=":material/palette:"):
            color_map_by(name)
            state.go_to(MAP)
    if len(known) < len(values):
        st.caption(f"Measured for {len(known):,} of {len(values):,} rows.")


def color_map_by(name: str) -> None:
    """The (first) map takes these numbers per row of the study as its colours."""
    st.session_state["coloring"] = f"study:{MapTrust.key}:{name}"
    st.session_state.pop("color_by", None)


def show_by_cluster(current: Run, finding: Finding, names: dict[int, str]) -> None:
    """How well each cluster is drawn: a table."""
    clustering = current.clustering
    if clustering is None or "shown" not in finding.extras:
        return
    labels = np.asarray(clustering.labels)
    drawn = np.asarray(finding.extras["shown"])
    same = (labels[drawn] == labels[:, None]).mean(axis=1)
    near = np.asarray(finding.extras["near"])
    truly = (labels[near] == labels[:, None]).mean(axis=1)
    records = []
    for label in np.unique(labels).tolist():
        inside = labels == label
        record = {"cluster": shown_cell(name_of(label, names)), "rows": int(inside.sum())}
        for title, name in (("kept", "kept"), ("trustworthiness", "trust"),
                            ("continuity", "continuity"), ("stretch", "stretch")):
            values = np.asarray(finding.per_row[name])[inside]
            known = values[np.isfinite(values)]
            scale = 100 if name == "kept" else 1
            record[title] = scale * float(known.mean()) if len(known) else None
        record |= {"own beside them, map": 100 * float(same[inside].mean()),
                   "own beside them, embedding": 100 * float(truly[inside].mean())}
        records.append(record)
    percent = st.column_config.NumberColumn(format="%.1f %%")
    st.dataframe(records, hide_index=True, height=min(38 + 35 * len(records), 320), column_config={
        "kept": percent, "own beside them, map": percent, "own beside them, embedding": percent,
        "trustworthiness": st.column_config.NumberColumn(format="%.3f"),
        "continuity": st.column_config.NumberColumn(format="%.3f"),
        "stretch": st.column_config.NumberColumn(format="%+.2f")})
    st.markdown(f"Of a row's neighbours **{same.mean():.1%}** are of its own cluster on the map, "
                f"{truly.mean():.1%} in the embedding (neighbourhood hit over all "
                f"{len(labels):,} rows; noise counts as one more cluster).")
    st.caption("Means over the cluster's rows. 'Own beside them': the share of a row's neighbours "
               "that are of its cluster, on the map and in the embedding (neighbourhood hit); "
               "stretch in doublings, above 0 drawn larger than the middling row.")
