"""One step on given arrays, outside of a recipe: the same checks, the same store."""

from __future__ import annotations

import hashlib
from typing import Any, TypeVar

import numpy as np

from explorer import steps, values
from explorer.cluster import Clusterer
from explorer.dataset import Dataset
from explorer.encode import Encoder
from explorer.encode.reading import ReadingEncoder
from explorer.errors import DataError, Where
from explorer.flight import check_embedding
from explorer.judge import Judge
from explorer.keys import embedding_key, graph_method, reading_keys
from explorer.model import Model
from explorer.neighbors import Neighbors
from explorer.project import Projector
from explorer.spec import Method, Progress, part, result_key, silent
from explorer.store import Store
from explorer.values import NOISE, Clustering, Embedding, Graph, Judgement, Projection

V = TypeVar("V")


def encode(method: Encoder, dataset: Dataset, store: Store,
           progress: Progress = silent) -> Embedding:
    """The embedding of a dataset; the same result, by the same name, as in a recipe."""
    key = embedding_key(method, dataset)
    source = {"dataset": dataset.id, "roles": dataset.roles}
    if not isinstance(method, ReadingEncoder):
        return _execute(Embedding, "encode", key, method, {}, store, progress, **source)
    keys = reading_keys(method, dataset)
    encode(keys.reader, dataset, store, part(progress, 0.0, 0.1))
    train(method, dataset, store, part(progress, 0.1, 0.95))
    inputs = {"read": keys.read, "model": keys.model}
    return _execute(Embedding, "encode", key, method, inputs, store, part(progress, 0.95, 1.0),
                    **source)


def train(method: ReadingEncoder, dataset: Dataset, store: Store,
          progress: Progress = silent) -> Model:
    """The network of an encoder that has one of its own; the same result as in a recipe."""
    keys = reading_keys(method, dataset)
    encode(keys.reader, dataset, store, part(progress, 0.0, 0.1))
    return _execute(Model, "model", keys.model, method, {"read": keys.read}, store,
                    part(progress, 0.1, 1.0), dataset=dataset.id, roles=dataset.roles,
                    training=keys.training)


def find_neighbors(method: Neighbors, vectors: np.ndarray, store: Store,
                   progress: Progress = silent) -> Graph:
    """The kNN graph of n x d vectors."""
    inputs = {"vectors": keep_vectors(vectors, store)}
    key = result_key("graph", method.identity(), inputs["vectors"])
    return _execute(Graph, "graph", key, method, inputs, store, progress)


def project(method: Projector, vectors: np.ndarray, store: Store,
            progress: Progress = silent) -> Projection:
    """n x 2 or n x 3 points of n x d vectors; the kNN graph is made first where one is needed."""
    inputs = {"vectors": keep_vectors(vectors, store)}
    searching = graph_method(method, len(vectors))
    start = 0.0
    if searching is not None:
        start = 0.3
        inputs["graph"] = result_key("graph", searching.identity(), inputs["vectors"])
        _execute(Graph, "graph", inputs["graph"], searching, {"vectors": inputs["vectors"]}, store,
                 part(progress, 0.0, start))
    key = result_key("project", method.identity(), inputs, [])
    return _execute(Projection, "project", key, method, inputs, store, part(progress, start, 1.0))


def place(method: Projector, dataset: Dataset, store: Store,
          progress: Progress = silent) -> Projection:
    """Points of all rows from the coordinate columns, for the projectors that read those."""
    rows = Embedding(np.zeros((dataset.n, 1), dtype=np.float32),
                     np.arange(dataset.n, dtype=np.int64), "rows of the data set")
    inputs = {"vectors": keep_embedding(rows, store)}
    source = {"dataset": dataset.id, "roles": dataset.roles}
    key = result_key("project", method.identity(), inputs, source)
    return _execute(Projection, "project", key, method, inputs, store, progress, **source)


def cluster(method: Clusterer, vectors: np.ndarray, store: Store,
            progress: Progress = silent) -> Clustering:
    """The clustering of n x d vectors."""
    inputs = {"vectors": keep_vectors(vectors, store)}
    key = result_key("cluster", method.identity(), inputs["vectors"])
    return _execute(Clustering, "cluster", key, method, inputs, store, progress)


def judge(method: Judge, vectors: np.ndarray, labels: np.ndarray, metric: str, store: Store,
          progress: Progress = silent, space: str = "") -> Judgement:
    """Scores of n labels (-1 noise) on n x d vectors under `metric`."""
    inputs = {"vectors": keep_vectors(vectors, store, space),
              "clustering": keep_labels(labels, len(vectors), metric, store)}
    key = result_key("judge", method.identity(), inputs["vectors"], inputs["clustering"])
    return _execute(Judgement, "judge", key, method, inputs, store, progress)


def keep_vectors(vectors: np.ndarray, store: Store, title: str = "") -> str:
    """Store n x d finite numbers as an embedding, in single precision; returns its key.

    Raises DataError NOT_VECTORS, NO_ROWS or NOT_FINITE.
    """
    vectors = np.asarray(vectors)
    if vectors.ndim != 2 or vectors.dtype.kind not in "fiu":
        raise DataError("NOT_VECTORS", "Vectors must be a table of numbers with two dimensions, "
                                       f"got {vectors.ndim} of type {vectors.dtype}.")
    if not vectors.size:
        raise DataError("NO_ROWS", "Vectors must have at least one row and one column, got "
                                   f"{vectors.shape[0]} x {vectors.shape[1]}.")
    with np.errstate(over="ignore"):
        single = np.ascontiguousarray(vectors, dtype=np.float32)
    bad = np.flatnonzero(~np.isfinite(single).all(axis=1))
    if len(bad):
        raise DataError("NOT_FINITE", "Vectors must be finite numbers of single precision, got "
                                      f"{len(bad)} rows with others.", Where(row=int(bad[0]) + 1),
                        "Leave these rows out, or divide the values by a constant.")
    title = title or f"given vectors ({vectors.shape[1]}-d)"
    return keep_embedding(Embedding(single, np.arange(len(single), dtype=np.int64), title), store)


def keep_embedding(embedding: Embedding, store: Store) -> str:
    """Store an embedding by its content; returns its key."""
    check_embedding(embedding, int(embedding.rows.max(initial=-1)) + 1)
    key = result_key("given", _digest(embedding.vectors), _digest(embedding.rows),
                     embedding.title)
    values.save(store, key, embedding, {"step": "given", "title": embedding.title})
    return key


def keep_labels(labels: np.ndarray, n: int, metric: str, store: Store) -> str:
    """Store n whole numbers (-1 noise) as a clustering; returns its key. The numbers stay as they
    are. Raises DataError BAD_LABELS."""
    labels = np.asarray(labels)
    if labels.shape != (n,) or labels.dtype.kind not in "iu" or labels.min(initial=0) < NOISE:
        raise DataError("BAD_LABELS", f"Labels must be {n} whole numbers from -1 (noise), one per "
                                      f"vector, got {labels.shape} of type {labels.dtype}.")
    clustering = Clustering(labels=labels.astype(np.int32), metric=metric)
    key = result_key("labels", _digest(clustering.labels), metric)
    values.save(store, key, clustering, {"step": "given", "title": "given labels"})
    return key


def _execute(kind: type[V], step: str, key: str, method: Method, inputs: dict[str, str],
             store: Store, progress: Progress, **source: Any) -> V:
    payload = {"step": step, "key": key, "method": method.identity(), "inputs": inputs, **source}
    steps.execute(payload, str(store.root), progress)
    return values.read(kind, store.get(key))


def _digest(array: np.ndarray) -> list[Any]:
    data = np.ascontiguousarray(array)
    digest = hashlib.blake2b(data.view(np.uint8).reshape(-1).data, digest_size=16).hexdigest()
    return [digest, list(data.shape), str(data.dtype)]
