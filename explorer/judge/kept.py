"""What every judge does first: leave noise out, count it, and see whether there is a question."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Kept:
    """The rows that are not noise, sorted by cluster (then by row).

    `rows` int64: their places among the n labels. `clusters`: the k cluster numbers there are,
    ascending; `group` int64: which of them each kept row is in; `starts`, `sizes` int64: where each
    begins among `rows` and how many rows it has. `why` is '' when the usual indices are defined,
    else the reason they are not. `noise` is the Score's noise text.
    """

    rows: np.ndarray
    clusters: np.ndarray
    group: np.ndarray
    starts: np.ndarray
    sizes: np.ndarray
    total: int
    noise: str
    why: str


def without_noise(labels: np.ndarray) -> Kept:
    """Sort n labels into clusters, -1 left out."""
    labels = np.asarray(labels)
    rows = np.flatnonzero(labels >= 0)
    rows = rows[np.argsort(labels[rows], kind="stable")]
    clusters, group, sizes = np.unique(labels[rows], return_inverse=True, return_counts=True)
    left_out = len(labels) - len(rows)
    return Kept(rows=rows, clusters=clusters, group=group, sizes=sizes,
                starts=np.cumsum(sizes) - sizes,
                total=len(labels), noise=_noise_text(left_out),
                why=_why_not(len(labels), len(rows), len(clusters)))


@dataclass(frozen=True)
class Gathered:
    """Float64, measured from the mean of all kept rows: `centres` k x d, and `offsets`, the kept
    rows minus their centres."""

    centres: np.ndarray
    offsets: np.ndarray


def gather(vectors: np.ndarray, kept: Kept) -> Gathered:
    """The kept rows around their cluster centres; a large common offset is taken out first."""
    rows = vectors[kept.rows].astype(np.float64)
    rows -= rows.mean(axis=0)
    centres = np.add.reduceat(rows, kept.starts, axis=0) / kept.sizes[:, None]
    rows -= centres[kept.group]
    return Gathered(centres=centres, offsets=rows)


def per_cluster(kept: Kept, values: np.ndarray, missing: float) -> np.ndarray:
    """k values as an array indexed by cluster number; `missing` where a number is not in use."""
    length = int(kept.clusters.max(initial=-1)) + 1
    result = np.full(length, missing, dtype=values.dtype)
    result[kept.clusters] = values
    return result


def no_direction(vectors: np.ndarray, kept: Kept, metric: str) -> str:
    """Why cosine distance is not defined for these rows; '' where it is."""
    if metric != "cosine":
        return ""
    zeros = int(np.count_nonzero(~vectors[kept.rows].any(axis=1)))
    return f"Not defined: {zeros:,} all-zero rows have no cosine distance." if zeros else ""


def euclidean_only(title: str, metric: str) -> tuple[str, ...]:
    """The guard-rail of an index that knows squared or straight distances only."""
    if metric == "euclidean":
        return ()
    return (f"{title} is a Euclidean index: it is computed with Euclidean distance on the vectors, "
            f"although the clusters were made with {metric} distance.",)


def _noise_text(left_out: int) -> str:
    if left_out == 0:
        return "no noise rows"
    return f"{left_out:,} noise row{'' if left_out == 1 else 's'} left out"


def _why_not(total: int, rows: int, clusters: int) -> str:
    if total == 0:
        return "Not defined: there are no rows."
    if rows == 0:
        return f"Not defined: all {total:,} rows are noise."
    if clusters < 2:
        return "Not defined for one cluster: there is no other to compare with."
    if clusters == rows:
        return "Not defined: every row is a cluster of its own."
    return ""
