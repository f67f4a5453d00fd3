"""From a tree of joins to HDBSCAN's clusters: the condensed tree, what lasts, how well rows belong.

The algorithms are those of Campello, Moulavi, Zimek, Sander (2015) and McInnes, Healy (2017), with
one difference: joins at the same height happen at once. Mutual reachability distances are equal by
the hundred (every core distance is the length of several edges), and scikit-learn and hdbscan take
such joins one after the other in an order that follows from the order of the rows: with the rows
shuffled they move a few rows, and now and then a whole cluster. Here the order plays no part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.cluster.tree import follow

BRANCH = ("parent", "from", "to", "rows", "cluster", "stability")
"""The columns of `Condensed.branches`."""
_TREE = np.dtype([("parent", np.intp), ("child", np.intp), ("lambda_val", np.float64),
                  ("child_size", np.intp)])


@dataclass(frozen=True)
class Condensed:
    """What HDBSCAN takes from the tree of n rows.

    `labels` (int64, n, -1 noise) count the m chosen branches; `strengths` (n float64, 0..1);
    `outlier` (n float64, 0..1): GLOSH, 0 in the core of the densest part around, towards 1 far
    outside of it; `persistence` (m float64): stability over rows and greatest density, 0..1.
    `branches` (b x 6 float64, columns BRANCH): the condensed tree, its root first, parents before
    children; a branch reaches from the height `from`, where it splits off, down `to` where it
    splits or its last row leaves; `cluster` is its label or -1; `stability` is -1 where copies of
    a row make it infinite. `last` (n int64) is the branch each row was in last, `left` (n float64)
    the height at which it left.
    """

    labels: np.ndarray
    strengths: np.ndarray
    outlier: np.ndarray
    persistence: np.ndarray
    branches: np.ndarray
    last: np.ndarray
    left: np.ndarray


@dataclass(frozen=True)
class _Shape:
    """The condensed tree alone: of b branches `parent` (-1: root), height `born` and `rows`; of n
    rows `last` and `left`."""

    parent: np.ndarray
    born: np.ndarray
    rows: np.ndarray
    last: np.ndarray
    left: np.ndarray


def condense(merges: np.ndarray, min_cluster_size: int, *, method: str,
             allow_single_cluster: bool, epsilon: float) -> Condensed:
    """The clusters of at least `min_cluster_size` rows (2..n) that last longest ('eom') or the
    finest ('leaf') of the n rows of `merges` (see `values.Tree`); those that split off below the
    height `epsilon` are taken with what they split from."""
    from hdbscan._hdbscan_tree import compute_stability, get_clusters, outlier_scores

    shape = _shape(merges, min_cluster_size)
    tree = _as_hdbscan(shape)
    # Copies of a row lie at height 0, where densities are infinite: inf - inf is meant to be NaN.
    with np.errstate(invalid="ignore"):
        stability = compute_stability(tree)
        labels, strengths, persistence = get_clusters(
            tree, dict(stability), method, allow_single_cluster, False, epsilon)
        outlier = outlier_scores(tree)
    labels = np.asarray(labels, dtype=np.int64)
    return Condensed(labels, _unit(strengths), _unit(outlier), _unit(persistence),
                     _branches(shape, stability, labels), shape.last, shape.left)


def _shape(merges: np.ndarray, smallest: int) -> _Shape:
    n = len(merges) + 1
    nodes = np.arange(2 * n - 1)
    size = np.append(np.ones(n), merges[:, 3])
    height = np.append(np.full(n, -1.0), merges[:, 2])  # rows lie below every join
    above = np.full(2 * n - 1, 2 * n - 2)
    above[merges[:, :2].astype(np.intp)] = np.arange(n, 2 * n - 1)[:, None]
    # Joins at one height are one join: its highest stands for all.
    whole = follow(np.where((height[above] == height) & (nodes >= n), above, nodes))
    above = whole[above]
    joins = whole == nodes
    large = joins & (size >= smallest)
    under = np.flatnonzero(large[:-1])  # the last node is the root
    splits = np.bincount(above[under], minlength=2 * n - 1) > 1
    # A branch begins at the root and wherever two or more large parts come apart.
    begins = large & splits[above]
    begins[-1] = True
    first = follow(np.where(begins | ~large, nodes, above))
    heads = np.flatnonzero(begins)[::-1]
    number = np.full(2 * n - 1, -1)
    number[heads] = np.arange(len(heads))
    parent = np.append(-1, number[first[above[heads[1:]]]])
    holder = follow(np.where(large | (nodes == 2 * n - 2), nodes, above))[:n]
    return _Shape(parent, height[above[heads]], size[heads], number[first[holder]],
                  height[holder])


def _as_hdbscan(shape: _Shape) -> np.ndarray:
    """The condensed tree as the functions of hdbscan read it: branch b is number n + b."""
    n, b = len(shape.last), len(shape.parent)
    tree = np.empty(n + b - 1, dtype=_TREE)
    tree["parent"] = n + np.append(shape.parent[1:], shape.last)
    tree["child"] = np.append(np.arange(n + 1, n + b), np.arange(n))
    with np.errstate(divide="ignore"):
        tree["lambda_val"] = 1.0 / np.append(shape.born[1:], shape.left)
    tree["child_size"] = np.append(shape.rows[1:], np.ones(n))
    return tree


def _unit(values: np.ndarray) -> np.ndarray:
    """NaN is the limit of 1 - x / density where the density grows to infinity."""
    return np.clip(np.nan_to_num(np.asarray(values, dtype=np.float64), nan=1.0), 0.0, 1.0)


def _branches(shape: _Shape, stability: dict[int, float], labels: np.ndarray) -> np.ndarray:
    n, count = len(shape.last), len(shape.parent)
    ends = shape.born.copy()
    np.minimum.at(ends, shape.last, shape.left)
    np.minimum.at(ends, shape.parent[1:], shape.born[1:])
    lasting = np.array([float(stability.get(n + branch, 0.0)) for branch in range(count)])
    lasting[~np.isfinite(lasting)] = -1.0
    return np.column_stack([shape.parent, shape.born, ends, shape.rows,
                            _chosen(shape, labels), lasting]).astype(np.float64)


def _chosen(shape: _Shape, labels: np.ndarray) -> np.ndarray:
    """The label of each branch that was chosen, -1 for the others: the branch of a label is the
    lowest one that all its rows lie under."""
    found = np.full(len(shape.parent), -1)
    for label in range(int(labels.max(initial=-1)) + 1):
        under = set(np.unique(shape.last[labels == label]).tolist())
        while len(under) > 1:  # a branch has a higher number than what it splits from
            deepest = max(under)
            under.remove(deepest)
            under.add(int(shape.parent[deepest]))
        found[under.pop()] = label
    return found


def rows_under(branches: np.ndarray, last: np.ndarray, branch: int) -> np.ndarray:
    """The rows (int64, ascending) of a branch and of all that splits from it."""
    parents: Any = branches[:, 0].astype(np.int64)
    inside = np.zeros(len(branches), dtype=bool)
    inside[branch] = True
    for number in range(branch + 1, len(branches)):
        inside[number] = parents[number] >= 0 and inside[parents[number]]
    return np.flatnonzero(inside[np.asarray(last)])
