"""Rows that are nearly the same: where the line lies, the groups, and one of each to keep."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from explorer.dataset import Dataset
from explorer.escape import esc_md, shown
from explorer.plot.histogram import draw_histogram
from explorer.run import Run
from explorer.study.near_duplicates import NearDuplicates
from explorer.ui.cells import shown_cell
from explorer.ui.cluster_table import strip_of
from explorer.ui.lead_to_map import lead_to_map
from explorer.ui.rows_view import counted, show_rows
from explorer.ui.study_view import ask, compute, show_said
from explorer.values import Finding

_LISTED = 200
_SIDE_BY_SIDE = 4


def show_duplicates(current: Run, names: dict[int, str]) -> None:
    """The study, its threshold among all distances, and its groups."""
    got = ask(NearDuplicates, current)
    if got is None:
        return
    study, found = got
    threshold = float(found.extras["threshold"][0])
    _show_counts(found)
    left, right = st.columns([7, 5], gap="medium", vertical_alignment="center")
    nearest = np.asarray(found.per_row["nearest"], dtype=np.float64)
    with left:
        st.plotly_chart(draw_histogram(
            nearest, what="distance to the nearest other row", line=threshold, above=False,
            line_name="near-duplicates"), key="duplicates.figure")
    with right:
        _offer_threshold(current, study, nearest, threshold)
        _offer_rows(current, found)
    show_said(found)
    _show_groups(current, found, names)


def _show_counts(found: Finding) -> None:
    score = found.scores[0]
    parts = [f"{esc_md(one.name)}: **{int(one.value or 0):,}**" for one in found.scores]
    st.markdown("  \n".join(parts) + f"  \n:small[:gray[{esc_md(score.metric)} distance in "
                f"{esc_md(score.space)}, all {score.total:,} rows, {esc_md(score.noise)}]]")


def _offer_threshold(current: Run, study: NearDuplicates, nearest: np.ndarray,
                     threshold: float) -> None:
    known = nearest[np.isfinite(nearest)]
    wanted = float(st.number_input(
        "Another threshold", min_value=0.0, value=threshold, format="%.4g",
        step=max(float(np.median(known)) / 40, 1e-6) if len(known) else 0.1,
        key=f"duplicates.threshold.{threshold:.6g}",
        help="Rows at most so far apart are near-duplicates."))
    if wanted != threshold:
        st.caption(f"{counted(int((known <= wanted).sum()))} have another row at most "
                   f"{wanted:.4g} away.")
        st.button(f"Use {wanted:.4g}", key="duplicates.use", icon=":material/play_arrow:",
                  on_click=_use, args=(current, study, wanted))


def _use(current: Run, study: NearDuplicates, threshold: float) -> None:
    for key in [key for key in st.session_state if str(key).startswith("study.near_duplicates")]:
        del st.session_state[key]
    compute(current, NearDuplicates.create(**{**study.values(), "threshold": threshold}))


def _offer_rows(current: Run, found: Finding) -> None:
    extra = current.rows[np.asarray(found.per_row["extra"]) == 1]
    grouped = current.rows[np.asarray(found.per_row["group"]) >= 0]
    none = not len(grouped)
    color = f"study:{NearDuplicates.key}:group"
    if st.button(f"Keep one of each: select the {counted(len(extra))} to spare", type="primary",
                 key="duplicates.extra", icon=":material/cleaning_services:", disabled=none,
                 width="stretch", help="Of each group the row nearest to its middle is kept and "
                 "not selected. Invert the selection on the map to export the rows that stay."):
        lead_to_map(extra, "duplicates", color)
    if st.button(f"Select all {counted(len(grouped))} in groups", key="duplicates.all",
                 icon=":material/select_all:", disabled=none, width="stretch"):
        lead_to_map(grouped, "duplicates", color)
    if st.button("Colour the map by group", key="duplicates.color", icon=":material/palette:",
                 disabled=none, width="stretch"):
        lead_to_map(coloring=color)


def _show_groups(current: Run, found: Finding, names: dict[int, str]) -> None:
    groups = np.asarray(found.per_row["group"])
    count = int(groups.max(initial=-1)) + 1
    if not count:
        st.info("No two rows are so near to each other. A larger threshold finds rows that are "
                "less alike.", icon=":material/info:")
        return
    listed = min(count, _LISTED)
    spare = np.asarray(found.per_row["extra"])
    lines = [_line(current, group, np.flatnonzero(groups == group), spare)
             for group in range(listed)]
    st.markdown(f"**Groups, the largest first** :gray[{listed:,} of {count:,}]")
    picked = st.dataframe(lines, hide_index=True, key="duplicates.table", on_select="rerun",
                          selection_mode="single-row", row_height=64 if current.dataset.has_images
                          else None, column_config=_columns(current.dataset))
    chosen = [place for place in picked["selection"]["rows"] if place < listed]
    group = chosen[0] if chosen else 0
    st.markdown(f"**Group {group:d}, all its rows** :gray[tick another above]")
    show_rows(current, current.rows[groups == group], names, "duplicates.rows", height=220)


def _line(current: Run, group: int, places: np.ndarray, spare: np.ndarray) -> dict[str, Any]:
    """One group: what is kept, then some of the others beside it."""
    order = places[np.argsort(spare[places], kind="stable")]
    rows = [int(current.rows[place]) for place in order]
    data = current.dataset
    found: dict[str, Any] = {"group": group, "rows": len(rows),
                             "kept": shown(data.row_ids[rows[0]])}
    if data.has_images:
        return {**found, "pictures": strip_of(data, tuple(rows[:_SIDE_BY_SIDE]))}
    texts = data.with_role("text")
    if texts:
        whole = [" · ".join(data.text(column.name, row) for column in texts) for row in rows[:2]]
        return {**found, "its text": shown_cell(whole[0]), "text of another": shown_cell(whole[1])}
    return {**found, "others": shown(", ".join(data.row_ids[row] for row in rows[1:9]))}


def _columns(data: Dataset) -> dict[str, Any]:
    column = st.column_config
    found: dict[str, Any] = {"group": column.NumberColumn("group", width=70),
                             "rows": column.NumberColumn("rows", format="localized", width=70)}
    if data.has_images:
        found["pictures"] = column.ImageColumn(
            "kept, then others", help=f"At most {_SIDE_BY_SIDE} of the group.")
    return found
