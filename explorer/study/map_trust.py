"""Map trust: what a projection keeps of the neighbours and distances of its embedding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from explorer.judge import stress
from explorer.judge.pairs import between, spots
from explorer.judge.ranks import Ranks, compare_ranks, deepest_of, nearest_drawn
from explorer.judge.trust import (
    Share,
    curves_of,
    hit_of,
    kept_of,
    mean_of,
    shared_of,
    stretch_of,
    trust_of,
)
from explorer.neighbors.nearest import Nearest
from explorer.recipe import Recipe
from explorer.spec import Cost, Facts, Progress, advanced, part
from explorer.study import Input, RowValue, Study
from explorer.study.subject import Subject
from explorer.values import Finding, Graph, Score

PAIR_ROWS = 3_000
"""Rows whose pairs (4.5 million) are compared for the global measures."""
_LABELS = 3
_TOO_FEW = "Not defined: neighbours must be fewer than half of the rows, and there are only {n}."
_ALIKE = ("Not defined: all rows are the same {where}, so that no row is nearer to another than "
          "the rest.")


class MapTrust(Study):
    """Compares every row's neighbours and distances on the map with those in the embedding. Local
    measures (trustworthiness, continuity, neighbours kept) say whether to believe which points lie
    side by side; global ones (distance correlation, stress) whether to believe how far groups lie
    apart. Clusters play no part."""

    key: ClassVar[str] = "map_trust"
    title: ClassVar[str] = "Map trust"
    question: ClassVar[str] = "How much of the embedding does this map keep?"
    reads: ClassVar[tuple[Input, ...]] = ("embedding", "graph", "projection")
    reads_data: ClassVar[bool] = True
    rows_say: ClassVar[Mapping[str, RowValue]] = {
        "kept": RowValue("Neighbours kept on the map", "share of the row's nearest rows in the "
                         "embedding that are also among its nearest on the map; the rest are lost, "
                         "and as many false ones stand in their place"),
        "trust": RowValue("Trustworthiness of the row", "1: all that lies next to the row on the "
                          "map is near it in the embedding; low: strangers from far away lie next "
                          "to it"),
        "continuity": RowValue("Continuity of the row", "1: all that is near the row in the "
                               "embedding lies next to it on the map; low: some of it landed far "
                               "away"),
        "stretch": RowValue("Stretched or compressed", "how much larger the row's surroundings are "
                            "drawn than those of a middling row, in doublings: above 0 stretched, "
                            "below 0 compressed"),
    }

    neighbors: int = Field(15, ge=1, le=100, description="How many nearest rows of each row are "
                           "compared (the k of the local measures).")
    metric: Literal["projector", "euclidean", "cosine"] = Field(
        "projector", description="The distance in the embedding: the one the projector itself "
        "works with, or one of your choice.")
    exact_up_to: int = advanced(10_000, ge=100, le=50_000, description="Up to so many rows all of "
                                "them are measured; above, a sample of rows against all rows.")
    sample: int = advanced(2_000, ge=100, le=10_000, description="How many rows are measured "
                           "above that; the interval says what this leaves open.")
    seed: int = advanced(0, ge=0, le=2**32 - 1, description="Same seed, same sample.")

    def limits(self, facts: Facts) -> Mapping[str, tuple[float, float]]:
        most = deepest_of(facts.n)
        return {"neighbors": (1, most)} if most else {}

    def estimate(self, n: int, d: int) -> Cost:
        m, pairs = (n if n <= self.exact_up_to else self.sample), min(n, PAIR_ROWS)
        search = Nearest.create().estimate(n, d).seconds if n > self.exact_up_to else 0.0
        seconds = m * n * (5e-8 + 1e-10 * d) + pairs * pairs * (2e-7 + 1e-10 * d)
        return Cost(0.2 + seconds + search,
                    20 * n * d + 8 * 2**25 + 16 * 200 * m + 60 * pairs * pairs)

    def expense(self, recipe: Recipe, n: int, d: int) -> Cost:
        return self.estimate(n, d)

    def measures_by(self, projecting: str) -> str:
        """The distance used for a projector that works with `projecting`."""
        return projecting if self.metric == "projector" else self.metric

    def study(self, subject: Subject, progress: Progress) -> Finding:
        """Scores; per row 'kept', 'trust', 'continuity', 'stretch' (NaN where not measured); table
        'measures' with the intervals; extras for the figures: curves over `counts` neighbours, the
        Shepard diagram, and `near` and `shown`, n x k int32, the rows' neighbours in the embedding
        and on the map."""
        case = _case(self, subject)
        why = _why_not(case)
        found: list[_Measure] = []
        per_row = {name: np.full(case.n, np.nan) for name in self.rows_say}
        extras: dict[str, np.ndarray] = {"measured": case.rows}
        notes: list[str] = []
        if not why:
            ranks = compare_ranks(case.vectors, case.points, case.rows, case.metric,
                                  part(progress, 0.0, 0.6))
            lists = _lists(case, ranks, subject.graph, part(progress, 0.6, 0.85))
            notes += lists.notes
            per_row |= _rows(case, ranks, lists)
            extras |= {"near": lists.near, "shown": lists.shown, **_figures(ranks)}
        found += _local(case, per_row, why)
        found += _hits(case, subject, extras, why)
        progress(0.85, "comparing distances")
        found += _global(case, extras, why)
        return Finding(tuple(one.score(case, subject) for one in found), per_row,
                       tables={"measures": [asdict(one) for one in found]}, extras=extras,
                       notes=(*_said(case), *notes))


@dataclass(frozen=True)
class _Case:
    """What is measured: all n rows, of which `rows` by rank and `pairs` by distance."""

    vectors: np.ndarray
    points: np.ndarray
    metric: str
    count: int
    rows: np.ndarray
    pairs: np.ndarray
    seed: int
    facts: Facts

    @property
    def n(self) -> int:
        return len(self.vectors)


@dataclass(frozen=True)
class _Measure:
    """A measure with its 95 % interval; None: not defined, and `why`. `scope` 'local', 'global'."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    scope: str
    sample: int
    better: str = "higher"
    why: str = ""

    def score(self, case: _Case, subject: Subject) -> Score:
        seed = case.seed if self.sample < case.n else None
        metric = f"{case.metric}, k={case.count}" if self.scope == "local" else case.metric
        exact = self.low == self.high
        return Score(self.name, self.value, f"{subject.pictured.title} against "
                     f"{subject.embedded.title}", metric, self.sample, case.n,
                     "clusters and noise play no part", seed, self.why, self.better,
                     None if exact else self.low, None if exact else self.high)


@dataclass(frozen=True)
class _Lists:
    """n x k int32 neighbours of every row in the embedding and on the map."""

    near: np.ndarray
    shown: np.ndarray
    notes: tuple[str, ...] = ()


def _case(study: MapTrust, subject: Subject) -> _Case:
    vectors, points = subject.embedded.vectors, subject.projection.points
    n = len(vectors)
    generator = np.random.default_rng(study.seed)
    rows = np.arange(n)
    if n > study.exact_up_to:
        rows = np.sort(generator.choice(n, study.sample, replace=False))
    pairs = np.arange(n)
    if n > PAIR_ROWS:
        pairs = np.sort(generator.choice(n, PAIR_ROWS, replace=False))
    return _Case(np.asarray(vectors), np.asarray(points),
                 study.measures_by(subject.recipe.projecting.distance), study.neighbors, rows,
                 pairs, study.seed, subject.embedded.facts)


def _why_not(case: _Case) -> str:
    """Why no neighbour can be compared; '' where they can."""
    if deepest_of(case.n) < 1:
        return _TOO_FEW.format(n=case.n)
    if case.metric == "cosine" and case.facts.zeros:
        return (f"Not defined: {case.facts.zeros:,} all-zero rows have no cosine distance to "
                "others.")
    first, others = np.array([0]), np.arange(1, case.n)[None]
    if not between(spots(case.vectors, case.metric), first, others).any():
        return _ALIKE.format(where="in the embedding")
    if not between(spots(case.points), first, others).any():
        return _ALIKE.format(where="on the map")
    return ""


def _lists(case: _Case, ranks: Ranks, graph: Graph | None, progress: Progress) -> _Lists:
    if len(case.rows) == case.n:
        return _Lists(ranks.near[:, :case.count], ranks.shown[:, :case.count])
    if graph is None or graph.metric != case.metric or graph.indices.shape[1] < case.count:
        graph = Nearest.create(count=case.count, metric=case.metric).find(
            case.vectors, part(progress, 0.0, 0.8))
    notes = () if graph.exact else (
        f"Neighbours kept by row: the neighbours in the embedding were searched approximately, "
        f"{graph.recall:.1%} of the true ones found on {graph.recall_rows:,} sampled rows.",)
    return _Lists(np.asarray(graph.indices[:, :case.count]),
                  nearest_drawn(case.points, case.count, part(progress, 0.8, 1.0)), notes)


def _rows(case: _Case, ranks: Ranks, lists: _Lists) -> dict[str, np.ndarray]:
    every = np.arange(case.n)
    trust, continuity = np.full((2, case.n), np.nan)
    trust[case.rows] = trust_of(ranks.in_truth, case.count, case.n)
    continuity[case.rows] = trust_of(ranks.on_map, case.count, case.n)
    if len(case.rows) == case.n:
        kept = kept_of(ranks.in_truth, case.count)
    else:
        kept = shared_of(lists.near, lists.shown)
    stretch = stretch_of(between(spots(case.vectors, case.metric), every, lists.near),
                         between(spots(case.points), every, lists.near))
    return {"kept": kept, "trust": trust, "continuity": continuity, "stretch": stretch}


def _figures(ranks: Ranks) -> dict[str, np.ndarray]:
    curves = curves_of(ranks)
    return {"counts": curves.counts, "overlap": curves.overlap, "gained": curves.gained,
            "trust_curve": curves.trust, "continuity_curve": curves.continuity}


def _local(case: _Case, per_row: dict[str, np.ndarray], why: str) -> list[_Measure]:
    named = (("Trustworthiness", "trust"), ("Continuity", "continuity"),
             ("Neighbours kept", "kept"))
    return [_measure(name, mean_of(per_row[key][case.rows], case.n), "local", len(case.rows), why)
            for name, key in named]


def _hits(case: _Case, subject: Subject, extras: dict[str, np.ndarray],
          why: str) -> list[_Measure]:
    """How often neighbours have the row's label, on the map and in the embedding itself."""
    found = []
    for column in subject.dataset.with_role("label")[:_LABELS]:
        texts = np.array(subject.dataset.texts(column.name), dtype=object)[subject.embedding.rows]
        codes = np.unique(texts.astype(str), return_inverse=True)[1].astype(np.int64)
        codes[texts == ""] = -1
        reason = why or ("" if (codes >= 0).any() else "Not defined: no row has a label.")
        for where, key in (("on the map", "shown"), ("in the embedding", "near")):
            hits = np.full(case.n, np.nan) if reason else hit_of(extras[key], np.arange(case.n),
                                                                 codes)
            found.append(_measure(f"Neighbourhood hit of {column.name} {where}",
                                  mean_of(hits, case.n), "local", int(np.isfinite(hits).sum()),
                                  reason))
    return found


def _global(case: _Case, extras: dict[str, np.ndarray], why: str) -> list[_Measure]:
    total, count = case.n, len(case.pairs)
    if why:
        empty = Share(np.nan, np.nan, np.nan)
        return [_measure(name, empty, "global", 0, why, better) for name, better in _GLOBAL]
    pairs = stress.pairs_of(case.vectors[case.pairs], case.points[case.pairs], case.metric)
    value, half = stress.followed(pairs, count, total)
    extras["shepard"], extras["shepard_true"], extras["shepard_drawn"] = stress.shepard_of(pairs)
    return [_measure(name, Share(one, one - wide, one + wide), "global", count,
                     "Not defined: all distances are equal.", better)
            for (name, better), one, wide in zip(
                _GLOBAL, asdict(value).values(), asdict(half).values(), strict=True)]


_GLOBAL = (("Distance correlation (Spearman)", "higher"),
           ("Distance correlation (Pearson)", "higher"),
           ("Stress at the best scale", "lower"), ("Stress as drawn", "lower"))


def _measure(name: str, share: Share, scope: str, sample: int, why: str,
             better: str = "higher") -> _Measure:
    if not np.isfinite(share.value):
        return _Measure(name, None, None, None, scope, sample, better,
                        why or "Not defined: no row could be measured.")
    # The normal interval knows no ends: correlations and shares end at 1, stress begins at 0.
    low = share.low if better == "higher" else max(share.low, 0.0)
    high = min(share.high, 1.0) if better == "higher" else share.high
    return _Measure(name, share.value, low, high, scope, sample, better)


def _said(case: _Case) -> tuple[str, ...]:
    """What was compared with what."""
    found = []
    if len(case.rows) < case.n:
        found.append(f"Local measures: {len(case.rows):,} rows drawn by seed {case.seed}, each "
                     f"compared with all {case.n:,} rows. Neighbours kept, as a number per row, is "
                     "there for every row; trustworthiness and continuity per row for those drawn.")
    if len(case.pairs) < case.n:
        found.append(f"Global measures: all pairs of {len(case.pairs):,} rows drawn by seed "
                     f"{case.seed} from {case.n:,}.")
    return tuple(found)
