"""Two groupings of the same rows: numbers, the table, the flow, and every cell a selection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from explorer import agreement, steps
from explorer.agreement import AT_ONCE
from explorer.errors import ExplorerError
from explorer.escape import esc_md, shown
from explorer.jobs import Step
from explorer.plan import missing
from explorer.plot.overlap import Table, draw_flow, draw_overlap, flows_left_out, in_order
from explorer.run import Run, name_of
from explorer.spec import silent
from explorer.store import Store
from explorer.study.agreement import Agreement
from explorer.ui import state
from explorer.ui.agreement_against import Other, choose_other
from explorer.ui.backend import backend
from explorer.ui.clicks import clicked
from explorer.ui.job_panel import about, submit, watch
from explorer.ui.kept import Kept
from explorer.ui.problem import show_problem
from explorer.ui.rows_view import counted, show_rows
from explorer.ui.selection_bar import show_selection_bar
from explorer.ui.study_view import remember, show_said
from explorer.values import NOISE, Finding

_figures: Kept[Any] = Kept(32)
_MEANS = (
    ("ARI", "Share of row pairs both groupings treat alike, corrected for chance: 1 the same, 0 as "
            "good as chance, below 0 worse (Hubert & Arabie 1985)."),
    ("AMI", "Information shared, corrected for chance; arithmetic mean of the entropies (Vinh et "
            "al. 2010). Fairer than NMI where there are many small groups."),
    ("V-measure", "Information shared, not corrected: more groups raise it by themselves. Equal to "
                  "NMI with the arithmetic mean."),
    ("Homogeneity", "1 when each group on the left holds rows of one group on the right only."),
    ("Completeness", "1 when each group on the right lies in one group on the left only."),
    ("Purity", "Share of rows in the commonest right group of their left group."),
    ("Inverse purity", "The same the other way round."),
    ("Fowlkes-Mallows", "Geometric mean of pair precision and recall; not corrected for chance."),
)


@dataclass(frozen=True)
class Pair:
    """A comparison that is there: what was found, under which key, and what its sides are called.
    Row i of the finding is dataset row `rows[i]`."""

    key: str
    finding: Finding
    rows: np.ndarray
    ours: str
    theirs: str
    our_names: Mapping[int, str] = field(default_factory=dict)
    their_names: Mapping[int, str] = field(default_factory=dict)


def show_agreement(current: Run, names: dict[int, str]) -> None:
    """The page: choose the other side, then see how the two agree."""
    st.markdown(f"**{esc_md(Agreement.question)}**  \n:small[:gray[Sets the clusters beside "
                "another grouping of the same rows: a column that was known before, or other "
                "clusters. Numbers say how much they agree; the table and the flow say where; a "
                "click on either selects exactly these rows.]]")
    noise: Any = st.session_state.get("agreement.noise", "a group of its own")
    with st.container(border=True):
        other = choose_other(current, noise)
        if current.clustering is not None and current.clustering.noise:
            st.radio("Rows that are noise", ("a group of its own", "left out"), horizontal=True,
                     key="agreement.noise", format_func=lambda option: esc_md(option))
    if other is None:
        return
    finding = _found(current, other)
    if finding is None:
        return
    if other.study is not None:
        remember(other.study)
    show_pair(Pair(other.step.key, finding, current.rows, "clusters", other.title, names,
                   other.names), "agreement")
    show_selection_bar(current)
    rows = state.selection().rows
    if len(rows) and state.selection().origin.startswith("agreement"):
        show_rows(current, rows, names, "agreement.rows", choosing=False)


def compared(step: Step, cost: int) -> Finding | None:
    """What a comparison found; a small one is made here and now, a large one is a job that is
    offered, watched, or said to have failed."""
    store = backend().store
    found = agreement.stored(store, step)
    if found is None and cost <= AT_ONCE and not backend().read_only:
        try:
            _compute_here(step, store)
        except ExplorerError as error:
            show_problem(error)
            return None
        found = agreement.stored(store, step)
    if found is not None:
        return found
    if not watch([step], "Comparing", f".{step.key[:8]}"):
        st.button(f"Compare ({about(step.seconds)})", type="primary", icon=":material/play_arrow:",
                  key=f"compare.{step.key[:8]}", on_click=_submit, args=(step,))
    return None


def show_pair(pair: Pair, key: str) -> None:
    """The numbers, the table and the flow of a comparison, and what can be selected there."""
    found = pair.finding
    _show_numbers(found)
    show_said(found)
    table, left_out = _table(pair)
    changed = np.asarray(found.per_row["changed"])
    rows = pair.rows[np.flatnonzero(changed == 1)]
    compared_rows = int(np.count_nonzero(np.isfinite(changed)))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(f"Select the {counted(len(rows))} outside the pairing",
                  icon=":material/swap_horiz:", key=f"{key}.changed", disabled=not len(rows),
                  on_click=state.select, args=(rows, key), type="primary",
                  help="Each group is paired with at most one on the other side, so that as many "
                       "rows as possible stay together (framed in the table). These rows are not "
                       "in such a pair: the rows that changed side.")
        if st.button("Show on map", icon=":material/scatter_plot:", key=f"{key}.map",
                     disabled=not len(state.selection().rows)):
            state.go_to("pages/explore/map.py")
        share = len(rows) / compared_rows if compared_rows else 0.0
        st.caption(f"{share:.1%} of {counted(compared_rows)} compared. A click on a cell or a flow "
                   "selects its rows.")
    small = max(table.counts.shape) <= 12
    places = st.columns(2, gap="medium") if small else st.tabs(["Table", "Flow"])
    for place, (name, draw) in zip(places, (("table", draw_overlap), ("flow", draw_flow)),
                                   strict=True):
        with place:
            figure = _figures.get((name, pair.key, pair.ours, pair.theirs,
                                   tuple(table.first_names), tuple(table.second_names)),
                                  partial(draw, table, ours=pair.ours, theirs=pair.theirs))
            chart = f"{key}.{name}.{pair.key[:10]}"
            st.plotly_chart(figure, key=chart, selection_mode="points",
                            on_select=partial(_choose, pair, chart, key),
                            config={"displayModeBar": False})
    if left_out:
        st.caption(f":material/info: {esc_md(left_out)}")
    with st.expander("Best match of every group"):
        _show_matches(pair)


def _found(current: Run, other: Other) -> Finding | None:
    if other.waiting:
        if not watch(other.waiting, f"Computing {other.title}", ".agreement"):
            seconds = about(sum(step.seconds for step in other.waiting))
            st.markdown("These clusters are not computed yet.")
            st.button(f"Compute them ({seconds})", type="primary", icon=":material/play_arrow:",
                      key="agreement.compute", on_click=submit, args=(other.waiting,))
        return None
    groups = max(other.groups, current.clustering.count if current.clustering else 0, 1)
    return compared(other.step, len(current.rows) * groups)


def _compute_here(step: Step, store: Store) -> None:
    if step.payload["step"] == "study":
        steps.compute(step.payload, store, silent)
    else:
        agreement.compute(step.payload, store, silent)


def _submit(step: Step) -> None:
    submit(missing([step], backend().store))


def _show_numbers(found: Finding) -> None:
    scores = {score.name: score for score in found.scores}
    parts = []
    for name, _ in _MEANS:
        value = scores[name].value
        parts.append(f"{esc_md(name)} **{'not defined' if value is None else f'{value:.3f}'}**")
    first = found.scores[0]
    why = {score.why for score in found.scores if score.value is None}
    basis = [f"{first.sample:,} of {first.total:,} rows", first.noise,
             "computed from the labels alone, in no space", *sorted(why)]
    st.markdown(f"{' · '.join(parts)}  \n:small[:gray[{esc_md(' · '.join(basis))}]]", help=" ".join(
        f"**{esc_md(name)}**: {esc_md(meaning)}" for name, meaning in _MEANS))


def _table(pair: Pair) -> tuple[Table, str]:
    """The table as it is drawn, and in words what of it is not."""
    extras = pair.finding.extras
    told = {(line["side"], line["group"]): line["name"]
            for line in pair.finding.tables.get("groups", ())}
    counts = np.asarray(extras["counts"])
    whole = Table(
        counts, np.asarray(extras["first"]), np.asarray(extras["second"]),
        [name_of(group, dict(pair.our_names)) for group in extras["first"].tolist()],
        [told.get(("theirs", group)) or name_of(group, dict(pair.their_names))
         for group in extras["second"].tolist()], np.asarray(extras["paired"]), counts.sum(1))
    drawn = in_order(whole)
    said = []
    if drawn.counts.shape != counts.shape:
        said.append(f"Drawn are the {drawn.counts.shape[0]} of {counts.shape[0]} largest groups on "
                    f"the left and {drawn.counts.shape[1]} of {counts.shape[1]} on the right, "
                    f"with {int(drawn.counts.sum()):,} of {int(counts.sum()):,} rows.")
    flows, rows = flows_left_out(drawn)
    if flows:
        said.append(f"The flow leaves out its {flows:,} thinnest streams with {rows:,} rows.")
    return drawn, " ".join(said)


def _choose(pair: Pair, chart: str, key: str) -> None:
    """Select the rows of the cells or flows that were clicked."""
    cells = {tuple(map(int, numbers[:2])) for numbers in clicked(chart)}
    if not cells:
        return
    own, other = pair.finding.extras["ours"], pair.finding.extras["theirs"]
    chosen = np.zeros(len(pair.rows), dtype=bool)
    for ours, theirs in cells:
        chosen |= (own == ours) & (other == theirs)
    state.select(pair.rows[chosen], key)


def _show_matches(pair: Pair) -> None:
    told = {line["group"]: line["name"] for line in pair.finding.tables.get("groups", ())
            if line["side"] == "theirs"}

    def theirs(group: int | None) -> str:
        if group is None:
            return "none"
        return shown(told.get(group) or name_of(group, dict(pair.their_names)))

    lines = [{"group": shown(name_of(line["group"], dict(pair.our_names))), "rows": line["rows"],
              "paired with": theirs(line["partner"]),
              "shared": line["shared"], "share kept": line["shared"] / max(1, line["rows"]),
              "most alike": theirs(line["best"]), "Jaccard": line["jaccard"]}
             for line in sorted(pair.finding.tables.get("matches", ()),
                                key=lambda line: (line["group"] == NOISE, -line["rows"]))]
    st.dataframe(lines, hide_index=True, column_config={
        "share kept": st.column_config.NumberColumn("share kept", format="percent",
                                                    help="Rows of the group that its partner has."),
        "Jaccard": st.column_config.NumberColumn(
            "Jaccard", format="%.3f", help="Rows in both, over rows in either, for the group on "
            "the other side that is most alike; it may be most alike for several."),
        "rows": st.column_config.NumberColumn("rows", format="localized")})
