"""One step at hand: its payload, where its inputs are, and whom it reports to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np

from explorer import values
from explorer.dataset import Dataset, open_dataset
from explorer.model import Model
from explorer.spec import Facts, Progress
from explorer.store import Store
from explorer.values import Clustering, Embedding, Projection, facts_in, facts_of

_LIBRARIES = ("numpy", "scikit-learn", "umap-learn", "openTSNE", "pynndescent", "hdbscan",
              "minisom", "torch", "sentence-transformers", "embedding-explorer")


@dataclass(frozen=True)
class Work:
    """One step at hand: its payload, the store, and the progress to report to."""

    payload: dict[str, Any]
    store: Store
    progress: Progress

    @property
    def dataset(self) -> Dataset:
        return open_dataset(self.store, self.payload["dataset"]).with_roles(self.payload["roles"])

    def method(self, registry: Any) -> Any:
        """The declaration in the payload, from its registry."""
        return registry.create(self.payload["method"]["method"],
                               self.payload["method"]["parameters"])

    def embedding(self, name: str = "vectors") -> Embedding:
        return values.read(Embedding, self.store.get(self.payload["inputs"][name]))

    def projection(self, name: str = "vectors") -> Projection:
        return values.read(Projection, self.store.get(self.payload["inputs"][name]))

    def model(self) -> Model:
        return values.read(Model, self.store.get(self.payload["inputs"]["model"]))

    def clustering(self) -> Clustering:
        return values.read(Clustering, self.store.get(self.payload["inputs"]["clustering"]))

    def clustered(self, name: str = "vectors") -> Space:
        """The vectors that are clustered or judged, and how a person reads their space."""
        entry = self.store.get(self.payload["inputs"][name])
        if entry.meta["type"] != "Projection":
            return self.embedded(name)
        points = values.read(Projection, entry).points
        title = picture_title(entry.meta["provenance"]["title"], points.shape[1])
        return Space(points, title, facts_of(points))

    def embedded(self, name: str = "vectors") -> Space:
        """The vectors of the embedding this step reads."""
        entry = self.store.get(self.payload["inputs"][name])
        embedding = values.read(Embedding, entry)
        return Space(embedding.vectors, embedding.title or entry.meta["provenance"]["title"],
                     facts_in(entry) or facts_of(embedding.vectors))


@dataclass(frozen=True)
class Space:
    """n x d vectors, the name of their space, and what is known of them."""

    vectors: np.ndarray
    title: str
    facts: Facts


def picture_title(projector: str, dimensions: int) -> str:
    """The space of what is clustered and judged on the picture, as a person reads it."""
    return f"picture: {dimensions}-D {projector}"


def picture_note(payload: dict[str, Any]) -> tuple[str, ...]:
    """What every result made on the picture says."""
    if payload.get("space") == "beside":
        return ("judged on the picture, although the clusters were made elsewhere: it speaks of "
                "the picture, where distances are distorted",)
    if payload.get("space") != "picture":
        return ()
    return ("clustered and judged on the picture, not on the embedding: distances there are "
            "distorted",)


def provenance(payload: dict[str, Any], title: str, seconds: float) -> dict[str, Any]:
    """What made a result, as it stands in its manifest: method and all parameters, inputs, the
    seconds it took, the versions of the libraries."""
    return {"step": payload["step"], "title": title, **payload.get("method", {}),
            "inputs": payload.get("inputs", {}), "dataset": payload.get("dataset", ""),
            "seconds": round(seconds, 3), "versions": library_versions()}


@cache
def library_versions() -> dict[str, str]:
    """The versions of what decides results here."""
    return {library: version(library) for library in _LIBRARIES}
