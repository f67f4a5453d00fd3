"""Rows that are nearly the same, in groups, and which of each to keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from explorer.dataset import Dataset
from explorer.judge.duplicates import (
    find_nearby,
    group_rows,
    keepers,
    same_content,
    usual_threshold,
)
from explorer.neighbors.nearest import Nearest
from explorer.spec import Cost, Progress, part
from explorer.study import Input, RowValue, Study
from explorer.study.subject import Subject
from explorer.values import Finding, Score

SHARE = {"euclidean": 0.25, "cosine": 0.25**2}
"""The share of the median distance to the nearest row below which rows are near-duplicates. By
chance alone, in d dimensions, about 0.7 * 0.25^d of the rows would be. The cosine distance goes
with the square of the straight one."""
_LISTED = 100


class NearDuplicates(Study):
    """Finds rows whose vectors are nearly the same, and exact copies, and puts them in groups: for
    cleaning data, or to see what was collected twice. Rows closer than the threshold are in one
    group; so are rows that a chain of such rows connects."""

    key: ClassVar[str] = "near_duplicates"
    title: ClassVar[str] = "Near-duplicates"
    question: ClassVar[str] = "Which rows are nearly the same?"
    reads: ClassVar[tuple[Input, ...]] = ("embedding",)
    reads_data: ClassVar[bool] = True
    min_rows: ClassVar[int] = 2
    rows_say: ClassVar[Mapping[str, RowValue]] = {
        "group": RowValue("Near-duplicate group", "number of the group of nearly equal rows, 0 is "
                          "the largest", "cluster", word="Group"),
        "size": RowValue("Near-duplicates, itself counted",
                         "how many rows are in the row's group; 1: it stands alone"),
        "nearest": RowValue("Distance to the nearest row",
                            "distance to the nearest other row; 0 for a copy"),
        "extra": RowValue("Extra of a group", "whether it goes when one row of each group of "
                          "near-duplicates is kept", "yes"),
        "copy": RowValue("Exact copy", "whether another row has the same vector, text or picture",
                         "yes"),
    }

    threshold: float | None = Field(
        None, ge=0, le=1e15,
        description="Rows at most so far apart are near-duplicates. Empty: a quarter of the median "
                    "distance between a row and its nearest other (a sixteenth for the cosine, "
                    "which is a square).")
    metric: Literal["euclidean", "cosine"] = Field(
        "euclidean", description="How distance is measured. For vectors of length 1 (most of texts "
                                 "and pictures) both find the same rows.")

    def estimate(self, n: int, d: int) -> Cost:
        search = Nearest(count=max(1, min(10, n - 1)), search="exact").estimate(n, d)
        return Cost(1.1 * search.seconds + 1e-5 * n, search.bytes + 24 * n * d + 2**26)

    def study(self, subject: Subject, progress: Progress) -> Finding:
        """Per row 'group', 'size' int32, 'nearest' float32, 'extra', 'copy' uint8. Extras:
        'threshold'. Table 'groups': the largest."""
        vectors = np.asarray(subject.embedding.vectors)
        nearby = find_nearby(vectors, self.metric, part(progress, 0.0, 0.8))
        threshold = usual_threshold(nearby, SHARE[self.metric]) if self.threshold is None \
            else self.threshold
        groups = group_rows(vectors, nearby, threshold, part(progress, 0.8, 0.9))
        progress(0.9, "comparing contents")
        contents = _contents(subject.dataset, subject.embedding.rows)
        copies = [nearby.copies] + ([same_content(contents)] if contents else [])
        kept = keepers(vectors, groups, self.metric)
        sizes = np.bincount(groups[groups >= 0], minlength=1)
        size = np.where(groups >= 0, sizes[groups], 1)
        extra = (groups >= 0) & ~kept

        def score(name: str, value: float) -> Score:
            return Score(name, value, subject.embedded.title, self.metric, len(groups), len(groups),
                         "noise rows included", better="lower")
        return Finding(
            scores=(score(f"Rows with a near-duplicate (at most {threshold:.4g} apart)",
                          int((groups >= 0).sum())),
                    score("Groups of near-duplicates", int(groups.max(initial=-1)) + 1),
                    score("Rows with exactly the same vector", int((copies[0] > 1).sum())),
                    *([score(f"Rows with exactly the same {_what(subject.dataset)}",
                             int((copies[1] > 1).sum()))] if contents else [])),
            per_row={"group": groups, "size": size.astype(np.int32),
                     "nearest": nearby.nearest.astype(np.float32),
                     "extra": extra.astype(np.uint8),
                     "copy": np.any([count > 1 for count in copies], axis=0).astype(np.uint8)},
            tables={"groups": _table(subject, groups, kept)},
            extras={"threshold": np.array([threshold])})


def _contents(data: Dataset, rows: np.ndarray) -> list[bytes]:
    """What a person sees of each row: its text, or its small picture; [] where it is numbers."""
    if data.has_images:
        return [data.thumbnail(int(row)) for row in rows]
    texts = [data.texts(column.name) for column in data.with_role("text")]
    return ["\0".join(text[row] for text in texts).strip("\0").encode("utf-8", "surrogatepass")
            for row in rows] if texts else []


def _what(data: Dataset) -> str:
    return "picture (as a thumbnail)" if data.has_images else "text"


def _table(subject: Subject, groups: np.ndarray, kept: np.ndarray) -> list[dict[str, Any]]:
    """The largest groups: how many rows, and which one to keep."""
    names = subject.dataset.row_ids
    rows = subject.embedding.rows
    heads = np.flatnonzero(kept)
    heads = heads[np.argsort(groups[heads], kind="stable")][:_LISTED]
    return [{"group": int(groups[head]), "rows": int((groups == groups[head]).sum()),
             "row to keep": names[int(rows[head])]} for head in heads]
