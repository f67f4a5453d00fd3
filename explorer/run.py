"""Run a recipe without a browser, and read what a run made."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from explorer import steps, values
from explorer.dataset import Dataset
from explorer.errors import DataError
from explorer.measures import measures
from explorer.model import Model
from explorer.plan import Plan, make_plan
from explorer.recipe import Recipe
from explorer.spec import Progress, part, silent
from explorer.steps import Description
from explorer.store import Store
from explorer.study import Study
from explorer.study.step import study_key, study_step
from explorer.values import Clustering, Embedding, Finding, Judgement, Projection, Score, Tree
from explorer.work import picture_title

V = TypeVar("V")


@dataclass(frozen=True)
class Found:
    """A study, what it found out, and the name of that result."""

    study: Study
    finding: Finding
    key: str


@dataclass(frozen=True)
class Run:
    """The results of a plan, read from the store when asked for.

    A result that is not computed yet is None; after `run()` all are there. Row i of every result is
    dataset row `embedding.rows[i]`.
    """

    plan: Plan
    store: Store

    @property
    def dataset(self) -> Dataset:
        return self.plan.dataset

    @property
    def recipe(self) -> Recipe:
        return self.plan.recipe

    @cached_property
    def embedding(self) -> Embedding | None:
        """The vectors."""
        return self._read(Embedding, self.plan.embedding)

    @cached_property
    def read(self) -> Embedding | None:
        """The rows as the encoder's network sees them; None where it has none of its own."""
        return None if self.plan.read is None else self._read(Embedding, self.plan.read)

    @cached_property
    def model(self) -> Model | None:
        """The encoder's network, where it has one of its own."""
        return None if self.plan.model is None else self._read(Model, self.plan.model)

    @cached_property
    def projection(self) -> Projection | None:
        """The points of the map."""
        return self._read(Projection, self.plan.projection)

    @cached_property
    def clustering(self) -> Clustering | None:
        """The labels, after the recipe's edits."""
        return self._read(Clustering, self.plan.clustering)

    @cached_property
    def tree(self) -> Tree | None:
        """The tree the clusterer cut, where it cuts one."""
        return None if self.plan.tree is None else self._read(Tree, self.plan.tree)

    @cached_property
    def original(self) -> Clustering | None:
        """The labels as the clusterer gave them."""
        if not self.plan.edited:
            return self.clustering
        return self._read(Clustering, self.plan.original)

    @cached_property
    def rows_edited(self) -> int:
        """How many rows have another cluster than the clusterer gave them."""
        if self.clustering is None or self.original is None:
            return 0
        return int(np.count_nonzero(self.clustering.labels != self.original.labels))

    @cached_property
    def description(self) -> Description | None:
        """What sets the clusters apart."""
        return self._read(Description, self.plan.description)

    @cached_property
    def judgements(self) -> dict[str, Judgement]:
        """The judgements that are there, by the judge's key."""
        found = {name: self._read(Judgement, key) for name, key in self.plan.judgements.items()}
        return {name: judgement for name, judgement in found.items() if judgement is not None}

    @property
    def silhouette(self) -> Judgement | None:
        return self.judgements.get("silhouette")

    @property
    def scores(self) -> tuple[Score, ...]:
        """Every score there is."""
        return tuple(score for judgement in self.judgements.values()
                     for score in judgement.scores)

    def finding(self, study: Study) -> Finding | None:
        """What a study found out about this run; None where it was not computed."""
        key = self._key_of(study)
        if key not in self._findings:
            found = self._read(Finding, key)
            if found is None:
                return None
            self._findings[key] = found
        return self._findings[key]

    @property
    def findings(self) -> tuple[Found, ...]:
        """Of the recipe's studies those that are computed, in its order."""
        every = ((study, self.finding(study)) for study in self.recipe.studying)
        return tuple(Found(study, finding, self._key_of(study))
                     for study, finding in every if finding is not None)

    def _key_of(self, study: Study) -> str:
        # Pages ask for it many times: made once, by key and parameters.
        if study not in self._study_keys:
            self._study_keys[study] = study_key(self.plan, study)
        return self._study_keys[study]

    @cached_property
    def _study_keys(self) -> dict[Study, str]:
        return {}

    @cached_property
    def _findings(self) -> dict[str, Finding]:
        return {}

    @property
    def rows(self) -> np.ndarray:
        """The dataset rows covered (int64, ascending); empty before the embedding is there."""
        return self.embedding.rows if self.embedding is not None else np.empty(0, dtype=np.int64)

    @property
    def complete(self) -> bool:
        return not self.plan.missing(self.store)

    @property
    def space(self) -> str:
        """The space that was clustered, as a person reads it."""
        if self.recipe.cluster_in == "projection":
            if self.projection is None:
                return ""
            return picture_title(self.recipe.projecting.title, self.projection.points.shape[1])
        return self.embedding.title if self.embedding is not None else ""

    def positions(self, rows: np.ndarray) -> np.ndarray:
        """Where these dataset rows stand in the results (int64; rows not covered are left out)."""
        rows = np.asarray(rows, dtype=np.int64)
        return np.searchsorted(self.rows, rows[np.isin(rows, self.rows)])

    def table(self, names: dict[int, str] | None = None,
              places: np.ndarray | None = None) -> pa.Table:
        """Our columns for the rows covered, or only for those at `places`: cluster, cluster_name,
        original_cluster (after edits), those of every measure there is (silhouette,
        second_best_cluster, strength, what studies found out: see `explorer.measures`),
        x, y(, z)."""
        names = names or {}
        at: Any = slice(None) if places is None else places
        columns: dict[str, pa.Array] = {}
        if self.clustering is not None:
            labels = self.clustering.labels[at]
            columns["cluster"] = pa.array(np.asarray(labels, dtype=np.int32))
            columns["cluster_name"] = pa.array([name_of(label, names) for label in labels])
            if self.plan.edited and self.original is not None:
                columns["original_cluster"] = pa.array(
                    np.asarray(self.original.labels[at], dtype=np.int32))
        for measure in measures(self).values():
            columns |= measure.columns(at, names)
        if self.projection is not None:
            for axis, values_ in zip("xyz", self.projection.points[at].T, strict=False):
                columns[axis] = pa.array(np.ascontiguousarray(values_))
        return pa.table(columns)

    def table_of(self, rows: np.ndarray, names: dict[int, str] | None = None) -> pa.Table:
        """`table` for these dataset rows (ascending); cells of rows without a vector are empty."""
        covered = np.isin(rows, self.rows)
        ours = self.table(names, self.positions(rows))
        places = np.cumsum(covered) - 1
        return ours.take(pa.array(places, mask=~covered))

    def _read(self, kind: type[V], key: str) -> V | None:
        entry = self.store.find(key)
        return None if entry is None else values.read(kind, entry)


def run(recipe: Recipe, dataset: Dataset, store: Store, progress: Progress = silent) -> Run:
    """Compute what is missing, here and now, one step after the other."""
    plan = make_plan(recipe, dataset, store)
    missing = plan.missing(store)
    total = sum(step.seconds for step in missing) or 1.0
    done = 0.0
    for step in missing:
        share = part(progress, done / total, (done + step.seconds) / total)
        steps.execute(step.payload, str(store.root), titled(share, step.title))
        done += step.seconds
    plan = make_plan(recipe, dataset, store)  # the embedding's shape is known now
    for study in recipe.studying:
        steps.execute(study_step(plan, study).payload, str(store.root),
                      titled(part(progress, 1.0, 1.0), study.title))
    progress(1.0, "done")
    return Run(plan, store)


def name_of(label: int, names: dict[int, str]) -> str:
    """The name of a cluster: the person's, else 'Cluster 0' (the label, everywhere the same)."""
    if label == values.NOISE:
        return "Noise"
    return names.get(int(label)) or f"Cluster {int(label)}"


def titled(progress: Progress, title: str) -> Progress:
    """`progress` that names the step it belongs to."""
    return lambda fraction, text: progress(fraction, f"{title}: {text}")


def rows_of_clusters(result: Run, clusters: set[int]) -> np.ndarray:
    """The dataset rows of these clusters (-1: noise), ascending."""
    if result.clustering is None:
        raise DataError("NOT_CLUSTERED", "Rows must be clustered before clusters can be picked.",
                        hint="Run the recipe first.")
    return result.rows[np.isin(result.clustering.labels, sorted(clusters))]


def default_store(folder: Path | None = None) -> Store:
    """The store in EXPLORER_HOME (or the given folder)."""
    return Store(folder)
