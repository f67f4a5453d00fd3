"""A rebuilt row of columns or vectors: a table; of texts: why there are no words."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from explorer.escape import esc_md, shown
from explorer.ui.cells import shown_cell
from explorer.ui.trained import TrainedRun
from explorer.values import Finding

_MOST = 1_000


def show_numbers(trained: TrainedRun, found: Finding, place: int, kept: int) -> None:
    """Every number of the row, rebuilt and how far off, the farthest first; of texts that were
    read as vectors without names the text only."""
    read = trained.read
    texts = [column for column in trained.method.reader(trained.run.dataset)
             .columns(trained.run.dataset) if column.role == "text"]
    if texts and not read.features:
        row = int(trained.run.rows[place])
        for column in texts:
            st.caption(esc_md(column.name))
            st.text(shown(trained.run.dataset.text(column.name, row) or "(empty)"))
        st.info("The network rebuilds the vector of the text, and a vector cannot be turned back "
                "into words: the error is all that can be shown.", icon=":material/info:")
        return
    at = int(np.searchsorted(read.rows, trained.embedding.rows[place]))
    original = np.asarray(read.vectors[at], dtype=np.float64)
    made = np.asarray(found.extras["rebuilt"][kept], dtype=np.float64)
    spreads = (made - original) / np.asarray(trained.model.spread, dtype=np.float64).reshape(-1)
    order = np.argsort(-np.abs(spreads), kind="stable")[:_MOST]
    slope, offset = _units(found, len(original))
    extra = {} if "noisy" not in found.extras else {
        name: np.asarray(found.extras[name][kept], dtype=np.float64)
        for name in ("noisy", "denoised")}
    st.dataframe([_line(trained, number, original, made, spreads, slope, offset, extra)
                  for number in order.tolist()], hide_index=True, key="rebuild.table",
                 height=min(38 + 35 * len(order), 320), column_config={
        "off, in spreads": st.column_config.NumberColumn(
            "off, in spreads", format="%+.2f", help="Rebuilt − original over the spread (standard "
            "deviation) of the column: by this the table is sorted."),
        **{name: st.column_config.NumberColumn(name, format="%.4g")
           for name in ("original", "rebuilt", "rebuilt − original", "with noise", "denoised")}})
    less = f"The {_MOST:,d} worst of {len(original):,d} numbers. " if len(original) > _MOST else ""
    units = "In the units of the column" if np.isfinite(slope).any() else \
        "In the units the network's reader gives"
    scaled = " (0 and 1 for the values of a category)" if np.isnan(slope).any() and \
        np.isfinite(slope).any() else ""
    st.caption(f"{less}{units}{scaled}, the farthest off first.")


def _units(found: Finding, d: int) -> tuple[np.ndarray, np.ndarray]:
    none = np.full(d, np.nan)
    return (np.asarray(found.extras.get("slope", none)),
            np.asarray(found.extras.get("offset", none)))


def _line(trained: TrainedRun, number: int, original: np.ndarray, made: np.ndarray,
          spreads: np.ndarray, slope: np.ndarray, offset: np.ndarray,
          extra: dict[str, np.ndarray]) -> dict[str, Any]:
    known = bool(np.isfinite(slope[number]))
    times, plus = (float(slope[number]), float(offset[number])) if known else (1.0, 0.0)
    named = trained.read.features
    line: dict[str, Any] = {
        "column": shown_cell(named[number]) if named else f"number {number + 1}",
        "original": original[number] * times + plus, "rebuilt": made[number] * times + plus,
        "rebuilt − original": (made[number] - original[number]) * times,
        "off, in spreads": float(spreads[number])}
    for name, values in extra.items():
        line["with noise" if name == "noisy" else name] = values[number] * times + plus
    return line
