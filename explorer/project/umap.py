"""UMAP: McInnes, Healy, Melville 2018, by umap-learn."""

from __future__ import annotations

import re
import warnings
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from explorer.errors import DataError, Where
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
from explorer.spec import Cost, Facts, Progress, advanced, part, silent
from explorer.values import Graph, Projection


class UMAP(Projector):
    """Keeps neighbours together and shows groups as islands. Distances between islands, and their
    sizes, mean little."""

    key: ClassVar[str] = "umap"
    title: ClassVar[str] = "UMAP"
    rank: ClassVar[int] = 1
    min_rows: ClassVar[int] = 5
    min_distinct: ClassVar[int] = 4
    follows_rows: ClassVar[bool] = False

    n_neighbors: int = Field(15, ge=2, le=1000, description="How many rows, itself included, a row "
                             "is tied to: few show detail, many show the whole.")
    min_dist: float = Field(0.1, ge=0, le=1, description="How close points may lie in the picture: "
                            "0 packs groups tightly.")
    metric: Literal["euclidean", "cosine"] = Field(
        "euclidean", description="How the distance between two rows is measured.")
    dimensions: int = Field(2, ge=2, le=3, description="A plane or a space.")
    spread: float = advanced(1.0, ge=0.2, le=5, description="The scale of the picture; must be at "
                             "least min dist.")
    epochs: int | None = advanced(None, ge=11, le=10000, description="How long to optimise; empty: "
                                  "500 up to 10,000 rows, 200 above.")
    init: Literal["spectral", "pca", "random", "tsne", "som_grid"] = advanced(
        "spectral", description="Where the points start. t-SNE and the SOM grid are drawn first, "
        "at their defaults with this seed and metric.")
    repulsion_strength: float = advanced(1.0, ge=0.1, le=10, description="How strongly points that "
                                         "are not neighbours push each other away.")
    negative_sample_rate: int = advanced(5, ge=1, le=50, description="How many such points are "
                                         "drawn per neighbour: more is slower and clearer.")
    density: bool = advanced(False, description="Draw dense groups tight and sparse ones wide "
                             "(densMAP), where plain UMAP makes all alike; slower.")
    unique: bool = advanced(False, description="Draw every different row once; copies lie on one "
                            "spot.")
    seed: int = advanced(0, ge=0, le=2**32 - 1, description="Same seed, same result.")

    @field_validator("spread")
    @classmethod
    def _above_min_dist(cls, spread: float, info: ValidationInfo) -> float:
        low = info.data.get("min_dist", 0.0)
        if spread < low:
            raise PydanticCustomError("spread", "at least min_dist ({low})", {"low": low})
        return spread

    def neighbors_needed(self, n: int) -> int:
        return 0 if self.unique else min(self.n_neighbors - 1, n - 1)

    def limits(self, facts: Facts) -> dict[str, tuple[float, float]]:
        return {"n_neighbors": (2, facts.n - 1)}

    def identity(self) -> dict[str, Any]:
        return identity_with(self, self.init, super().identity())

    def check(self, facts: Facts) -> tuple[str, ...]:
        facts = without_copies(facts) if self.unique else facts
        notes = super().check(facts)
        if self.init == "pca":
            start_from_pca(facts, self.dimensions, "init")
        check_start(self, self.init, facts, "init")
        return (*notes, *copies(facts))

    def project(self, vectors: np.ndarray, progress: Progress,
                graph: Graph | None = None) -> Projection:
        """Equals `umap.UMAP(precomputed_knn=...)` with the same parameters and seed."""
        if self.unique:
            once = self.model_copy(update={"unique": False})
            return on_one_spot(vectors, lambda rows: once.project(rows, progress))
        start = 0.3 if graph is None else 0.0
        prepared = prepare(vectors, graph, self.n_neighbors - 1, self.metric,
                           part(progress, 0, start))
        begun = draw_start(self, self.init, vectors, graph,
                           part(progress, start, start + 0.4))
        if begun is not None:
            start += 0.4
        progress(start, "preparing UMAP (the first run of a process compiles for a while)")
        return self._fit(prepared, begun, part(progress, start, 1.0))

    def estimate(self, n: int, d: int) -> Cost:
        epochs = self.epochs or (500 if n <= 10_000 else 200)
        per_epoch = n * (1.3e-6 + 3.4e-8 * self.n_neighbors) * (1 + self.negative_sample_rate) / 6
        before = cost_of_start(self, self.init, n, d)
        return Cost(1 + 1e-4 * n + epochs * per_epoch * (2 if self.density else 1) + before.seconds,
                    max(int(300e6) + 4 * n * d + 150 * n * self.n_neighbors, before.bytes))

    def _fit(self, given: Prepared, begun: np.ndarray | None, progress: Progress) -> Projection:
        import numba
        import umap
        from umap.layouts import tqdm

        sink = _Sink(progress)
        model = umap.UMAP(
            n_neighbors=self.n_neighbors, min_dist=self.min_dist, metric=self.metric,
            n_components=self.dimensions, spread=self.spread, n_epochs=self.epochs,
            init=self.init if begun is None else begun,
            repulsion_strength=self.repulsion_strength,
            negative_sample_rate=self.negative_sample_rate, random_state=self.seed, n_jobs=1,
            densmap=self.density,
            precomputed_knn=with_itself(given.graph),
            # Cosine: rows at distance 2 from all neighbours would be left out as NaN.
            disconnection_distance=float("inf"),
            tqdm_kwds={"file": sink, "disable": False, "miniters": 1, "mininterval": 0.1,
                       "bar_format": "{n_fmt}/{total_fmt}"})
        threads = numba.get_num_threads()
        try:
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                points = model.fit_transform(given.vectors)
        finally:
            numba.set_num_threads(threads)
            if sink.stopped:
                tqdm.get_lock().release()  # tqdm keeps its lock when the sink raises
        notes = given.notes
        if any("Spectral initialisation failed" in str(one.message) for one in said):
            notes = (*notes, "the spectral start failed, so the points started at random places")
        if self.density and not np.isfinite(points).all():
            # It divides by how much the densities of the rows differ.
            raise DataError("NO_DENSITY", "Rows must lie more densely in some places than in "
                            "others to draw their density, got rows that are equally spaced or "
                            "copies.", Where(parameter="density"), "Switch density off.")
        axes = tuple(f"UMAP {axis + 1}" for axis in range(self.dimensions))
        return Projection(np.ascontiguousarray(points, dtype=np.float32), axes, notes)


class _Sink:
    """The file tqdm writes 'epoch/epochs' to. What `progress` raises stops the fit."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.stopped = False

    def write(self, text: str) -> None:
        found = re.search(r"(\d+)/(\d+)", text)
        if self.stopped or found is None:
            return
        epoch, epochs = int(found[1]), int(found[2])
        if epoch == epochs:
            return  # written while tqdm closes, where its lock is freed by itself
        try:
            self.progress(epoch / epochs, f"epoch {epoch} of {epochs}")
        except BaseException:
            self.stopped = True
            raise

    def flush(self) -> None:
        """Nothing is kept back."""


def with_itself(near: Graph) -> tuple[np.ndarray, np.ndarray]:
    """`near` as umap-learn wants it: every row first among its own neighbours, at distance 0."""
    own = np.arange(len(near.indices), dtype=np.int32)[:, None]
    return (np.hstack([own, near.indices]),
            np.hstack([np.zeros(own.shape, dtype=np.float32), near.distances]))


def warm_up() -> None:
    """Compile UMAP by a tiny fit, so that nobody waits for it later: 10 to 60 s in a new process,
    nothing afterwards."""
    vectors = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
    UMAP.create(n_neighbors=5, epochs=11).project(vectors, silent)
