"""The leaderboard of the open workspace: its recipes, and how far each is. Other lists of recipes
that are measured alike stand on the same board (`stand`)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from explorer.errors import ExplorerError, InputError
from explorer.jobs import JobView, Step
from explorer.leaderboard import MOST, Contest, Line
from explorer.plan import Plan, missing
from explorer.recipe import Recipe, recipe_from_data
from explorer.store import Store
from explorer.ui import state
from explorer.ui.backend import backend
from explorer.ui.kept import Kept

MOVING = ("queued", "running")
_ENDED = ("failed", "interrupted", "cancelled")
_planned: Kept[_Planned] = Kept(3 * MOST)
_lines: Kept[Any] = Kept(5 * MOST)
L = TypeVar("L")
L_co = TypeVar("L_co", covariant=True)


class Measured(Protocol[L_co]):
    """What is measured of every recipe of a board, as plain data that can be a key."""

    def steps_of(self, plan: Plan) -> tuple[Step, ...]:
        """All steps of one recipe, in order."""

    def line_of(self, plan: Plan, store: Store) -> L_co:
        """Its numbers, as far as they are there."""

    def blank(self) -> L_co:
        """The line of a recipe that cannot be planned."""


@dataclass(frozen=True)
class _Planned:
    plan: Plan
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Standing(Generic[L]):
    """One recipe of the board: its numbers as far as they are there, its steps still missing, its
    jobs, and why one of them failed (or the recipe cannot be planned: no `plan`)."""

    name: str
    recipe: Recipe
    plan: Plan | None
    line: L
    steps: tuple[Step, ...] = ()
    moving: bool = False
    stopped: bool = False
    error: ExplorerError | None = None

    @property
    def status(self) -> str:
        """In one word."""
        if self.error is not None:
            return "failed"
        if not self.steps:
            return "done"
        if self.moving:
            return "computing"
        return "cancelled" if self.stopped else "not computed"


@dataclass(frozen=True)
class Standings(Generic[L]):
    """All entries, in the order they were asked for."""

    entries: tuple[Standing[L], ...]
    total: int
    """How many different steps the entries have."""

    @property
    def missing(self) -> tuple[Step, ...]:
        """The steps that are not computed, each once."""
        return tuple({step.key: step for entry in self.entries for step in entry.steps}.values())

    @property
    def moving(self) -> bool:
        return any(entry.moving for entry in self.entries)


Entry = Standing[Line]


@dataclass(frozen=True)
class Board(Standings[Line]):
    """The leaderboard; `notes` say what was dropped."""

    contest: Contest
    notes: tuple[str, ...] = ()


def read_board() -> Board:
    """The board as the workspace keeps it, with what is stored and what the jobs say now."""
    told = state.document().leaderboard
    contest = Contest(str(told.get("column", "")), bool(told.get("trust", True)))
    notes: list[str] = []
    recipes: list[Recipe] = []
    for number, data in enumerate(told.get("entries", ())):
        try:
            recipes.append(recipe_from_data(data))
        except ExplorerError as error:
            notes.append(f"Recipe {number + 1} cannot be read by this version: {error}")
    found = stand(recipes, contest)
    return Board(found.entries, found.total, contest, tuple(notes))


def stand(recipes: Sequence[Recipe], measured: Measured[L]) -> Standings[L]:
    """How far each of these recipes is."""
    drafts: list[tuple[str, Recipe, _Planned | ExplorerError]] = []
    for recipe in recipes:
        data = recipe.to_data()
        try:
            drafts.append((_name(data), recipe, _plan(recipe, data, measured)))
        except ExplorerError as error:
            drafts.append((_name(data), recipe, error))
    absent = {name: missing(made.steps, backend().store) for name, _, made in drafts
              if isinstance(made, _Planned)}
    views = backend().jobs.views([step.key for steps in absent.values() for step in steps])
    entries = [_entry(name, recipe, made, absent.get(name, ()), views, measured)
               for name, recipe, made in drafts]
    total = len({step.key for _, _, made in drafts if isinstance(made, _Planned)
                 for step in made.steps})
    return Standings(tuple(entries), total)


def keep(recipes: Sequence[Recipe], contest: Contest) -> None:
    """Add these recipes to the board and measure all against `contest`. Raises InputError
    BOARD_FULL."""
    entries = [dict(data) for data in state.document().leaderboard.get("entries", ())]
    known = {_name(data) for data in entries}
    entries += [data for recipe in recipes if _name(data := recipe.to_data()) not in known]
    if len(entries) > MOST:
        raise InputError("BOARD_FULL", f"A leaderboard has room for {MOST} recipes, got "
                         f"{len(entries)}.", hint="Remove some that are no longer of interest.")
    state.change(leaderboard={"entries": entries, "column": contest.column,
                              "trust": contest.trust})


def drop(names: Sequence[str]) -> None:
    """Take recipes off the board; their results stay in the store."""
    told = dict(state.document().leaderboard)
    told["entries"] = [data for data in told.get("entries", ()) if _name(data) not in names]
    state.change(leaderboard=told)


def plan_all(recipes: Sequence[Recipe], contest: Measured[Any]) -> tuple[Step, ...]:
    """The steps these recipes still need together, each once. Raises what cannot be planned at
    all when that is every one of them."""
    steps: dict[str, Step] = {}
    refused: ExplorerError | None = None
    for recipe in recipes:
        try:
            made = _plan(recipe, recipe.to_data(), contest)
        except ExplorerError as error:
            refused = error
            continue
        steps |= {step.key: step for step in made.steps}
    if refused is not None and not steps:
        raise refused
    return missing(steps.values(), backend().store)


def _name(data: dict[str, Any]) -> str:
    parts = {slot: data[slot] for slot in ("encoder", "projector", "clusterer")}
    return json.dumps([parts, data.get("cluster_in"), data.get("roles")], sort_keys=True)


def _plan(recipe: Recipe, data: dict[str, Any], contest: Measured[Any]) -> _Planned:
    dataset = state.dataset()
    assert dataset is not None
    made_of = (str(backend().store.root), dataset.id, json.dumps(dataset.roles),
               json.dumps(data, sort_keys=True), str(recipe.encoding.fingerprint()), contest)

    def make() -> _Planned:
        plan = state.plan_of(recipe.using(roles=dataset.roles))
        return _Planned(plan, contest.steps_of(plan))

    return _planned.get(made_of, make)


def _entry(name: str, recipe: Recipe, made: _Planned | ExplorerError, steps: tuple[Step, ...],
           views: dict[str, JobView], contest: Measured[L]) -> Standing[L]:
    if isinstance(made, ExplorerError):
        return Standing(name, recipe, None, contest.blank(), error=made)
    jobs = [views[step.key] for step in steps if step.key in views]
    errors = [job.error for job in jobs if job.state in _ENDED and job.error is not None
              and job.error.code != "STEP_BEFORE_FAILED"]
    moving = any(job.state in MOVING for job in jobs)
    there = (str(backend().store.root), tuple(step.key for step in made.steps),
             tuple(step.key for step in steps), contest)
    line: L = _lines.get(there, lambda: contest.line_of(made.plan, backend().store))
    return Standing(name, recipe, made.plan, line, steps, moving,
                 any(job.state == "cancelled" for job in jobs),
                 None if moving or not errors else errors[0])
