"""What an import found: its report, the first rows, and what every column is used as."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import streamlit as st

from explorer.dataset import ROLES, Column, Dataset, Issue
from explorer.escape import esc_md
from explorer.ui import state
from explorer.ui.cells import shown_cell, shown_table
from explorer.ui.reading import kept_files, kept_options, read_again

_PREVIEW_ROWS = 100
_PREVIEW_COLUMNS = 100
_PICTURES = 12
_CAPTION = 10
_NUMBERS = 8
_PLACES = 12
_LINES = (".csv", ".tsv", ".txt", ".tab", ".json", ".jsonl", ".ndjson")


def show_report(data: Dataset) -> None:
    """What was found in the files: skipped, decoded, odd."""
    warnings = [issue for issue in data.report if issue.level == "warning"
                and issue.code != "NO_FEATURES"]
    notes = [issue for issue in data.report if issue.level != "warning"]
    place = "line" if all(source.name.lower().endswith(_LINES) for source in data.sources) \
        else "row"
    for issue in warnings:
        st.warning(_words(issue, place), icon=":material/warning:")
    _offer_join(data)
    if notes:
        title = f"Import report: {len(notes)} note{'s' if len(notes) > 1 else ''}"
        with st.expander(title, expanded=len(notes) <= 2):
            for issue in notes:
                st.markdown(f"- {_words(issue, place)}")
    if not data.report:
        st.caption(":material/check: Nothing was skipped or changed on import.")


def show_preview(data: Dataset) -> None:
    """The first rows exactly as uploaded, pictures from all over the data where there are some."""
    st.subheader("Preview", anchor=False)
    if data.has_images:
        _show_pictures(data)
    shown = min(data.n, _PREVIEW_ROWS)
    table = _first_rows(data, shown)
    if not table.num_columns:
        return
    st.dataframe(table, height=min(250, 38 + 35 * shown), hide_index=True)
    left_out = data.table.num_columns - _PREVIEW_COLUMNS
    wide = f", the first {_PREVIEW_COLUMNS} columns of {data.table.num_columns:,}" \
        if left_out > 0 else ""
    st.caption(f"Rows 1 to {shown:,} of {data.n:,}{wide}.")


def edit_roles(data: Dataset) -> None:
    """What every column is used as; a change is saved at once and asks for a new proposal."""
    st.subheader("Columns", anchor=False)
    found = {column["name"]: column["role"] for column in data.entry.meta["columns"]}
    records = [{"column": shown_cell(column.name), "role": column.role, "missing": column.missing,
                "different": column.distinct,
                "why": shown_cell(column.why) if column.role == found[column.name] else
                f"You chose it; found as {found[column.name]}."}
               for column in data.columns]
    turn = st.session_state.setdefault("roles_turn", 0)
    edited = st.data_editor(
        records, hide_index=True, key=f"roles.{data.id}.{turn}",
        height=min(38 + 35 * len(records), 420),
        disabled=["column", "missing", "different", "why"],
        column_config={
            "role": st.column_config.SelectboxColumn(
                "role", options=list(ROLES), required=True,
                help="What this column is used as: click to change. A label is never computed "
                     "with, only compared."),
            "missing": st.column_config.NumberColumn("missing", format="localized"),
            "different": st.column_config.NumberColumn("different values", format="localized"),
            "why": st.column_config.TextColumn("why", width="large"),
        })
    refused = st.session_state.pop("roles_refused", ())
    for reason in refused:
        st.warning(esc_md(reason), icon=":material/undo:")
    coordinates = len(data.with_role("coordinate"))
    if coordinates not in (0, 2, 3):
        st.info(f"A ready-made map needs 2 or 3 coordinate columns, got {coordinates}: until then "
                "the map is computed.", icon=":material/info:")
    roles = {column.name: str(record["role"])
             for column, record in zip(data.columns, edited, strict=True)}
    if roles == data.roles:
        return
    reasons = [reason for column in data.columns if roles[column.name] != column.role
               and (reason := _impossible(data, column, roles[column.name]))]
    if reasons:
        st.session_state["roles_refused"] = reasons
        st.session_state["roles_turn"] = turn + 1  # the editor forgets the refused change
    else:
        state.change(roles=roles, recipe=None, reasons=())
    st.rerun()


def _impossible(data: Dataset, column: Column, role: str) -> str:
    """Why a column cannot have a role; '' when it can."""
    name = column.name
    if role in ("ignore", column.role):
        return ""
    if column.place == "images" and role != "image":
        return f"{name} holds pictures: its role can be image or ignore."
    if column.place == "matrix" and role != "vector":
        return f"{name} holds vectors: its role can be vector or ignore."
    if role == "image" and column.place != "images":
        return f"{name} holds no pictures, so it stays {column.role}."
    if role == "vector" and not column.dimensions:
        return f"{name} holds no vectors (lists of numbers of one length), so it stays " \
               f"{column.role}."
    if role in ("number", "coordinate") and not np.isfinite(data.numbers(column.name)).any():
        return f"{name} holds no numbers, so it stays {column.role}."
    return ""


def _offer_join(data: Dataset) -> None:
    """One button for every column that would join what row order may have mixed up."""
    names = [name for issue in data.report if issue.code == "ORDER_DIFFERS"
             for name in issue.entries]
    for name in dict.fromkeys(names) if len(kept_files()) > 1 else ():
        if st.button(f"Put them together by {esc_md(name)}", icon=":material/join:"):
            read_again(kept_files(), replace(kept_options(), join=name))


def _show_pictures(data: Dataset) -> None:
    rows = np.unique(np.linspace(0, data.n - 1, min(data.n, _PICTURES)).astype(int))
    labels = data.with_role("label")
    names = data.texts(labels[0].name) if labels else data.row_ids
    st.image([data.thumbnail(int(row)) for row in rows], width=80,
             caption=[esc_md(_short(names[row])) for row in rows])
    if len(rows) < data.n:
        st.caption(f"{len(rows)} of {data.n:,} images, taken evenly from first to last.")


def _short(name: str) -> str:
    last = Path(name).stem or name
    return last if len(last) <= _CAPTION else f"{last[:_CAPTION - 1]}…"


def _first_rows(data: Dataset, shown: int) -> pa.Table:
    """Cells keep their types: a detour over pandas would turn whole numbers beside a gap into
    floats."""
    names = data.table.column_names[:_PREVIEW_COLUMNS]
    columns = {name: data.table.column(name).slice(0, shown) for name in names}
    for column in data.columns:
        if column.place != "matrix":
            continue
        vectors = data.matrix(column.name)[:shown, :_NUMBERS]
        more = ", …" if column.dimensions > _NUMBERS else ""
        columns[f"{column.name} ({column.dimensions} numbers)"] = pa.array(
            [", ".join(f"{value:.4g}" for value in vector) + more for vector in vectors])
    return shown_table(pa.table(columns))


def _words(issue: Issue, place: str) -> str:
    message = esc_md(issue.message)
    if issue.rows and (issue.count > 1 or len(issue.rows) > 1):
        more = " …" if issue.count > min(len(issue.rows), _PLACES) else ""
        listed = ", ".join(f"{row:,}" for row in issue.rows[:_PLACES])
        return f"{message} ({place}s {listed}{more})"
    if issue.rows and f"{place} {issue.rows[0]}" not in issue.message:
        return f"{message} ({place} {issue.rows[0]:,})"
    if issue.entries:
        more = " …" if issue.count > min(len(issue.entries), _PLACES) else ""
        return f"{message} ({', '.join(esc_md(entry) for entry in issue.entries[:_PLACES])}{more})"
    return message
