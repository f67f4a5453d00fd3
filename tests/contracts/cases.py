"""Every discovered method, and one way to run any of them on small data through the real steps."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pytest

from explorer import single
from explorer.cli_flags import DECLARED, FAMILIES
from explorer.dataset import Dataset
from explorer.errors import ParameterError
from explorer.spec import Method, Parameter, Progress, silent
from explorer.store import Store
from tests.builders import build_dataset, png

METHODS: list[tuple[str, type[Method]]] = [
    (family, method) for family, registry in FAMILIES.items() for method in registry()]
IDS = [f"{family}-{method.key}" for family, method in METHODS]
DECLARED_METHODS: list[tuple[str, type[Method]]] = [
    (family, method) for family, registry in DECLARED.items() for method in registry()]
"""The methods of single steps, and the studies, which need a whole run."""
PARAMETERS = [(method, parameter) for _, method in METHODS for parameter in method.parameters()]
PARAMETER_IDS = [f"{method.key}-{parameter.name}" for method, parameter in PARAMETERS]

# Small numbers so that defaults meant for thousands of rows fit 60.
SMALL = {"perplexity": 10.0, "iterations": 60, "early_iterations": 40, "epochs": 60, "clusters": 3,
         "count": 10, "n_neighbors": 8, "restarts": 1}
# A network sees vectors, a few times: what it learns is asked in tests/encode and tests/train.
TRAINING = {"reads": "vectors", "epochs": 3, "dimensions": 4, "layers": 1, "batch_size": 32}
_TOPICS = (("cat dog fur pet vet paw", "bread flour oven bake dough yeast",
            "goal team match ball score league"))


def small(method: type[Method], **parameters: Any) -> Method:
    """The declaration with parameters that fit 60 rows."""
    known = {parameter.name for parameter in method.parameters()}
    sizes = SMALL | (TRAINING if getattr(method, "trains", False) else {})
    return method.create(**({name: value for name, value in sizes.items() if name in known}
                            | parameters))


@dataclass(frozen=True)
class Data:
    """What a method of any family may be run on: vectors with labels, or a whole dataset."""

    vectors: np.ndarray
    labels: np.ndarray
    dataset: Dataset

    def permuted(self, order: np.ndarray, store: Store) -> Data:
        """The same rows in another order."""
        return Data(self.vectors[order], self.labels[order], _dataset(order, store))


def usual(vectors: np.ndarray, store: Store) -> Data:
    """60 rows in three clear groups, with columns of every role."""
    order = np.arange(60)
    return Data(vectors, np.repeat(np.arange(3, dtype=np.int32), 20), _dataset(order, store))


def of(vectors: np.ndarray, dataset: Dataset) -> Data:
    """Vectors of any kind; their labels are 0, 1, 0, 1 ..."""
    return Data(vectors, np.arange(len(vectors), dtype=np.int32) % 2, dataset)


def execute(family: str, method: Any, data: Data, store: Store, progress: Progress = silent,
            metric: str = "euclidean") -> Any:
    """The result of a step, with all its checks before and after; `metric` is what a judge uses."""
    if family == "encode":
        return single.encode(method, data.dataset, store, progress)
    if family == "neighbors":
        return single.find_neighbors(method, data.vectors, store, progress)
    if family == "project" and method.reads == "coordinates":
        return single.place(method, data.dataset, store, progress)
    if family == "project":
        return single.project(method, data.vectors, store, progress)
    if family == "cluster":
        return single.cluster(method, data.vectors, store, progress)
    return single.judge(method, data.vectors, data.labels, metric, store, progress)


def execute_or_skip(family: str, method: Any, data: Data, store: Store,
                    progress: Progress = silent) -> Any:
    """The result; skips for a method that cannot run before a person has chosen something."""
    try:
        return execute(family, method, data, store, progress)
    except ParameterError as error:
        if error.code == "NO_MODEL" and error.where.parameter in method.values():
            pytest.skip(f"{method.key} works only when its {error.where.parameter} is chosen")
        raise


def arrays(result: Any) -> dict[str, np.ndarray]:
    """All numbers of a result, by name."""
    found: dict[str, np.ndarray] = {}
    for item in fields(result):
        content = getattr(result, item.name)
        if isinstance(content, np.ndarray):
            found[item.name] = content
        elif isinstance(content, dict):
            found |= {f"{item.name}.{name}": array for name, array in content.items()}
        elif item.name == "scores":
            found["scores"] = np.array([np.nan if score.value is None else score.value
                                        for score in content], dtype=np.float64)
    return found


def main_array(result: Any) -> np.ndarray:
    """The array with one row per data row."""
    for name in ("vectors", "indices", "points", "labels"):
        if hasattr(result, name):
            return getattr(result, name)
    return next(iter(result.per_row.values()), np.empty(0))


def another(parameter: Parameter) -> Any:
    """A valid value that is not the default."""
    default, low, high = parameter.default, parameter.low, parameter.high
    if parameter.kind == "bool":
        return not default
    if parameter.kind == "choice":
        return next(choice for choice in parameter.choices if choice != str(default))
    if parameter.kind in ("text", "list"):
        return "other" if parameter.kind == "text" else ["other"]
    start = default if default is not None else (low or 0)
    step = 1 if parameter.kind == "int" else 0.25
    value = start + step if high is None or start + step <= high else start - step
    return int(value) if parameter.kind == "int" else float(value)


def _dataset(order: np.ndarray, store: Store) -> Dataset:
    draws = np.random.default_rng(1)
    group = np.repeat(np.arange(3), 20)
    numbers = group[:, None] * 5 + draws.normal(size=(60, 3))
    words = [topic.split() for topic in _TOPICS]
    texts = [" ".join(draws.choice(words[label], size=8)) + " and more" for label in group]
    vectors = (numbers @ draws.normal(size=(3, 4))).astype(np.float32)
    squares = (np.kron(numbers[:, :1], np.ones((1, 64))) * 12 + draws.integers(40, size=(60, 64)))
    pixels = squares.clip(0, 255).astype(np.uint8).reshape(60, 8, 8)
    columns: dict[str, list[Any]] = {
        "height": numbers[order, 0].tolist(), "weight": numbers[order, 1].tolist(),
        "colour": [("red", "green", "blue")[label] for label in group[order]],
        "text": [texts[row] for row in order],
        "x": numbers[order, 2].tolist(), "y": numbers[order, 1].tolist()}
    roles = {"colour": "category", "text": "text", "x": "coordinate", "y": "coordinate"}
    return build_dataset(store, columns, roles, {"vector": vectors[order]},
                         [png(pixels[row]) for row in order])
