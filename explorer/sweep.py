"""The k sweep: one clusterer at several cluster numbers, every result kept under its own key."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from explorer import values
from explorer.cluster import Clusterer, clusterers
from explorer.judge import judges
from explorer.spec import Progress, part
from explorer.values import Clustering, Judgement, facts_of
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
    started = time.monotonic()
    space = work.clustered()
    facts = facts_of(space.vectors)
    method = work.method(clusterers())
    counts = work.payload["counts"]
    varied = [method.with_count(count) for count in counts]
    notes = [variant.check(facts) for variant in varied]
    found = method.sweep(space.vectors, counts, part(work.progress, 0.0, 0.5))
    each = (time.monotonic() - started) / len(counts)
    rows = []
    for index, clustering in enumerate(found):
        clustering.verify(len(space.vectors))
        noted = replace(clustering, notes=(*notes[index], *picture_note(work.payload),
                                           *clustering.notes))
        share = part(work.progress, 0.5 + 0.5 * index / len(found),
                     0.5 + 0.5 * (index + 1) / len(found))
        _save_clustering(work, varied[index], noted, index, each)
        rows.append(_row(_judge(work, noted, index, space, share)))
    columns = {name: np.array([row[name] for row in rows], dtype=np.float64) for name in _COLUMNS}
    return Sweep(counts=np.array(counts, dtype=np.int32), **columns,
                 space=space.title, total=len(space.vectors))


def _save_clustering(work: Work, method: Clusterer, clustering: Clustering, index: int,
                     seconds: float) -> None:
    payload = {"step": "cluster", "method": method.identity(), "inputs": work.payload["inputs"]}
    values.save(work.store, work.payload["variants"][index]["clustering"], clustering,
                provenance(payload, method.title, seconds))


def _judge(work: Work, clustering: Clustering, index: int, space: Space,
           progress: Progress) -> dict[str, Judgement]:
    variant = work.payload["variants"][index]
    results: dict[str, Judgement] = {}
    identities = work.payload["judges"]
    for step, identity in enumerate(identities):
        started = time.monotonic()
        method = judges().create(identity["method"], identity["parameters"])
        result = method.judge(space.vectors, clustering.labels, clustering.metric, space.title,
                              part(progress, step / len(identities), (step + 1) / len(identities)))
        results[method.key] = replace(result, notes=(*picture_note(work.payload), *result.notes))
        inputs = {**work.payload["inputs"], "clustering": variant["clustering"]}
        payload = {"step": "judge", "method": identity, "inputs": inputs}
        values.save(work.store, variant["judgements"][method.key], results[method.key],
                    provenance(payload, method.title, time.monotonic() - started))
    return results


def _row(found: dict[str, Judgement]) -> dict[str, float]:
    row = dict.fromkeys(_COLUMNS, float("nan"))
    for key, judgement in found.items():
        value = judgement.scores[0].value if judgement.scores else None
        if value is None:
            continue
        if key == "silhouette":
            row["mean"] = value
            row["low"], row["high"] = np.nanquantile(judgement.per_row["silhouette"], [0.1, 0.9])
        elif key in row:
            row[key] = value
    return row
