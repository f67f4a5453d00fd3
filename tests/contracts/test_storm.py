"""Law 6 in short: the same few cases every time. The long form is `python -m
tests.contracts.storm`."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import numpy as np
import pytest

from explorer.cluster import clusterers
from explorer.spec import Method
from tests.contracts.storm import TARGETS, Case, Child, storm

_FEW = 12


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    """One process for all methods: the imports are what takes long."""
    child = Child()
    yield child
    child.close()


@pytest.mark.parametrize("method", [method for _, method in TARGETS],
                         ids=lambda method: method.key)
def test_law_6_finite_rows_or_a_code(method: type[Method], child: Child) -> None:
    # Approximate search compiles for half a minute in a new process; the long form has it.
    tally = storm(child, method, _FEW, fixed=("search",))
    assert tally.answered + tally.refused.total() >= _FEW
    assert child.deaths == 0


def test_k31_two_processes_agree_to_the_bit(child: Child) -> None:
    vectors = np.random.default_rng(4).uniform(size=(40, 5)).astype(np.float32)
    other = Child()
    try:
        for key in ("pca", "tsne", "kmeans", "hdbscan", "silhouette"):
            method = next(method for _, method in TARGETS if method.key == key)
            given = Case(vectors, np.arange(40) % 3, "euclidean",
                         {"perplexity": 9.0, "iterations": 50} if key == "tsne" else {})
            first, second = child.ask(method, given), other.ask(method, given)
            assert first["sum"] == second["sum"]
            assert first["rows"] == 40
    finally:
        other.close()


def test_a_crash_is_seen_and_the_child_replaced() -> None:
    child = Child()
    method = clusterers().get("kmeans")
    case = Case(np.random.default_rng(0).normal(size=(12, 2)).astype(np.float32),
                np.zeros(12, dtype=np.int32), "euclidean", {"clusters": 2})
    try:
        assert "rows" in child.ask(method, case)
        os.kill(child.pid, signal.SIGSEGV)
        assert child.ask(method, case) == {"wrong": "crashed"}
        assert child.deaths == 1
        assert "rows" in child.ask(method, case)
    finally:
        child.close()
