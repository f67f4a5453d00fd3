"""Clusterers in two steps: a tree of joins, made and stored once, and the cut that takes clusters
from it in milliseconds."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from explorer.cluster import Clusterer
from explorer.cluster.prepare import facts
from explorer.errors import ResultError
from explorer.spec import Cost, Progress, part
from explorer.values import Clustering, Tree


class TreeClusterer(Clusterer):
    """Base of the clusterers that cut a tree."""

    @abstractmethod
    def grower(self) -> Self:
        """The declaration that stands for the tree alone: all that only cuts it is at its smallest
        value. Equal growers of the same vectors have the same tree."""

    @abstractmethod
    def grow(self, vectors: np.ndarray, progress: Progress) -> Tree:
        """The tree of n x d vectors."""

    @abstractmethod
    def cut(self, tree: Tree, progress: Progress) -> Clustering:
        """The clusters this declaration takes from a tree that its grower made."""

    @abstractmethod
    def estimate_tree(self, n: int, d: int) -> Cost:
        """What `grow` takes."""

    @abstractmethod
    def estimate_cut(self, n: int) -> Cost:
        """What `cut` takes."""

    def estimate(self, n: int, d: int) -> Cost:
        tree, cut = self.estimate_tree(n, d), self.estimate_cut(n)
        return Cost(tree.seconds + cut.seconds, max(tree.bytes, cut.bytes))

    def cluster(self, vectors: np.ndarray, progress: Progress) -> Clustering:
        """Grow the tree and cut it, where nobody keeps trees."""
        self.check(facts(vectors))
        tree = self.grow(vectors, part(progress, 0.0, 0.95))
        return self.cut(tree, part(progress, 0.95, 1.0))

    def sweep(self, vectors: np.ndarray, counts: Sequence[int],
              progress: Progress) -> list[Clustering]:
        """The tree is grown once and cut at every count."""
        for count in counts:
            self.with_count(count).check(facts(vectors))
        if not counts:
            return []
        tree = self.grow(vectors, part(progress, 0.0, 0.95))
        return self.sweep_tree(tree, counts, part(progress, 0.95, 1.0))

    def sweep_tree(self, tree: Tree, counts: Sequence[int],
                   progress: Progress) -> list[Clustering]:
        """`sweep` with the tree at hand."""
        return [self.with_count(count).cut(tree, part(progress, step / len(counts),
                                                      (step + 1) / len(counts)))
                for step, count in enumerate(counts)]

    def estimate_sweep(self, n: int, d: int, counts: Sequence[int]) -> Cost:
        tree, cut = self.estimate_tree(n, d), self.estimate_cut(n)
        return Cost(tree.seconds + cut.seconds * len(counts), max(tree.bytes, cut.bytes))


def check_tree(result: Any, n: int) -> Tree:
    """The tree as it is; ResultError when it cannot be one of n rows: every group but the last
    joined once, after it was made, at a finite height that never falls, with its rows counted."""
    if not isinstance(result, Tree):
        raise ResultError("WRONG_RESULT", f"A tree must be a Tree, got {type(result).__name__}.")
    merges = np.asarray(result.merges)
    if merges.shape != (n - 1, 4) or merges.dtype != np.float64:
        raise ResultError("WRONG_SHAPE", f"A tree of {n} rows must be {n - 1} x 4 float64, got "
                                         f"{merges.shape} {merges.dtype}.")
    if not np.isfinite(merges).all() or (np.diff(merges[:, 2], prepend=0.0) < 0).any():
        raise ResultError("NOT_FINITE", "The heights of a tree must be finite, 0 or more, and "
                                        "never fall, got others.")
    joined = merges[:, :2]
    if (not np.array_equal(np.sort(joined, axis=None), np.arange(2 * n - 2))
            or (joined.max(axis=1, initial=0) >= n + np.arange(n - 1)).any()):
        raise ResultError("BAD_TREE", "Every group of a tree must be joined once, after it was "
                                      "made, got others.")
    rows = np.append(np.ones(n), merges[:, 3])
    if not np.array_equal(rows[joined.astype(np.intp)].sum(axis=1), merges[:, 3]):
        raise ResultError("BAD_TREE", "A group of a tree must have the rows of its two parts.")
    return result


def merges_of(ends: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The merges of n - 1 spanning edges by rising length (as `Tree.merges`)."""
    from hdbscan._hdbscan_linkage import label

    merges: np.ndarray = label(np.column_stack([ends, lengths]).astype(np.float64))
    return merges


def follow(steps: np.ndarray) -> np.ndarray:
    """Where each node comes to by going on from node to node (n int; a node that stays is its own
    step)."""
    while True:
        further = steps[steps]
        if np.array_equal(further, steps):
            return steps
        steps = further
