"""One probe on every encoder that fits the data: the number that decides between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from explorer.errors import ExplorerError
from explorer.escape import esc_md
from explorer.jobs import Step
from explorer.known_groups import read_by
from explorer.leaderboard import finding_of
from explorer.plan import Plan, missing
from explorer.plot.intervals import Estimate, draw_intervals
from explorer.propose import fitting_encoders
from explorer.recipe import Call
from explorer.run import Run
from explorer.study.probe import LINEAR, NEAREST, Probe
from explorer.study.step import study_step
from explorer.ui import state
from explorer.ui.backend import backend
from explorer.ui.job_panel import about, submit, watch
from explorer.ui.problem import show_problem
from explorer.ui.study_view import remember
from explorer.values import Finding


@dataclass(frozen=True)
class _Rival:
    """An encoder of these rows: its plan, what the probe found, or why it cannot run."""

    title: str
    plan: Plan | None
    finding: Finding | None
    steps: tuple[Step, ...] = ()
    refused: ExplorerError | None = None
    leaks: bool = False


def show_comparison(current: Run, study: Probe) -> None:
    """The same probe (same rows, folds and seed) of each encoder's vectors."""
    st.markdown("**Which encoder carries more of it?**  \n:small[:gray[The same probe on the "
                "vectors of every encoder that fits these rows, with its default parameters: same "
                "seed, and the same folds where no rows share a vector. These numbers can be "
                "compared across encoders, silhouettes cannot.]]")
    rivals = _rivals(current, study)
    waiting = tuple({step.key: step for rival in rivals for step in rival.steps}.values())
    if waiting and not watch(waiting, "Probing the encoders", "_encoders"):
        st.button(f"Compare {len(rivals)} encoders ({about(sum(s.seconds for s in waiting))})",
                  icon=":material/compare_arrows:", key="probe.compare", on_click=_compare,
                  args=(study, waiting))
    done = [rival for rival in rivals if rival.finding is not None]
    if len(done) > 1 or (done and not waiting):
        _show_table(done)
    for rival in rivals:
        if rival.refused is not None:
            with st.expander(esc_md(f"{rival.title} cannot be compared")):
                show_problem(rival.refused)


def _rivals(current: Run, study: Probe) -> list[_Rival]:
    store, found = backend().store, []
    base = current.recipe.unedited
    methods = [base.encoding, *(cls.create() for cls in fitting_encoders(current.dataset)
                                if cls.key != base.encoder.method)]
    for method in methods:
        changed = ", ".join(f"{name} {value}" for name, value in method.changed().items())
        title = f"{method.title} ({changed})" if changed else method.title
        try:
            plan = state.plan_of(base.using(encoder=Call.of(method)))
            finding = finding_of(plan, store, study)
            steps = () if finding is not None else missing(
                [*(step for step in plan.steps if step.kind in ("encode", "model")),
                 study_step(plan, study)], store)
            found.append(_Rival(title, plan, finding, steps,
                                leaks=read_by(method, current.dataset, study.column)))
        except ExplorerError as error:
            found.append(_Rival(title, None, None, refused=error))
    return found


def _compare(study: Probe, steps: Sequence[Step]) -> None:
    remember(study)
    submit(steps)


def _show_table(rivals: Sequence[_Rival]) -> None:
    estimates, lines, baseline = [], [], 0.0
    measure = "accuracy"
    for rival in rivals:
        assert rival.finding is not None
        told = {(line["probe"], line["measure"]): line for line in rival.finding.tables["measures"]}
        measure = "accuracy" if (LINEAR, "accuracy") in told else "R2"
        line: dict[str, Any] = {"encoder": rival.title, "space": rival.finding.scores[0].space}
        for probe in (LINEAR, NEAREST):
            one = told[probe, measure]
            baseline = one["baseline"]
            line[probe] = one["value"]
            if one["value"] is not None:
                estimates.append(Estimate(rival.title, probe, one["value"], one["low"],
                                          one["high"]))
            if (probe, "balanced accuracy") in told:
                line[f"{probe}, balanced"] = told[probe, "balanced accuracy"]["value"]
        line["rows"] = rival.finding.scores[0].sample
        line["note"] = "reads the column itself" if rival.leaks else ""
        lines.append(line)
    lines.sort(key=lambda line: -(line[LINEAR] if line[LINEAR] is not None else -9.0))
    order = {line["encoder"]: place for place, line in enumerate(lines)}
    estimates.sort(key=lambda one: order[one.name])
    st.plotly_chart(draw_intervals(estimates, axis=measure, baseline=baseline,
                                   baseline_name="without vectors"), key="probe.intervals",
                    config={"displayModeBar": False})
    number = st.column_config.NumberColumn
    st.dataframe(lines, hide_index=True, column_config={
        name: number(name, format="localized" if name == "rows" else "%.3f")
        for name in lines[0] if name not in ("encoder", "space", "note")})
    st.caption("Intervals: 95 %, corrected resampled t (Nadeau & Bengio 2003). Where they overlap "
               "widely, these rows do not decide between the encoders. An encoder that reads the "
               "column itself knows the answer: its number says nothing.")
