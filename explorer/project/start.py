"""Starting a map from another projector's, in a way that replays.

The other projector runs inside, as declared and at its defaults (same seed, metric and dimensions,
same neighbour graph), so that a recipe that names it says all there is to say; its version stands
in the identity of the result. A start from stored points could not be told in a recipe.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from explorer.errors import ParameterError, Where
from explorer.project import Projector, projectors
from explorer.spec import Cost, Facts, Progress
from explorer.values import Graph

_FLAT = ("som_grid",)
"""Projectors without a third dimension."""


def starter(method: Projector, start: str) -> Projector | None:
    """The projector whose map `method` starts from; None where `start` is no projector."""
    if start not in projectors() or start == "pca":  # both libraries have a PCA of their own
        return None
    other = projectors().get(start)
    shared = {name: getattr(method, name) for name in ("seed", "metric", "dimensions")
              if name in other.model_fields}
    return other.create(**shared)


def identity_with(method: Projector, start: str, identity: dict[str, Any]) -> dict[str, Any]:
    """`identity` with that of the projector it starts from."""
    other = starter(method, start)
    return identity if other is None else {**identity, "start": other.identity()}


def check_start(method: Projector, start: str, facts: Facts, parameter: str) -> None:
    """Refuses what the other projector cannot draw: ParameterError OUT_OF_RANGE or its own."""
    other = starter(method, start)
    if other is None:
        return
    if other.key in _FLAT and getattr(method, "dimensions", 2) != 2:
        raise ParameterError("OUT_OF_RANGE", f"{parameter} must be another one for three "
                             f"dimensions, got '{start}', which is flat.",
                             Where(parameter=parameter), "Choose two dimensions or another start.")
    _fitted(other, facts).check(facts)


def cost_of_start(method: Projector, start: str, n: int, d: int) -> Cost:
    """What the other projector takes."""
    other = starter(method, start)
    return Cost(0, 0) if other is None else other.estimate(n, d)


def draw_start(method: Projector, start: str, vectors: np.ndarray, graph: Graph | None,
               progress: Progress) -> np.ndarray | None:
    """n x 2 or 3 float64 points of the other projector, centred, the first axis with a standard
    deviation of 1; None where `start` is no projector."""
    other = starter(method, start)
    if other is None:
        return None
    other = _fitted(other, Facts(*vectors.shape))
    if graph is not None and other.neighbors_needed(len(vectors)) > graph.indices.shape[1]:
        graph = None  # it searches the neighbours itself
    found = other.project(
        vectors, lambda fraction, text: progress(fraction, f"start by {other.title}: {text}"),
        graph)
    points = found.points.astype(np.float64)
    points -= points.mean(axis=0)
    return points / (points[:, 0].std() or points.std() or 1.0)


def _fitted(other: Projector, facts: Facts) -> Projector:
    """`other` with its defaults moved to what so few rows allow."""
    values = other.values()
    within = {name: type(values[name])(min(max(values[name], low), high))
              for name, (low, high) in other.limits(facts).items() if values[name] is not None}
    return other.create(**{**values, **within})
