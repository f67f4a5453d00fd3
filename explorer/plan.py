"""recipe + dataset -> the steps to compute, each with its result key known beforehand."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from explorer.cluster.tree import TreeClusterer
from explorer.dataset import Dataset
from explorer.encode import Encoder
from explorer.encode.reading import ReadingEncoder
from explorer.jobs import Step
from explorer.keys import (
    clustering_key,
    edited_key,
    embedding_key,
    graph_method,
    judgement_key,
    reading_keys,
    tree_key,
)
from explorer.recipe import Recipe
from explorer.spec import Cost, Method, result_key
from explorer.store import Store

EXECUTE = "explorer.steps:execute"
_GUESSED_WIDTH = 384


@dataclass(frozen=True)
class Plan:
    """The result keys of a recipe on a dataset, and the steps that make them, in order.

    `read` (the rows as its reader reads them) and `model` are None when the encoder has no network
    of its own; `graph` when no step needs neighbours, `tree` when the clusterer cuts none.
    `original` is the clusterer's clustering,
    `edited` the ones after each edit of the recipe; `clustering` is the last of them.
    """

    recipe: Recipe
    dataset: Dataset
    embedding: str
    read: str | None
    model: str | None
    graph: str | None
    projection: str
    tree: str | None
    original: str
    edited: tuple[str, ...]
    judgements: dict[str, str]
    description: str
    steps: tuple[Step, ...]

    @property
    def clustering(self) -> str:
        """The key of the clustering that is shown, judged and described."""
        return self.edited[-1] if self.edited else self.original

    @property
    def clustered(self) -> str:
        """The key of the vectors that are clustered and judged."""
        return self.projection if self.recipe.cluster_in == "projection" else self.embedding

    def missing(self, store: Store) -> tuple[Step, ...]:
        """The steps whose results are not stored, waiting only for each other."""
        return missing(self.steps, store)

    def seconds(self, store: Store) -> float:
        """What is still to be computed will take about this long."""
        return sum(step.seconds for step in self.missing(store))


def make_plan(recipe: Recipe, dataset: Dataset, store: Store,
              calibration: dict[str, float] | None = None) -> Plan:
    """The plan of a recipe; refuses (DataError, ParameterError) what cannot be encoded at all.

    `calibration`: method key -> measured seconds over estimated ones on this machine.
    """
    return _Planner(recipe, dataset.with_roles(recipe.roles), store, calibration or {}).plan()


@dataclass(frozen=True)
class Pace:
    """What a step is expected to take, and the name under which its times are measured."""

    measured: str
    cost: Cost


class _Planner:
    def __init__(self, recipe: Recipe, dataset: Dataset, store: Store,
                 calibration: dict[str, float]) -> None:
        self.recipe = recipe
        self.dataset = dataset
        self.store = store
        self.calibration = calibration
        self.steps: list[Step] = []
        self.source = {"dataset": dataset.id, "roles": dataset.roles}

    def plan(self) -> Plan:
        read, model, embedding = self.encode()
        n, d = self.shape(embedding, self.recipe.encoding)
        graph = self.graph(embedding, n, d)
        projection = self.project(embedding, graph, n, d)
        in_picture = self.recipe.cluster_in == "projection"
        clustered = projection if in_picture else embedding
        if in_picture:
            d = getattr(self.recipe.projecting, "dimensions", 2)
        tree = self.grow(clustered, n, d)
        original = self.cluster(clustered, tree, n, d)
        edited = self.edit(original, embedding, clustered, n, d)
        clustering = edited[-1] if edited else original
        judgements = {judge.key: self.judge(judge, clustered, clustering, n, d)
                      for judge in self.recipe.judging}
        description = self.describe(clustered, embedding, clustering, n, d)
        return Plan(recipe=self.recipe, dataset=self.dataset, embedding=embedding, read=read,
                    model=model, graph=graph,
                    projection=projection, tree=tree, original=original, edited=edited,
                    judgements=judgements,
                    description=description, steps=tuple(self.steps))

    def encode(self) -> tuple[str | None, str | None, str]:
        """The keys of what is read, of the model, and of the embedding."""
        method = self.recipe.encoding
        if not isinstance(method, ReadingEncoder):
            return None, None, self.read(method)
        keys = reading_keys(method, self.dataset)
        self.read(keys.reader)
        n, d = self.shape(keys.read, keys.reader)
        self.add("model", keys.model, method, n, d,
                 {**self.source, "inputs": {"read": keys.read}, "training": keys.training},
                 (keys.read,), Pace(f"{method.key}.model", method.estimate_model(n, d)))
        inputs = {"read": keys.read, "model": keys.model}
        key = embedding_key(method, self.dataset)
        self.add("encode", key, method, n, d, {**self.source, "inputs": inputs},
                 tuple(inputs.values()), Pace(method.key, method.estimate_embedding(n, d)))
        return keys.read, keys.model, key

    def read(self, method: Encoder) -> str:
        """The step of an encoder that reads the dataset itself."""
        columns = method.columns(self.dataset)
        key = embedding_key(method, self.dataset)
        self.add("encode", key, method, self.dataset.n, len(columns), {**self.source, "inputs": {}})
        return key

    def shape(self, embedding: str, method: Encoder) -> tuple[int, int]:
        entry = self.store.find(embedding)
        if entry is not None:
            n, d = entry.array("vectors").shape
            return int(n), int(d)
        columns = method.columns(self.dataset)
        given = sum(column.dimensions for column in columns)
        if method.picture_shape is not None:
            return self.dataset.n, math.prod(method.picture_shape)
        width = getattr(method, "dimensions", None) or given or (
            _GUESSED_WIDTH if any(column.role == "text" for column in columns) else len(columns))
        return self.dataset.n, int(width)

    def graph(self, embedding: str, n: int, d: int) -> str | None:
        method = graph_method(self.recipe.projecting, self.dataset.n)
        if method is None:
            return None
        key = result_key("graph", method.identity(), embedding)
        self.add("graph", key, method, n, d, {"inputs": {"vectors": embedding}}, (embedding,))
        return key

    def project(self, embedding: str, graph: str | None, n: int, d: int) -> str:
        method = self.recipe.projecting
        inputs = {"vectors": embedding} | ({"graph": graph} if graph else {})
        columns = [column.name for column in self.dataset.with_role("coordinate")]
        given = [self.dataset.id, columns] if method.reads == "coordinates" else []
        key = result_key("project", method.identity(), inputs, given)
        self.add("project", key, method, n, d, {**self.source, "inputs": inputs},
                 tuple(inputs.values()))
        return key

    def grow(self, clustered: str, n: int, d: int) -> str | None:
        method = self.recipe.clustering
        if not isinstance(method, TreeClusterer):
            return None
        key = tree_key(method, clustered)
        self.add("tree", key, method.grower(), n, d, {"inputs": {"vectors": clustered}},
                 (clustered,), Pace(method.key, method.estimate_tree(n, d)))
        return key

    def cluster(self, clustered: str, tree: str | None, n: int, d: int) -> str:
        method = self.recipe.clustering
        key = clustering_key(method, clustered)
        inputs = {"vectors": clustered} | ({"tree": tree} if tree else {})
        pace = (Pace(f"{method.key}.cut", method.estimate_cut(n))
                if isinstance(method, TreeClusterer) else None)
        self.add("cluster", key, method, n, d,
                 {"inputs": inputs, "space": _space_kind(self.recipe)}, tuple(inputs.values()),
                 pace)
        return key

    def edit(self, original: str, embedding: str, clustered: str, n: int,
             d: int) -> tuple[str, ...]:
        """A step per edit: a later one computes no earlier one again."""
        found: list[str] = []
        for edit in self.recipe.editing:
            before = found[-1] if found else original
            key = edited_key(edit, before, embedding, clustered)
            inputs = {"clustering": before, "embedding": embedding}
            if edit.divides:
                inputs["vectors"] = clustered
            self.add("edit", key, edit, n, d,
                     {"inputs": inputs, "total": self.dataset.n, "space": _space_kind(self.recipe)},
                     tuple(dict.fromkeys(inputs.values())))
            found.append(key)
        return tuple(found)

    def judge(self, judge: Method, clustered: str, clustering: str, n: int, d: int) -> str:
        key = judgement_key(judge, clustered, clustering)
        self.add("judge", key, judge, n, d,
                 {"inputs": {"vectors": clustered, "clustering": clustering},
                  "space": _space_kind(self.recipe)}, (clustered, clustering))
        return key

    def describe(self, clustered: str, embedding: str, clustering: str, n: int, d: int) -> str:
        key = result_key("describe", 2, clustered, embedding, clustering, self.dataset.id,
                         self.dataset.roles)
        inputs = {"vectors": clustered, "embedding": embedding, "clustering": clustering}
        self.steps.append(Step(
            key=key, kind="describe", title="What sets the clusters apart", call=EXECUTE,
            payload={"step": "describe", "key": key, **self.source, "inputs": inputs},
            after=tuple(dict.fromkeys(inputs.values())), seconds=0.5 + 1e-4 * n))
        return key

    def add(self, kind: str, key: str, method: Method, n: int, d: int, payload: dict[str, Any],
            after: tuple[str, ...] = (), pace: Pace | None = None) -> None:
        """`pace`: of a step that is not the whole of its method."""
        pace = pace or Pace(method.key, method.estimate(n, d))
        cost = pace.cost
        self.steps.append(Step(
            key=key, kind=kind, title=method.title, call=EXECUTE,
            payload={"step": kind, "key": key, "method": method.identity(), **payload,
                     "size": {"method": pace.measured, "n": n, "d": d, "expected": cost.seconds,
                              "bytes": int(cost.bytes)}},
            after=after, seconds=cost.seconds * self.calibration.get(pace.measured, 1.0)))


def _space_kind(recipe: Recipe) -> str:
    return "picture" if recipe.cluster_in == "projection" else "embedding"


def missing(steps: Iterable[Step], store: Store) -> tuple[Step, ...]:
    """Of these steps those whose results are not stored, each once, waiting only for each other:
    what is stored may have been computed without the engine, and has no job to wait for."""
    # `find`, not `has`: a damaged result counts as missing, so that it is computed again.
    absent = {step.key: step for step in steps if store.find(step.key) is None}
    return tuple(replace(step, after=tuple(key for key in step.after if key in absent))
                 for step in absent.values())
