"""Questions about an embedding: the rows nearest to rows, to a typed text, or to an image.

Small ones are answered at once; large ones, and those that need a model, are jobs whose answers are
results like any other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from explorer import values
from explorer.encode import Encoder, Placed, encoders
from explorer.encode.reading import ReadingEncoder
from explorer.encode.texts import read_question
from explorer.errors import DataError, Where
from explorer.jobs import Step
from explorer.keys import embedding_key
from explorer.load.draw_thumbnail import UnreadableImage, draw_thumbnail
from explorer.load.limits import MAX_ENTRY_BYTES
from explorer.neighbors.nearest_to import METRICS, MOST, Metric, Near, centre_of, nearest_to
from explorer.row_sets import pack_rows, unpack_rows
from explorer.run import Run
from explorer.spec import Progress, part, result_key
from explorer.store import Store
from explorer.uploads import Kept, kept_path
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
    out (all zero under the cosine). `asked`: the image of the question as a small picture (uint8,
    the bytes of a PNG or JPEG file)."""

    places: np.ndarray
    distances: np.ndarray
    metric: str
    compared: int
    directionless: int = 0
    notes: tuple[str, ...] = ()
    asked: np.ndarray | None = None


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
    if not method.places_words(current.dataset):
        method.place(text, {})  # says which encoder it is and what to do
    text = read_question(text)
    key = result_key("meaning", 1, current.plan.embedding, text, TEXT_METRIC, MOST)
    payload = {"step": "meaning", "key": key, "text": text, **_space(current)}
    return Step(key=key, kind="query", title="Rows nearest in meaning", call=_CALL,
                payload=payload, seconds=2.0 + _reading(current).estimate(1, 1).seconds)


def image_step(current: Run, file: Kept) -> Step:
    """The job that places an uploaded image (see `explorer.uploads`) among the rows and finds those
    nearest to it. Raises DataError NO_IMAGE_SPACE where the run's encoder does not place rows by
    their images."""
    method = current.recipe.encoding
    if not method.places_pictures(current.dataset):
        method.place_image(b"", {})  # says which encoder it is and what to do
    metric = default_metric(current)
    key = result_key("by_image", 1, current.plan.embedding, file.sha256, metric, MOST)
    payload = {"step": "by_image", "key": key, "image": file.sha256, "name": file.name,
               "metric": metric, **_space(current)}
    return Step(key=key, kind="query", title="Rows nearest to an image", call=_CALL,
                payload=payload, seconds=2.0 + _reading(current).estimate(1, 1).seconds)


def _space(current: Run) -> dict[str, Any]:
    """What a payload says of the space a question is placed in: who placed the rows, and of what.
    `learned`: the key of what the encoder that reads the rows must know to place others."""
    plan, data = current.plan, current.dataset
    inputs = {"vectors": plan.embedding}
    if plan.read is not None and plan.model is not None:
        inputs |= {"read": plan.read, "model": plan.model}
    return {"learned": learned_key(plan.read or plan.embedding), "inputs": inputs,
            "method": current.recipe.encoding.identity(), "dataset": data.id, "roles": data.roles}


def _reading(current: Run) -> Encoder:
    """The encoder that reads the rows."""
    method = current.recipe.encoding
    return method.reader(current.dataset) if isinstance(method, ReadingEncoder) else method


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
    answer = _ANSWERS[payload["step"]](work)
    values.save(store, payload["key"], answer,
                provenance(payload, "Nearest rows", time.monotonic() - started))


def _by_rows(work: Work) -> Answer:
    vectors = work.embedding().vectors
    places = unpack_rows(work.payload["rows"], len(vectors))
    return find_nearest(vectors, places, work.payload["metric"], work.progress)


def _by_meaning(work: Work) -> Answer:
    placed = _placed(work, lambda reader, learned: reader.place(work.payload["text"], learned))
    return _nearest(work, placed, TEXT_METRIC)


def _by_image(work: Work) -> Answer:
    name = work.payload["name"]
    path = kept_path(Kept(name, work.payload["image"]), work.store.root)
    if path.stat().st_size > MAX_ENTRY_BYTES:
        raise DataError("BAD_IMAGE", f"The image must have at most {MAX_ENTRY_BYTES:,} bytes, got "
                                     f"{path.stat().st_size:,}.", Where(file=name),
                        "Take a smaller copy of it.")
    data = path.read_bytes()
    try:
        small = draw_thumbnail(data, name)
    except UnreadableImage as reason:
        raise DataError("BAD_IMAGE", "The image must be one that can be read, got one that cannot: "
                                     f"{str(reason).split(': ', 1)[-1]}.", Where(file=name),
                        "Take a PNG or JPEG file.") from None
    placed = _placed(work, lambda reader, learned: reader.place_image(data, learned))
    found = _nearest(work, placed, work.payload["metric"])
    return replace(found, asked=np.frombuffer(small.data, dtype=np.uint8))


def _placed(work: Work, place: Callable[[Encoder, Mapping[str, np.ndarray]], Placed]) -> Placed:
    """Something that is no row in the space of the rows: placed by the encoder that reads them,
    and then brought through the network, where they went through one."""
    method = work.method(encoders())
    work.progress(0.0, "placing the question among the rows")
    if embedding_key(method, work.dataset) != work.payload["inputs"]["vectors"]:
        raise DataError("MODEL_CHANGED", f"{method.title} must use the model that placed the rows, "
                                         "but another one lies under that name now.",
                        hint="Run the recipe again: it then names the present model.")
    if not isinstance(method, ReadingEncoder):
        return place(method, _learned(work, method, work.embedding()))
    reader = method.reader(work.dataset)
    read = work.embedding("read")
    placed = place(reader, _learned(work, reader, read))
    one = replace(read, vectors=placed.vector[None, :], rows=np.zeros(1, dtype=np.int64), notes=())
    found = method.embed(reader, one, work.model(), part(work.progress, 0.8, 0.9))
    return replace(placed, vector=found.vectors[0])


def _nearest(work: Work, placed: Placed, metric: Metric) -> Answer:
    work.progress(0.9, "comparing it with the rows")
    found = nearest_to(work.embedding().vectors, placed.vector, MOST, metric,
                       progress=part(work.progress, 0.9, 1.0))
    return _answer(found, placed.notes)


_ANSWERS: dict[str, Callable[[Work], Answer]] = {
    "meaning": _by_meaning, "by_image": _by_image, "nearest_to": _by_rows}


def _learned(work: Work, method: Encoder, embedding: Embedding) -> dict[str, np.ndarray]:
    """What the encoder that reads the rows learned of them: kept from an earlier question, or found
    again."""
    key = work.payload["learned"]
    entry = work.store.find(key)
    if entry is None:
        started = time.monotonic()
        arrays = method.learn(work.dataset, embedding, part(work.progress, 0.0, 0.8))
        if not arrays:
            return {}
        told = provenance(work.payload, method.title, time.monotonic() - started)
        entry = work.store.put(key, arrays, {"type": "Learned", "provenance": told})
    return {name.removesuffix(".npy"): entry.array(name.removesuffix(".npy"))
            for name in entry.files if name.endswith(".npy")}


def _answer(found: Near, notes: tuple[str, ...] = ()) -> Answer:
    return Answer(found.places, found.distances, found.metric, found.compared, found.directionless,
                  notes)
