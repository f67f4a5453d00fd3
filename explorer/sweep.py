"""The k sweep: one clusterer at several cluster numbers, every result kept under its own key."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from explorer import values
from explorer.cluster import Clusterer, clusterers
from explorer.errors import ResultError
from explorer.flight import after_clustering, after_judging, before
from explorer.judge import Judge, judges
from explorer.spec import Progress, part
from explorer.values import Clustering, Judgement
from explorer.work import Space, Work, picture_note, provenance

_COLUMNS = ("mean", "low", "high", "davies_bouldin", "calinski_harabasz")


@dataclass(frozen=True)
class Sweep:
    """A k sweep: for each of K `counts` the mean silhouette, its 10 % and 90 % row quantiles,
    Davies-Bouldin and Calinski-Harabasz (float64, NaN where not defined)."""

    counts: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    davies_bouldin: np.ndarray
    calinski_harabasz: np.ndarray
    space: str = ""
    total: int = 0


def sweep(work: Work) -> Sweep:
    """One clusterer at several cluster numbers; every clustering and judgement is stored under
    its own key, so that choosing one later computes nothing."""
    space = work.clustered()
    method = work.method(clusterers())
    judging = [judges().create(identity["method"], identity["parameters"])
               for identity in work.payload["judges"]]
    shares = _shares(method, judging, space, work.payload["counts"])
    found = _cluster(work, method, space, part(work.progress, 0.0, shares[0]))
    rows = [dict.fromkeys(_COLUMNS, float("nan")) for _ in found]
    for place, judge in enumerate(judging):
        share = part(work.progress, shares[place], shares[place + 1])
        for row, judgement in zip(rows, _judge(work, judge, found, space, share), strict=True):
            _enter(row, judge.key, judgement)
    columns = {name: np.array([row[name] for row in rows], dtype=np.float64) for name in _COLUMNS}
    return Sweep(counts=np.array(work.payload["counts"], dtype=np.int32), **columns,
                 space=space.title, total=space.facts.n)


def _shares(method: Clusterer, judging: Sequence[Judge], space: Space,
            counts: Sequence[int]) -> list[float]:
    """Where in 0..1 the clustering ends, and each judge after it."""
    n, d = space.facts.n, space.facts.d
    seconds = [method.estimate_sweep(n, d, counts).seconds,
               *(judge.estimate_all(n, d, len(counts)).seconds for judge in judging)]
    ends: list[float] = (np.cumsum(seconds) / sum(seconds)).tolist()
    return [*ends[:-1], 1.0]


def _cluster(work: Work, method: Clusterer, space: Space,
             progress: Progress) -> list[Clustering]:
    """The clusterings of all counts, stored."""
    started = time.monotonic()
    counts, inputs = work.payload["counts"], work.payload["inputs"]
    varied = [method.with_count(count) for count in counts]
    given = [before(variant, space.vectors, space.facts) for variant in varied]
    found = method.sweep(given[0].vectors, counts, progress)
    each = (time.monotonic() - started) / len(counts)
    if len(found) != len(counts):
        raise ResultError("ROW_COUNT", f"A sweep must give {len(counts)} clusterings, "
                                       f"got {len(found)}.")
    results = []
    for index, clustering in enumerate(found):
        checked = after_clustering(clustering, space.facts.n)
        results.append(replace(checked, notes=(*given[index].notes, *picture_note(work.payload),
                                               *checked.notes)))
        payload = {"step": "cluster", "method": varied[index].identity(), "inputs": inputs}
        values.save(work.store, work.payload["variants"][index]["clustering"], results[-1],
                    provenance(payload, method.title, each))
    return results


def _judge(work: Work, method: Judge, found: Sequence[Clustering], space: Space,
           progress: Progress) -> list[Judgement]:
    """One judge's answers on all clusterings, stored."""
    started = time.monotonic()
    given = before(method, space.vectors, space.facts)
    judged = method.judge_all(given.vectors, [clustering.labels for clustering in found],
                              found[0].metric, space.title, progress)
    each = (time.monotonic() - started) / len(found)
    results = []
    for variant, judgement in zip(work.payload["variants"], judged, strict=True):
        checked = after_judging(judgement, space.facts.n)
        results.append(replace(checked, notes=(*picture_note(work.payload), *checked.notes)))
        inputs = {**work.payload["inputs"], "clustering": variant["clustering"]}
        payload = {"step": "judge", "method": method.identity(), "inputs": inputs}
        values.save(work.store, variant["judgements"][method.key], results[-1],
                    provenance(payload, method.title, each))
    return results


def _enter(row: dict[str, float], key: str, judgement: Judgement) -> None:
    value = judgement.scores[0].value if judgement.scores else None
    if value is None:
        return
    if key == "silhouette":
        row["mean"] = value
        row["low"], row["high"] = np.nanquantile(judgement.per_row["silhouette"], [0.1, 0.9])
    elif key in row:
        row[key] = value
