"""Many recipes on one dataset, measured alike: encoders x projectors x clusterers x parameters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from explorer import values
from explorer.errors import ParameterError, Where
from explorer.jobs import Step
from explorer.judge import judges
from explorer.plan import Plan
from explorer.recipe import Call, Recipe
from explorer.spec import Method, Parameter
from explorer.store import Store
from explorer.study import Study, studies
from explorer.study.agreement import Agreement
from explorer.study.probe import Probe
from explorer.study.step import study_key, study_step
from explorer.values import NOISE, Clustering, Finding, Score

MOST = 100
"""Recipes of one leaderboard."""
TRUST, STABILITY, ALSO = "map_trust", "stability", ("dbcv",)
"""Studies it asks for or shows where they are computed; judges beside those a recipe asks for by
default."""


@dataclass(frozen=True)
class Contest:
    """What is measured of every recipe: against `column` ('' for none), whether maps are judged
    too (`trust`)."""

    column: str = ""
    trust: bool = True

    def steps_of(self, plan: Plan) -> tuple[Step, ...]:
        """All steps of one line (see `steps_of`)."""
        return steps_of(plan, self)

    def line_of(self, plan: Plan, store: Store) -> Line:
        """The numbers of a recipe (see `line_of`)."""
        return line_of(plan, store, self)

    def blank(self) -> Line:
        """The line of a recipe that cannot be planned."""
        return Line()


@dataclass(frozen=True)
class Line:
    """One recipe's numbers; None is not computed, not defined, or not asked for. `space` is what it
    was clustered in: `scores` (of judges, by title) of different spaces are not comparable.
    `seconds` is what encoding, projecting and clustering took."""

    space: str = ""
    clusters: int | None = None
    noise: float | None = None
    scores: dict[str, float | None] = field(default_factory=dict)
    trust: dict[str, float | None] = field(default_factory=dict)
    stability: float | None = None
    probe: float | None = None
    ari: float | None = None
    seconds: float = 0.0


def varied(method: type[Method], given: Call | None, name: str, listed: str) -> list[Method]:
    """The method with each of the `listed` values ('5, 10, 15') of its parameter `name`; without
    values once, with the parameters of `given` where that is the same method, else the defaults.

    Raises ParameterError for a value that the parameter does not allow.
    """
    start = dict(given.parameters) if given is not None and given.method == method.key else {}
    parameter = next((one for one in method.parameters() if one.name == name), None)
    words = [word.strip() for word in listed.replace(";", ",").split(",") if word.strip()]
    if parameter is None or not words:
        return [method.create(**start)]
    return [method.create(**{**start, name: _value(parameter, word)})
            for word in dict.fromkeys(words)]


def varies(method: type[Method]) -> list[str]:
    """The parameters whose values can be listed, the ones everybody sees first."""
    kinds = ("int", "float", "choice", "bool")
    every = [one for one in method.parameters() if one.kind in kinds]
    return [one.name for one in sorted(every, key=lambda one: one.advanced)]


def combine(base: Recipe, encoders: Iterable[Method], projectors: Iterable[Method],
            clusterers: Iterable[Method]) -> list[Recipe]:
    """Every combination as a recipe, without edits, judged alike. Raises ParameterError TOO_MANY.
    """
    asked = [judge.create() for judge in judges() if judge.default or judge.key in ALSO]
    made = [base.unedited.using(encoder=encoder, projector=projector, clusterer=clusterer,
                                judges=[Call.of(judge).model_dump(mode="json") for judge in asked])
            for encoder in encoders for projector in projectors for clusterer in clusterers]
    if len(made) > MOST:
        raise ParameterError("TOO_MANY", f"A leaderboard has room for {MOST} recipes, got "
                                         f"{len(made)}.", hint="Tick fewer methods, or list fewer "
                                                               "values.")
    return made


def studies_of(plan: Plan, contest: Contest) -> dict[str, Study]:
    """What is asked about a recipe's run beside its judges."""
    found: dict[str, Study] = {}
    if contest.column:
        found["probe"] = Probe.create(column=contest.column)
        found["ari"] = Agreement.create(column=contest.column)
    if contest.trust and TRUST in studies():
        found["trust"] = studies().create(TRUST)
    return found


def steps_of(plan: Plan, contest: Contest) -> tuple[Step, ...]:
    """All steps of one line, in order; what recipes share has one key."""
    own = [step for step in plan.steps if step.kind != "describe"]
    return (*own, *(study_step(plan, study) for study in studies_of(plan, contest).values()))


def line_of(plan: Plan, store: Store, contest: Contest) -> Line:
    """The numbers of a recipe, as far as they are there."""
    clusters, noise = clusters_of(plan, store)
    judged = {judge.title: _first(_scores(store, plan.judgements[judge.key]))
              for judge in plan.recipe.judging}
    asked = studies_of(plan, contest)
    found = {name: _scores(store, study_key(plan, study)) for name, study in asked.items()}
    stable: tuple[Score, ...] = ()
    if STABILITY in studies():
        stable = _scores(store, study_key(plan, studies().create(STABILITY)))
    spaces = [score.space for key in plan.judgements.values() for score in _scores(store, key)]
    return Line(
        space=spaces[0] if spaces else "", clusters=clusters, noise=noise, scores=judged,
        trust={score.name: score.value for score in found.get("trust", ())[:3]},
        stability=_first(stable), probe=_first(found.get("probe", ())),
        ari=_first(found.get("ari", ())), seconds=_seconds(plan, store))


def finding_of(plan: Plan, store: Store, study: Study) -> Finding | None:
    """What a study found out about a recipe's run, where it is computed."""
    entry = store.find(study_key(plan, study))
    return None if entry is None else values.read(Finding, entry)


def _value(parameter: Parameter, word: str) -> Any:
    try:
        if parameter.kind == "bool":
            return {"true": True, "yes": True, "false": False, "no": False}[word.lower()]
        return {"int": int, "float": float}.get(parameter.kind, str)(word)
    except (ValueError, KeyError):
        raise ParameterError("BAD_VALUE", f"{parameter.name} must be a list of {parameter.kind} "
                             f"values with commas between them, got {word!r}.",
                             Where(parameter=parameter.name)) from None


def clusters_of(plan: Plan, store: Store) -> tuple[int | None, float | None]:
    """How many clusters a plan's clustering has and the share of noise; None where it is not
    computed, or has no rows."""
    entry = store.find(plan.clustering)
    if entry is None:
        return None, None
    found = values.read(Clustering, entry)
    labels = np.asarray(found.labels)
    return found.count, float(np.mean(labels == NOISE)) if len(labels) else None


def _scores(store: Store, key: str) -> tuple[Score, ...]:
    entry = store.find(key)
    return () if entry is None else tuple(
        Score(**score) for score in entry.meta["value"].get("scores", ()))


def _first(scores: Sequence[Score]) -> float | None:
    return scores[0].value if scores else None


def _seconds(plan: Plan, store: Store) -> float:
    total = 0.0
    for key in dict.fromkeys((plan.embedding, plan.graph, plan.projection, plan.original)):
        entry = store.find(key) if key is not None else None
        if entry is not None:
            total += float(entry.meta["provenance"].get("seconds", 0.0))
    return total
