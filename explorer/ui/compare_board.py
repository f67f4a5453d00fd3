"""The comparison of encoders in the open workspace: what is asked, and how far each is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from explorer import values
from explorer.comparison import Line, Terms, recipe_with
from explorer.dataset import Dataset
from explorer.encode import Encoder, encoders
from explorer.encode.autoencoder import Autoencoder
from explorer.errors import ExplorerError
from explorer.jobs import JobView, Step
from explorer.plan import missing
from explorer.recipe import Call
from explorer.run import Run
from explorer.shared_neighbors import shared_step
from explorer.ui import state
from explorer.ui.backend import backend
from explorer.ui.kept import Kept
from explorer.ui.leaderboard_board import MOVING, Standing, Standings, stand
from explorer.values import Finding

_findings: Kept[Finding] = Kept(32)
Entry = Standing[Line]


@dataclass(frozen=True)
class Comparison:
    """Every encoder with its numbers, and the neighbours they have in common (`shared`) where that
    is computed; `step` is the job of these, None below two encoders, `job` how far it is."""

    terms: Terms
    board: Standings[Line]
    step: Step | None = None
    shared: Finding | None = None
    job: JobView | None = None

    @property
    def entries(self) -> tuple[Entry, ...]:
        return self.board.entries

    @property
    def missing(self) -> tuple[Step, ...]:
        """All that is not computed."""
        last = () if self.step is None or self.shared is not None else (self.step,)
        return (*self.board.missing, *last)

    @property
    def moving(self) -> bool:
        return self.board.moving or (self.job is not None and self.job.state in MOVING)

    def share(self, first: Entry, second: Entry) -> float | None:
        """The mean share of a row's neighbours that both have; None: not known or not defined."""
        if self.shared is None or first.plan is None or second.plan is None:
            return None
        keys = [line["key"] for line in self.shared.tables["embeddings"]]
        if first.plan.embedding not in keys or second.plan.embedding not in keys:
            return None
        value = float(self.shared.extras["shared"][keys.index(first.plan.embedding),
                                                   keys.index(second.plan.embedding)])
        return None if value != value else value  # NaN


def terms() -> Terms:
    """What is measured, as the workspace keeps it."""
    told = state.document().comparison
    return Terms(str(told.get("column", "")), int(told.get("k", 10)),
                 str(told.get("metric", "euclidean")))


def kept_calls() -> tuple[dict[str, Any], ...]:
    """The encoders compared, as calls."""
    return tuple(state.document().comparison.get("encoders", ()))


def keep(chosen: Sequence[Encoder], asked: Terms) -> None:
    """Compare these encoders, each once."""
    calls = [Call.of(method).model_dump(mode="json") for method in chosen]
    state.change(comparison={
        "encoders": [call for place, call in enumerate(calls) if call not in calls[:place]],
        "column": asked.column, "k": asked.k, "metric": asked.metric})


def encoder_of(call: dict[str, Any]) -> Encoder | None:
    """The declaration of a remembered call; None where this version has none such."""
    try:
        return encoders().create(call["method"], call["parameters"])
    except ExplorerError:
        return None


def raw_of(data: Dataset) -> Encoder | None:
    """What networks read of these rows; None where they can read nothing."""
    try:
        return Autoencoder.create().reader(data)
    except ExplorerError:
        return None


def read(current: Run) -> Comparison:
    """The comparison, with what is stored and what the jobs say now."""
    asked = terms()
    chosen = [method for call in kept_calls() if (method := encoder_of(call)) is not None]
    board = stand([recipe_with(current.recipe, method) for method in chosen], asked)
    step = _shared(board, asked, current.dataset.n)
    if step is None:
        return Comparison(asked, board)
    entry = backend().store.find(step.key)
    found = None if entry is None else _findings.get(
        (str(backend().store.root), step.key), lambda: values.read(Finding, entry))
    job = None if found is not None else backend().jobs.view(step.key)
    return Comparison(asked, board, step, found, job)


def _shared(board: Standings[Line], asked: Terms, n: int) -> Step | None:
    """The job that compares the neighbours; without the encoders that failed."""
    embeddings: dict[str, int] = {}
    for entry in board.entries:
        if entry.plan is None:
            continue
        stored = backend().store.find(entry.plan.embedding) is not None
        if stored or entry.error is None:
            size = next(step.payload["size"] for step in entry.plan.steps if step.kind == "cluster")
            embeddings[entry.plan.embedding] = int(size["d"])
    if len(embeddings) < 2:
        return None
    step = shared_step(embeddings, n, asked.k, asked.metric)
    absent = {one.key for one in missing(board.missing, backend().store)}
    waiting = tuple(key for key in embeddings if key in absent)
    return shared_step(embeddings, n, asked.k, asked.metric, waiting) if waiting else step
