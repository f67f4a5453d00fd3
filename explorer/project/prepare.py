"""What UMAP and t-SNE have in common before they start: checks, neighbours, offset and scale."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from explorer.errors import DataError, ParameterError, Where
from explorer.neighbors.nearest import Nearest, shared_count
from explorer.spec import Facts, Progress
from explorer.values import Graph, Projection

_MANY_COPIES = 0.1
_LARGE_OFFSET = 1000.0
_SMALLEST, _LARGEST = 1e-10, 1e7
"""Mean neighbour distances between which both libraries find their bandwidths: outside, the
bisections of umap-learn (below 1e-12) and openTSNE (above 1e8, below 1e-20) stop short."""


@dataclass(frozen=True)
class Prepared:
    """n x d vectors and their graph as a library may read them, and what was done in words."""

    vectors: np.ndarray
    graph: Graph
    notes: tuple[str, ...] = ()


def copies(facts: Facts) -> tuple[str, ...]:
    """A note when a good part of the rows are copies of others: they spread around one spot."""
    if facts.distinct is None or facts.n - facts.distinct <= _MANY_COPIES * facts.n:
        return ()
    return (f"{(facts.n - facts.distinct) / facts.n:.0%} of the rows are copies of another row; "
            "copies are spread into blobs whose shape means nothing",)


def on_one_spot(vectors: np.ndarray, draw: Callable[[np.ndarray], Projection]) -> Projection:
    """`draw` of the different rows of n x d vectors; copies lie where the first of them lies."""
    rows = np.ascontiguousarray(vectors) + 0.0  # -0.0 and 0.0 are one value
    _, first, place = np.unique(rows.view(f"V{rows.dtype.itemsize * rows.shape[1]}").ravel(),
                                return_index=True, return_inverse=True)
    order = np.argsort(first)  # in the order of the rows, not of their bytes
    found = draw(rows[first[order]])
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    notes = found.notes
    if len(first) < len(vectors):
        notes += (f"{len(vectors) - len(first):,} copies lie on the spot of the row they repeat",)
    return replace(found, points=found.points[rank[place]], notes=notes)


def without_copies(facts: Facts) -> Facts:
    """What a method sees that is given each different row once."""
    return facts if facts.distinct is None else replace(facts, n=facts.distinct)


def start_from_pca(facts: Facts, dimensions: int, parameter: str) -> None:
    """Refuse a PCA start for fewer columns than dimensions (ParameterError TOO_FEW_COLUMNS)."""
    if facts.d < dimensions:
        raise ParameterError(
            "TOO_FEW_COLUMNS",
            f"{parameter} must be 'spectral' or 'random' when the data has fewer columns than the "
            f"picture has dimensions, got 'pca' with {facts.d} columns for {dimensions}.",
            Where(parameter=parameter), "Choose another start or fewer dimensions.")


def prepare(vectors: np.ndarray, graph: Graph | None, count: int, metric: str,
            progress: Progress) -> Prepared:
    """The vectors and the first `count` neighbours of every row: from `graph`, or searched when
    there is none. Nothing is changed unless float32 or a library's search needs it: see
    `_without_offset`, `_rescaled`.

    Raises DataError IDENTICAL_ROWS when all rows are at distance 0, WRONG_GRAPH when the graph has
    another metric, other rows or fewer neighbours.
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
    if not np.any(graph.distances) and _all_alike(vectors, metric):
        raise DataError(
            "IDENTICAL_ROWS", f"A picture must have rows that differ, got {n} rows at {metric} "
            "distance 0 from each other.", hint="Choose other columns or another encoder.")
    near = Graph(graph.indices[:, :count], graph.distances[:, :count], metric, graph.exact,
                 graph.recall, graph.recall_rows)
    return _rescaled(_without_offset(Prepared(vectors, near)))


def _all_alike(vectors: np.ndarray, metric: str) -> bool:
    if metric == "cosine":
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return bool(np.allclose(vectors, vectors[0], rtol=0, atol=1e-6))
    return bool((vectors == vectors[0]).all())


def _without_offset(given: Prepared) -> Prepared:
    """Vectors moved to their mean (in float64) when they sit so far from the origin that float32
    arithmetic would lose their differences. Distances do not change; cosine, which has the origin
    in it, is left alone."""
    if given.graph.metric != "euclidean":
        return given
    mean = np.asarray(np.mean(given.vectors, axis=0, dtype=np.float64))
    spread = np.max(np.std(given.vectors, axis=0, dtype=np.float64))
    if np.abs(mean).max() <= _LARGE_OFFSET * spread:
        return given
    return Prepared(
        (given.vectors - mean).astype(np.float32), given.graph,
        (*given.notes, "columns were centred first: their values are large next to their spread"))


def _rescaled(given: Prepared) -> Prepared:
    """Vectors and distances multiplied by one power of two when the distances are so small or
    large that the libraries' searches for bandwidths fail. Both methods look at ratios only."""
    near = given.graph
    mean = float(np.mean(near.distances, dtype=np.float64))
    if mean == 0 or _SMALLEST <= mean <= _LARGEST:
        return given
    factor = 2.0 ** -round(np.log2(mean))
    distances = (near.distances.astype(np.float64) * factor).astype(np.float32)
    vectors = given.vectors
    if near.metric == "euclidean":
        vectors = (vectors.astype(np.float64) * factor).astype(np.float32)
    return Prepared(vectors, Graph(near.indices, distances, near.metric, near.exact, near.recall,
                                   near.recall_rows),
                    (*given.notes, f"distances were multiplied by {factor:.3g} first; the picture "
                                   "depends on their ratios only"))
