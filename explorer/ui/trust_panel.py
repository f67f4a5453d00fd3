"""Which neighbours of the selected row the map keeps, loses and makes up: a panel, and lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from explorer.errors import ExplorerError
from explorer.escape import esc_md
from explorer.judge.ranks import ranks_from
from explorer.neighbors.nearest_to import nearest_to
from explorer.queries import at_once
from explorer.run import Run, name_of
from explorer.ui import state
from explorer.ui.cells import shown_cell
from explorer.ui.kept import Kept
from explorer.ui.marks import Lines, set_lines
from explorer.ui.neighbors_ask import Question, find_answer, wait_for_answer
from explorer.ui.pictures import picture
from explorer.ui.problem import show_problem
from explorer.ui.rows_view import counted
from explorer.ui.trust_rows import asked_for, show_share_of_rows, trust_found

_COUNT, _LINES = "trust.count", "trust.lines"
_LEAST, _MOST, _USUAL = 1, 50, 15
_SIDE = 44
_KINDS = {"kept": "kept: near in both", "lost": "lost: landed farther away",
          "false": "false: near on the map only"}
_compared: Kept[Compared] = Kept(500)


@dataclass(frozen=True)
class Compared:
    """Of one row its `kept`, `lost` and `false` neighbours (places, int64), nearest first where
    they are near, and of the lost ones their rank `on_map`, of the false ones their rank
    `in_truth` (int64; 0: not measured)."""

    kept: np.ndarray
    lost: np.ndarray
    false: np.ndarray
    on_map: np.ndarray
    in_truth: np.ndarray


def show_trust(current: Run, names: dict[int, str]) -> None:
    """For one row its neighbours kept, lost and false; for several their share."""
    if current.embedding is None or current.projection is None:
        return
    places = current.positions(state.selection().rows)
    if not len(places):
        _offer_start(current)
        return
    if len(places) > 1:
        show_share_of_rows(current, places)
        return
    _choose(current)
    try:
        found = _compare(current, int(places[0]))
    except ExplorerError as error:
        show_problem(error)
        return
    if found is None:
        wait_for_answer(current, _question(current, int(places[0])))
        return
    _show_lists(current, int(places[0]), found, names)


def mark_trust(current: Run) -> None:
    """Draw the lines of the selected row; to be called before the maps are drawn, while the panel
    is open."""
    places = current.positions(state.selection().rows)
    drawn = None
    wanted = st.session_state.get(_LINES, st.session_state.get(f"{_LINES}.kept", True))
    if len(places) == 1 and wanted and current.embedding is not None \
            and current.projection is not None:
        try:
            found = _compare(current, int(places[0]))
        except ExplorerError:
            found = None  # the panel below says why
        if found is not None:
            rows = current.rows
            drawn = Lines(int(rows[places[0]]), rows[found.kept], rows[found.lost],
                          rows[found.false])
    set_lines(drawn)


def _offer_start(current: Run) -> None:
    left, right = st.columns([3, 1], vertical_alignment="center")
    left.caption("Nothing selected. Click a point on the map: lines then lead to its true "
                 "neighbours that landed far away, and to its false neighbours nearby. Select "
                 "several to see how much the map keeps of them.")
    found = trust_found(current)
    if found is None:
        if right.button("Measure the whole map", width="stretch", icon=":material/verified:"):
            state.go_to("pages/judge/trust.py")
        return
    trust = np.asarray(found[1].per_row["trust"])
    if np.isfinite(trust).any():
        row = int(current.rows[int(np.nanargmin(trust))])
        right.button("Start at the least trusted row", width="stretch",
                     on_click=partial(state.select, np.array([row]), "trust"),
                     help="The one with the lowest trustworthiness.")


def _choose(current: Run) -> None:
    for name, value in ((_COUNT, _USUAL), (_LINES, True)):
        if name not in st.session_state:
            st.session_state[name] = st.session_state.get(f"{name}.kept", value)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        count = st.number_input("Neighbours", _LEAST, _MOST, key=_COUNT, width=130,
                                help="As many nearest rows are compared in the embedding and on "
                                     "the map.")
        lines = st.checkbox("Lines on the map", key=_LINES)
        metric = _question(current, 0).metric
        assert current.embedding is not None
        assert current.projection is not None
        deep = current.projection.points.shape[1] == 3
        st.caption(f"{esc_md(metric.capitalize())} distance in "
                   f"{esc_md(current.embedding.title)} against the map, exact over all "
                   f"{len(current.rows):,} rows."
                   f"{' A 3-D map draws no lines.' if deep else ''}")
    st.session_state[f"{_COUNT}.kept"], st.session_state[f"{_LINES}.kept"] = count, lines


def _question(current: Run, place: int) -> Question:
    count = st.session_state.get(_COUNT) or st.session_state.get(f"{_COUNT}.kept") or _USUAL
    count = int(min(max(count, _LEAST), max(1, len(current.rows) - 1)))
    study = asked_for()
    return Question(np.array([place]), count,
                    study.measures_by(current.recipe.projecting.distance))


def _compare(current: Run, place: int) -> Compared | None:
    """None where the neighbours have to be searched by a job first. Raises DataError."""
    asked = _question(current, place)
    answer = find_answer(current, asked)
    if answer is None:
        return None
    assert current.embedding is not None
    assert current.projection is not None
    vectors, points = current.embedding.vectors, np.asarray(current.projection.points)
    quick = at_once(current)

    def make() -> Compared:
        near = answer.places[:asked.count]
        shown = nearest_to(points, points[place], asked.count, "euclidean",
                           without=asked.places).places
        lost, false = near[~np.isin(near, shown)], shown[~np.isin(shown, near)]
        if quick:
            depth = ranks_from(vectors, place, false, asked.metric)
        else:
            known = {int(at): rank for rank, at in enumerate(answer.places, start=1)}
            depth = np.array([known.get(int(at), 0) for at in false], dtype=np.int64)
        return Compared(near[np.isin(near, shown)], lost, false,
                        ranks_from(points, place, lost, "euclidean"), depth)

    return _compared.get((str(current.store.root), current.plan.embedding, current.plan.projection,
                          place, asked.count, asked.metric), make)


def _show_lists(current: Run, place: int, found: Compared, names: dict[int, str]) -> None:
    number = len(found.kept) + len(found.lost)
    row = current.dataset.row_ids[int(current.rows[place])]
    if not number:
        st.caption("There are no other rows.")
        return
    st.markdown(f"Of the **{number:,}** rows nearest to row {esc_md(_cut(row))} the map keeps "
                f"**{len(found.kept):,}** beside it; **{len(found.lost):,}** landed farther away, "
                f"and {counted(len(found.false), 'false neighbour')} "
                f"{'stands' if len(found.false) == 1 else 'stand'} in their place.")
    for column, (kind, words) in zip(st.columns(3, gap="small"), _KINDS.items(), strict=True):
        places = getattr(found, kind)
        ranks = {"lost": ("map rank", found.on_map),
                 "false": ("true rank", found.in_truth)}.get(kind)
        line = (":gray[━━]" if kind == "kept" else ":orange[━━]" if kind == "lost" else
                ":blue[╍╍]")
        with column:
            left, right = st.columns([7, 2], vertical_alignment="center")
            left.markdown(f"{line} **{len(places):,}** {esc_md(words)}")
            right.button("Select", key=f"trust.select.{kind}", type="tertiary",
                         disabled=not len(places), help="Selects these rows on every view",
                         on_click=partial(state.select, current.rows[places], f"trust.{kind}"))
            if len(places):
                _show_list(current, place, places, ranks, names, f"trust.{kind}.{place}")


def _show_list(current: Run, own: int, places: np.ndarray,
               ranks: tuple[str, np.ndarray] | None, names: dict[int, str], key: str) -> None:
    records = _records(current, own, places, ranks, names)
    st.dataframe(records, hide_index=True, height=min(38 + 35 * len(records), 286), key=key,
                 on_select=lambda: _clicked(key, current.rows[places]),
                 selection_mode="single-cell",
                 row_height=_SIDE if current.dataset.has_images else None,
                 column_config={
                     "picture": st.column_config.ImageColumn(width=60),
                     "map rank": st.column_config.TextColumn(width=80, help=(
                         "How many-th nearest it is on the map; 1 is the nearest.")),
                     "true rank": st.column_config.TextColumn(width=80, help=(
                         "How many-th nearest it is in the embedding; 1 is the nearest."))})


def _clicked(key: str, rows: np.ndarray) -> None:
    cells = st.session_state[key]["selection"]["cells"]
    if cells:
        state.select(rows[[cells[0][0]]], "trust")


def _records(current: Run, own: int, places: np.ndarray, ranks: tuple[str, np.ndarray] | None,
             names: dict[int, str]) -> Sequence[dict[str, Any]]:
    data = current.dataset
    labels = None if current.clustering is None else current.clustering.labels
    told = [column for column in (*data.with_role("label")[:1], *data.with_role("text")[:1])
            if column.place == "table"]
    records = []
    for at, place in enumerate(places.tolist()):
        row = int(current.rows[place])
        record: dict[str, Any] = {}
        if data.has_images:
            record["picture"] = picture(data, row, _SIDE)
        record["row"] = shown_cell(data.row_ids[row])
        if ranks is not None:
            record[ranks[0]] = f"{ranks[1][at]:,}" if ranks[1][at] else "beyond 100"
        if labels is not None:
            other = "" if labels[place] == labels[own] else " (another)"
            record["cluster"] = shown_cell(name_of(int(labels[place]), names)) + other
        for column in told:
            record.setdefault(shown_cell(column.name), shown_cell(_cut(data.text(column.name, row),
                                                                      120)))
        records.append(record)
    return records


def _cut(text: str, most: int = 40) -> str:
    return text if len(text) <= most else f"{text[:most - 1]}…"
