"""A study as a step: its key, its payload, its cost."""

from __future__ import annotations

from typing import Any

from explorer.jobs import Step
from explorer.plan import EXECUTE, Plan
from explorer.spec import result_key
from explorer.study import Study


def study_key(plan: Plan, study: Study) -> str:
    """The name of a study's result: the study, the results it reads, the methods it repeats."""
    again = study.again(plan.recipe)
    data = [plan.dataset.id, plan.dataset.roles] if study.reads_data else []
    return result_key("study", study.identity(), _inputs(plan, study), again, data)


def study_step(plan: Plan, study: Study, calibration: dict[str, float] | None = None) -> Step:
    """The job of a study of a plan's run; it waits for the results that it reads."""
    inputs = _inputs(plan, study)
    size = next(step.payload["size"] for step in plan.steps if step.key == plan.original)
    cost = study.expense(plan.recipe, size["n"], size["d"])
    key = study_key(plan, study)
    payload: dict[str, Any] = {
        "step": "study", "key": key, "method": study.identity(), "inputs": inputs,
        "recipe": plan.recipe.bare.to_data(), "dataset": plan.dataset.id,
        "roles": plan.dataset.roles,
        "size": {"method": study.key, "n": size["n"], "d": size["d"], "expected": cost.seconds,
                 "bytes": int(cost.bytes)}}
    return Step(key=key, kind="study", title=study.title, call=EXECUTE, payload=payload,
                after=tuple(dict.fromkeys(inputs.values())),
                seconds=cost.seconds * (calibration or {}).get(study.key, 1.0))


def _inputs(plan: Plan, study: Study) -> dict[str, str]:
    every = {"read": plan.read, "model": plan.model, "embedding": plan.embedding,
             "clustered": plan.clustered, "graph": plan.graph,
             "projection": plan.projection, "original": plan.original,
             "clustering": plan.clustering}
    return {name: key for name in study.reads if (key := every[name]) is not None}
