"""Scores beside those a recipe asks for: other indices, and the silhouette on the picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.jobs import Step
from explorer.judge import Judge, judges
from explorer.judge.fit import Fit, Made
from explorer.keys import judgement_key
from explorer.plan import EXECUTE, Plan
from explorer.recipe import Recipe
from explorer.spec import result_key


def every_judge(recipe: Recipe) -> list[Judge]:
    """Every judge there is: as the recipe has it, else at its defaults."""
    own = {judge.key: judge for judge in recipe.judging}
    return [own.get(judge.key) or judge.create() for judge in judges()]


def made_by(plan: Plan, metric: str) -> Made:
    """How the clusters of a plan came about, for `Judge.fits`."""
    return Made(metric=metric, density=plan.recipe.clustering.dense,
                on_picture=plan.recipe.cluster_in == "projection", edited=bool(plan.edited))


ON_PICTURE = Fit("with care", "It speaks of the picture, not of the clusters: projections pull "
                              "groups apart and together. Look where the two disagree.")
"""What to know of any index computed on a picture that was not clustered."""


def judge_step(plan: Plan, judge: Judge, calibration: Mapping[str, float] | None = None) -> Step:
    """The job of one more judge on what was clustered; the plan's results must be stored. The key
    is that of the same judge in a recipe."""
    size = _size(plan)
    kind = "picture" if plan.recipe.cluster_in == "projection" else "embedding"
    return _step(plan, judge, judgement_key(judge, plan.clustered, plan.clustering),
                 plan.clustered, size["n"], size["d"], {"space": kind}, calibration)


def picture_judge_step(plan: Plan, judge: Judge,
                       calibration: Mapping[str, float] | None = None) -> Step:
    """The job of a judge that looks at the same labels on the picture, by straight distance,
    whatever the clusters were made with."""
    key = result_key("judge", judge.identity(), plan.projection, plan.clustering, "beside")
    width = int(getattr(plan.recipe.projecting, "dimensions", 2))
    return _step(plan, judge, key, plan.projection, _size(plan)["n"], width,
                 {"space": "beside", "metric": "euclidean"}, calibration)


def _size(plan: Plan) -> dict[str, Any]:
    found: dict[str, Any] = next(step.payload["size"] for step in plan.steps
                                 if step.key == plan.original)
    return found


def _step(plan: Plan, judge: Judge, key: str, vectors: str, n: int, d: int,
          told: dict[str, Any], calibration: Mapping[str, float] | None) -> Step:
    cost = judge.estimate(n, d)
    payload = {"step": "judge", "key": key, "method": judge.identity(), **told,
               "inputs": {"vectors": vectors, "clustering": plan.clustering},
               "size": {"method": judge.key, "n": n, "d": d, "expected": cost.seconds,
                        "bytes": int(cost.bytes)}}
    return Step(key=key, kind="judge", title=judge.title, call=EXECUTE, payload=payload,
                seconds=cost.seconds * (calibration or {}).get(judge.key, 1.0))
