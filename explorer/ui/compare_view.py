"""The table of the encoders compared, live while they are computed, and what can be done with the
ticked ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from explorer.comparison import Line, Number, linear_share
from explorer.escape import esc_md, safe_filename, shown
from explorer.known_groups import read_by
from explorer.run import Run
from explorer.ui import compare_board as board
from explorer.ui.backend import backend
from explorer.ui.cells import csv_of
from explorer.ui.compare_board import Comparison, Entry
from explorer.ui.compare_choice import raw_title
from explorer.ui.job_panel import about, submit
from explorer.ui.leaderboard_view import told
from explorer.ui.problem import problems_shown, show_problem
from explorer.ui.state import open_workspace
from explorer.values import Score

_TICKED, _TABLE = "compare.ticked", "compare.table"
_COUNTED, _SECONDS, _SHARES = ("dimensions", "clusters"), ("training s", "encoding s"), (
    "raw neighbours", "rebuilt", "PCA rebuilds")
_HELP = {
    "dimensions": "How many numbers a row becomes.",
    "kNN probe": "Share of rows whose group the nearest rows tell, each row predicted from rows of "
                 "other folds. Comparable across encoders.",
    "kNN 95 %": "The interval of the kNN probe (corrected resampled t, Nadeau & Bengio 2003). "
                "Where intervals overlap widely, these rows do not decide.",
    "linear probe": "The same by logistic regression: what a straight cut through the vectors "
                    "tells.",
    "silhouette": "Mean silhouette of the same clusterer with the same parameters in the encoder's "
                  "own space. Of different spaces comparable with care only: few dimensions make "
                  "it high.",
    "ARI": "Adjusted Rand index of those clusters against the known groups, noise a group of its "
           "own. Comparable across encoders.",
    "raw neighbours": "The share of each row's k nearest rows in the raw space that are among the "
                      "k nearest here. High keeps the raw space; low has made another one, which "
                      "may be the better one.",
    "rebuilt": "Share of the variance of all rows that is rebuilt from the vectors, in the numbers "
               "the network sees. Not defined for what rebuilds nothing.",
    "PCA rebuilds": "The same for PCA with as many numbers, of rows read the same way; there is "
                    "one in the list where it is known. A network below it has not learned what "
                    "PCA knows at once.",
    "training s": "Seconds the epochs took on this machine; not defined for what is not trained.",
    "encoding s": "Seconds of the last step on this machine: through the network, or the whole "
                  "encoder where there is none.",
}


def show_comparison(current: Run, found: Comparison) -> list[Entry]:
    """The table with its progress; the encoders that are ticked."""
    if found.moving:
        _live(current)
    else:
        _draw(current, found)
    ticked = st.session_state.get(_TICKED, ())
    return [entry for entry in found.entries if entry.name in ticked]


@st.fragment(run_every=2.0)
def _live(current: Run) -> None:
    """Drawn anew every two seconds while something is computed."""
    with problems_shown():
        found = board.read(current)
        if not found.moving:
            st.rerun()
        _draw(current, found)


def _draw(current: Run, found: Comparison) -> None:
    before = st.session_state.get(_TICKED, ())
    told_back: Any = st.session_state.get(_TABLE)
    places = told_back["selection"]["rows"] if told_back else ()
    ticked = tuple(found.entries[at].name for at in places if at < len(found.entries))
    st.session_state[_TICKED] = ticked
    lines = lines_of(current, found)
    _show_progress(found, lines)
    st.dataframe(lines, hide_index=True, key=_TABLE, on_select="rerun", placeholder="–",
                 selection_mode="multi-row", column_config=_columns(lines))
    _show_basis(current, found)
    _show_failures(found)
    if found.moving and set(ticked) != set(before):
        st.rerun()  # what is ticked is shown below, outside of this fragment


def _show_progress(found: Comparison, lines: list[dict[str, Any]]) -> None:
    left = found.missing
    with st.container(horizontal=True, vertical_alignment="center"):
        done = sum(entry.status == "done" for entry in found.entries)
        seconds = about(sum(step.seconds for step in left))
        st.markdown(f"**{done:,} of {len(found.entries):,} encoders** measured"
                    + (f" · {len(left):,} steps to go, {seconds} of one core" if left else ""))
        keys = [step.key for step in left]
        if found.moving:
            st.button("Cancel", icon=":material/stop_circle:", key="compare.cancel",
                      on_click=lambda: backend().jobs.cancel(keys, open_workspace().id))
        elif left:
            st.button(f"Compute what is missing ({len(left)} steps)", icon=":material/play_arrow:",
                      key="compare.again", on_click=submit, args=(left,))
        st.download_button("CSV", lambda: csv_of(lines), icon=":material/download:",
                           key="compare.csv", mime="text/csv", on_click="ignore",
                           file_name=safe_filename("encoders.csv"))
    if found.moving:
        st.progress(1 - len(left) / max(1, found.board.total + 1))


def title_of(current: Run, entry: Entry) -> str:
    """What an encoder is called here, not escaped."""
    raw = board.raw_of(current.dataset)
    encoder = entry.recipe.encoding
    return raw_title(encoder) if raw is not None and encoder == raw else told(encoder)


def lines_of(current: Run, found: Comparison) -> list[dict[str, Any]]:
    """The table: empty is not computed or not defined."""
    raw = board.raw_of(current.dataset)
    first = next((entry for entry in found.entries if entry.recipe.encoding == raw), None)
    known = [(entry.plan.read, entry.line) for entry in found.entries if entry.plan is not None]
    column, whole = found.terms.column, all(entry.status == "done" for entry in found.entries)
    leaks = {entry.name for entry in found.entries
             if column and read_by(entry.recipe.encoding, current.dataset, column)}
    lines = []
    for entry in found.entries:
        line = entry.line
        cells: dict[str, Any] = {"encoder": shown(title_of(current, entry))}
        if not whole:
            cells["status"] = entry.status
        cells["dimensions"] = line.dimensions
        cells |= {"kNN probe": _value(line.near), "kNN 95 %": _interval(line.near),
                  "linear probe": _value(line.linear), "silhouette": _value(line.silhouette),
                  "clusters": line.clusters, "ARI": line.ari,
                  "raw neighbours": None if first is None or first is entry
                  else found.share(first, entry),
                  "rebuilt": line.rebuilt,
                  "PCA rebuilds": None if entry.plan is None or line.shares else linear_share(
                      line.dimensions, entry.plan.read, known),
                  "training s": line.training, "encoding s": line.encoding}
        if leaks:
            cells["note"] = "reads the column itself" if entry.name in leaks else None
        lines.append(cells)
    return lines


def _value(number: Number | None) -> float | None:
    return None if number is None else number.value


def _interval(number: Number | None) -> str | None:
    if number is None or number.low is None or number.high is None:
        return None
    return f"{number.low:.3f} to {number.high:.3f}"


def _columns(lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    number = st.column_config.NumberColumn
    found: dict[str, Any] = {}
    for name in lines[0] if lines else ():
        if name in ("kNN 95 %", "note", "status"):
            found[name] = st.column_config.TextColumn(name, help=_HELP.get(name))
        elif name != "encoder":
            kind = ("localized" if name in _COUNTED else "%.1f" if name in _SECONDS
                    else "percent" if name in _SHARES else "%.3f")
            found[name] = number(name, format=kind, help=_HELP.get(name))
    found["encoder"] = st.column_config.TextColumn("encoder", pinned=True, width="medium")
    return found


def _show_basis(current: Run, found: Comparison) -> None:
    """What the numbers rest on: spaces, samples, noise, seeds."""
    terms, lines = found.terms, [entry.line for entry in found.entries]
    said = ["Tick one encoder to use it, up to four for maps side by side; click a heading to "
            "sort. – is not computed or not defined."]
    if terms.column:
        said.append(f"**Probes** of {esc_md(terms.column)}: k = {terms.k:d}, "
                    f"{esc_md(terms.metric)} distance; {_rests(lines, 'probe: accuracy')}.")
    else:
        said.append("Without known groups **the probes and ARI are not defined**: choose a column "
                    "above.")
    said.append(f"**Silhouette:** {esc_md(told(current.recipe.clustering))} with the same "
                f"parameters in each encoder's own space, {_rests(lines, 'ilhouette')}; spaces "
                "differ, so compare it with care.")
    if found.shared is not None:
        measured = int(found.shared.extras["measured"][0])
        among = int(found.shared.extras["among"][0])
        said.append(f"**Raw neighbours:** {measured:,} of {among:,} rows, each against all "
                    f"{among:,}, exact, k = {terms.k:d}, {esc_md(terms.metric)} distance"
                    + (", seed 0" if measured < among else "") + ".")
    st.caption(":material/info: " + " ".join(said))
    for note in dict.fromkeys(note for line in lines for note in line.notes):
        st.caption(esc_md(note))


def _rests(lines: Sequence[Line], name: str) -> str:
    """'178 of 178 rows, no noise rows, seed 0' of the scores whose name ends so, each once."""
    scores: list[Score] = [score for line in lines for score in line.told
                           if score.name.endswith(name)]
    said = [f"{score.sample:,} of {score.total:,} rows, {score.noise}"
            + ("" if score.seed is None else f", seed {score.seed}") for score in scores]
    return esc_md("; ".join(dict.fromkeys(said)) or "not computed yet")


def _show_failures(found: Comparison) -> None:
    failed = [entry for entry in found.entries if entry.error is not None]
    if not failed and (found.job is None or found.job.error is None):
        return
    with st.expander(f"Why {len(failed)} failed" if failed else "Why neighbours failed",
                     icon=":material/error:"):
        for entry in failed:
            assert entry.error is not None
            st.markdown(esc_md(told(entry.recipe.encoding)))
            show_problem(entry.error)
        if found.job is not None and found.job.error is not None and not found.moving:
            st.markdown("Neighbours in common")
            show_problem(found.job.error)
