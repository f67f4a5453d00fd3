"""The same map drawn again: how much of it is the data, and how much is the draw?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from explorer.errors import DataError, ParameterError, ResultError, Where
from explorer.judge.procrustes import align, nearest_on_map, shared_neighbors
from explorer.project import Projector
from explorer.spec import Cost, Facts, Progress, advanced, part
from explorer.study import RowValue, Study
from explorer.study.subject import Subject, project_again
from explorer.study.vary import ROWS, SEED, another_seed, draws, some_rows
from explorer.values import Finding, Score

if TYPE_CHECKING:
    from explorer.recipe import Recipe

_DRAWN = 2_000
"""Rows of the small maps side by side."""
_GUESSED_WIDTH = 384


@dataclass(frozen=True)
class _Map:
    """One map: the kind of change, the change in words, its rows (int64, ascending), its points."""

    kind: str
    words: str
    rows: np.ndarray
    points: np.ndarray


class MapStability(Study):
    """Draws the map again with other seeds, or without a few rows, and compares it with the map you
    see: by how much the maps differ once they are laid over each other, and for every row how many
    of its neighbours on the map stay its neighbours. What changes from draw to draw is no
    discovery."""

    key: ClassVar[str] = "map_stability"
    title: ClassVar[str] = "Stability of the map"
    question: ClassVar[str] = "Would the map look the same if it were drawn again?"
    reads: ClassVar[tuple[Any, ...]] = ("embedding", "graph", "projection")
    repeats: ClassVar[tuple[Any, ...]] = ("projector",)
    min_rows: ClassVar[int] = 5
    rows_say: ClassVar[Mapping[str, RowValue]] = {
        "kept": RowValue("Same neighbours on a new map", "share of the row's neighbours on the map "
                         "that are its neighbours on the maps drawn again, too")}

    seeds: int = Field(4, ge=0, le=50, description="How many maps to draw with other random seeds.")
    subsamples: int = Field(2, ge=0, le=50, description="How many maps to draw of a random part of "
                            "the rows.")
    neighbors: int = Field(15, ge=1, le=500, description="How many neighbours of a row on the map "
                           "are compared.")
    share: float = advanced(0.9, ge=0.1, le=0.99, description="How much of the rows a random part "
                            "holds, drawn without replacement.")
    most_rows: int = advanced(20_000, ge=50, description="The most rows of a map drawn again; of "
                              "larger data a random part is taken each time.")
    seed: int = advanced(0, ge=0, le=2**31, description="Same seed, same result.")

    def check(self, facts: Facts) -> tuple[str, ...]:
        if not self.seeds + self.subsamples:
            raise ParameterError("NOTHING_TO_CHANGE", "At least one map must be drawn again, got "
                                 "0.", Where(parameter="seeds"), "Ask for some.")
        return super().check(facts)

    def expense(self, recipe: Recipe, n: int, d: int) -> Cost:
        m = min(n, self.most_rows)
        wide = d if recipe.cluster_in == "embedding" else _GUESSED_WIDTH
        one = recipe.projecting.estimate(m, wide)
        searched = 2.5e-9 * m * m if recipe.projecting.neighbors_needed(m) else 0.0
        runs = self.subsamples + (self.seeds if draws(recipe.projecting) else 0)
        return Cost(runs * (one.seconds + searched + 6e-6 * m) + 2e-7 * runs**2 * m,
                    one.bytes + 4 * m * wide + 200 * runs * m)

    def study(self, subject: Subject, progress: Progress) -> Finding:
        """Per row 'kept': the share of its neighbours on the map that it has on a new map, mean of
        the maps it is on (NaN: on none). Tables 'maps' and 'pairs'. Extras 'shown' (rows) and
        'maps' (maps x these rows x dimensions: the map, then the others laid over it; NaN where a
        map has not the row), 'apart' (maps x maps, Procrustes distances).
        """
        method = subject.recipe.projecting
        points = subject.projection.points
        n = len(points)
        if method.reads == "coordinates":
            return self._nothing(subject, "Not defined: ready-made coordinates are not drawn; "
                                          "there is nothing to draw again.")
        if not draws(method) and not self.subsamples:
            return self._nothing(subject, f"Not computed: {method.title} draws no random numbers: "
                                          "the same rows give the same map by construction. Ask "
                                          "for maps of a part of the rows.")
        notes = [] if draws(method) or not self.seeds else [
            f"{method.title} draws no random numbers: with another seed the map is the same by "
            "construction, so only maps of a part of the rows were drawn."]
        made, failed = self._maps(subject, method, progress)
        notes += failed
        if n > self.most_rows:
            notes.append(f"Every new map has at most {self.most_rows:,} of the {n:,} rows, drawn "
                         "anew each time; the map you see has all of them.")
        if not made:
            return self._nothing(subject, "Not defined: no map could be drawn again.", notes)
        progress(0.95, "comparing the maps")
        return self._compare(subject, [_Map("the map", "as you see it", np.arange(n), points),
                                       *made], notes)

    def _maps(self, subject: Subject, method: Projector,
              progress: Progress) -> tuple[list[_Map], list[str]]:
        n = len(subject.projection.points)
        most = min(n, self.most_rows)
        draw = np.random.default_rng([self.seed, n])
        kinds = [SEED] * (self.seeds if draws(method) else 0) + [ROWS] * self.subsamples
        made, failed = [], []
        for number, kind in enumerate(kinds):
            at = kinds[:number].count(kind)
            asked = another_seed(method, at, self.seed) if kind == SEED else method
            rows = some_rows(n, most if kind == SEED else max(2, round(self.share * most)), draw)
            words = f"seed {asked.values()['seed']}" if kind == SEED else f"draw {at + 1}"
            whole = len(rows) == n
            share = _named(part(progress, 0.95 * number / len(kinds),
                                0.95 * (number + 1) / len(kinds)),
                           f"map {number + 1} of {len(kinds)} ({kind})")
            vectors = subject.embedding.vectors
            try:
                found = project_again(asked, vectors if whole else vectors[rows], share,
                                      subject.graph if whole else None)
            except (DataError, ParameterError, ResultError) as error:
                failed.append(f"The map with {kind}, {words}, could not be drawn: {error.message}")
                continue
            made.append(_Map(kind, words, rows, found.points))
        return made, failed

    def _compare(self, subject: Subject, maps: Sequence[_Map], notes: list[str]) -> Finding:
        n = len(maps[0].rows)
        count = min(self.neighbors, min(len(one.rows) for one in maps) - 1)
        total, tried = np.zeros(n), np.zeros(n, np.int64)
        records = []
        whole = nearest_on_map(maps[0].points, count)
        for one in maps[1:]:
            before = whole if len(one.rows) == n else nearest_on_map(maps[0].points[one.rows],
                                                                     count)
            shares = shared_neighbors(before, nearest_on_map(one.points, count))
            total[one.rows] += shares
            tried[one.rows] += 1
            records.append({"map": one.words, "change": one.kind, "rows": len(one.rows),
                            "same neighbours": float(shares.mean())})
        kept = np.where(tried > 0, total / np.maximum(tried, 1), np.nan)
        apart = _distances(maps)
        seeded = [at for at, one in enumerate(maps) if one.kind == SEED and len(one.rows) == n]
        if seeded and not apart[0, seeded].any():
            notes.append("With other seeds the map came out the very same.")
        for record, distance in zip(records, apart[0, 1:].tolist(), strict=True):
            record["Procrustes distance"] = None if np.isnan(distance) else distance
        shown = some_rows(n, _DRAWN, np.random.default_rng(self.seed))
        return Finding(
            scores=self._scores(subject, apart, kept, count), notes=tuple(notes),
            per_row={"kept": kept.astype(np.float32)}, tables={"maps": records},
            extras={"apart": apart, "shown": shown, "maps": _laid_over(maps, shown)})

    def _scores(self, subject: Subject, apart: np.ndarray, kept: np.ndarray,
                count: int) -> tuple[Score, ...]:
        n = len(kept)
        pairs = apart[np.triu_indices(len(apart), 1)]
        known = pairs[np.isfinite(pairs)]
        covered = np.isfinite(kept)
        space = subject.pictured.title
        return (
            Score(f"Same {count} neighbours on a new map, mean of the rows",
                  float(kept[covered].mean()) if covered.any() else None, space,
                  f"straight distance on the map; two unrelated maps share about "
                  f"{count / max(1, n - 1):.1%}", int(covered.sum()), n, "noise counts like others",
                  self.seed, "" if covered.any() else "Not defined: no row is on a new map."),
            Score(f"Procrustes distance of two maps, mean of {len(pairs):,} pairs",
                  float(known.mean()) if len(known) else None, space,
                  "0 the same after moving, turning, mirroring and scaling, 1 nothing in common",
                  n, n, "noise counts like others", self.seed,
                  "" if len(known) else "Not defined: the rows of a map lie on one spot.", "lower"))

    def _nothing(self, subject: Subject, why: str, notes: Sequence[str] = ()) -> Finding:
        n = len(subject.projection.points)
        return Finding(scores=(Score("Same neighbours on a new map", None, subject.pictured.title,
                                     "straight distance on the map", 0, n,
                                     "noise counts like others", self.seed, why),),
                       notes=tuple(notes))


def _named(progress: Progress, what: str) -> Progress:
    return lambda fraction, text: progress(fraction, f"{what}: {text}")


def _distances(maps: Sequence[_Map]) -> np.ndarray:
    """Procrustes distances of all pairs of maps over the rows on both; NaN where not defined."""
    apart = np.zeros((len(maps), len(maps)))
    for i, one in enumerate(maps):
        for j, other in enumerate(maps[:i]):
            _, first, second = np.intersect1d(one.rows, other.rows, assume_unique=True,
                                              return_indices=True)
            laid = align(other.points[second], one.points[first]) if len(first) > 1 else None
            apart[i, j] = apart[j, i] = np.nan if laid is None else laid.distance
    return apart


def _laid_over(maps: Sequence[_Map], shown: np.ndarray) -> np.ndarray:
    """The rows `shown` on every map, laid over the first one; float32, NaN where a row is not."""
    points = np.full((len(maps), len(shown), maps[0].points.shape[1]), np.nan, np.float32)
    points[0] = maps[0].points[shown]
    for number, one in enumerate(maps[1:], 1):
        laid = align(maps[0].points[one.rows], one.points)
        if laid is None:
            continue
        _, here, there = np.intersect1d(shown, one.rows, assume_unique=True, return_indices=True)
        points[number, here] = laid.points[there]
    return points
