"""A clusterer at several numbers of clusters, on any vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.cluster import Clusterer
from explorer.flight import after_clustering, before
from explorer.spec import Progress
from explorer.values import Clustering, facts_of

if TYPE_CHECKING:
    from explorer.recipe import Recipe


def counts_for(method: Clusterer, vectors: np.ndarray, low: int, high: int) -> list[int]:
    """The numbers low..high that the method can find in m x d vectors."""
    facts = facts_of(vectors)
    limits = method.limits(facts).get(method.sweeps, (low, high))
    distinct = facts.n if facts.distinct is None else facts.distinct
    last = min(high, int(limits[1]), distinct, facts.n - 1)
    return list(range(max(low, int(limits[0])), last + 1))


def cluster_each(method: Clusterer, vectors: np.ndarray, counts: Sequence[int],
                 progress: Progress) -> list[Clustering]:
    """One clustering per number of clusters, with the checks of a run; work they share is done
    once."""
    facts = facts_of(vectors)
    given = [before(method.with_count(count), vectors, facts) for count in counts]
    found = method.with_count(counts[0]).sweep(given[0].vectors, counts, progress)
    return [after_clustering(one, facts.n) for one in found]


def without_count(recipe: Recipe) -> list[dict[str, Any]]:
    """The recipe's clusterer whatever its number of clusters: what names a study that tries many,
    so that it stays found when one of them is chosen."""
    method = recipe.clustering
    return [(method.with_count(2) if method.sweeps else method).identity()]
