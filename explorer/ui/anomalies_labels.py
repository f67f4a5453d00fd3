"""Where a column says which rows are anomalous: precision, recall, and all thresholds at once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import streamlit as st

from explorer.escape import esc_md, shown
from explorer.judge.detection import Curve, Found, curve, found_beyond
from explorer.known_groups import Groups, group_columns, groups_of, read_by
from explorer.measures import Measure
from explorer.plot.precision_recall import draw_precision_recall
from explorer.run import Run
from explorer.ui.anomalies_choice import choose_labels, set_line
from explorer.ui.kept import Kept

_groups: Kept[Groups] = Kept(32 * 2**20, lambda groups: groups.codes.nbytes)
_curves: Kept[Curve] = Kept(64 * 2**20, lambda found: 24 * len(found.lines) + 100)


def show_against_labels(current: Run, measure: Measure, offered: Mapping[str, Measure],
                        line: float) -> None:
    """The choice of the column and its values, and how well the score and its line find them."""
    st.markdown("**Does it find what you call anomalous?**")
    columns = [offer.name for offer in group_columns(current.dataset) if not offer.why]
    if not columns:
        st.caption("Precision and recall are not defined here: they need a column that says which "
                   "rows are anomalous (role label or category).")
        return
    choice, answer = st.columns([4, 8], gap="medium")
    with choice:
        chosen = choose_labels(columns, lambda name: _groups_of(current, name).names)
    if len(chosen) < 2:
        choice.caption("Precision and recall are not defined before a column and the values that "
                       "count as anomalous are chosen.")
        return
    column, values = chosen[0], chosen[1:]
    with answer:
        _show_answer(current, measure, line, column, values)
    with choice:
        _show_best(current, measure, column, values)
        _show_notes(current, measure, column)
    _show_scores(current, offered, column, values)


def _show_answer(current: Run, measure: Measure, line: float, column: str,
                 values: tuple[str, ...]) -> None:
    found = _curve_of(current, measure, column, values)
    scores, anomalous = _labelled(current, measure, column, values)
    here = found_beyond(scores, anomalous, line)
    texts = {"Precision": (here.precision, f"{here.hits:,} of {here.beyond:,} rows beyond the "
                                           "line are anomalous"),
             "Recall": (here.recall, f"{here.hits:,} of {here.hits + here.missed:,} anomalous "
                                     "rows are beyond it"),
             "F1": (here.f1, "harmonic mean of both"),
             "Average precision": (found.average_precision,
                                   f"over all lines; guessing: {found.positives:,} of "
                                   f"{found.rows:,} = {_share(found):.3f}")}
    for place, (name, (value, about)) in zip(st.columns(4), texts.items(), strict=True):
        place.metric(esc_md(name), "not defined" if value is None else f"{value:.3f}",
                     help=esc_md(about))
        place.caption(esc_md(about))
    if found.average_precision is None:
        st.info("No threshold can be judged: "
                + ("no row" if not found.positives else "every row") + " is anomalous by this "
                "choice.", icon=":material/info:")
        return
    st.plotly_chart(draw_precision_recall(found.recall, found.precision, found.lines,
                                          _share(found), _point(here)), key="anomalies.curve")


def _show_best(current: Run, measure: Measure, column: str, values: tuple[str, ...]) -> None:
    best = _curve_of(current, measure, column, values).best()
    if best is not None:
        st.button(f"Line of the best F1 ({best:.4g})", icon=":material/vertical_align_center:",
                  key="anomalies.best", width="stretch", on_click=partial(set_line, measure, best),
                  help="Chosen on these very labels, so its numbers are too good: on new rows "
                       "expect less.")


def _show_notes(current: Run, measure: Measure, column: str) -> None:
    groups = _groups_of(current, column)
    without = int(np.count_nonzero(groups.codes < 0))
    undefined = int(np.count_nonzero(~np.isfinite(measure.numbers())))
    if without:
        st.caption(f"{without:,} of {len(groups.codes):,} rows without a value in "
                   f"{esc_md(shown(column))} are left out.")
    if undefined:
        st.caption(f"{undefined:,} of {len(groups.codes):,} rows without a score are left out.")
    if read_by(current.recipe.encoding, current.dataset, column):
        st.warning(f"The network read {esc_md(shown(column))} itself: it knows the answer, and "
                   "these numbers say little.", icon=":material/warning:")


def _show_scores(current: Run, offered: Mapping[str, Measure], column: str,
                 values: tuple[str, ...]) -> None:
    """Every score there is against the same labels: which one to choose."""
    lines = []
    for measure in offered.values():
        found = _curve_of(current, measure, column, values)
        lines.append({"score": shown(measure.title),
                      "average precision": found.average_precision,
                      "anomalous": found.positives, "rows": found.rows,
                      "made by": shown(measure.made_by)})
    lines.sort(key=lambda one: -(float(str(one["average precision"]))
                                 if one["average precision"] is not None else -1.0))
    with st.expander("Which score finds them best"):
        st.dataframe(lines, hide_index=True, key="anomalies.scores", column_config={
            "average precision": st.column_config.ProgressColumn(
                "average precision", min_value=0, max_value=1, format="%.3f",
                help="The sum over all lines of the rise of recall times the precision there; "
                     "guessing comes to the share of anomalous rows.")})


def _curve_of(current: Run, measure: Measure, column: str, values: tuple[str, ...]) -> Curve:
    key = (current.dataset.id, current.plan.embedding, measure.made_of, measure.key, column, values)
    return _curves.get(key, lambda: curve(*_labelled(current, measure, column, values)))


def _labelled(current: Run, measure: Measure, column: str,
              values: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Scores and whether anomalous, of the rows that have a score and a value."""
    groups = _groups_of(current, column)
    wanted = np.isin(groups.codes, [code for code, name in enumerate(groups.names)
                                    if name in values])
    scores = measure.numbers()
    known = np.isfinite(scores) & (groups.codes >= 0)
    return scores[known], wanted[known]


def _groups_of(current: Run, column: str) -> Groups:
    return _groups.get((current.dataset.id, current.plan.embedding, column),
                       lambda: groups_of(current.dataset, column, current.rows))


def _share(found: Curve) -> float:
    return found.positives / found.rows if found.rows else 0.0


def _point(here: Found) -> tuple[float, float] | None:
    return None if here.precision is None or here.recall is None else (here.recall, here.precision)
