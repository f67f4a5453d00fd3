"""What a worker does: one step, from stored inputs to a stored result."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from explorer import values
from explorer.cluster import clusterers
from explorer.dataset import Dataset
from explorer.describe import Description, describe
from explorer.edit import Edit, Labelled, edits
from explorer.edit.split import Split
from explorer.encode import Encoder, encoders, unfinished
from explorer.encode.reading import ReadingEncoder
from explorer.errors import DataError
from explorer.flight import (
    after_clustering,
    after_encoding,
    after_judging,
    after_projecting,
    after_searching,
    after_studying,
    after_training,
    before,
)
from explorer.grow import tree
from explorer.judge import judges
from explorer.keys import embedding_key, reading_keys
from explorer.model import Model
from explorer.neighbors import neighbor_searches
from explorer.project import projectors
from explorer.recipe import divider_of
from explorer.spec import Progress, Registry
from explorer.store import Store
from explorer.study import studies
from explorer.study.subject import Subject
from explorer.sweep import Sweep, sweep
from explorer.train.files import TrainingFiles
from explorer.values import (
    Clustering,
    Embedding,
    Finding,
    Graph,
    Judgement,
    Projection,
    Tree,
    facts_of,
)
from explorer.work import Space, Work, picture_note, provenance

__all__ = ["Description", "Sweep", "compute", "execute", "labelled"]


def execute(payload: dict[str, Any], home: str, progress: Progress) -> None:
    """Compute the step of `payload` and store its result under its key; nothing when it is there.

    Raises ExplorerError for what the data or the parameters do not allow.
    """
    compute(payload, Store(Path(home), create=False), progress)


def compute(payload: dict[str, Any], store: Store, progress: Progress) -> None:
    """`execute` with a store at hand, which need not look again at what it has verified."""
    if store.find(payload["key"]) is not None:
        progress(1.0, "found")
        return
    started = time.monotonic()
    result = HANDLERS[payload["step"]](Work(payload, store, progress))
    values.save(store, payload["key"], result,
                provenance(payload, _title(payload), time.monotonic() - started))
    if "training" in payload:
        TrainingFiles(store.root, payload["training"]).remove()
    if payload["step"] == "encode":
        unfinished.forget(store.root, payload["key"])


def encode(work: Work) -> Embedding:
    """rows -> embedding."""
    method = work.method(encoders())
    dataset = work.dataset
    if dataset.n < method.min_rows:
        raise DataError("TOO_FEW_ROWS", f"{method.title} must have at least {method.min_rows} "
                                        f"rows, got {dataset.n}.")
    _same_model(embedding_key(method, dataset), method, work)
    if isinstance(method, ReadingEncoder):
        found = method.embed(method.reader(dataset), work.embedding("read"), work.model(),
                             work.progress)
    else:
        with unfinished.kept_under(work.store.root, work.payload["key"]):
            found = method.encode(dataset, work.progress)
    embedding = after_encoding(found, dataset.n)
    if not len(embedding.rows):
        raise DataError("NO_ROWS", f"{method.title} must have at least one row it can use, "
                                   "got none.", hint="; ".join(embedding.notes))
    return embedding


def model(work: Work) -> Model:
    """rows as read -> the network that will encode them."""
    method: ReadingEncoder = work.method(encoders())
    _same_model(reading_keys(method, work.dataset).model, method, work)
    found = method.model(method.reader(work.dataset), work.embedding("read"), work.store.root,
                         work.payload["training"], work.progress)
    # A file of a network may change while it is read.
    _same_model(reading_keys(method, work.dataset).model, method, work)
    return after_training(found)


def _same_model(key: str, method: Encoder, work: Work) -> None:
    if key != work.payload["key"]:
        raise DataError("MODEL_CHANGED", f"{method.title} must use the model it was asked for, but "
                                         "another one lies under that name now.",
                        hint="Run the recipe again: it then names the present model.")


def graph(work: Work) -> Graph:
    """embedding -> kNN graph."""
    method = work.method(neighbor_searches())
    space = work.embedded()
    method = method.model_copy(update={"count": max(1, min(method.count, space.facts.n - 1))})
    given = before(method, space.vectors, space.facts)
    return after_searching(method.find(given.vectors, work.progress), space.facts.n)


def project(work: Work) -> Projection:
    """embedding and graph -> projection."""
    method = work.method(projectors())
    space = work.embedded()
    if method.reads == "coordinates":
        points = _coordinates(work.dataset, work.embedding().rows)
        space = Space(points, "coordinates", facts_of(points))
    given = before(method, space.vectors, space.facts)
    near = (values.read(Graph, work.store.get(work.payload["inputs"]["graph"]))
            if "graph" in work.payload["inputs"] else None)
    result = after_projecting(method.project(given.vectors, work.progress, near), given.vectors,
                              space.facts)
    return replace(result, notes=(*given.notes, *_graph_notes(near), *result.notes))


def cluster(work: Work) -> Clustering:
    """embedding (or, when chosen, projection) -> clustering; from the stored tree where the
    clusterer cuts one."""
    method = work.method(clusterers())
    space = work.clustered()
    given = before(method, space.vectors, space.facts)
    if "tree" in work.payload["inputs"]:
        grown = values.read(Tree, work.store.get(work.payload["inputs"]["tree"]))
        found = method.cut(grown, work.progress)
    else:
        found = method.cluster(given.vectors, work.progress)
    result = after_clustering(found, space.facts.n)
    return replace(result, notes=(*given.notes, *picture_note(work.payload), *result.notes))


def edit(work: Work) -> Clustering:
    """clustering -> the clustering after one edit by hand. `extras`: 'next', the number of the next
    new cluster. Membership strengths spoke of the clusters before and are gone."""
    method: Edit = work.method(edits())
    clustering = work.clustering()
    before_it = labelled(clustering, work.embedding("embedding").rows, work.payload["total"])
    notes: tuple[str, ...] = ()
    parts = None
    if isinstance(method, Split):
        parts, notes = _divide(work, method, method.touches(before_it).rows)
    after_it = method.apply(before_it, parts)
    changed = int(np.count_nonzero(after_it.labels != before_it.labels))
    work.progress(1.0, f"{changed:,} rows changed")
    return after_clustering(
        Clustering(labels=after_it.labels, metric=clustering.metric,
                   notes=(*clustering.notes, *notes,
                          f"edited by hand, {method.done}: {changed:,} rows changed"),
                   extras={"next": np.array([after_it.next], dtype=np.int64)}),
        len(after_it.rows), edited=True)


def labelled(clustering: Clustering, rows: np.ndarray, total: int) -> Labelled:
    """A clustering of the dataset rows `rows` (int64, ascending) of `total`, as edits see it."""
    return Labelled(np.asarray(clustering.labels), np.asarray(rows), total, clustering.next)


def _divide(work: Work, method: Split, touched: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """The clusterer's labels of the touched rows alone, and its notes."""
    divider = divider_of(method)
    vectors = np.ascontiguousarray(work.clustered().vectors[touched])
    facts = facts_of(vectors)
    given = before(divider, vectors, facts)
    found = after_clustering(divider.cluster(given.vectors, work.progress), facts.n)
    return found.labels, (*given.notes, *found.notes)


def judge(work: Work) -> Judgement:
    """clustering -> scores in the space it was made in."""
    method = work.method(judges())
    space = work.clustered()
    clustering = work.clustering()
    given = before(method, space.vectors, space.facts)
    metric = work.payload.get("metric", clustering.metric)  # on a picture beside: its own
    result = after_judging(method.judge(given.vectors, clustering.labels, metric, space.title,
                                        work.progress), space.facts.n)
    return replace(result, notes=(*given.notes, *picture_note(work.payload), *result.notes))


def study(work: Work) -> Finding:
    """run -> what one study found out about it."""
    method = work.method(studies())
    subject = Subject(work)
    notes = method.check(subject.facts)
    result = after_studying(method.study(subject, work.progress), subject.facts.n)
    work.progress(1.0, "done")
    return replace(result, notes=(*notes, *result.notes))


HANDLERS: dict[str, Callable[[Work], Any]] = {
    "model": model, "encode": encode, "graph": graph, "project": project, "tree": tree,
    "cluster": cluster, "edit": edit,
    "judge": judge,
    "sweep": sweep, "describe": describe, "study": study,
}


_REGISTRIES: dict[str, Callable[[], Registry[Any]]] = {
    "model": encoders, "encode": encoders, "graph": neighbor_searches, "project": projectors,
    "cluster": clusterers, "tree": clusterers,
    "sweep": clusterers, "edit": edits, "judge": judges,
    "study": studies,
}


def _title(payload: dict[str, Any]) -> str:
    if "method" not in payload:
        return "What sets the clusters apart"
    return _REGISTRIES[payload["step"]]().get(payload["method"]["method"]).title


def _coordinates(dataset: Dataset, rows: np.ndarray) -> np.ndarray:
    columns = dataset.with_role("coordinate")
    if len(columns) not in (2, 3):
        raise DataError("NO_COORDINATES",
                        f"Ready-made coordinates must be 2 or 3 columns with the role "
                        f"'coordinate', got {len(columns)}.",
                        hint="Set the roles on the Data page.")
    points = np.column_stack([dataset.numbers(column.name)[rows] for column in columns])
    if not np.isfinite(points).all():
        bad = int(np.count_nonzero(~np.isfinite(points).all(axis=1)))
        raise DataError("NOT_FINITE", f"Coordinates must be numbers in every row, got {bad} rows "
                                      "without.", hint="Use another projection.")
    return points


def _graph_notes(found: Graph | None) -> tuple[str, ...]:
    if found is None or found.exact:
        return ()
    return (f"neighbours searched approximately: {found.recall:.1%} of the true ones found on "
            f"{found.recall_rows} sampled rows",)
