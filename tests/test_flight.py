"""Before and after a method: what it gets is fit for it, and what it gives is measured again.

The liars are methods like any other, in the real registries, run by the real steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest

from explorer import single
from explorer.cluster import Clusterer, clusterers
from explorer.dataset import Column, Dataset
from explorer.encode import Encoder, encoders
from explorer.errors import DataError, ResultError
from explorer.flight import after_projecting, check_embedding
from explorer.judge import Judge, judges
from explorer.neighbors import Neighbors, neighbor_searches
from explorer.project import Projector, projectors
from explorer.spec import Progress
from explorer.store import Store
from explorer.values import (
    Clustering,
    Embedding,
    Graph,
    Judgement,
    Projection,
    Score,
    facts_of,
)
from tests.builders import build_dataset

N = 12
CLOUD = np.random.default_rng(0).normal(size=(N, 3)).astype(np.float32)
POINTS = CLOUD[:, :2].copy()
LABELS = np.repeat(np.arange(3, dtype=np.int32), 4)
LIE: dict[str, Any] = {}
"""What the liars answer at the moment."""


class LyingEncoder(Encoder):
    """Answers whatever it is told to."""

    key: ClassVar[str] = "liar"
    title: ClassVar[str] = "Liar"

    def columns(self, dataset: Dataset) -> tuple[Column, ...]:
        return dataset.columns

    def encode(self, dataset: Dataset, progress: Progress) -> Any:
        return LIE["answer"]


class LyingSearch(Neighbors):
    """Answers whatever it is told to."""

    key: ClassVar[str] = "liar"
    title: ClassVar[str] = "Liar"
    count: int = 2

    def find(self, vectors: np.ndarray, progress: Progress) -> Any:
        return LIE["answer"]


class LyingProjector(Projector):
    """Answers whatever it is told to."""

    key: ClassVar[str] = "liar"
    title: ClassVar[str] = "Liar"

    def project(self, vectors: np.ndarray, progress: Progress, graph: Graph | None = None) -> Any:
        return LIE["answer"]


class LyingClusterer(Clusterer):
    """Answers whatever it is told to."""

    key: ClassVar[str] = "liar"
    title: ClassVar[str] = "Liar"

    def cluster(self, vectors: np.ndarray, progress: Progress) -> Any:
        return LIE["answer"]


class LyingJudge(Judge):
    """Answers whatever it is told to."""

    key: ClassVar[str] = "liar"
    title: ClassVar[str] = "Liar"

    def judge(self, vectors: np.ndarray, labels: np.ndarray, metric: str, space: str,
              progress: Progress) -> Any:
        return LIE["answer"]


REGISTRIES: tuple[tuple[Callable[[], Any], Any], ...] = (
    (encoders, LyingEncoder), (neighbor_searches, LyingSearch), (projectors, LyingProjector),
    (clusterers, LyingClusterer), (judges, LyingJudge))


@pytest.fixture(autouse=True)
def liars() -> Iterator[None]:
    """The liars stand in the registries for one test."""
    for registry, liar in REGISTRIES:
        registry()._methods["liar"] = liar
    yield
    for registry, _ in REGISTRIES:
        del registry()._methods["liar"]


def told(answer: Any, store: Store) -> Any:
    """The answer after the real step, with the family it belongs to."""
    LIE["answer"] = answer
    family = FAMILY[type(answer).__name__]
    if family == "encode":
        data = build_dataset(store, {"a": list(range(N))})
        return single.encode(LyingEncoder(), data, store)
    if family == "judge":
        return single.judge(LyingJudge(), CLOUD, LABELS, "euclidean", store)
    run: dict[str, Callable[[], Any]] = {
        "neighbors": lambda: single.find_neighbors(LyingSearch(), CLOUD, store),
        "project": lambda: single.project(LyingProjector(), CLOUD, store),
        "cluster": lambda: single.cluster(LyingClusterer(), CLOUD, store)}
    return run[family]()


FAMILY = {"Embedding": "encode", "Graph": "neighbors", "Projection": "project",
          "Clustering": "cluster", "Judgement": "judge"}
EMBEDDING = Embedding(CLOUD, np.arange(N, dtype=np.int64), "t")
GRAPH = Graph(np.array([[(row + 1) % N, (row + 2) % N] for row in range(N)], dtype=np.int32),
              np.tile(np.array([1, 2], dtype=np.float32), (N, 1)), "euclidean", True)
PROJECTION = Projection(POINTS, ("x", "y"), (), {"loss": np.array([1.0])})
CLUSTERING = Clustering(LABELS, "euclidean", np.full(N, 0.5, dtype=np.float32))
SCORE = Score("s", 0.5, "t", "euclidean", N, N, "none")
JUDGEMENT = Judgement((SCORE,), {"row": np.zeros(N)}, {"cluster": np.zeros(3)})


def spoilt(array: np.ndarray, value: float) -> np.ndarray:
    """A copy with one wrong number."""
    copy = array.copy()
    copy[1] = value
    return copy


LIES: list[tuple[Any, str]] = [
    (replace(EMBEDDING, vectors=spoilt(CLOUD, np.nan)), "NOT_FINITE"),
    (replace(EMBEDDING, vectors=spoilt(CLOUD, np.inf)), "NOT_FINITE"),
    (replace(EMBEDDING, vectors=CLOUD[:5]), "ROW_COUNT"),
    (replace(EMBEDDING, vectors=CLOUD.astype(np.float64)), "WRONG_TYPE"),
    (replace(EMBEDDING, vectors=CLOUD[:, 0].copy()), "WRONG_SHAPE"),
    (replace(EMBEDDING, vectors=CLOUD[:, :0]), "WRONG_SHAPE"),
    (replace(EMBEDDING, vectors=CLOUD.tolist()), "WRONG_SHAPE"),
    (replace(EMBEDDING, rows=np.arange(1, N + 1)), "WRONG_ROWS"),
    (replace(EMBEDDING, rows=np.arange(N)[::-1].copy()), "WRONG_ROWS"),
    (replace(EMBEDDING, rows=spoilt(np.arange(N), 0)), "WRONG_ROWS"),
    (replace(EMBEDDING, features=("a",)), "WRONG_SHAPE"),
    (replace(EMBEDDING, notes=(1,)), "WRONG_TYPE"),
    (replace(GRAPH, distances=spoilt(GRAPH.distances, np.nan)), "NOT_FINITE"),
    (replace(GRAPH, distances=spoilt(GRAPH.distances, -1)), "WRONG_NEIGHBORS"),
    (replace(GRAPH, distances=GRAPH.distances[:, ::-1].copy()), "WRONG_NEIGHBORS"),
    (replace(GRAPH, distances=GRAPH.distances[:, :1].copy()), "WRONG_SHAPE"),
    (replace(GRAPH, indices=spoilt(GRAPH.indices, N)), "WRONG_NEIGHBORS"),
    (replace(GRAPH, indices=spoilt(GRAPH.indices, -1)), "WRONG_NEIGHBORS"),
    (replace(GRAPH, indices=spoilt(GRAPH.indices, 1)), "WRONG_NEIGHBORS"),
    (replace(GRAPH, indices=spoilt(GRAPH.indices, 5)), "WRONG_NEIGHBORS"),
    (replace(GRAPH, indices=GRAPH.indices[:3], distances=GRAPH.distances[:3]), "ROW_COUNT"),
    (replace(PROJECTION, points=spoilt(POINTS, np.nan)), "NOT_FINITE"),
    (replace(PROJECTION, points=POINTS[:-1]), "ROW_COUNT"),
    (replace(PROJECTION, points=np.vstack([POINTS, POINTS])), "ROW_COUNT"),
    (replace(PROJECTION, points=POINTS.astype(np.float64)), "WRONG_TYPE"),
    (replace(PROJECTION, points=np.hstack([POINTS, POINTS])), "WRONG_SHAPE"),
    (replace(PROJECTION, axes=("x",)), "WRONG_SHAPE"),
    (replace(PROJECTION, points=np.ones_like(POINTS)), "DEGENERATE"),
    (replace(PROJECTION, points=POINTS[:, :1] * np.float32([1, 2])), "DEGENERATE"),
    (replace(PROJECTION, points=POINTS[:, :1] * np.float32([1, 0])), "DEGENERATE"),
    (replace(PROJECTION, points=POINTS * np.float32(1e35)), "NEAR_OVERFLOW"),
    (replace(PROJECTION, extras={"loss": np.array([np.nan])}), "NOT_FINITE"),
    (replace(PROJECTION, extras={"loss": np.array(["a"])}), "WRONG_TYPE"),
    (replace(CLUSTERING, labels=spoilt(LABELS, -2)), "BAD_LABELS"),
    (replace(CLUSTERING, labels=LABELS * 2), "BAD_LABELS"),
    (replace(CLUSTERING, labels=LABELS + 1), "BAD_LABELS"),
    (replace(CLUSTERING, labels=spoilt(LABELS, 2)), "BAD_LABELS"),
    (replace(CLUSTERING, labels=LABELS[:-1]), "ROW_COUNT"),
    (replace(CLUSTERING, labels=LABELS.astype(float)), "WRONG_TYPE"),
    (replace(CLUSTERING, strengths=np.full(N, 2, dtype=np.float32)), "NOT_FINITE"),
    (replace(CLUSTERING, strengths=np.full(N, np.nan, dtype=np.float32)), "NOT_FINITE"),
    (replace(CLUSTERING, strengths=np.zeros(2, dtype=np.float32)), "ROW_COUNT"),
    (replace(CLUSTERING, extras={"tree": np.array([np.inf])}), "NOT_FINITE"),
    (replace(JUDGEMENT, scores=(replace(SCORE, value=None),)), "NO_REASON"),
    (replace(JUDGEMENT, scores=(replace(SCORE, value=np.inf),)), "NOT_FINITE"),
    (replace(JUDGEMENT, scores=(replace(SCORE, value=np.nan),)), "NOT_FINITE"),
    (replace(JUDGEMENT, scores=(replace(SCORE, sample=N + 1),)), "ROW_COUNT"),
    (replace(JUDGEMENT, scores=(replace(SCORE, total=N - 1, sample=1),)), "ROW_COUNT"),
    (replace(JUDGEMENT, per_row={"row": np.full(N, np.inf)}), "NOT_FINITE"),
    (replace(JUDGEMENT, per_row={"row": np.zeros(N - 1)}), "ROW_COUNT"),
    (replace(JUDGEMENT, per_cluster={"cluster": np.zeros((2, 2))}), "WRONG_SHAPE"),
]


@pytest.mark.parametrize("answer", [EMBEDDING, GRAPH, PROJECTION, CLUSTERING, JUDGEMENT],
                         ids=lambda answer: type(answer).__name__)
def test_the_truth_passes(answer: Any, store: Store) -> None:
    assert type(told(answer, store)) is type(answer)
    assert "Liar" in titles(store)


@pytest.mark.parametrize(("answer", "code"), LIES, ids=[
    f"{type(answer).__name__}-{place}-{code}" for place, (answer, code) in enumerate(LIES)])
def test_r09_a_lie_fails_the_step_and_nothing_is_stored(answer: Any, code: str,
                                                        store: Store) -> None:
    with pytest.raises(ResultError) as refused:
        told(answer, store)
    assert refused.value.code == code
    assert refused.value.message.endswith(".")
    assert "Liar" not in titles(store)


def titles(store: Store) -> set[str]:
    """Who made what is stored."""
    entries = [store.find(path.name) for path in store.root.rglob("*")
               if path.is_dir() and len(path.name) == 32]
    return {str(entry.meta.get("provenance", {}).get("title")) for entry in entries if entry}


@pytest.mark.parametrize("answer", [None, POINTS, PROJECTION, "points"], ids=str)
def test_r09_another_kind_of_answer(answer: Any, store: Store) -> None:
    LIE["answer"] = answer
    with pytest.raises(ResultError) as refused:
        single.cluster(LyingClusterer(), CLOUD, store)
    assert refused.value.code == "WRONG_RESULT"


def test_lines_and_spots_are_fine_where_the_rows_are_so(store: Store) -> None:
    line = np.arange(N, dtype=np.float32)[:, None] * np.float32([1, 2, 3])
    found = single.project(projectors().create("pca"), line, store)
    assert any("one line" in note for note in found.notes)
    spot = np.ones((N, 2), dtype=np.float32)
    given = after_projecting(Projection(spot, ("x", "y")), spot, facts_of(spot))
    assert any("all the same" in note for note in given.notes)


def test_one_far_row_never_fails_the_map(store: Store) -> None:
    # The storm's find: a cloud can be just wider than what counts as a line, and its picture not.
    said, cloud = [], np.random.default_rng(0).normal(size=(N, 40)).astype(np.float32)
    for power in (5, *np.linspace(6, 6.12, 13), 8):
        far = cloud.copy()
        far[3] *= 10**power
        found = single.project(projectors().create("pca"), far, store)
        said.append(any("one line" in note for note in found.notes))
    assert not said[0]
    assert said[-1]
    assert said == sorted(said)


def test_t09_vectors_without_spread_are_said(store: Store) -> None:
    found = told(replace(EMBEDDING, vectors=np.ones_like(CLOUD)), store)
    assert any("same vector" in note for note in found.notes)
    for run in (lambda: single.project(projectors().create("pca"), found.vectors, store),
                lambda: single.cluster(clusterers().create("kmeans"), found.vectors, store)):
        with pytest.raises(DataError) as refused:
            run()
        assert refused.value.code == "IDENTICAL_ROWS"


def test_a_clustering_without_clusters_is_said(store: Store) -> None:
    for label, words in ((-1, "every row is noise"), (0, "Only one cluster")):
        found = told(replace(CLUSTERING, labels=np.full(N, label, dtype=np.int32)),
                     Store(store.root / str(label)))
        assert any(words in note for note in found.notes)


def test_k28_one_column_that_decides_everything_is_said(store: Store) -> None:
    columns = {"wide": [1e9 * row for row in range(N)], "thin": [1e-9 * (row % 3)
                                                                 for row in range(N)]}
    data = build_dataset(store, columns)
    raw = single.encode(encoders().create("features", {"scaling": "none"}), data, store)
    assert any(note.startswith("wide alone") and "scaling" in note for note in raw.notes)
    scaled = single.encode(encoders().create("features"), data, store)
    assert not any("alone" in note for note in scaled.notes)
    wide = np.array(list(columns.values()), dtype=np.float32).T
    uploaded = build_dataset(store, {"a": ["x"] * N}, None, {"vector": wide}, name="v")
    found = single.encode(encoders().create("vectors"), uploaded, store)
    assert any("dimension 1 alone" in note for note in found.notes)


def test_facts_travel_with_the_embedding(store: Store) -> None:
    from explorer.plan import embedding_key
    from explorer.values import facts_in

    vectors = CLOUD.copy()
    vectors[[2, 5]] = 0
    data = build_dataset(store, {"a": ["x"] * N}, None, {"vector": vectors})
    method = encoders().create("vectors")
    single.encode(method, data, store)
    facts = facts_in(store.get(embedding_key(method, data)))
    assert facts == facts_of(vectors)
    assert facts is not None
    assert (facts.zeros, facts.zero_rows, facts.distinct) == (2, (2, 5), N - 1)


def test_check_embedding_of_given_vectors() -> None:
    assert check_embedding(EMBEDDING, N) is EMBEDDING
