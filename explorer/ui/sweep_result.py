"""What a sweep found: a figure per index, what each index speaks for, and a number to use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import streamlit as st

from explorer.cluster import clusterers
from explorer.escape import esc_md
from explorer.judge import judges
from explorer.judge.knee import find_knee
from explorer.plot.sweep import Line, draw_index, draw_profiles
from explorer.run import Run
from explorer.sweep import Sweep
from explorer.ui.clicks import clicked
from explorer.ui.kept import Kept
from explorer.ui.sweep_studies import say_studies

Use = Callable[[str, int], None]
MODEL_BIC = "model_bic"
_ENDS = ("silhouette_low", "silhouette_high")
_CONFIG = {"displaylogo": False, "displayModeBar": False}
_figures: Kept[Any] = Kept(64)
_READING = {
    "silhouette": "How much nearer rows are to their own cluster than to the next one. Prefers "
                  "few, well separated groups.",
    "inertia": "More clusters lower the sum of squared distances to the centres. The knee is the "
               "number farthest below the straight line between the first and the last one tried "
               "(Kneedle), so it moves with the range.",
    MODEL_BIC: "The price of the fitted mixture: how badly its clouds describe the rows, and how "
               "many numbers they need. Compare it within this method only.",
}


def show_result(current: Run, found: Sweep, name: str, use: Use) -> None:
    """Figures, what the indices speak for, and the number to use; `name` is the sweep's key."""
    counts = found.counts.tolist()
    keys = [key for place, key in enumerate(found.methods) if found.found[place].any()]
    for note in found.notes:
        st.warning(esc_md(note), icon=":material/info:")
    now = _now(current)
    _say_suggestions(found, keys)
    say_studies(current)
    left, right = st.columns([5, 2], gap="medium")
    with right:
        method, count = _choose(found, keys, counts, now)
        _show_choice(found, method, count, now, use)
    with left:
        index = _choose_index(found)
        place = found.methods.index(method)
        st.plotly_chart(_index_figure(found, name, index, keys, _mark_now(now, keys)), key="sweep",
                        on_select=_picker("sweep", keys), selection_mode="points", config=_CONFIG)
        st.caption(esc_md(_READING.get(index, _described(index))))
    st.markdown(f"**All rows at every number** · {esc_md(clusterers().get(method).title)}")
    st.plotly_chart(_profile_figure(found, name, place, now[1] if now[0] == method else None),
                    key="sweep_rows", on_select=_picker("sweep_rows", [method]),
                    selection_mode="points", config=_CONFIG)
    st.caption("For each number its rows from the lowest silhouette to the highest. A good number "
               "has little below 0 and no long foot near 0; a high mean alone can hide a bad "
               "cluster.")
    _show_table(found, place, method)
    st.caption(_basis(found, place))


def best_of(found: Sweep, index: str, place: int) -> int | None:
    """The place among the counts of the number an index speaks for: its best value, or the knee of
    one that every further cluster improves. None where it says nothing."""
    series = found.indices[index][place]
    if not np.isfinite(series).any():
        return None
    if _falls(index):
        return find_knee(found.counts, series)
    return int(np.nanargmin(series) if index in found.lower else np.nanargmax(series))


def title_of(index: str) -> str:
    """An index as people call it."""
    return "BIC of the mixture" if index == MODEL_BIC else judges().get(index).title


def _described(index: str) -> str:
    return "" if index == MODEL_BIC else " ".join(judges().get(index).describe().split())


def _indices(found: Sweep, place: int | None = None) -> list[str]:
    """Those with a value (of the method at that place), in the judges' order."""
    known = [name for name, series in found.indices.items() if name not in _ENDS
             and np.isfinite(series if place is None else series[place]).any()]
    order = [*judges().keys(), MODEL_BIC]
    return sorted(known, key=order.index)


def _now(current: Run) -> tuple[str, int | None]:
    """The recipe's method and its number of clusters."""
    method = current.recipe.clustering
    return method.key, int(method.values()[method.sweeps]) if method.sweeps else None


def _mark_now(now: tuple[str, int | None], keys: Sequence[str]) -> int | None:
    return now[1] if now[0] in keys else None


def _say_suggestions(found: Sweep, keys: Sequence[str]) -> None:
    """The number each index speaks for, a line per method."""
    indices = _indices(found)
    heads = [f"knee of the {title_of(index).lower()}" if _falls(index) else title_of(index)
             for index in indices]
    lines = ["| speaks for | " + " | ".join(map(esc_md, heads)) + " |",
             "|---|" + "---|" * len(indices)]
    for key in keys:
        place = found.methods.index(key)
        cells = []
        for index in indices:
            best = best_of(found, index, place)
            end = best is not None and best == len(found.counts) - 1
            cells.append("–" if best is None else f"**{int(found.counts[best])}**{' ›' * end}")
        lines.append(f"| {esc_md(clusterers().get(key).title)} | {' | '.join(cells)} |")
    st.markdown("\n".join(lines))
    st.caption("The number each index speaks for among those tried. They ask different questions "
               "and need not agree. › is the last number tried: try more.")


def _falls(index: str) -> bool:
    """Whether every further cluster improves it."""
    return index in judges() and judges().get(index).falls


def _choose(found: Sweep, keys: Sequence[str], counts: Sequence[int],
            now: tuple[str, int | None]) -> tuple[str, int]:
    """The method and number in question; figures and table set them too."""
    session = st.session_state
    if session.get("sweep_method") not in keys:
        session["sweep_method"] = session.get("kept_method") if session.get(
            "kept_method") in keys else (now[0] if now[0] in keys else keys[0])
    method = session["sweep_method"]
    if len(keys) > 1:
        method = st.selectbox("Method", keys, key="sweep_method",
                              format_func=lambda key: clusterers().get(key).title)
    best = best_of(found, "silhouette", found.methods.index(method))
    if session.get("sweep_count") not in counts:
        kept = session.get("kept_count")
        session["sweep_count"] = kept if kept in counts else counts[best or 0]
    count = st.selectbox("Number of clusters", counts, key="sweep_count",
                         format_func=lambda count: f"{count}{_marks(counts, count, best, now)}")
    session["kept_method"], session["kept_count"] = method, count
    return method, count


def _marks(counts: Sequence[int], count: int, best: int | None,
           now: tuple[str, int | None]) -> str:
    words = [word for word, meant in (("now", now[1]), (
        "best silhouette", None if best is None else counts[best])) if count == meant]
    return f" ({', '.join(words)})" if words else ""


def _show_choice(found: Sweep, method: str, count: int, now: tuple[str, int | None],
                 use: Use) -> None:
    place, at = found.methods.index(method), found.counts.tolist().index(count)
    used = (method, count) == now
    st.button(f"Use {count} clusters", type="primary", icon=":material/check:", width="stretch",
              key="sweep_use", disabled=used, on_click=use, args=(method, count),
              help="This is what the recipe has now." if used else
              "Makes it the recipe's clustering. Its scores are there already.")
    lines = []
    for index in _indices(found, place):
        value = float(found.indices[index][place, at])
        arrow = "↓" if index in found.lower else "↑"
        lines.append(f"{esc_md(title_of(index))} {arrow} **{_number(value)}**")
    share = found.negative[place, at]
    if np.isfinite(share):
        lines.append(f"rows below 0: **{share:.1%}**")
    made = int(found.found[place, at])
    if made != count:
        lines.append(f"only {made} clusters have rows")
    if found.noise[place, at]:
        lines.append(f"{int(found.noise[place, at]):,} noise rows left out")
    st.markdown("  \n".join(lines))
    st.caption("Click a point of a figure, or tick a row of the table, to look at another number.")


def _choose_index(found: Sweep) -> str:
    options = _indices(found)
    if st.session_state.get("sweep_index") not in options:
        kept = st.session_state.get("sweep_index_kept")
        st.session_state["sweep_index"] = kept if kept in options else options[0]
    chosen = st.segmented_control("Index", options, key="sweep_index", required=True,
                                  format_func=lambda index: esc_md(title_of(index)),
                                  label_visibility="collapsed") or options[0]
    st.session_state["sweep_index_kept"] = chosen
    return chosen


def _index_figure(found: Sweep, name: str, index: str, keys: Sequence[str],
                  now: int | None) -> Any:
    def draw() -> Any:
        lines = []
        for key in keys:
            place = found.methods.index(key)
            ends = [found.indices[end][place] for end in _ENDS] if index == "silhouette" else []
            lines.append(Line(clusterers().get(key).title, found.indices[index][place],
                              best_of(found, index, place), *ends))
        falls = _falls(index)
        better = "lower is better" if index in found.lower else "higher is better"
        if falls:
            better = "more clusters lower it"
        return draw_index(found.counts, lines, name=f"{title_of(index)} ({better})",
                          mark="knee" if falls else "best", current=now)
    return _figures.get(("index", name, index, tuple(keys), now), draw)


def _profile_figure(found: Sweep, name: str, place: int, now: int | None) -> Any:
    return _figures.get(("rows", name, place, now), lambda: draw_profiles(
        found.counts, found.profiles[place], found.indices["silhouette"][place],
        found.negative[place], current=now))


def _picker(figure: str, keys: Sequence[str]) -> Callable[[], None]:
    """A point that is clicked becomes the number in question."""
    def pick() -> None:
        for count, line in clicked(figure)[:1]:
            st.session_state["sweep_count"] = int(count)
            st.session_state["sweep_method"] = keys[int(line)]
    return pick


def _show_table(found: Sweep, place: int, method: str) -> None:
    columns: dict[str, Any] = {"clusters": found.counts}
    for index in _indices(found, place):
        arrow = "↓" if index in found.lower else "↑"
        columns[f"{title_of(index)} {arrow}"] = found.indices[index][place]
    columns["rows below 0"] = found.negative[place]
    column = st.column_config

    def pick() -> None:
        event: Any = st.session_state.get("sweep_table")
        rows = event["selection"]["rows"] if event else []
        if rows:
            st.session_state["sweep_count"] = int(found.counts[rows[0]])
            st.session_state["sweep_method"] = method

    st.dataframe({name: np.asarray(series).tolist() for name, series in columns.items()},
                 key="sweep_table", hide_index=True, on_select=pick, selection_mode="single-row",
                 height=min(38 * (len(found.counts) + 1), 400),
                 column_config={name: column.NumberColumn(
                     name, format="percent" if name == "rows below 0" else
                     "%d" if name == "clusters" else "localized") for name in columns})


def _basis(found: Sweep, place: int) -> str:
    sample = int(found.sample[place].max(initial=0))
    some = (f"silhouettes of {sample:,} of {found.total:,} rows" if sample < found.total
            else f"all {found.total:,} rows")
    return esc_md(f"{some}, {found.metrics[place]} distance, in {found.space}; noise left out and "
                  "counted; indices of centres are Euclidean.")


def _number(value: float) -> str:
    if not np.isfinite(value):
        return "not defined"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3f}"
