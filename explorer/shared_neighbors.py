"""How many neighbours of a row are its neighbours in other embeddings too: a job on stored
embeddings."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

from explorer import values
from explorer.errors import DataError
from explorer.flight import after_studying
from explorer.jobs import Step
from explorer.judge.trust import mean_of, shared_of
from explorer.neighbors.nearest import nearest_of
from explorer.spec import Progress, part, result_key
from explorer.store import Store
from explorer.values import Embedding, Finding
from explorer.work import provenance

EXACT_UP_TO, SAMPLE, SEED = 5_000, 2_000, 0
"""Up to so many rows all are measured; above so many drawn by that seed, against all rows."""
_CALL = "explorer.shared_neighbors:execute"
_TITLE = "Neighbours in common"


def shared_step(embeddings: Mapping[str, int], n: int, count: int, metric: str,
                waiting: Sequence[str] = ()) -> Step:
    """The job that compares the `count` nearest rows of every row between embeddings (key ->
    dimensions) of one dataset of n rows; of these keys `waiting` are still to be computed."""
    keys = sorted(embeddings)
    key = result_key("shared_neighbors", 1, keys, count, metric, EXACT_UP_TO, SAMPLE, SEED)
    measured = n if n <= EXACT_UP_TO else SAMPLE
    payload: dict[str, Any] = {"step": "shared_neighbors", "key": key, "embeddings": keys,
                               "count": count, "metric": metric, "inputs": {}}
    seconds = sum(0.1 + 8e-9 * measured * n * (1 + d / 200) for d in embeddings.values())
    return Step(key=key, kind="study", title=_TITLE, call=_CALL, payload=payload,
                after=tuple(waiting), seconds=0.3 + seconds)


def execute(payload: dict[str, Any], home: str, progress: Progress) -> None:
    """Compare the embeddings of `payload` and store the finding under its key."""
    compute(payload, Store(Path(home), create=False), progress)


def compute(payload: dict[str, Any], store: Store, progress: Progress) -> None:
    """`execute` with a store at hand."""
    if store.find(payload["key"]) is not None:
        return
    started = time.monotonic()
    every = {key: values.read(Embedding, store.get(key)) for key in payload["embeddings"]}
    found = compare(every, payload["count"], payload["metric"], store, progress)
    total = max(len(one.rows) for one in every.values())
    values.save(store, payload["key"], after_studying(found, total),
                provenance(payload, _TITLE, time.monotonic() - started))
    progress(1.0, "done")


def compare(every: Mapping[str, Embedding], count: int, metric: str, store: Store,
            progress: Progress) -> Finding:
    """`extras`: 'shared', 'low', 'high', E x E float64: the mean share of a row's `count` nearest
    rows in one embedding that are among them in the other, with its 95 % interval where rows are a
    sample; NaN where the metric is not defined; 'measured' and 'among', one int64 each: rows
    measured, and rows they are compared with. `tables`: 'embeddings', their keys in order.

    Only rows that all embeddings have take part. Exact; ties go to the earlier row. Raises
    DataError TOO_FEW_ROWS where these are not more than `count`.
    """
    rows = reduce(np.intersect1d, (np.asarray(one.rows) for one in every.values()))
    n = len(rows)
    if n <= count:
        raise DataError("TOO_FEW_ROWS", f"Comparing {count} neighbours must have at least "
                        f"{count + 1} rows that every encoder has, got {n}.",
                        hint="Compare fewer neighbours, or other encoders.")
    at = np.arange(n) if n <= EXACT_UP_TO else np.sort(
        np.random.default_rng(SEED).choice(n, SAMPLE, replace=False))
    lists: list[np.ndarray | None] = []
    notes: list[str] = []
    for place, (key, one) in enumerate(every.items()):
        share = part(progress, place / len(every), (place + 1) / len(every))
        try:
            lists.append(_near(key, one, rows, at, count, metric, store, share))
        except DataError as error:  # no direction for the cosine: not defined, and said
            lists.append(None)
            notes.append(f"{one.title}: {error.message}")
    shape = (len(lists), len(lists))
    shared, low, high = (np.full(shape, np.nan) for _ in range(3))
    for first, ours in enumerate(lists):
        for second, theirs in enumerate(lists[:first + 1]):
            if ours is None or theirs is None:
                continue
            found = mean_of(shared_of(ours, theirs), n)
            for made, value in ((shared, found.value), (low, found.low), (high, found.high)):
                made[first, second] = made[second, first] = value
    left_out = len(set().union(*(np.asarray(one.rows).tolist() for one in every.values()))) - n
    if left_out:
        notes.append(f"{left_out:,} rows that not every encoder has are left out.")
    return Finding(extras={"shared": shared, "low": low, "high": high,
                           "measured": np.array([len(at)]), "among": np.array([n])},
                   tables={"embeddings": [{"key": key} for key in every]}, notes=tuple(notes))


def _near(key: str, one: Embedding, rows: np.ndarray, at: np.ndarray, count: int, metric: str,
          store: Store, progress: Progress) -> np.ndarray:
    """m x count int32: the nearest of the common rows for those at `at`; kept, so that comparing
    with one more encoder searches only that one's."""
    common = hashlib.blake2b(rows.tobytes(), digest_size=16).hexdigest()
    name = result_key("near_lists", 1, key, common, count, metric, len(at), SEED)
    entry = store.find(name)
    if entry is None:
        places = np.searchsorted(np.asarray(one.rows), rows)
        vectors = np.asarray(one.vectors)
        if len(places) < len(vectors):
            vectors = vectors[places]
        near = nearest_of(vectors, at, count, metric, progress)
        told = provenance({"step": "near_lists", "inputs": {"vectors": key}}, _TITLE, 0.0)
        entry = store.put(name, {"near": near}, {"type": "NearLists", "provenance": told})
    return entry.array("near")
