"""The table of clusters: size, silhouettes, what sets each apart, typical rows; names and ticks."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from explorer.dataset import Dataset
from explorer.errors import DataError
from explorer.escape import esc_md, shown
from explorer.plot.palette import NOISE_COLOR, cluster_color
from explorer.run import Run, name_of
from explorer.ui import edits
from explorer.ui.kept import Kept
from explorer.ui.pictures import data_url
from explorer.values import NOISE

_STRIP_SIDE = 56
_LINE = 50
"""Characters of a typical text: three of them fill the three lines of their cell."""
_TYPED = ("name", "locked", "note")
"""The columns people change."""
_AROUND = " \t\r\n\u2068\u2069"
"""Blanks, and the isolates `shown` puts around right-to-left names."""
_strips: Kept[str] = Kept(20_000_000, len)


def edit_clusters(current: Run, names: dict[int, str]) -> list[int]:
    """The table; a changed name, note or lock is logged at once; returns the ticked clusters (-1:
    noise)."""
    records = cluster_records(current, names)
    ticked = set(st.session_state.get("ticked", ()))
    rows = [{"pick": record["label"] in ticked, **record} for record in records]
    turn = st.session_state.setdefault("cluster_turn", 0)
    edited = st.data_editor(
        rows, key=f"clusters.{current.plan.clustering}.{turn}", hide_index=True,
        height="content" if len(rows) < 8 else 520, row_height=_STRIP_SIDE + 8,
        placeholder="–", disabled=[name for name in rows[0] if name not in ("pick", *_TYPED)],
        column_order=[name for name in rows[0] if name != "label"],
        column_config=_columns(current.dataset))
    chosen = [records[i]["label"] for i, record in enumerate(edited) if record["pick"]]
    st.session_state["ticked"] = chosen
    _log_words(records, edited)
    return chosen


def cluster_records(current: Run, names: dict[int, str]) -> list[dict[str, Any]]:
    """One plain record per cluster, noise last."""
    clustering = current.clustering
    assert clustering is not None
    labels = np.asarray(clustering.labels)
    silhouettes = (np.asarray(current.silhouette.per_row["silhouette"])
                   if current.silhouette is not None else np.full(len(labels), np.nan))
    found = [*clustering.clusters, *([NOISE] if clustering.noise else [])]
    changes = edits.worked().changes
    return [_record(current, label, labels == label, silhouettes, names)
            | {"locked": label in changes.locked, "note": shown(changes.notes.get(label, ""))}
            for label in found]


def _record(current: Run, label: int, members: np.ndarray, silhouettes: np.ndarray,
            names: dict[int, str]) -> dict[str, Any]:
    values = silhouettes[members]
    values = values[~np.isnan(values)]
    description = current.description
    apart = ""
    typical: list[int] = []
    if description is not None and label != NOISE:
        record = description.clusters[label]
        # 'eggs: in 7 of 124 rows': the word alone leaves room for the others.
        words = ", ".join(phrase.rpartition(": in ")[0] for phrase in record["words"])
        apart = " · ".join([*([words] if words else []), *record["columns"][:1 if words else 3]])
        typical = [int(current.rows[place]) for place in description.typical[label] if place >= 0]
    return {
        "label": label,
        "colour": _swatch(NOISE_COLOR if label == NOISE else cluster_color(label)),
        "name": shown(name_of(label, names)),
        "rows": int(members.sum()),
        "share": round(float(members.mean()), 3),
        "silhouette": float(values.mean()) if len(values) else None,
        "negative": round(float((values < 0).mean()), 3) if len(values) else None,
        "set apart by": shown(apart),
        "typical rows": _typical(current.dataset, typical),
    }


def _columns(data: Dataset) -> dict[str, Any]:
    column = st.column_config
    typical = (column.ImageColumn("typical rows", help="The rows nearest the cluster's centre.",
                                  width="medium") if data.has_images else
               column.TextColumn("typical rows", help="The rows nearest the cluster's centre.",
                                 width=340))
    return {
        "pick": column.CheckboxColumn("pick", width=62),
        "colour": column.ImageColumn("", width=36),
        "name": column.TextColumn("name", help="Double-click to rename; empty takes the name back.",
                                  max_chars=edits.LONGEST_NAME),
        "rows": column.NumberColumn("rows", format="localized", width=62),
        "share": column.NumberColumn("share", format="percent", width=62),
        "silhouette": column.NumberColumn("silhouette", format="%.3f", width="small",
                                          help="Mean over the cluster's rows."),
        "negative": column.NumberColumn("negative", format="percent", width="small",
                                        help="Share of rows with a silhouette below 0: nearer to "
                                             "another cluster than to their own."),
        "set apart by": column.TextColumn(
            "set apart by", width=275,
            help="Words and columns that are more frequent here than in the other clusters."),
        "typical rows": typical,
        "locked": column.CheckboxColumn("lock", width=62, help="A locked cluster keeps its rows: "
                                        "edits that would change them are refused."),
        "note": column.TextColumn("note", width=275, max_chars=edits.LONGEST_NOTE,
                                  help="Double-click to write; goes into the manifest of an "
                                       "export."),
    }


def _log_words(before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]]) -> None:
    changed = False
    for old, new in zip(before, after, strict=True):
        differs = [field for field in _TYPED if (new[field] or "") != (old[field] or "")]
        changed = changed or bool(differs)
        if differs and old["label"] == NOISE:
            st.toast("Noise is no cluster: it has no name, note or lock.", icon=":material/info:")
            continue
        try:
            for field in differs:
                _log_word(old["label"], field, new[field])
        except DataError as error:  # the table holds people to the length, but not a program
            st.toast(esc_md(error.message), icon=":material/error:")
    if changed:
        st.session_state["cluster_turn"] += 1
        st.rerun()


def _log_word(cluster: int, field: str, given: Any) -> None:
    if field == "locked":
        edits.lock(cluster, bool(given))
    elif field == "note":
        edits.annotate(cluster, (given or "").strip(_AROUND))
    else:
        edits.rename(cluster, (given or "").strip(_AROUND))


def _typical(data: Dataset, rows: list[int]) -> str | None:
    if data.has_images:
        return strip_of(data, tuple(rows)) if rows else None
    texts = data.with_role("text")
    if texts:
        return "  ▪  ".join(_line(data.text(texts[0].name, row)) for row in rows)
    identifiers = data.row_ids
    return shown(", ".join(identifiers[row] for row in rows))


def _line(text: str) -> str:
    words = " ".join(text.split())
    return shown(words if len(words) <= _LINE else f"{words[:_LINE - 1]}…")


def strip_of(data: Dataset, rows: tuple[int, ...]) -> str:
    """The thumbnails side by side as one PNG data URL (a table cell shows one picture)."""
    return _strips.get((data.id, rows), lambda: _draw_strip(data, rows))


def _draw_strip(data: Dataset, rows: tuple[int, ...]) -> str:
    from PIL import Image

    side, gap = _STRIP_SIDE, 4
    sheet = Image.new("RGBA", (len(rows) * (side + gap), side))
    for index, row in enumerate(rows):
        picture = Image.open(io.BytesIO(data.thumbnail(row))).convert("RGBA")
        scale = min(side / picture.width, side / picture.height)
        size = (max(1, int(picture.width * scale)), max(1, int(picture.height * scale)))
        sheet.paste(picture.resize(size), (index * (side + gap), 0))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return data_url(buffer.getvalue(), "image/png")


def _swatch(color: str) -> str:
    drawn = (f'<svg xmlns="http://www.w3.org/2000/svg" width="28" height="64">'
             f'<circle cx="14" cy="32" r="8" fill="{color}"/></svg>')
    return data_url(drawn.encode(), "image/svg+xml")
