"""One cluster read whole: how many rows, what sets it apart, a rule, its typical and odd rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from explorer.escape import esc_md, shown
from explorer.judge.phrases import percent
from explorer.run import Run, name_of, rows_of_clusters
from explorer.study.rules import Rules
from explorer.ui import state
from explorer.ui.confounders_view import show_confounders
from explorer.ui.gallery_view import show_gallery
from explorer.ui.lead_to_map import READ, READ_WIDGET
from explorer.ui.row_order import Ordered, typicality
from explorer.ui.rows_view import counted, table_of
from explorer.ui.rule_view import show_rule
from explorer.ui.study_view import ask
from explorer.values import NOISE

_MOST = 12


def show_why(current: Run, names: dict[int, str]) -> None:
    """A cluster chosen, and everything that says what it is."""
    assert current.clustering is not None
    if not current.clustering.count:
        st.info("Every row is noise: there is no cluster to read.", icon=":material/info:")
        return
    label = _choose(current, names)
    left, right = st.columns([5, 7], gap="medium")
    with left:
        _show_standing(current, label)
        _show_apart(current, label)
        st.markdown("**As a rule**")
        got = ask(Rules, current, asks=False)
        if got is not None:
            show_rule(current, got[1], label, names)
    with right:
        _show_rows(current, label, names)
    st.divider()
    show_confounders(current, label, names)


def _choose(current: Run, names: dict[int, str]) -> int:
    assert current.clustering is not None
    sizes = {**current.clustering.sizes, **({NOISE: current.clustering.noise}
                                            if current.clustering.noise else {})}
    labels = list(sizes)
    if st.session_state.get(READ_WIDGET) not in labels:
        kept = st.session_state.get(READ)
        st.session_state[READ_WIDGET] = kept if kept in labels else labels[0]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button("Previous", icon=":material/chevron_left:", key="why.before", on_click=_step,
                  args=(labels, -1))
        label: int = st.selectbox(
            "Cluster", labels, key=READ_WIDGET, label_visibility="collapsed", width=320,
            format_func=lambda one: f"{shown(name_of(one, names))} ({counted(sizes[one])})")
        st.button("Next", icon=":material/chevron_right:", key="why.after", on_click=_step,
                  args=(labels, 1))
        rows = rows_of_clusters(current, {label})
        if st.button("Show on map", icon=":material/scatter_plot:", key="why.map"):
            state.select(rows, "why")
            state.go_to("pages/explore/map.py")
    st.session_state[READ] = label
    return label


def _step(labels: list[int], by: int) -> None:
    at = labels.index(st.session_state.get(READ_WIDGET, labels[0]))
    st.session_state[READ_WIDGET] = labels[(at + by) % len(labels)]


def _show_standing(current: Run, label: int) -> None:
    assert current.clustering is not None
    inside = np.asarray(current.clustering.labels) == label
    share = percent(float(np.mean(inside)))
    st.markdown(f"**{counted(int(np.sum(inside)))}**, {share} of {counted(len(current.rows))}")
    judged = current.silhouette
    if judged is None or label == NOISE:
        st.caption("Noise: the rows that are in no cluster." if label == NOISE else "")
        return
    values = np.asarray(judged.per_row["silhouette"], dtype=np.float64)[inside]
    values = values[np.isfinite(values)]
    if len(values):
        negative = int((values < 0).sum())
        score = judged.scores[0]
        st.markdown(f"Mean silhouette **{values.mean():.3f}**, {counted(negative)} below 0  \n"
                    f":small[:gray[{esc_md(score.metric)} distance in {esc_md(score.space)}, "
                    f"{len(values):,} of {int(np.sum(inside)):,} rows]]")


def _show_apart(current: Run, label: int) -> None:
    """The words and columns, as they were found when the clusters were made."""
    description = current.description
    if description is None or label == NOISE:
        return
    record = description.clusters[label]
    if record["words"]:
        st.markdown("**Words that set it apart**  \n"
                    + " · ".join(esc_md(word) for word in record["words"]))
    if record["columns"]:
        st.markdown("**Columns that set it apart**\n\n"
                    + "\n".join(f"- {esc_md(line)}" for line in record["columns"]))
    if record["words"] or record["columns"]:
        st.caption("Greatest differences from all other rows first; words by class-based TF-IDF, "
                   "columns by Cohen's d and h from 0.2 on.")
    else:
        st.caption("No word or column of the data sets it apart by more than a small effect.")


def _show_rows(current: Run, label: int, names: dict[int, str]) -> None:
    """Rows in the middle, at the edge, far out."""
    assert current.clustering is not None
    places = np.flatnonzero(np.asarray(current.clustering.labels) == label)
    found: list[tuple[str, str, np.ndarray, np.ndarray, str]] = []
    if current.description is not None and label != NOISE:
        far = typicality(current)[places]
        near = np.argsort(far, kind="stable")[:_MOST]
        out = np.argsort(-far, kind="stable")[:_MOST]
        about = f"distance to the centre of its cluster, {current.space}"
        found.append(("Typical", "nearest to the centre", places[near], far[near], about))
        found.append(("Odd", "farthest from the centre", places[out], far[out], about))
    judged = current.silhouette
    if judged is not None and label != NOISE:
        values = np.asarray(judged.per_row["silhouette"], dtype=np.float64)[places]
        order = np.argsort(values, kind="stable")  # not defined: last
        order = order[np.isfinite(values[order])][:_MOST]
        found.insert(1, ("Borderline", "lowest silhouette", places[order], values[order],
                         f"silhouette, {current.space}"))
    if not found:
        few = places[:_MOST]
        found.append(("Rows", "in the order of the data", few, np.full(len(few), np.nan), ""))
    for title, what, few, numbers, about in found:
        rows = current.rows[few]
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            with st.container(width="content"):
                st.markdown(f"**{esc_md(title)}** :gray[{esc_md(what)}, {len(rows):,} of "
                            f"{len(places):,}]")
            st.button("Select", key=f"why.select.{title}", type="tertiary",
                      icon=":material/select_all:", on_click=state.select,
                      args=(np.sort(rows), "why"), help=f"Selects these {len(rows):,} rows.")
        if current.dataset.has_images or current.dataset.with_role("text"):
            show_gallery(current, Ordered(rows, numbers), names, f"why.{title}", about=about,
                         height=170)
        else:
            st.dataframe(_table(current, rows, numbers, about, names), hide_index=True,
                         height=150, key=f"why.table.{title}")


def _table(current: Run, rows: np.ndarray, numbers: np.ndarray, about: str,
           names: dict[int, str]) -> Any:
    import pyarrow as pa

    table = table_of(current, rows, names)
    table = table.drop_columns([name for name in ("cluster",) if name in table.column_names])
    if np.isfinite(numbers).any() and "distance" in about:
        table = table.add_column(1, "distance", pa.array(np.round(numbers, 4)))
    return table
