"""The job of a k sweep: which clusterers, which numbers, and the name of every result in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from explorer.cluster import Clusterer, clusterers
from explorer.errors import ParameterError
from explorer.jobs import Step
from explorer.judge import Judge, judges
from explorer.keys import clustering_key, judgement_key
from explorer.plan import EXECUTE, Plan
from explorer.recipe import Call, Recipe
from explorer.spec import result_key


def swept_methods(recipe: Recipe, saved: Sequence[Mapping[str, Any]] = ()) -> list[Clusterer]:
    """Every clusterer that takes a number of clusters: with the parameters of the recipe where it
    is the recipe's, else as in `saved` (calls as data), else at its defaults."""
    known = {call.method: call for call in map(Call.model_validate, saved)}
    known[recipe.clusterer.method] = recipe.clusterer
    return [method.create(**(known[method.key].parameters if method.key in known else {}))
            for method in clusterers() if method.sweeps]


def swept_judges(recipe: Recipe) -> list[Judge]:
    """The recipe's judges, and those every sweep asks for."""
    own = {judge.key for judge in recipe.judging}
    return [*recipe.judging, *(judge.create() for judge in judges()
                               if judge.swept and judge.key not in own)]


def sweep_step(plan: Plan, counts: Sequence[int], methods: Sequence[Clusterer] = (),
               calibration: Mapping[str, float] | None = None) -> Step:
    """One job that clusters with each of `counts` clusters by each of `methods` (default: the
    recipe's) and judges every result.

    Its key does not depend on the number chosen now: a sweep stays found when one is picked.
    It waits for nothing: the vectors must be stored. Raises ParameterError NO_SWEEP for a method
    that finds the number itself. `calibration`: method key -> measured over estimated seconds.
    """
    given = methods or (plan.recipe.clustering,)
    lacking = [method.title for method in given if not method.sweeps]
    if lacking or not counts:
        raise ParameterError("NO_SWEEP", f"A sweep must have methods with a number of clusters "
                                         f"and at least one number, got {', '.join(lacking)} and "
                                         f"{len(counts)} numbers.",
                             hint="Choose K-means or agglomerative clustering.")
    plain = [method.with_count(counts[0]) for method in given]
    judging = swept_judges(plan.recipe)
    key = result_key("sweep", 2, [method.identity() for method in plain], list(counts),
                     [judge.identity() for judge in judging], plan.clustered)
    payload = {
        "step": "sweep", "key": key, "method": plain[0].identity(),
        "methods": [method.identity() for method in plain], "counts": list(counts),
        "judges": [judge.identity() for judge in judging],
        "variants": [_variant(plan, method, count, judging)
                     for method in plain for count in counts],
        "inputs": {"vectors": plan.clustered},
        "space": "picture" if plan.recipe.cluster_in == "projection" else "embedding"}
    named = plain[0].title if len(plain) == 1 else f"{len(plain)} methods"
    return Step(key=key, kind="sweep", title=f"{named} for {len(counts)} cluster numbers",
                call=EXECUTE, payload=payload,
                seconds=_seconds(plan, plain, judging, counts, calibration or {}))


def _variant(plan: Plan, method: Clusterer, count: int, judging: Sequence[Judge]) -> dict[str, Any]:
    clustering = clustering_key(method.with_count(count), plan.clustered)
    return {"count": count, "clustering": clustering,
            "judgements": {judge.key: judgement_key(judge, plan.clustered, clustering)
                           for judge in judging}}


def _seconds(plan: Plan, methods: Sequence[Clusterer], judging: Sequence[Judge],
             counts: Sequence[int], calibration: Mapping[str, float]) -> float:
    """The methods' own estimates, each by what this machine was measured to take for it."""
    steps = {step.key: step for step in plan.steps}
    size = steps[plan.original].payload["size"]
    n, d = size["n"], size["d"]
    pace = dict(calibration)
    for key in (plan.tree or plan.original, *plan.judgements.values()):
        made = steps[key].payload["size"]
        pace[made["method"]] = steps[key].seconds / made["expected"] if made["expected"] else 1.0
    return (sum(method.estimate_sweep(n, d, counts).seconds * pace.get(method.key, 1.0)
                for method in methods)
            + sum(judge.estimate_all(n, d, len(methods) * len(counts)).seconds
                  * pace.get(judge.key, 1.0) for judge in judging))
