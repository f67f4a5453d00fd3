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
from explorer.project.start import check_start, cost_of_start, draw_start, identity_with
from explorer.spec import Cost, Facts, Progress, advanced, part
from explorer.values import Graph, Projection

_FFT_FROM = 10_000
"""Rows from which openTSNE's own 'auto' takes the interpolation method."""
_MANY = 100_000
_START_SPREAD = 1e-4
"""As openTSNE's own starts: a wider one cannot be moved any more by the first steps."""


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
    wide_perplexity: float | None = advanced(
        None, ge=1, le=1000, description="A second, larger perplexity whose neighbours count as "
        "much: keeps the order of groups as well as their detail. A hundredth of the rows is "
        "usual (Kobak, Berens 2019); empty: none.")
    initialization: Literal["pca", "spectral", "random", "umap", "som_grid"] = advanced(
        "pca", description="Where the points start; PCA keeps the overall order best. UMAP and the "
        "SOM grid are drawn first, at their defaults with this seed and metric.")
    early_exaggeration: float = advanced(12, ge=1, le=100, description="How strongly neighbours "
                                         "attract each other while groups form.")
    early_iterations: int = advanced(250, ge=0, le=10000, description="Steps with early "
                                     "exaggeration.")
    iterations: int = advanced(500, ge=1, le=10000, description="Steps afterwards.")
    exaggeration: float = advanced(1, ge=1, le=100, description="The same attraction afterwards; "
                                   "above 1 the groups become tighter, 4 suits 100,000 rows and "
                                   "more.")
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
        return {"perplexity": (1, facts.n - 1), "wide_perplexity": (1, facts.n - 1)}

    def identity(self) -> dict[str, Any]:
        return identity_with(self, self.initialization, super().identity())

    def check(self, facts: Facts) -> tuple[str, ...]:
        facts = without_copies(facts) if self.unique else facts
        notes = super().check(facts)
        if self.initialization == "pca":
            start_from_pca(facts, self.dimensions, "initialization")
        check_start(self, self.initialization, facts, "initialization")
        self._method(facts.n)
        if facts.n >= _MANY and self.exaggeration == 1:
            notes += (f"with {facts.n:,} rows groups tend to run into each other: exaggeration 4 "
                      "(an advanced parameter) keeps them apart (Kobak, Berens 2019)",)
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
        begun = draw_start(self, self.initialization, vectors, graph,
                           part(progress, start, start + 0.4))
        return self._fit(prepared, begun, part(progress, start if begun is None else start + 0.4,
                                               1.0))

    def estimate(self, n: int, d: int) -> Cost:
        steps = self.early_iterations + self.iterations
        if self._method(n) == "fft":
            seconds = steps * (0.028 + 1.5e-6 * n)
        else:
            seconds = steps * 3.7e-7 * n * np.log2(max(n, 2)) * (3 if self.dimensions == 3 else 1)
        before = cost_of_start(self, self.initialization, n, d)
        widest = max(self.perplexity, self.wide_perplexity or 0)
        return Cost(0.5 + float(seconds) + before.seconds,
                    max(int(250e6) + 4 * n * d + 100 * n * int(widest), before.bytes))

    def _count(self, n: int) -> int:
        return max(1, min(int(3 * max(self.perplexity, self.wide_perplexity or 0)), n - 1))

    def _method(self, n: int) -> str:
        if self.forces == "grid" and self.dimensions == 3:
            raise ParameterError("OUT_OF_RANGE", "forces must be 'auto' or 'tree' for three "
                                 "dimensions, got 'grid'.", Where(parameter="forces"),
                                 "The grid method exists in two dimensions only.")
        if self.forces == "auto":
            return "fft" if n >= _FFT_FROM and self.dimensions == 2 else "bh"
        return "fft" if self.forces == "grid" else "bh"

    def _fit(self, given: Prepared, begun: np.ndarray | None, progress: Progress) -> Projection:
        import openTSNE

        n = len(given.vectors)
        progress(0.0, "weighing the neighbours")
        affinities, notes = self._affinities(given)
        watch = _Watch(progress, self.early_iterations + self.iterations)
        found = openTSNE.TSNE(
            n_components=self.dimensions, metric=self.metric,
            initialization=self.initialization if begun is None else _START_SPREAD * begun,
            early_exaggeration=self.early_exaggeration,
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


    def _affinities(self, given: Prepared) -> tuple[Any, tuple[str, ...]]:
        """How strongly neighbours are tied, and notes."""
        from openTSNE.affinity import Multiscale, PerplexityBasedNN
        from openTSNE.nearest_neighbors import PrecomputedNeighbors

        near, n = given.graph, len(given.vectors)
        index = PrecomputedNeighbors(near.indices, near.distances)
        if self.wide_perplexity is None:
            found = PerplexityBasedNN(perplexity=self.perplexity, n_jobs=1, knn_index=index)
            used = [found.effective_perplexity_]
        else:
            found = Multiscale(perplexities=[self.perplexity, self.wide_perplexity], n_jobs=1,
                               knn_index=index)
            used = list(found.effective_perplexities_)
        asked = [self.perplexity] + ([] if self.wide_perplexity is None else [self.wide_perplexity])
        if used == asked:
            return found, given.notes
        return found, (*given.notes, f"perplexity {_listed(used)} was used in place of "
                                     f"{_listed(asked)}: there are only {n} rows")


def _listed(perplexities: list[float]) -> str:
    return " and ".join(f"{perplexity:.4g}" for perplexity in perplexities)


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
