"""t-SNE: van der Maaten, Hinton 2008, by openTSNE (Policar, Strazar, Zupan 2024)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from explorer.errors import ParameterError, Where
from explorer.project import Projector
from explorer.project.prepare import (
    Prepared,
    copies,
    on_one_spot,
    prepare,
    start_from_pca,
    without_copies,
)
from explorer.spec import Cost, Facts, Progress, advanced, part
from explorer.values import Graph, Projection

_FFT_FROM = 10_000
"""Rows from which openTSNE's own 'auto' takes the interpolation method."""


class TSNE(Projector):
    """Places every row beside its nearest neighbours. Shows fine groups well; distances between
    groups, and their sizes, mean little."""

    key: ClassVar[str] = "tsne"
    title: ClassVar[str] = "t-SNE"
    rank: ClassVar[int] = 2
    min_rows: ClassVar[int] = 6
    min_distinct: ClassVar[int] = 4
    follows_rows: ClassVar[bool] = False

    perplexity: float = Field(30, ge=1, le=1000, description="About how many neighbours a row "
                              "looks at; below a third of the rows.")
    metric: Literal["euclidean", "cosine"] = Field(
        "euclidean", description="How the distance between two rows is measured.")
    dimensions: int = Field(2, ge=2, le=3, description="A plane or a space.")
    initialization: Literal["pca", "spectral", "random"] = advanced(
        "pca", description="Where the points start; PCA keeps the overall order best.")
    early_exaggeration: float = advanced(12, ge=1, le=100, description="How strongly neighbours "
                                         "attract each other while groups form.")
    early_iterations: int = advanced(250, ge=0, le=10000, description="Steps with early "
                                     "exaggeration.")
    iterations: int = advanced(500, ge=1, le=10000, description="Steps afterwards.")
    exaggeration: float = advanced(1, ge=1, le=100, description="The same attraction afterwards; "
                                   "above 1 the groups become tighter.")
    learning_rate: float | None = advanced(None, ge=1, le=1e6, description="Size of a step; empty: "
                                           "rows divided by exaggeration.")
    forces: Literal["auto", "tree", "grid"] = advanced(
        "auto", description="How pushing apart is approximated: tree (Barnes-Hut), grid (FFT, 2-D "
        "only), auto: grid from 10,000 rows in 2-D.")
    theta: float = advanced(0.5, ge=0, le=1, description="Coarseness of the tree: 0 is exact and "
                            "slow.")
    unique: bool = advanced(False, description="Draw every different row once; copies lie on one "
                            "spot.")
    seed: int = advanced(0, ge=0, le=2**32 - 1, description="Same seed, same result.")

    def neighbors_needed(self, n: int) -> int:
        return 0 if self.unique else self._count(n)

    def limits(self, facts: Facts) -> dict[str, tuple[float, float]]:
        return {"perplexity": (1, facts.n - 1)}

    def check(self, facts: Facts) -> tuple[str, ...]:
        facts = without_copies(facts) if self.unique else facts
        notes = super().check(facts)
        if self.initialization == "pca":
            start_from_pca(facts, self.dimensions, "initialization")
        self._method(facts.n)
        if self.perplexity > facts.n / 3:
            notes += (f"perplexity {self.perplexity:g} is above a third of the {facts.n} rows: "
                      f"only {facts.n - 1} neighbours exist where {int(3 * self.perplexity)} "
                      "would be used, and groups may not show",)
        return (*notes, *copies(facts))

    def project(self, vectors: np.ndarray, progress: Progress,
                graph: Graph | None = None) -> Projection:
        """Equals openTSNE's TSNE on these neighbours with the same parameters and seed.

        `extras`: kl_divergence, the final loss (1 float64).
        """
        if self.unique:
            once = self.model_copy(update={"unique": False})
            return on_one_spot(vectors, lambda rows: once.project(rows, progress))
        self._method(len(vectors))
        start = 0.2 if graph is None else 0.0
        prepared = prepare(vectors, graph, self._count(len(vectors)), self.metric,
                           part(progress, 0, start))
        return self._fit(prepared, part(progress, start, 1.0))

    def estimate(self, n: int, d: int) -> Cost:
        steps = self.early_iterations + self.iterations
        if self._method(n) == "fft":
            seconds = steps * (0.028 + 1.5e-6 * n)
        else:
            seconds = steps * 3.7e-7 * n * np.log2(max(n, 2)) * (3 if self.dimensions == 3 else 1)
        return Cost(0.5 + float(seconds), int(250e6) + 4 * n * d + 100 * n * int(self.perplexity))

    def _count(self, n: int) -> int:
        return max(1, min(int(3 * self.perplexity), n - 1))

    def _method(self, n: int) -> str:
        if self.forces == "grid" and self.dimensions == 3:
            raise ParameterError("OUT_OF_RANGE", "forces must be 'auto' or 'tree' for three "
                                 "dimensions, got 'grid'.", Where(parameter="forces"),
                                 "The grid method exists in two dimensions only.")
        if self.forces == "auto":
            return "fft" if n >= _FFT_FROM and self.dimensions == 2 else "bh"
        return "fft" if self.forces == "grid" else "bh"

    def _fit(self, given: Prepared, progress: Progress) -> Projection:
        import openTSNE
        from openTSNE.affinity import PerplexityBasedNN
        from openTSNE.nearest_neighbors import PrecomputedNeighbors

        n, notes, near = len(given.vectors), given.notes, given.graph
        progress(0.0, "weighing the neighbours")
        affinities = PerplexityBasedNN(
            perplexity=self.perplexity, n_jobs=1,
            knn_index=PrecomputedNeighbors(near.indices, near.distances))
        if affinities.effective_perplexity_ != self.perplexity:
            notes = (*notes, f"perplexity {affinities.effective_perplexity_:.4g} was used in place "
                             f"of {self.perplexity:g}: there are only {n} rows")
        watch = _Watch(progress, self.early_iterations + self.iterations)
        found = openTSNE.TSNE(
            n_components=self.dimensions, metric=self.metric,
            initialization=self.initialization, early_exaggeration=self.early_exaggeration,
            early_exaggeration_iter=self.early_iterations, n_iter=self.iterations,
            exaggeration=self.exaggeration,
            learning_rate="auto" if self.learning_rate is None else self.learning_rate,
            negative_gradient_method=self._method(n), theta=self.theta, n_jobs=1,
            random_state=self.seed, callbacks=watch,
            # Often enough that a stop takes seconds, rarely enough to cost nothing.
            callbacks_every_iters=max(1, min(10, 1_000_000 // n)),
        ).fit(given.vectors, affinities=affinities)
        if watch.stop is not None:
            raise watch.stop
        axes = tuple(f"t-SNE {axis + 1}" for axis in range(self.dimensions))
        points = np.array(found, dtype=np.float32)
        return Projection(points, axes, notes, {"kl_divergence": np.array([found.kl_divergence])})


class _Watch:
    """Reports iterations of both phases. openTSNE stops on True; an exception inside it would
    leave the affinities exaggerated, so `stop` is raised after the fit."""

    def __init__(self, progress: Progress, total: int) -> None:
        self.progress = progress
        self.total = total
        self.stop: BaseException | None = None
        self._done = 0
        self._current = 0

    def optimization_about_to_start(self) -> None:
        self._done += self._current
        self._current = 0

    def __call__(self, iteration: int, loss: float, points: Any) -> bool:
        self._current = iteration
        done = self._done + iteration
        try:
            self.progress(done / self.total, f"step {done:,} of {self.total:,}")
        except BaseException as stop:
            self.stop = stop
        return self.stop is not None
