"""Trees: grown once per method and vectors, stored, and found by whoever cuts them."""

from __future__ import annotations

import time

import numpy as np

from explorer import values
from explorer.cluster import clusterers
from explorer.cluster.tree import TreeClusterer, check_tree
from explorer.flight import before
from explorer.keys import tree_key
from explorer.spec import Progress
from explorer.values import Tree
from explorer.work import Work, provenance


def tree(work: Work) -> Tree:
    """embedding (or, when chosen, projection) -> the tree a clusterer cuts."""
    method: TreeClusterer = work.method(clusterers())
    space = work.clustered()
    given = before(method, space.vectors, space.facts)
    return check_tree(method.grow(given.vectors, work.progress), space.facts.n)


def stored_tree(work: Work, method: TreeClusterer, vectors: np.ndarray,
                progress: Progress) -> Tree:
    """The tree of n x d `vectors` (those of the work's input "vectors") that `method` cuts, from
    the store; grown and stored where it is not there."""
    clustered = work.payload["inputs"]["vectors"]
    key = tree_key(method, clustered)
    found = work.store.find(key)
    if found is not None:
        progress(1.0, "tree found")
        return values.read(Tree, found)
    started = time.monotonic()
    grower = method.grower()
    grown = check_tree(grower.grow(vectors, progress), len(vectors))
    payload = {"step": "tree", "method": grower.identity(), "inputs": {"vectors": clustered}}
    values.save(work.store, key, grown,
                provenance(payload, method.title, time.monotonic() - started))
    return grown
