"""The table of all recipes, live while they are computed; ticked ones can be opened and compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from explorer.escape import esc_md, safe_filename, shown
from explorer.recipe import Call
from explorer.spec import Method
from explorer.ui import leaderboard_board as board
from explorer.ui import state
from explorer.ui.backend import backend
from explorer.ui.cells import csv_of
from explorer.ui.job_panel import about, submit
from explorer.ui.leaderboard_board import Board, Entry
from explorer.ui.problem import problems_shown, show_problem
from explorer.ui.state import open_workspace

_TICKED, _TABLE = "leaderboard.ticked", "leaderboard.table"
_OWN_SPACE = "Only rows with the same space can be compared here. "


def show_board(found: Board) -> list[Entry]:
    """The board with its progress; the entries that are ticked."""
    if found.moving:
        _live()
    else:
        _draw(found)
    ticked = st.session_state.get(_TICKED, ())
    return [entry for entry in found.entries if entry.name in ticked]


@st.fragment(run_every=2.0)
def _live() -> None:
    """Drawn anew every two seconds while something is computed."""
    with problems_shown():
        found = board.read_board()
        if not found.moving:
            st.rerun()
        _draw(found)


def _draw(found: Board) -> None:
    before = st.session_state.get(_TICKED, ())
    ticked = _ticked(found)
    st.session_state[_TICKED] = ticked
    _show_progress(found, ticked)
    for note in found.notes:
        st.caption(f":material/info: {esc_md(note)}")
    lines = [_line(entry, found) for entry in found.entries]
    st.dataframe(lines, hide_index=True, key=_TABLE, on_select="rerun", placeholder="–",
                 selection_mode="multi-row", column_config=_columns(lines))
    st.caption(":material/info: Silhouette, DBCV, Davies-Bouldin and the like are measured in the "
               "space that was clustered: compare them **between rows of the same space only**, "
               "never across encoders. Trustworthiness compares a map with its own embedding. "
               "**ARI, the probe, clusters, noise and seconds can be compared across all rows.** "
               "Tick one row to open its recipe, two to see them side by side; click a heading "
               "to sort.")
    _show_failures(found)
    if found.moving and set(ticked) != set(before):
        st.rerun()  # what is ticked is shown below, outside of this fragment


def _ticked(found: Board) -> tuple[str, ...]:
    """The entries ticked in the table, as it was sent last."""
    told: Any = st.session_state.get(_TABLE)
    places = told["selection"]["rows"] if told else ()
    return tuple(found.entries[place].name for place in places if place < len(found.entries))


def _drop(names: Sequence[str]) -> None:
    board.drop(names)
    st.session_state.pop(_TABLE, None)  # its ticks are places in the old list


def _show_progress(found: Board, ticked: tuple[str, ...]) -> None:
    left = len(found.missing)
    with st.container(horizontal=True, vertical_alignment="center"):
        done = sum(entry.status == "done" for entry in found.entries)
        st.markdown(f"**{done:,} of {len(found.entries):,} recipes** done{_to_go(found)}")
        keys = [step.key for step in found.missing]
        if found.moving:
            st.button("Cancel", icon=":material/stop_circle:", key="leaderboard.cancel",
                      on_click=lambda: backend().jobs.cancel(keys, open_workspace().id))
        elif left:
            st.button(f"Compute what is missing ({left} steps)", icon=":material/play_arrow:",
                      key="leaderboard.again", on_click=submit, args=(found.missing,))
        st.download_button("CSV", lambda: csv_of([_line(entry, found) for entry in found.entries]),
                           icon=":material/download:",
                           key="leaderboard.csv", mime="text/csv", on_click="ignore",
                           file_name=safe_filename("leaderboard.csv"))
        st.button("Remove ticked", icon=":material/delete:", key="leaderboard.drop",
                  disabled=not ticked, on_click=_drop, args=(ticked,),
                  help="Takes them off the list; what was computed is kept.")
    if found.moving:
        st.progress(1 - left / max(1, found.total))


def _to_go(found: Board) -> str:
    if not found.moving:
        return ""
    seconds = about(sum(step.seconds for step in found.missing))
    return f" · {len(found.missing):,} of {found.total:,} steps to go, {seconds} of one core"


def _show_failures(found: Board) -> None:
    failed = [entry for entry in found.entries if entry.error is not None]
    if not failed:
        return
    with st.expander(f"Why {len(failed)} failed", icon=":material/error:"):
        said: dict[str, list[Entry]] = {}
        for entry in failed:
            said.setdefault(str(entry.error), []).append(entry)
        for same in said.values():
            st.markdown("; ".join(esc_md(title_of(entry)) for entry in same[:6])
                        + (f" and {len(same) - 6} more" if len(same) > 6 else ""))
            if same[0].error is not None:
                show_problem(same[0].error)


def title_of(entry: Entry) -> str:
    """The three methods of a recipe in one line, not escaped."""
    return " → ".join(told(method) for method in _methods(entry))


def _methods(entry: Entry) -> tuple[Method, Method, Method]:
    return entry.recipe.encoding, entry.recipe.projecting, entry.recipe.clustering


def told(method: Method) -> str:
    """A method's title with the parameters that are not the defaults, not escaped."""
    changed = ", ".join(f"{name} {value}" for name, value in method.changed().items())
    return f"{method.title} ({changed})" if changed else method.title


def _line(entry: Entry, found: Board) -> dict[str, Any]:
    """A recipe as a line of the table; empty is not computed or not defined."""
    line = entry.line
    encoder, projector, clusterer = (told(method) for method in _methods(entry))
    cells: dict[str, Any] = {}
    if any(other.status != "done" for other in found.entries):
        cells["status"] = entry.status
    cells |= {
        "encoder": shown(encoder), "projector": shown(projector),
        "clusterer": shown(clusterer), "clusters": line.clusters, "noise": line.noise}
    if found.contest.column:
        cells |= {"ARI": line.ari, "probe": line.probe}
    cells["space"] = shown(line.space) or None
    every = {judge.title: None for other in found.entries for judge in other.recipe.judging}
    cells |= {title: line.scores.get(title) for title in every}
    titles = {title for other in found.entries for title in other.line.trust}
    cells |= {title: line.trust.get(title) for title in sorted(titles)}
    if any(other.line.stability is not None for other in found.entries):
        cells["stability"] = line.stability
    return {**cells, "seconds": line.seconds or None}


def _columns(lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    number = st.column_config.NumberColumn
    known: dict[str, Any] = {
        "clusters": number("clusters", width="small"),
        "noise": number("noise", format="percent", width="small",
                        help="Share of rows without a cluster."),
        "ARI": number("ARI ↔", format="%.3f", width="small", help="Adjusted Rand index "
                      "against the known groups, noise a group of its own. Comparable across all "
                      "rows."),
        "probe": number("probe ↔", format="%.3f", width="small", help="Accuracy of the linear "
                        "probe for the known groups: one number per encoder. Comparable across all "
                        "rows."),
        "stability": number("stability", format="%.3f", width="small",
                            help="First number of the study Stability, where it was computed."),
        "seconds": number("seconds", format="%.1f", width="small",
                          help="Encoding, projecting and clustering on this machine."),
        "space": st.column_config.TextColumn("space", help="What was clustered."),
    }
    names = lines[0] if lines else {}
    return known | {name: number(name, format="%.3f", help=_OWN_SPACE)
                    for name in names
                    if name not in known and name not in ("status", "encoder", "projector",
                                                          "clusterer")}


def use(entry: Entry) -> None:
    """Make this recipe the workspace's; for callbacks."""
    judges = state.document().ran
    recipe = entry.recipe
    if judges is not None:
        recipe = recipe.using(judges=[Call.model_validate(call).model_dump(mode="json")
                                      for call in judges.get("judges", ())])
    submit(state.plan_of(recipe).missing(backend().store))
    state.forget_form()
    state.change(recipe=recipe.to_data(), ran=recipe.to_data())
