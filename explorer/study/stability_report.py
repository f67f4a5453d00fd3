"""What repeats of a clustering say: per cluster, per kind of change, per repeat, and overall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.judge.matching import Repeats, rand_index
from explorer.study.subject import Subject
from explorer.study.vary import COUNT
from explorer.values import NOISE, Clustering, Finding, Score

DISSOLVED, RECOVERED = 0.5, 0.75
"""Hennig 2007: at most so much is left of a dissolved cluster; from the other on it is recovered.
"""
GRADES = ((0.85, "highly stable"), (0.75, "stable"), (0.6, "doubtful"), (0.0, "unstable"))
"""From this mean Jaccard coefficient on, under the kind of change that harms the cluster most: one
that breaks it is not made good by others that never touch it (another row order often changes
nothing at all). Another number of clusters is not graded: it must join or cut some.

The steps are those of C. Hennig for resampled rows (R package fpc, clusterboot): from 0.75 on a
valid, stable cluster; 0.6 to 0.75 a pattern in the data, but which rows belong to it is doubtful;
below 0.6 not to be trusted; from 0.85 on highly stable."""
MEANINGS = {"highly stable": "nearly the same rows come together every time",
            "stable": "mostly the same rows come together",
            "doubtful": "there is something, but which rows belong to it is doubtful",
            "unstable": "do not rely on it",
            "not defined": "none of its rows was in a repeat"}


@dataclass(frozen=True)
class Done:
    """One repeat: its kind of change, the change in words, how many rows it had, what it found,
    and how much of each cluster of the reference (Jaccard)."""

    kind: str
    words: str
    rows: int
    found: Clustering
    jaccard: np.ndarray


def graded(kinds: Sequence[str]) -> tuple[str, ...]:
    """The kinds of change that count: all but another number of clusters, unless there is nothing
    else."""
    return tuple(kind for kind in dict.fromkeys(kinds) if kind != COUNT) or (COUNT,)


def grade(jaccard: float) -> str:
    """A mean Jaccard coefficient (NaN: there is none) in a word."""
    if not np.isfinite(jaccard):
        return "not defined"
    return next(word for low, word in GRADES if jaccard >= low)


def per_cluster(jaccard: np.ndarray, found_from: float) -> dict[str, np.ndarray]:
    """Of R x k Jaccard coefficients, per cluster: the mean and the lowest (NaN without repeats),
    and in how many of the `tried` repeats it was found, dissolved, recovered (int64)."""
    known = np.isfinite(jaccard)
    return {"jaccard": column_means(jaccard), "lowest": _lowest(jaccard),
            "found": (jaccard >= found_from).sum(axis=0), "tried": known.sum(axis=0),
            "dissolved": (jaccard <= DISSOLVED).sum(axis=0),
            "recovered": (jaccard >= RECOVERED).sum(axis=0)}


def column_means(values: np.ndarray) -> np.ndarray:
    """The means of the columns without NaN; NaN for a column of them."""
    known = np.isfinite(values)
    counts = known.sum(axis=0)
    sums = np.where(known, values, 0.0).sum(axis=0)
    means: np.ndarray = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    return means


def _lowest(values: np.ndarray) -> np.ndarray:
    """The least of each column without NaN; NaN for a column of them."""
    least = np.where(np.isfinite(values), values, np.inf).min(axis=0, initial=np.inf)
    found: np.ndarray = np.where(np.isfinite(least), least, np.nan)
    return found


def report(subject: Subject, done: Sequence[Done], counted: Repeats, seen: np.ndarray,
           compared: np.ndarray, found_from: float, seed: int, notes: Sequence[str]) -> Finding:
    """The finding of these repeats; `seen` R x m are their labels of the rows `compared` (below -1:
    not in the repeat)."""
    labels = np.asarray(subject.original.labels)
    kinds = list(dict.fromkeys(one.kind for one in done))
    clusters = per_cluster(counted.jaccard, found_from)
    by_kind = np.array([column_means(np.array([one.jaccard for one in done if one.kind == kind]))
                        for kind in kinds]).reshape(len(kinds), -1)
    counting = graded(kinds)
    clusters["weakest"] = _lowest(by_kind[[kind in counting for kind in kinds]])
    tried = np.maximum(counted.tried, 1)
    again = np.where((counted.tried > 0) & (labels > NOISE), counted.again / tried, np.nan)
    per_row = {"again": again.astype(np.float32)}
    if counted.noise.any() or (labels == NOISE).any():
        per_row["noise"] = np.where(counted.tried > 0, counted.noise / tried,
                                    np.nan).astype(np.float32)
    rand = np.array([rand_index(labels[compared], row) for row in seen], np.float64)
    counted_at = [at for at, one in enumerate(done) if one.kind in counting]
    pairs = np.array([rand_index(seen[i], seen[j]) for i in counted_at for j in counted_at
                      if j < i], np.float64)
    repeats = [{"change": one.kind, "what": one.words, "rows": one.rows,
                "clusters": one.found.count, "noise": one.found.noise,
                "adjusted Rand index": _plain(value),
                "clusters found": int((one.jaccard >= found_from).sum())}
               for one, value in zip(done, rand, strict=True)]
    return Finding(
        scores=_scores(subject, rand[counted_at], pairs, seen[counted_at], compared, again, seed),
        per_row=per_row, per_cluster=clusters, notes=tuple(notes),
        tables={"clusters": _clusters(labels, clusters, by_kind, kinds),
                "kinds": _kinds(kinds, done, by_kind, rand, found_from), "repeats": repeats},
        extras={"by_kind": by_kind, "jaccard": counted.jaccard, "rand": rand, "pairs": pairs})


def _clusters(labels: np.ndarray, clusters: dict[str, np.ndarray], by_kind: np.ndarray,
              kinds: Sequence[str]) -> list[dict[str, Any]]:
    sizes = np.bincount(labels[labels > NOISE], minlength=len(clusters["jaccard"]))
    records, counting = [], graded(kinds)
    for cluster in np.flatnonzero(sizes).tolist():
        here = np.where([kind in counting for kind in kinds], by_kind[:, cluster], np.nan)
        weakest = kinds[int(np.nanargmin(here))] if np.isfinite(here).any() else ""
        records.append({
            "cluster": cluster, "rows": int(sizes[cluster]),
            "jaccard": _plain(clusters["jaccard"][cluster]),
            "weakest": _plain(clusters["weakest"][cluster]), "under": weakest,
            "lowest": _plain(clusters["lowest"][cluster]),
            "found": int(clusters["found"][cluster]), "tried": int(clusters["tried"][cluster]),
            "dissolved": int(clusters["dissolved"][cluster]),
            "recovered": int(clusters["recovered"][cluster]),
            "grade": grade(float(clusters["weakest"][cluster]))})
    return records


def _kinds(kinds: Sequence[str], done: Sequence[Done], by_kind: np.ndarray, rand: np.ndarray,
           found_from: float) -> list[dict[str, Any]]:
    records = []
    for place, kind in enumerate(kinds):
        here = [number for number, one in enumerate(done) if one.kind == kind]
        jaccard = np.array([done[number].jaccard for number in here])
        known = int(np.isfinite(jaccard).sum())
        records.append({
            "change": kind, "repeats": len(here),
            "mean jaccard": _plain(np.nanmean(by_kind[place]) if known else np.nan),
            "clusters found": _plain((jaccard >= found_from).sum() / known if known else np.nan),
            "adjusted Rand index": _plain(_mean(rand[here]))})
    return records


def _scores(subject: Subject, rand: np.ndarray, pairs: np.ndarray, seen: np.ndarray,
            compared: np.ndarray, again: np.ndarray, seed: int) -> tuple[Score, ...]:
    labels = np.asarray(subject.original.labels)
    reference = labels[compared]
    noise = "rows that are noise in either are left out" if (
        (labels == NOISE).any() or (seen == NOISE).any()) else "no noise rows"
    mutual = np.array([_mutual(reference, row) for row in seen], np.float64)
    told = ((f"Adjusted Rand index of two repeats, mean of {len(pairs):,} pairs", pairs, compared),
            ("Adjusted Rand index of a repeat and the clusters, mean", rand, compared),
            ("Adjusted mutual information of a repeat and the clusters, mean", mutual, compared),
            ("Share of repeats that put a row with its cluster again, mean of the rows", again,
             labels))
    return tuple(Score(
        name=name, value=_plain(_mean(values)), space=subject.clustered.title,
        metric=subject.original.metric, sample=len(rows), total=len(labels), noise=noise,
        seed=seed, why="" if np.isfinite(values).any() else
        "Not defined: no repeat shares clustered rows with another.")
        for name, values, rows in told)


def _mutual(reference: np.ndarray, labels: np.ndarray) -> float:
    from sklearn.metrics import adjusted_mutual_info_score

    both = (labels > NOISE) & (reference > NOISE)
    if not both.any():
        return float("nan")
    return float(adjusted_mutual_info_score(reference[both], labels[both]))


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def _plain(value: float) -> float | None:
    """None for NaN: records are plain data."""
    return float(value) if np.isfinite(value) else None
