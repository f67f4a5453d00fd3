"""Questions about an embedding: the rows nearest to rows, or to a typed text.

Small ones are answered at once; large ones, and those that need a model, are jobs whose answers are
results like any other.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from explorer import values
from explorer.encode import encoders
from explorer.encode.texts import read_question
from explorer.errors import DataError
from explorer.jobs import Step
from explorer.keys import embedding_key
from explorer.neighbors.nearest_to import METRICS, MOST, Metric, Near, centre_of, nearest_to
from explorer.row_sets import pack_rows, unpack_rows
from explorer.run import Run
from explorer.spec import Progress, part, result_key
from explorer.store import Store
from explorer.values import Embedding
from explorer.work import Work, provenance

AT_ONCE = 20_000_000
"""Numbers in the embedding up to which rows are compared where they are asked for (a tenth of a
second); above it is a job."""
_NUMBERS_A_SECOND = 2e8
_CALL = "explorer.queries:execute"
TEXT_METRIC: Metric = "cosine"
"""Texts are compared by direction: a question is shorter than what it is about."""


@dataclass(frozen=True)
class Answer:
    """The nearest rows of one question: at most MOST `places` (int64) in the embedding's order and
    their `distances` (float64), ascending, ties by place; of `compared` rows, `directionless` left
    out (all zero under the cosine)."""

    places: np.ndarray
    distances: np.ndarray
    metric: str
    compared: int
    directionless: int = 0
    notes: tuple[str, ...] = ()


def default_metric(current: Run) -> Metric:
    """The distance of the recipe: the clustering's, where the embedding was clustered; else the
    projection's."""
    recipe = current.recipe
    found = recipe.clustering.distance if recipe.cluster_in == "embedding" else \
        recipe.projecting.distance
    return next((metric for metric in METRICS if metric == found), "euclidean")


def at_once(current: Run) -> bool:
    """Whether `find_nearest` is fast enough to be called where it is asked for."""
    return current.embedding is None or current.embedding.vectors.size <= AT_ONCE


def find_nearest(vectors: np.ndarray, places: np.ndarray, metric: str,
                 progress: Progress | None = None) -> Answer:
    """The rows nearest to one row of n x d `vectors`, or to the centre of several (int64,
    ascending; see `centre_of`), these left out. Raises DataError ZERO_VECTORS, NO_ROWS."""
    # One row itself, not its direction: equal rows are then at distance 0 exactly.
    asked = vectors[places[0]] if len(places) == 1 else centre_of(vectors, places, metric)
    found = nearest_to(vectors, asked, MOST, metric, without=places,
                       **({"progress": progress} if progress else {}))
    return _answer(found)


def nearest_step(current: Run, places: np.ndarray, metric: str) -> Step:
    """The job of `find_nearest` on the run's embedding."""
    assert current.embedding is not None
    vectors = current.embedding.vectors
    rows = pack_rows(places, len(vectors))
    key = result_key("nearest_to", 1, current.plan.embedding, rows, metric, MOST)
    payload = {"step": "nearest_to", "key": key, "rows": rows, "metric": metric,
               "inputs": {"vectors": current.plan.embedding}}
    return Step(key=key, kind="query", title="Nearest rows", call=_CALL, payload=payload,
                seconds=0.5 + vectors.size / _NUMBERS_A_SECOND)


def meaning_step(current: Run, text: str) -> Step:
    """The job that places a typed text among the rows and finds those nearest to it.

    Raises DataError NO_TEXT_SPACE where the run's encoder does not place rows by their texts,
    ParameterError EMPTY_TEXT and TOO_LONG.
    """
    method = current.recipe.encoding
    if not method.places_texts:
        method.place(text, {})  # says which encoder it is and what to do
    text = read_question(text)
    data = current.dataset
    key = result_key("meaning", 1, current.plan.embedding, text, TEXT_METRIC, MOST)
    learned = learned_key(current.plan.embedding)
    payload = {"step": "meaning", "key": key, "text": text, "learned": learned,
               "method": method.identity(), "dataset": data.id, "roles": data.roles,
               "inputs": {"vectors": current.plan.embedding}}
    return Step(key=key, kind="query", title="Rows nearest in meaning", call=_CALL,
                payload=payload, seconds=2.0 + method.estimate(1, 1).seconds)


def learned_key(embedding: str) -> str:
    """The name of what an encoder must know to place texts in an embedding."""
    return result_key("learn", 1, embedding)


def execute(payload: dict[str, Any], home: str, progress: Progress) -> None:
    """Answer the question of `payload` and store the answer under its key."""
    store = Store(Path(home), create=False)
    if store.find(payload["key"]) is not None:
        return
    started = time.monotonic()
    work = Work(payload, store, progress)
    answer = _by_meaning(work) if payload["step"] == "meaning" else _by_rows(work)
    values.save(store, payload["key"], answer,
                provenance(payload, "Nearest rows", time.monotonic() - started))


def _by_rows(work: Work) -> Answer:
    vectors = work.embedding().vectors
    places = unpack_rows(work.payload["rows"], len(vectors))
    return find_nearest(vectors, places, work.payload["metric"], work.progress)


def _by_meaning(work: Work) -> Answer:
    method = work.method(encoders())
    embedding = work.embedding()
    work.progress(0.0, "placing the question among the rows")
    if embedding_key(method, work.dataset) != work.payload["inputs"]["vectors"]:
        raise DataError("MODEL_CHANGED", f"{method.title} must use the model that placed the rows, "
                                         "but another one lies under that name now.",
                        hint="Run the recipe again: it then names the present model.")
    placed = method.place(work.payload["text"], _learned(work, embedding))
    work.progress(0.9, "comparing it with the rows")
    found = nearest_to(embedding.vectors, placed.vector, MOST, TEXT_METRIC,
                       progress=part(work.progress, 0.9, 1.0))
    return _answer(found, placed.notes)


def _learned(work: Work, embedding: Embedding) -> dict[str, np.ndarray]:
    """What the encoder learned of these texts: kept from an earlier question, or found again."""
    key = work.payload["learned"]
    entry = work.store.find(key)
    if entry is None:
        started = time.monotonic()
        method = work.method(encoders())
        arrays = method.learn(work.dataset, embedding, part(work.progress, 0.0, 0.9))
        if not arrays:
            return {}
        told = provenance(work.payload, method.title, time.monotonic() - started)
        entry = work.store.put(key, arrays, {"type": "Learned", "provenance": told})
    return {name.removesuffix(".npy"): entry.array(name.removesuffix(".npy"))
            for name in entry.files if name.endswith(".npy")}


def _answer(found: Near, notes: tuple[str, ...] = ()) -> Answer:
    return Answer(found.places, found.distances, found.metric, found.compared, found.directionless,
                  notes)
