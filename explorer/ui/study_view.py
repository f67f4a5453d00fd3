"""A study on a page: its question, its form, its job, and what it found out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

import streamlit as st

from explorer.dataset import Dataset
from explorer.errors import ExplorerError
from explorer.escape import esc_md
from explorer.plan import missing
from explorer.recipe import Call
from explorer.run import Run
from explorer.study import Study
from explorer.study.step import study_step
from explorer.ui import state
from explorer.ui.backend import backend
from explorer.ui.form import edit_method, with_label
from explorer.ui.job_panel import about, submit, watch
from explorer.ui.problem import show_problem
from explorer.ui.shared import calibration
from explorer.values import Finding, facts_in

S = TypeVar("S", bound=Study)


def ask(cls: type[S], current: Run, *, asks: bool = True) -> tuple[S, Finding] | None:
    """The study with its parameters, and what it found out about this run; None while that is not
    computed: then the page shows a button with an estimate, the job's progress, or why it cannot
    be. `asks`: show the question above."""
    if asks:
        st.markdown(f"**{esc_md(cls.question)}**  \n:small[:gray[{esc_md(cls.describe())}]]")
    study = _form(cls, current)
    st.session_state[f"set.{cls.key}"] = study
    if study is None:
        return None
    found = current.finding(study)
    if found is not None:
        if remember(study):
            st.rerun()  # this run was opened without it: its colours and orders come with the next
        return study, found
    try:
        step = study_step(current.plan, study, calibration((study.key,)))
    except ExplorerError as error:
        show_problem(with_label(error))
        return None
    if watch([step], study.title, f"_{study.key}"):
        return None
    left, right = st.columns([1, 3], vertical_alignment="center")
    left.button(f"Compute ({about(step.seconds)})", key=f"compute.{study.key}", type="primary",
                icon=":material/play_arrow:", width="stretch", on_click=compute,
                args=(current, study))
    right.caption("Not computed for this recipe yet. The result is kept: it comes back after a "
                  "reload, and for the same recipe it is never computed again.")
    return None


def as_set(cls: type[S]) -> S | None:
    """The study as its form stands, computed or not; None where that cannot be or was not asked.
    To be called after `ask`."""
    found: S | None = st.session_state.get(f"set.{cls.key}")
    return found


def compute(current: Run, study: Study) -> None:
    """Queue a study of this run and remember it in the workspace; for callbacks."""
    remember(study)
    submit(missing([study_step(current.plan, study, calibration((study.key,)))],
                   backend().store))


def remember(study: Study) -> bool:
    """Note in the workspace that this study was asked for, in the place of an earlier one of its
    kind: its numbers per row become colours, orders and columns. Whether that is new."""
    call = Call.of(study).model_dump(mode="json")
    others = [made for made in state.document().studies if made["method"] != study.key]
    if call in state.document().studies:
        return False
    state.change(studies=(*others, call))
    return True


def show_scores(found: Finding) -> None:
    """The finding's numbers with all that makes them true, and its notes."""
    for score in found.scores:
        said = "not defined" if score.value is None else f"{score.value:.3g}"
        if score.interval:
            said += f" (95 % interval {score.interval})"
        basis = [score.space, score.metric, f"{score.sample:,} of {score.total:,} rows",
                 score.noise, "" if score.seed is None else f"seed {score.seed}", score.why]
        st.markdown(f"{esc_md(score.name)} **{esc_md(said)}**  \n:small[:gray["
                    f"{esc_md(' · '.join(word for word in basis if word))}]]")
    show_said(found)


def show_said(found: Finding) -> None:
    """The finding's notes."""
    for note in found.notes:
        st.caption(f":material/info: {esc_md(note)}")


def offers_of(cls: type[Study], data: Dataset) -> Mapping[str, Sequence[str]]:
    """The columns to offer for each parameter that names one (`explorer.study.column_name`)."""
    found: dict[str, Sequence[str]] = {}
    for name, info in cls.model_fields.items():
        extra = info.json_schema_extra
        if isinstance(extra, dict) and "roles" in extra:
            roles = cast("list[str]", extra["roles"])
            found[name] = [column.name for column in data.columns if column.role in roles]
    return found


def _form(cls: type[S], current: Run) -> S | None:
    given = _given(cls)
    if not cls.parameters():
        return cls.create()
    facts = _facts(current, cls)
    with st.expander("Settings"):
        return edit_method("study", cls, given, facts,
                           lambda asked: offers_of(asked, current.dataset))


def _given(cls: type[Study]) -> dict[str, Any]:
    """The parameters of the study of this kind asked for last in this workspace."""
    for made in state.document().studies:
        if made["method"] == cls.key:
            return dict(made["parameters"])
    return {}


def _facts(current: Run, cls: type[Study]) -> Any:
    key = current.plan.clustered if "clustered" in cls.reads else current.plan.embedding
    entry = backend().store.find(key)
    return None if entry is None else facts_in(entry)
