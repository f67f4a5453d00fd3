"""The run a study looks at: its results, read when asked for, and its methods, to run again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np

from explorer import values
from explorer.cluster import Clusterer
from explorer.dataset import Dataset
from explorer.errors import DataError
from explorer.flight import after_clustering, after_projecting, after_searching, before
from explorer.keys import graph_method
from explorer.model import Model
from explorer.neighbors import Neighbors
from explorer.project import Projector
from explorer.recipe import Recipe, recipe_from_data
from explorer.spec import Facts, Method, Progress, part, silent
from explorer.values import Clustering, Embedding, Graph, Projection, facts_of
from explorer.work import Space, Work

M = TypeVar("M", bound=Method)


@dataclass(frozen=True)
class Subject:
    """Results of the run by name; row i of every one is dataset row `embedding.rows[i]`. Only what
    the study declares in `reads` is there: anything else is a KeyError."""

    work: Work

    @cached_property
    def recipe(self) -> Recipe:
        return recipe_from_data(self.work.payload["recipe"])

    @cached_property
    def model(self) -> Model:
        """The network of the run's encoder. Raises DataError NOT_TRAINED where it has none."""
        if "model" not in self.work.payload["inputs"]:
            raise DataError("NOT_TRAINED", "The run's encoder must be a network trained here, got "
                                           f"{self.recipe.encoding.title}.",
                            hint="Train one on the Train page, or choose one in the recipe.")
        return self.work.model()

    @cached_property
    def read(self) -> Embedding:
        """The rows as that network sees them; row i of it is row i of the embedding, unless that
        left rows out (`rows`)."""
        return self.work.embedding("read")

    @property
    def dataset(self) -> Dataset:
        """The dataset with the run's roles."""
        return self.work.dataset

    @cached_property
    def embedding(self) -> Embedding:
        return self.work.embedding("embedding")

    @cached_property
    def embedded(self) -> Space:
        """The embedding as a space with its name."""
        return self.work.embedded("embedding")

    @cached_property
    def clustered(self) -> Space:
        """The space that was clustered: the embedding, or the picture when a person chose so."""
        return self.work.clustered("clustered")

    @cached_property
    def projection(self) -> Projection:
        return self.work.projection("projection")

    @cached_property
    def pictured(self) -> Space:
        """The points of the map as a space with its name."""
        return self.work.clustered("projection")

    @cached_property
    def graph(self) -> Graph | None:
        """The neighbours the projector used; None where it needs none."""
        key = self.work.payload["inputs"].get("graph")
        return None if key is None else values.read(Graph, self.work.store.get(key))

    @cached_property
    def clustering(self) -> Clustering:
        """The labels, after edits by hand."""
        return self.work.clustering()

    @cached_property
    def original(self) -> Clustering:
        """The labels as the clusterer gave them."""
        return values.read(Clustering, self.work.store.get(self.work.payload["inputs"]["original"]))

    @cached_property
    def facts(self) -> Facts:
        """What is known of the vectors it looks at: the clustered space's where it reads it."""
        inputs = self.work.payload["inputs"]
        if "clustered" in inputs:
            return self.clustered.facts
        if "embedding" in inputs:
            return self.embedded.facts
        if "projection" in inputs:
            return self.pictured.facts
        found = self.clustering if "clustering" in inputs else self.original
        return Facts(n=len(found.labels), d=1)

    @property
    def metric(self) -> str:
        """The distance the clusters were made with."""
        return self.clustering.metric


def cluster_again(method: Clusterer, vectors: np.ndarray,
                  progress: Progress = silent) -> Clustering:
    """The clustering of m x d float32 vectors, with the checks of a run before and after. Raises
    what the method refuses: a subsample may be too small for it."""
    facts = facts_of(vectors)
    given = before(method, vectors, facts)
    found = after_clustering(method.cluster(given.vectors, progress), facts.n)
    return Clustering(found.labels, found.metric, found.strengths, (*given.notes, *found.notes),
                      found.extras)


def project_again(method: Projector, vectors: np.ndarray, progress: Progress = silent,
                  graph: Graph | None = None) -> Projection:
    """The projection of m x d float32 vectors, with the checks of a run; its neighbours are
    searched first where it needs them and none are given."""
    facts = facts_of(vectors)
    searching = graph_method(method, facts.n) if graph is None else None
    start = 0.0
    if searching is not None:
        start = 0.3
        graph = search_again(searching, vectors, part(progress, 0.0, start))
    given = before(method, vectors, facts)
    return after_projecting(method.project(given.vectors, part(progress, start, 1.0), graph),
                            given.vectors, facts)


def search_again(method: Neighbors, vectors: np.ndarray, progress: Progress = silent) -> Graph:
    """The kNN graph of m x d float32 vectors; its `count` is cut to what there is."""
    facts = facts_of(vectors)
    count = min(method.values()["count"], facts.n - 1)
    fitting = method.model_copy(update={"count": max(1, count)})
    given = before(fitting, vectors, facts)
    return after_searching(fitting.find(given.vectors, progress), facts.n)


def reseeded(method: M, seeds: Sequence[int]) -> list[M]:
    """The method under each of these seeds; the method alone where it draws no random numbers."""
    if "seed" not in type(method).model_fields:
        return [method]
    return [type(method).create(**{**method.values(), "seed": seed}) for seed in seeds]
