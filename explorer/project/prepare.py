"""What the projectors have in common before they start: checks of the data, neighbours, offset."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.errors import DataError, ParameterError, Where
from explorer.neighbors.nearest import Nearest, shared_count
from explorer.spec import Facts, Progress
from explorer.values import Graph

_MANY_COPIES = 0.1
_LARGE_OFFSET = 1000.0


@dataclass(frozen=True)
class Prepared:
    """n x d vectors a library may read, and what was done to them in words."""

    vectors: np.ndarray
    notes: tuple[str, ...] = ()


def copies(facts: Facts) -> tuple[str, ...]:
    """A note when a good part of the rows are copies of others: they spread around one spot."""
    if facts.distinct is None or facts.n - facts.distinct <= _MANY_COPIES * facts.n:
        return ()
    return (f"{(facts.n - facts.distinct) / facts.n:.0%} of the rows are copies of another row; "
            "the method spreads copies into blobs that mean nothing",)


def start_from_pca(facts: Facts, dimensions: int, parameter: str) -> None:
    """Refuse a PCA start for fewer columns than dimensions (ParameterError TOO_FEW_COLUMNS)."""
    if facts.d < dimensions:
        raise ParameterError(
            "TOO_FEW_COLUMNS",
            f"{parameter} must be 'spectral' or 'random' when the data has fewer columns than the "
            f"picture has dimensions, got 'pca' with {facts.d} columns for {dimensions}.",
            Where(parameter=parameter), "Choose another start or fewer dimensions.")


def nearest(vectors: np.ndarray, graph: Graph | None, count: int, metric: str,
            progress: Progress) -> Graph:
    """The first `count` neighbours of every row: from `graph`, or searched when there is none.

    Raises DataError IDENTICAL_ROWS when no row has a different one near, WRONG_GRAPH when the
    graph has another metric, other rows or fewer neighbours.
    """
    n = len(vectors)
    if graph is None:
        graph = Nearest.create(count=shared_count(count, n), metric=metric).find(vectors, progress)
    if graph.metric != metric or len(graph.indices) != n or graph.indices.shape[1] < count:
        raise DataError(
            "WRONG_GRAPH",
            f"The neighbour graph must have {n} rows, {count} neighbours and the metric {metric}, "
            f"got {graph.indices.shape[0]}, {graph.indices.shape[1]} and {graph.metric}.",
            hint="Search the neighbours of these vectors again.")
    if not np.any(graph.distances):
        raise DataError(
            "IDENTICAL_ROWS", "A picture must have rows that differ from each other, got only "
            "copies among the nearest neighbours of every row.",
            hint="Choose other columns, another encoder, or more neighbours.")
    return Graph(graph.indices[:, :count], graph.distances[:, :count], metric, graph.exact,
                 graph.recall, graph.recall_rows)


def without_offset(vectors: np.ndarray, metric: str) -> Prepared:
    """Vectors moved to their mean (in float64) when they sit so far from the origin that float32
    arithmetic would lose their differences; as they are otherwise. Distances do not change;
    cosine, which has the origin in it, is left alone."""
    if metric != "euclidean":
        return Prepared(vectors)
    mean = np.mean(vectors, axis=0, dtype=np.float64)
    spread = np.max(np.std(vectors, axis=0, dtype=np.float64))
    if not np.abs(mean).max() > _LARGE_OFFSET * spread > 0:
        return Prepared(vectors)
    return Prepared((vectors - mean).astype(np.float32),
                    ("columns were centred first: their values are large next to their spread",))
