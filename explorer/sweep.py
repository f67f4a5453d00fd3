"""The k sweep: clusterers at several cluster numbers, every result kept under its own key."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from explorer import values
from explorer.cluster import Clusterer, clusterers
from explorer.cluster.tree import TreeClusterer
from explorer.errors import DataError, ParameterError, ResultError
from explorer.flight import after_clustering, after_judging, before
from explorer.grow import stored_tree
from explorer.judge import Judge, judges
from explorer.spec import Progress, part
from explorer.values import Clustering, Judgement
from explorer.work import Space, Work, picture_note, provenance

POINTS = 101
"""Quantiles of the silhouettes of one clustering that are kept, from 0 to 100 %."""


@dataclass(frozen=True)
class Sweep:
    """A k sweep of M `methods` (their keys) over K `counts`, NaN where not defined.

    `indices`: the first score of every judge, by its key, M x K float64; also 'model_bic' where a
    clusterer gives one, and 'silhouette_low', 'silhouette_high' where the mean was estimated from
    a sample. `lower` names those of which a lower value is better. `profiles` M x K x POINTS
    float32: quantiles of the rows' silhouettes; `negative` M x K float64: the share of rows below
    0. `found` M x K int32 clusters (0: refused), `noise`, `sample` M x K int64: noise rows, and
    rows whose silhouette was computed. `metrics`: the M distances ('' where refused).
    """

    counts: np.ndarray
    profiles: np.ndarray
    negative: np.ndarray
    found: np.ndarray
    noise: np.ndarray
    sample: np.ndarray
    indices: dict[str, np.ndarray] = field(default_factory=dict)
    methods: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    lower: tuple[str, ...] = ()
    space: str = ""
    total: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Try:
    """One clustering of the sweep: its place (method, count), its names in the store, what was
    found."""

    method: int
    count: int
    keys: dict[str, Any]
    clustering: Clustering


def sweep(work: Work) -> Sweep:
    """Every clustering and judgement is stored under its own key, so that choosing one later
    computes nothing; what is stored already is not computed again. A method that refuses the data
    is left out and noted; the sweep fails where all do."""
    space = work.clustered()
    methods = [clusterers().create(identity["method"], identity["parameters"])
               for identity in work.payload["methods"]]
    judging = [judges().create(identity["method"], identity["parameters"])
               for identity in work.payload["judges"]]
    ends = _ends(methods, judging, space, work.payload["counts"])
    tries, notes = _cluster_all(work, methods, space, ends)
    made = _empty(work, methods, judging, space)
    lower = ["model_bic"]
    for place, judge in enumerate(judging, start=len(methods)):
        share = part(work.progress, ends[place - 1], ends[place])
        judged = _judge(work, judge, tries, space, share)
        lower += [judge.key] * (judged[0].scores[0].better == "lower")
        for one, judgement in zip(tries, judged, strict=True):
            _enter(made, judge, one, judgement)
    for one in tries:
        _enter_clustering(made, one)
    metrics = {one.method: one.clustering.metric for one in tries}
    return replace(made, notes=notes, lower=tuple(lower),
                   metrics=tuple(metrics.get(place, "") for place in range(len(methods))))


def _ends(methods: Sequence[Clusterer], judging: Sequence[Judge], space: Space,
          counts: Sequence[int]) -> list[float]:
    """Where in 0..1 each method ends, and each judge after them."""
    n, d = space.facts.n, space.facts.d
    seconds = [*(method.estimate_sweep(n, d, counts).seconds for method in methods),
               *(judge.estimate_all(n, d, len(methods) * len(counts)).seconds
                 for judge in judging)]
    ends: list[float] = (np.cumsum(seconds) / sum(seconds)).tolist()
    return [*ends[:-1], 1.0]


def _cluster_all(work: Work, methods: Sequence[Clusterer], space: Space,
                 ends: Sequence[float]) -> tuple[list[_Try], tuple[str, ...]]:
    tries: list[_Try] = []
    refused: list[tuple[str, DataError | ParameterError]] = []
    counts, variants = work.payload["counts"], work.payload["variants"]
    for place, method in enumerate(methods):
        mine = variants[place * len(counts):(place + 1) * len(counts)]
        share = part(work.progress, ends[place - 1] if place else 0.0, ends[place])
        try:
            found = _cluster(work, method, mine, space, share)
        except (DataError, ParameterError) as error:
            refused.append((method.title, error))
            continue
        tries += [_Try(place, index, keys, clustering)
                  for index, (keys, clustering) in enumerate(zip(mine, found, strict=True))]
    if not tries:
        raise refused[0][1]
    return tries, tuple(f"{title} is left out: {error.message}" for title, error in refused)


def _cluster(work: Work, method: Clusterer, variants: Sequence[dict[str, Any]], space: Space,
             progress: Progress) -> list[Clustering]:
    """The clusterings of all counts, stored; those found in the store are read."""
    started = time.monotonic()
    wanted = [one for one in variants if work.store.find(one["clustering"]) is None]
    if wanted:
        varied = [method.with_count(one["count"]) for one in wanted]
        given = [before(variant, space.vectors, space.facts) for variant in varied]
        found = _sweep(work, method, given[0].vectors, [one["count"] for one in wanted],
                       lambda fraction, text: progress(fraction, f"{method.title}: {text}"))
        each = (time.monotonic() - started) / len(wanted)
        if len(found) != len(wanted):
            raise ResultError("ROW_COUNT", f"A sweep must give {len(wanted)} clusterings, "
                                           f"got {len(found)}.")
        for index, (one, clustering) in enumerate(zip(wanted, found, strict=True)):
            checked = after_clustering(clustering, space.facts.n)
            whole = replace(checked, notes=(*given[index].notes, *picture_note(work.payload),
                                            *checked.notes))
            payload = {"step": "cluster", "method": varied[index].identity(),
                       "inputs": work.payload["inputs"]}
            values.save(work.store, one["clustering"], whole,
                        provenance(payload, method.title, each))
    progress(1.0, f"{method.title}: {len(variants)} clusterings")
    return [values.read(Clustering, work.store.get(one["clustering"])) for one in variants]


def _sweep(work: Work, method: Clusterer, vectors: np.ndarray, counts: Sequence[int],
           progress: Progress) -> list[Clustering]:
    """The method's own sweep; the tree it cuts, if any, is the stored one."""
    if not isinstance(method, TreeClusterer):
        return method.sweep(vectors, counts, progress)
    tree = stored_tree(work, method, vectors, part(progress, 0.0, 0.95))
    return method.sweep_tree(tree, counts, part(progress, 0.95, 1.0))


def _judge(work: Work, method: Judge, tries: Sequence[_Try], space: Space,
           progress: Progress) -> list[Judgement]:
    """One judge's answers on all clusterings, stored; those of one distance together."""
    given = before(method, space.vectors, space.facts)
    wanted = [one for one in tries if work.store.find(one.keys["judgements"][method.key]) is None]
    metrics = list(dict.fromkeys(one.clustering.metric for one in wanted))
    for place, metric in enumerate(metrics):
        started = time.monotonic()
        some = [one for one in wanted if one.clustering.metric == metric]
        judged = method.judge_all(given.vectors, [one.clustering.labels for one in some], metric,
                                  space.title, part(progress, place / len(metrics),
                                                    (place + 1) / len(metrics)))
        each = (time.monotonic() - started) / len(some)
        for one, judgement in zip(some, judged, strict=True):
            checked = after_judging(judgement, space.facts.n)
            whole = replace(checked, notes=(*given.notes, *picture_note(work.payload),
                                            *checked.notes))
            payload = {"step": "judge", "method": method.identity(), "inputs":
                       {**work.payload["inputs"], "clustering": one.keys["clustering"]}}
            values.save(work.store, one.keys["judgements"][method.key], whole,
                        provenance(payload, method.title, each))
    progress(1.0, f"{method.title}: {len(tries)} clusterings")
    return [values.read(Judgement, work.store.get(one.keys["judgements"][method.key]))
            for one in tries]


def _empty(work: Work, methods: Sequence[Clusterer], judging: Sequence[Judge],
           space: Space) -> Sweep:
    counts = np.array(work.payload["counts"], dtype=np.int32)
    shape = (len(methods), len(counts))
    names = [*(judge.key for judge in judging), "model_bic", "silhouette_low", "silhouette_high"]
    return Sweep(counts=counts, profiles=np.full((*shape, POINTS), np.nan, dtype=np.float32),
                 negative=np.full(shape, np.nan), found=np.zeros(shape, dtype=np.int32),
                 noise=np.zeros(shape, dtype=np.int64), sample=np.zeros(shape, dtype=np.int64),
                 indices={name: np.full(shape, np.nan) for name in names},
                 methods=tuple(method.key for method in methods),
                 space=space.title, total=space.facts.n)


def _enter(made: Sweep, judge: Judge, one: _Try, judgement: Judgement) -> None:
    at = one.method, one.count
    score = judgement.scores[0]
    if score.value is None:
        return
    made.indices[judge.key][at] = score.value
    if judge.key != "silhouette":
        return
    for name, end in (("silhouette_low", score.low), ("silhouette_high", score.high)):
        made.indices[name][at] = np.nan if end is None else end
    rows = np.asarray(judgement.per_row["silhouette"], dtype=np.float64)
    rows = rows[np.isfinite(rows)]
    made.profiles[at] = np.quantile(rows, np.linspace(0, 1, POINTS))
    made.negative[at] = float((rows < 0).mean())
    made.sample[at] = len(rows)


def _enter_clustering(made: Sweep, one: _Try) -> None:
    at = one.method, one.count
    made.found[at] = one.clustering.count
    made.noise[at] = one.clustering.noise
    if "bic" in one.clustering.extras:
        made.indices["model_bic"][at] = float(one.clustering.extras["bic"][0])
