"""What sets the clusters apart: words, columns and typical rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.dataset import Dataset
from explorer.judge.centers import distances_to_centers
from explorer.judge.describe import (
    ClusterColumns,
    ClusterWords,
    describe_columns,
    describe_texts,
    typical_rows,
)
from explorer.work import Work


@dataclass(frozen=True)
class Description:
    """What sets each cluster apart. `clusters`: one plain record per cluster with its contrasts as
    phrases; `typical`: clusters x 3 positions among the embedded rows, -1 padded; `distances`: n
    float32, of every embedded row to the centre of its cluster (NaN for noise)."""

    clusters: tuple[dict[str, Any], ...]
    typical: np.ndarray
    distances: np.ndarray
    notes: tuple[str, ...] = ()


def describe(work: Work) -> Description:
    """clustering -> the words and columns that set each cluster apart, and its typical rows."""
    dataset = work.dataset
    embedding = work.embedding("embedding")
    labels = work.clustering().labels
    work.progress(0.1, "comparing columns")
    columns = _comparable_columns(dataset, embedding.rows)
    contrasts = describe_columns(columns, labels, count=5) if columns else ()
    work.progress(0.4, "comparing words")
    texts = _joined_texts(dataset, embedding.rows)
    words = describe_texts(texts, labels, count=8) if texts else ()
    work.progress(0.8, "finding typical rows")
    vectors, metric = work.clustered().vectors, work.clustering().metric
    typical = typical_rows(vectors, labels, metric, count=3)
    work.progress(0.9, "measuring distances to the centres")
    distances = distances_to_centers(vectors, labels, metric).astype(np.float32)
    return Description(clusters=_records(labels, words, contrasts), typical=typical,
                       distances=distances)


def _comparable_columns(dataset: Dataset, rows: np.ndarray) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for column in dataset.with_role("number", "category", "label"):
        if column.place != "table":
            continue
        if column.role == "number":
            columns[column.name] = dataset.numbers(column.name)[rows]
        else:
            texts = dataset.texts(column.name)
            columns[column.name] = [texts[row] for row in rows]
    return columns


def _joined_texts(dataset: Dataset, rows: np.ndarray) -> list[str]:
    columns = [dataset.texts(column.name) for column in dataset.with_role("text")]
    return ["\n".join(texts[row] for texts in columns) for row in rows] if columns else []


def _records(labels: np.ndarray, words: tuple[ClusterWords, ...],
             columns: tuple[ClusterColumns, ...]) -> tuple[dict[str, Any], ...]:
    count = int(labels.max(initial=-1)) + 1
    records: list[dict[str, Any]] = [{"words": [], "columns": []} for _ in range(count)]
    for item in words:
        records[item.cluster]["words"] = [word.text for word in item.words]
    for contrast in columns:
        records[contrast.cluster]["columns"] = [column.text for column in contrast.columns]
    return tuple(records)
