"""Small changes under which a method should find the same again: seeds, rows, order, parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from explorer.errors import ParameterError
from explorer.spec import Method

M = TypeVar("M", bound=Method)

SEED, ROWS, ORDER, NUDGE = "another seed", "fewer rows", "another row order", "nudged parameters"
COUNT = "one cluster more or fewer"
"""A nudge of the number of clusters: among few clusters no small change."""


@dataclass(frozen=True)
class Nudge(Generic[M]):
    """A method with one `parameter` moved a little, and that in words."""

    method: M
    parameter: str
    words: str


def another_seed(method: M, number: int, seed: int) -> M:
    """The method under a seed that is not its own: another one for every `number` from 0."""
    if "seed" not in type(method).model_fields:
        return method
    values = method.values()
    values["seed"] = (int(values["seed"]) + 1 + number + 1_000 * seed) % 2**32
    return type(method).create(**values)


def draws(method: Method) -> bool:
    """Whether the method draws random numbers."""
    return "seed" in type(method).model_fields


def nudges(method: M, share: float) -> list[Nudge[M]]:
    """The method with one parameter moved: each number that shapes the result up and down by
    `share` of itself, then by half of that (whole numbers by 1 at least). What the parameter's
    bounds do not allow is left out."""
    found: dict[str, Nudge[M]] = {}
    now = method.values()
    for size in (share, share / 2):
        for parameter in method.parameters():
            value = now[parameter.name]
            shapes = not parameter.advanced or parameter.default is None
            if parameter.kind not in ("int", "float") or parameter.name == "seed" \
                    or value is None or not shapes:
                continue
            step = size * abs(value)
            for moved in (value - step, value + step) if parameter.kind == "float" else (
                    value - max(1, round(step)), value + max(1, round(step))):
                words = f"{parameter.name} {moved:.4g} (was {value:.4g})"
                try:
                    found[words] = Nudge(
                        type(method).create(**{**now, parameter.name: moved}), parameter.name,
                        words)
                except ParameterError:
                    continue  # beyond what the parameter may be
    return list(found.values())


def deal(kinds: Sequence[str], runs: int, most_nudges: int) -> list[str]:
    """Which kind of change each of the runs makes: all kinds equally often, nudges only as often
    as there are different ones. Fewer runs where nudges are all there is."""
    kinds = [kind for kind in kinds if kind != NUDGE or most_nudges]
    counts = dict.fromkeys(kinds, 0)
    dealt = 0
    while dealt < runs:
        open_kinds = [kind for kind in kinds if kind != NUDGE or counts[kind] < most_nudges]
        if not open_kinds:
            break
        for kind in open_kinds[:runs - dealt]:
            counts[kind] += 1
            dealt += 1
    return [kind for kind in kinds for _ in range(counts[kind])]


def some_rows(n: int, most: int, draw: np.random.Generator) -> np.ndarray:
    """int64, ascending: all n rows, or `most` of them drawn without replacement."""
    if n <= most:
        return np.arange(n)
    return np.sort(draw.choice(n, most, replace=False))
