"""Before and after every method: what its input must be, and what its result must be.

One place for all methods, present and future: a method declares, this decides. The checks after it
do not trust it: whatever it returns is measured again before anybody sees it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from explorer.errors import ResultError
from explorer.model import Model
from explorer.spec import Facts, Method, scale_exponent
from explorer.spread import shape_notes, spread_notes
from explorer.values import (
    NOISE,
    Clustering,
    Embedding,
    Finding,
    Graph,
    Judgement,
    Projection,
    Score,
)

V = TypeVar("V")

_NEAR_OVERFLOW = 1e30
"""Coordinates above cannot be drawn: their squares are infinite even for graphics in float32."""

@dataclass(frozen=True)
class Input:
    """n x d vectors as a method may see them, and what to know about it."""

    vectors: np.ndarray
    notes: tuple[str, ...]


def before(method: Method, vectors: np.ndarray, facts: Facts) -> Input:
    """The checks every method has before it starts, see `Method.check`; values too large for it
    are divided by a power of two. Raises DataError, ParameterError."""
    notes = method.check(facts)
    if facts.largest > method.largest_allowed:
        vectors = np.ldexp(vectors, -scale_exponent(facts))
    return Input(vectors, notes)


def after_encoding(result: Any, n: int) -> Embedding:
    """An encoder's answer for n dataset rows, with notes; ResultError when it cannot be true."""
    found = check_embedding(result, n)
    return replace(found, notes=(*_texts(found.notes), *spread_notes(found)))


def check_embedding(result: Any, n: int) -> Embedding:
    """The embedding as it is; ResultError when it cannot be one of n dataset rows."""
    found = _of_kind(result, Embedding, "The encoder")
    _shaped(found.vectors, "The embedding", np.float32, 2)
    _shaped(found.rows, "The embedding's row list", np.int64, 1)
    _length(found.rows, len(found.vectors), "The embedding's row list")
    if len(found.rows) and (found.rows[0] < 0 or found.rows[-1] >= n
                            or (np.diff(found.rows) <= 0).any()):
        raise ResultError("WRONG_ROWS", f"The embedding's rows must be rising numbers from 0 to "
                                        f"{n - 1}, each once, got others.")
    if len(found.rows) and not found.vectors.shape[1]:
        raise ResultError("WRONG_SHAPE", "The embedding must have at least one dimension, got 0.")
    if found.features and len(found.features) != found.vectors.shape[1]:
        raise ResultError("WRONG_SHAPE", f"The embedding must have one name per dimension, got "
                          f"{len(found.features)} for {found.vectors.shape[1]}.")
    _finite(found.vectors, "The embedding")
    return found


def after_training(result: Any) -> Model:
    """A trained network; ResultError where its weights are not finite numbers."""
    found = _of_kind(result, Model, "The training")
    for name, array in found.weights.items():
        if array.dtype.kind == "f":
            _finite(array.reshape(len(np.atleast_1d(array)), -1), f"The network's {name}")
    _extras(found.extras, "The model")
    return replace(found, notes=_texts(found.notes))


def after_searching(result: Any, n: int) -> Graph:
    """A neighbour graph of n rows; ResultError when it cannot be true."""
    found = _of_kind(result, Graph, "The neighbour search")
    _shaped(found.indices, "The neighbour graph", np.int32, 2)
    _shaped(found.distances, "The graph's distances", np.float32, 2)
    _length(found.indices, n, "The neighbour graph")
    if found.indices.shape != found.distances.shape:
        raise ResultError("WRONG_SHAPE", f"The neighbour graph must have one distance per "
                          f"neighbour, got {found.distances.shape} for {found.indices.shape}.")
    _finite(found.distances, "The neighbour graph")
    own = found.indices == np.arange(n, dtype=np.int32)[:, None]
    strange = (found.indices < 0) | (found.indices >= n) | own
    twice = (np.diff(np.sort(found.indices, axis=1), axis=1) == 0).any()
    if strange.any() or twice:
        raise ResultError("WRONG_NEIGHBORS", f"Neighbours must be other rows from 0 to {n - 1}, "
                                             "each once, got others.")
    if (found.distances < 0).any() or (np.diff(found.distances, axis=1) < 0).any():
        raise ResultError("WRONG_NEIGHBORS", "Distances must be 0 or more and rise, got others.")
    return found


def after_projecting(result: Any, vectors: np.ndarray, facts: Facts) -> Projection:
    """A projector's answer for n x d vectors, with notes; ResultError when it cannot be true, or
    when it lies on one spot or one line although the vectors do not."""
    found = _of_kind(result, Projection, "The projector")
    points = _shaped(found.points, "The projection", np.float32, 2)
    _length(points, facts.n, "The projection")
    if points.shape[1] not in (2, 3) or len(found.axes) != points.shape[1]:
        raise ResultError("WRONG_SHAPE", "The projection must have 2 or 3 named axes, got "
                                         f"{points.shape[1]} with {len(found.axes)} names.")
    _finite(points, "The projection")
    _extras(found.extras, "The projection")
    if np.abs(points).max(initial=0.0) > _NEAR_OVERFLOW:
        raise ResultError("NEAR_OVERFLOW", f"Coordinates must be at most {_NEAR_OVERFLOW:g} in "
                          f"magnitude, got {np.abs(points).max():g}.",
                          hint="Scale the columns, or use another method.")
    return replace(found, notes=(*_texts(found.notes), *shape_notes(points, vectors, facts)))


def after_clustering(result: Any, n: int, *, edited: bool = False) -> Clustering:
    """A clusterer's answer for n rows, with notes; ResultError when it cannot be true. `edited`:
    the answer of an edit, whose labels may have gaps and any order of sizes."""
    found = _of_kind(result, Clustering, "The clusterer")
    labels = _shaped(found.labels, "The clustering", np.int32, 1)
    _length(labels, n, "The clustering")
    if len(labels) and labels.min() < NOISE:
        raise ResultError("BAD_LABELS", "Cluster labels must be -1 or above, "
                                        f"got {int(labels.min())}.")
    present, sizes = np.unique(labels[labels != NOISE], return_counts=True)
    if not edited and not np.array_equal(present, np.arange(len(present))):
        raise ResultError("BAD_LABELS", "Cluster labels must be 0, 1, 2 ... without gaps.")
    if not edited and (np.diff(sizes) > 0).any():
        raise ResultError("BAD_LABELS", "Cluster 0 must be the largest, and so on.")
    if found.strengths is not None:
        strengths = _shaped(found.strengths, "The strengths", np.float32, 1)
        _length(strengths, n, "The strengths")
        if not ((strengths >= 0) & (strengths <= 1)).all():
            raise ResultError("NOT_FINITE", "Strengths must be numbers from 0 to 1, got others.")
    _extras(found.extras, "The clustering")
    notes = _texts(found.notes)
    if not notes and len(present) < 2:
        notes = ("No cluster was found: every row is noise.",) if not len(present) else (
            "Only one cluster was found: scores that compare clusters are not defined.",)
    return replace(found, notes=notes)


def after_judging(result: Any, n: int) -> Judgement:
    """A judge's answer for n rows; ResultError when it cannot be true. 'Not defined' is None with
    a reason, and NaN in values per row or cluster; infinity is never an answer."""
    found = _of_kind(result, Judgement, "The judge")
    _scored(found.scores, n)
    _told(found.per_row, found.per_cluster, n)
    return replace(found, notes=_texts(found.notes))


def after_studying(result: Any, n: int) -> Finding:
    """A study's answer for n rows, under the rules of `after_judging`; numbers of its figures may
    be NaN, not infinite."""
    found = _of_kind(result, Finding, "The study")
    _scored(found.scores, n)
    _told(found.per_row, found.per_cluster, n)
    for name, array in found.extras.items():
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
            raise ResultError("WRONG_TYPE", f"The study's {name} must be numbers, got others.")
        if np.isinf(array).any():
            raise ResultError("NOT_FINITE", f"{name} must be finite or not defined, got infinity.")
    return replace(found, notes=_texts(found.notes))


def _scored(scores: tuple[Score, ...], n: int) -> None:
    for score in scores:
        if score.value is None and not score.why:
            raise ResultError("NO_REASON", f"{score.name} must say why it is not defined.")
        if score.value is not None and not np.isfinite(score.value):
            raise ResultError("NOT_FINITE", f"{score.name} must be a finite number, "
                                            f"got {score.value}.")
        if not 0 <= score.sample <= score.total == n:
            raise ResultError("ROW_COUNT", f"{score.name} must speak of {n} rows, got "
                                           f"{score.sample} of {score.total}.")


def _told(per_row: Mapping[str, np.ndarray], per_cluster: Mapping[str, np.ndarray],
          n: int) -> None:
    for name, values in [*per_row.items(), *per_cluster.items()]:
        _shaped(values, name, None, 1)
        if np.isinf(values).any():
            raise ResultError("NOT_FINITE", f"{name} must be finite or not defined, got infinity.")
    for name, values in per_row.items():
        _length(values, n, name)


def _of_kind(result: Any, kind: type[V], who: str) -> V:
    if not isinstance(result, kind):
        raise ResultError("WRONG_RESULT", f"{who} must give {kind.__name__}, "
                                          f"got {type(result).__name__}.")
    return result


def _shaped(array: Any, what: str, dtype: type | None, dimensions: int) -> np.ndarray:
    if not isinstance(array, np.ndarray) or array.ndim != dimensions:
        given = f"{array.ndim}" if isinstance(array, np.ndarray) else type(array).__name__
        raise ResultError("WRONG_SHAPE", f"{what} must be an array of {dimensions} dimensions, "
                                         f"got {given}.")
    if (array.dtype.kind not in "biuf") if dtype is None else (array.dtype != dtype):
        raise ResultError("WRONG_TYPE", f"{what} must be {np.dtype(dtype or float)} numbers, "
                                        f"got {array.dtype}.")
    return array


def _finite(array: np.ndarray, what: str) -> None:
    bad = int(np.count_nonzero(~np.isfinite(array).all(axis=1)))
    if bad:
        raise ResultError("NOT_FINITE", f"{what} must be finite numbers, got {bad} rows with NaN "
                                        "or infinity.",
                          hint="Scale the columns or use another method.")


def _extras(extras: Mapping[str, np.ndarray], what: str) -> None:
    for name, array in extras.items():
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
            raise ResultError("WRONG_TYPE", f"{what}'s {name} must be numbers, got others.")
        if not np.isfinite(array).all():
            raise ResultError("NOT_FINITE", f"{what}'s {name} must be finite, got NaN or "
                                            "infinity.")


def _length(array: np.ndarray, n: int, what: str) -> None:
    if len(array) != n:
        raise ResultError("ROW_COUNT", f"{what} must have {n} rows, got {len(array)}.")


def _texts(notes: Any) -> tuple[str, ...]:
    if not isinstance(notes, tuple) or not all(isinstance(note, str) for note in notes):
        raise ResultError("WRONG_TYPE", "Notes must be sentences, got something else.")
    return notes
