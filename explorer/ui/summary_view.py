"""The selection against the rest: clusters, silhouette, columns and words that set it apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import streamlit as st

from explorer.dataset import Column
from explorer.escape import esc_md
from explorer.judge.contrast import (
    Difference,
    compare_categories,
    compare_numbers,
    compare_words,
    strongest,
)
from explorer.judge.phrases import percent, short, two_numbers
from explorer.run import Run, name_of
from explorer.ui.kept import Kept
from explorer.ui.lead_to_map import lead_to_why
from explorer.ui.map_data import digest
from explorer.ui.row_order import numbers_of

_NAMED = 4
_COLUMNS, _WORDS = 6, 8
_TEXTS_HERE, _TEXTS_REST = 500, 1_000
"""Words are counted while the page waits: in so many texts of either side, drawn by _SEED."""
_TEXT = 2_000
_SEED = 0
_VALUES = 1_000


@dataclass(frozen=True)
class Codes:
    """A column of categories: n int32 `codes` (-1: missing) and the names of the codes."""

    codes: np.ndarray
    names: tuple[str, ...]


@dataclass(frozen=True)
class Summary:
    """`clusters`: label, rows here, rows in all (of rows with a vector), most rows here first;
    `here` and `rest`: mean silhouettes (None: not defined). `texts`: texts read here and in the
    rest (0, 0: there are none)."""

    clusters: tuple[tuple[int, int, int], ...]
    without_vector: int
    here: float | None
    rest: float | None
    columns: tuple[Difference, ...]
    words: tuple[Difference, ...]
    texts: tuple[int, int]


_summaries: Kept[Summary] = Kept(256)
_codes: Kept[Codes] = Kept(64 * 2**20, lambda found: int(found.codes.nbytes))


def show_summary(current: Run, rows: np.ndarray, names: dict[int, str]) -> None:
    """What sets these dataset rows (int64, ascending, some) apart from all others."""
    data = current.dataset
    key = (data.id, tuple(data.roles.items()), current.plan.clustering,
           tuple(current.plan.judgements.items()), digest(rows.tobytes()))
    told = _summaries.get(key, lambda: summarise(current, rows))
    share = percent(len(rows) / data.n)
    st.markdown(f"**{len(rows):,} rows**, {share} of {data.n:,}")
    st.markdown(_clusters(told, names))
    whole = [label for label, count, size in told.clusters if count == size]
    if len(told.clusters) == 1 and whole and st.button(
            f"Why {esc_md(name_of(whole[0], names))}?", key="summary.why", type="tertiary",
            icon=":material/help:", help="This cluster read whole: a rule that tells it, typical "
            "and odd rows, what it may follow by accident."):
        lead_to_why(whole[0])
    if told.here is not None or told.rest is not None:
        st.markdown(f"Mean silhouette **{_number(told.here)}** here, {_number(told.rest)} in the "
                    f"rest  \n:small[:gray[in {esc_md(current.space)}]]")
    if len(rows) == data.n:
        st.caption("All rows are selected: there is nothing to compare them with.")
        return
    if told.columns:
        lines = "\n".join(_column_line(one) for one in told.columns)
        st.markdown(f"**Columns that differ**\n\n{lines}")
    elif _compared(data.columns):
        st.caption("No column differs by more than a small effect (0.2).")
    if told.words:
        words = " · ".join(_word(one) for one in told.words)
        st.markdown(f"**Words that set them apart**  \n{words}")
    elif told.texts[0]:
        st.caption("No word is in clearly more of these texts than of the others.")
    if told.columns or told.words:
        st.caption(_basis(told, len(rows), data.n))


def summarise(current: Run, rows: np.ndarray) -> Summary:
    """`Summary` of these dataset rows (int64, ascending)."""
    data = current.dataset
    chosen = np.zeros(data.n, dtype=bool)
    chosen[rows] = True
    covered = chosen[current.rows]
    clusters: tuple[tuple[int, int, int], ...] = ()
    if current.clustering is not None:
        labels = np.asarray(current.clustering.labels)
        here = np.unique(labels[covered], return_counts=True)
        sizes = {**current.clustering.sizes, -1: current.clustering.noise}
        clusters = tuple(sorted(((int(label), int(count), sizes[int(label)])
                                 for label, count in zip(*here, strict=True)),
                                key=lambda item: -item[1]))
    means: list[float | None] = [None, None]
    if current.silhouette is not None and "silhouette" in current.silhouette.per_row:
        values = np.asarray(current.silhouette.per_row["silhouette"], dtype=np.float64)
        means = [_mean(values[covered]), _mean(values[~covered])]
    words, texts = _words(current, chosen)
    return Summary(clusters, int(len(rows) - covered.sum()), means[0], means[1],
                   tuple(_columns(current, chosen)), words, texts)


def _columns(current: Run, chosen: np.ndarray) -> list[Difference]:
    found: list[Difference] = []
    if chosen.all():
        return found
    for column in _compared(current.dataset.columns):
        if column.role == "number":
            one = compare_numbers(column.name, numbers_of(current, column.name), chosen)
            found += [] if one is None else [one]
        else:
            coded = codes_of(current, column.name)
            if len(coded.names) <= _VALUES:  # each value is a row: that says nothing
                found += compare_categories(column.name, coded.codes, coded.names, chosen)
    return strongest(found, _COLUMNS)


def _compared(columns: Sequence[Column]) -> list[Column]:
    return [column for column in columns if column.place == "table" and not column.dimensions
            and column.role in ("number", "category", "label")]


def codes_of(current: Run, name: str) -> Codes:
    """A column as codes over the whole data set, made once for all sessions."""
    def code() -> Codes:
        column = current.dataset.table.column(name).combine_chunks()
        if pa.types.is_nested(column.type):
            column = pa.array(current.dataset.texts(name))
        coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        names = tuple("" if value is None else str(value) for value in coded.dictionary.to_pylist())
        codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
        if "" in names:
            codes[codes == names.index("")] = -1
        return Codes(codes, names)
    return _codes.get((current.dataset.id, name), code)


def _words(current: Run, chosen: np.ndarray) -> tuple[tuple[Difference, ...], tuple[int, int]]:
    texts = current.dataset.with_role("text")
    here, rest = np.flatnonzero(chosen), np.flatnonzero(~chosen)
    if not texts or len(here) < 2 or not len(rest):
        return (), (0, 0)
    draw = np.random.default_rng(_SEED)
    some = _draw(here, _TEXTS_HERE, draw), _draw(rest, _TEXTS_REST, draw)
    columns = [current.dataset.table.column(column.name) for column in texts]
    read = [["\n".join(str(column[int(row)].as_py() or "")[:_TEXT] for column in columns)
             for row in part] for part in some]
    return tuple(compare_words(read[0], read[1], _WORDS)), (len(some[0]), len(some[1]))


def _draw(rows: np.ndarray, most: int, draw: np.random.Generator) -> np.ndarray:
    return rows if len(rows) <= most else np.sort(draw.choice(rows, most, replace=False))


def _mean(values: np.ndarray) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None


def _clusters(told: Summary, names: dict[int, str]) -> str:
    """'Mostly **3 cats** (90 of 120 rows) · Cluster 4: 34 of 300 and 2 more clusters'."""
    parts = [f"{esc_md(name_of(label, names))}: **{count:,}** of its {size:,}"
             for label, count, size in told.clusters[:_NAMED]]
    if len(told.clusters) > _NAMED:
        rest = sum(count for _, count, _ in told.clusters[_NAMED:])
        parts.append(f"{len(told.clusters) - _NAMED:,} more: **{rest:,}**")
    if told.without_vector:
        parts.append(f"without a vector: **{told.without_vector:,}**")
    if len(told.clusters) > 1:
        whole = sum(count for _, count, _ in told.clusters)
        parts[0] += f" ({percent(told.clusters[0][1] / whole)} of these rows)"
    return "  \n".join(parts)


def _column_line(one: Difference) -> str:
    if one.value is None:
        return f"- {esc_md(one.column)}: mean {esc_md(two_numbers(one.here, one.rest))}"
    return (f"- {esc_md(one.column)} = {esc_md(short(one.value, 40))}: {percent(one.here)} here "
            f"({one.count:,}), {percent(one.rest)} elsewhere")


def _word(one: Difference) -> str:
    return f"{esc_md(short(one.value or '', 40))} :gray[{percent(one.here)} ({percent(one.rest)})]"


def _basis(told: Summary, here: int, n: int) -> str:
    """How the differences were found, and of how many rows."""
    parts = ["Greatest differences first (Cohen's d of means, h of shares, from 0.2 on)"]
    if told.words:
        texts = f"Words: share of the texts here (elsewhere); {told.texts[0]:,} of {here:,} " \
                f"and {told.texts[1]:,} of {n - here:,} texts"
        drawn = f" drawn by seed {_SEED}" if sum(told.texts) < n else ""
        parts.append(f"{texts}{drawn}")
    return ". ".join(parts) + "."


def _number(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.3f}"
