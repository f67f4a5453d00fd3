"""Cluster by cluster: found again under another seed, fewer rows, another order, a nudge?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from explorer.cluster import Clusterer
from explorer.errors import DataError, ParameterError, ResultError, Where
from explorer.judge.matching import Tally, match_clusters
from explorer.project import Projector
from explorer.spec import Cost, Facts, Progress, advanced, part
from explorer.study import RowValue, Study
from explorer.study.stability_report import RECOVERED, Done, graded, report
from explorer.study.subject import Subject, cluster_again, project_again
from explorer.study.vary import (
    COUNT,
    NUDGE,
    ORDER,
    ROWS,
    SEED,
    another_seed,
    deal,
    draws,
    nudges,
    some_rows,
)
from explorer.values import Clustering, Finding

if TYPE_CHECKING:
    from explorer.recipe import Recipe

PAIR_ROWS = 20_000
"""Rows that pairs of repeats are compared on."""
_ABSENT = -2
_GUESSED_WIDTH = 384


@dataclass(frozen=True)
class _Change:
    """One repeat to do: the kind of change, the methods to run, and the change in words."""

    kind: str
    clusterer: Clusterer
    projector: Projector | None
    words: str


class Stability(Study):
    """Clusters the rows again and again with small changes that should not matter, and looks for
    every cluster in each repeat. A cluster that most repeats find is there in the data; one that
    comes and goes is made by the seed, by a few rows, or by a parameter. Each cluster is compared
    with the most similar one of the repeat (Jaccard: rows in both over rows in either)."""

    key: ClassVar[str] = "stability"
    title: ClassVar[str] = "Stability of clusters"
    question: ClassVar[str] = "Would the same clusters come out again?"
    reads: ClassVar[tuple[Any, ...]] = ("embedding", "clustered", "original")
    repeats: ClassVar[tuple[Any, ...]] = ("clusterer",)
    min_rows: ClassVar[int] = 4
    rows_say: ClassVar[Mapping[str, RowValue]] = {
        "again": RowValue("Found again with its cluster",
                          "share of the repeats that put the row with its cluster again"),
        "noise": RowValue("Called noise", "share of the repeats that called the row noise")}

    runs: int = Field(20, ge=2, le=200, description="How many repeats in all.")
    seeds: bool = Field(True, description="Repeat with other random seeds.")
    subsamples: bool = Field(True, description="Repeat on a random part of the rows.")
    row_order: bool = Field(True, description="Repeat with the rows in another order.")
    nudged: bool = Field(True, description="Repeat with parameters moved a little, one at a time.")
    share: float = Field(0.8, ge=0.1, le=0.99, description="How much of the rows a random part "
                         "holds, drawn without replacement.")
    found_from: float = Field(
        RECOVERED, ge=0.3, le=1, description="A repeat has found a cluster when the two share at "
        "least so much (Jaccard).")
    nudge: float = advanced(0.1, ge=0.01, le=0.5, description="How far a parameter is moved, as a "
                            "share of it; whole numbers by 1 at least.")
    redraw: bool = advanced(False, description="Where the picture was clustered: draw the picture "
                            "again in every repeat, too.")
    most_rows: int = advanced(20_000, ge=50, description="The most rows in a repeat; of larger "
                              "data a random part is taken each time.")
    seed: int = advanced(0, ge=0, le=2**31, description="Same seed, same result.")

    def check(self, facts: Facts) -> tuple[str, ...]:
        if not (self.seeds or self.subsamples or self.row_order or self.nudged):
            raise ParameterError("NOTHING_TO_CHANGE", "At least one kind of change must be on, got "
                                 "none.", Where(parameter="subsamples"), "Switch one on.")
        return super().check(facts)

    def expense(self, recipe: Recipe, n: int, d: int) -> Cost:
        m = min(n, self.most_rows)
        one = recipe.clustering.estimate(m, d)
        seconds, held = one.seconds, one.bytes
        if self.redraw and recipe.cluster_in == "projection":
            drawn = recipe.projecting.estimate(m, _GUESSED_WIDTH)
            seconds, held = seconds + drawn.seconds, max(held, drawn.bytes)
        kept = 4 * self.runs * min(n, PAIR_ROWS)
        return Cost(self.runs * (seconds + 4e-6 * m) + 2e-8 * self.runs**2 * min(n, PAIR_ROWS),
                    held + kept + 8 * m * d)

    def study(self, subject: Subject, progress: Progress) -> Finding:
        """Per row 'again' and, where there is noise, 'noise': shares of the repeats the row was in
        ('again' NaN for noise of the clusterer). Per cluster number of the clusterer 'jaccard' (the
        mean), 'weakest' (the mean under the worst kind of change), 'lowest', 'found', 'tried',
        'dissolved' (at most 0.5), 'recovered' (at least 0.75). All of these leave out repeats with
        another number of clusters, where there are others. Extras 'by_kind' (all kinds x clusters,
        mean Jaccard), 'jaccard' (counted repeats x clusters), 'rand' (repeats), 'pairs'.

        Source: C. Hennig, Computational Statistics and Data Analysis 52 (2007) 258-271.
        """
        reference = subject.original
        n = len(reference.labels)
        changes, notes = self._changes(subject)
        draw = np.random.default_rng([self.seed, n])
        tally = Tally(reference.labels)
        compared = some_rows(n, PAIR_ROWS, draw)
        seen = np.full((len(changes), len(compared)), _ABSENT, np.int32)
        counted = graded([change.kind for change in changes])
        done: list[Done] = []
        failed: list[str] = []
        for number, change in enumerate(changes):
            rows = self._rows(change, n, draw)
            try:
                found = self._again(subject, change, rows,
                                    part(progress, number / len(changes),
                                         (number + 1) / len(changes)), number, len(changes))
            except (DataError, ParameterError, ResultError) as error:
                failed.append(f"{change.kind}, {change.words}: {error.message}")
                continue
            labels = np.full(n, _ABSENT, np.int32)
            labels[rows] = found.labels
            seen[len(done)] = labels[compared]
            jaccard = (tally.add(rows, found.labels) if change.kind in counted else
                       match_clusters(reference.labels[rows], found.labels, tally.count).jaccard)
            done.append(Done(change.kind, change.words, len(rows), found, jaccard))
        if failed:
            notes.append(f"{len(failed)} of {len(changes)} repeats could not be made and are not "
                         f"counted: {failed[0]}")
        return report(subject, done, tally.result(), seen[:len(done)], compared, self.found_from,
                      self.seed, notes)

    def _changes(self, subject: Subject) -> tuple[list[_Change], list[str]]:
        recipe = subject.recipe
        method = recipe.clustering
        drawn = self.redraw and recipe.cluster_in == "projection"
        if drawn and recipe.projecting.reads == "coordinates":
            drawn = False
        projector = recipe.projecting if drawn else None
        random = draws(method) or (projector is not None and draws(projector))
        moved = nudges(method, self.nudge)
        wanted = [kind for kind, on in ((SEED, self.seeds and random), (ROWS, self.subsamples),
                                        (ORDER, self.row_order), (NUDGE, self.nudged)) if on]
        notes = _said(self, method, recipe.cluster_in == "projection", drawn, random, len(moved))
        dealt = deal(wanted, self.runs, len(moved))
        if len(dealt) < self.runs:
            notes.append(f"{len(dealt)} repeats in place of {self.runs}: there are no more "
                         "different ones.")
        changes, counts = [], dict.fromkeys(dealt, 0)
        for kind in dealt:
            at = counts[kind]
            counts[kind] += 1
            clusterer, drawer, words = method, projector, f"draw {at + 1}"
            if kind == SEED:
                clusterer = another_seed(method, at, self.seed)
                drawer = None if projector is None else another_seed(projector, at, self.seed)
                words = f"seed {(clusterer.values() | (drawer.values() if drawer else {}))['seed']}"
            elif kind == NUDGE:
                clusterer, words = moved[at].method, moved[at].words
            named = COUNT if kind == NUDGE and moved[at].parameter == method.sweeps else kind
            changes.append(_Change(named, clusterer, drawer, words))
        return changes, notes

    def _rows(self, change: _Change, n: int, draw: np.random.Generator) -> np.ndarray:
        most = min(n, self.most_rows)
        if change.kind == ROWS:
            return some_rows(n, max(2, round(self.share * most)), draw)
        rows = some_rows(n, most, draw)
        return draw.permutation(rows) if change.kind == ORDER else rows

    def _again(self, subject: Subject, change: _Change, rows: np.ndarray, progress: Progress,
               number: int, total: int) -> Clustering:
        def said(fraction: float, text: str) -> None:
            progress(fraction, f"repeat {number + 1} of {total} ({change.kind}): {text}")

        if change.projector is None:
            return cluster_again(change.clusterer, subject.clustered.vectors[rows], said)
        points = project_again(change.projector, subject.embedding.vectors[rows],
                               part(said, 0, 0.8)).points
        return cluster_again(change.clusterer, points, part(said, 0.8, 1))


def _said(study: Stability, method: Clusterer, pictured: bool, drawn: bool, random: bool,
          moved: int) -> list[str]:
    """What a reader must know of the repeats."""
    notes = []
    if study.seeds and not random:
        notes.append(f"{method.title} draws no random numbers: another seed changes nothing, so "
                     "no repeat was spent on it.")
    if study.nudged and not moved:
        notes.append(f"{method.title} has no parameter to nudge.")
    if pictured and not drawn:
        notes.append("The clusters were made in the picture, and every repeat used the same "
                     "picture: how much the picture itself changes is not in these numbers "
                     "('redraw' puts it in).")
    return notes
