"""Clusters beside another grouping of the same rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from explorer.judge.agreement import Overlap, best_jaccard, measures, overlap, partners
from explorer.known_groups import groups_of, read_by
from explorer.spec import Cost, Progress, silent
from explorer.study import Finding, RowValue, Study, column_name
from explorer.study.subject import Subject
from explorer.values import NOISE, Score

Noise = Literal["a group of its own", "left out"]
ROWS_SAY = {"changed": RowValue(
    "Outside the pairing", "1 where a row is not in the group its cluster is paired with, 0 where "
    "it is; not defined where the row was left out.", "yes", "outside_pairing")}
OUTSIDE = -2
"""In `extras`: a row that was not compared."""


@dataclass(frozen=True)
class Side:
    """One grouping of n rows: `labels` (int; -1 is noise, or missing where `missing_out`), the
    `names` of its groups where they have some, and what it is called."""

    labels: np.ndarray
    title: str
    names: Sequence[str] = ()
    missing_out: bool = False


class Agreement(Study):
    """Sets the clusters beside a column that sorts the same rows already: how much of the column
    the clusters found without having seen it, which values they split or mix, and which rows stand
    on the other side."""

    key: ClassVar[str] = "agreement"
    title: ClassVar[str] = "Agreement with a column"
    rank: ClassVar[int] = 60
    question: ClassVar[str] = "Do the clusters agree with what is known already?"
    reads: ClassVar[tuple[Any, ...]] = ("embedding", "clustering")
    reads_data: ClassVar[bool] = True
    rows_say: ClassVar[Mapping[str, RowValue]] = ROWS_SAY

    column: str = column_name(roles=("label", "category", "number"),
                              description="The column whose values are the known groups.")
    noise: Noise = Field("a group of its own", description="Whether rows without a cluster count "
                         "as one more group, or are left out.")

    def estimate(self, n: int, d: int) -> Cost:
        return Cost(seconds=0.2 + 2e-6 * n, bytes=400 * n)

    def study(self, subject: Subject, progress: Progress) -> Finding:
        """See `compare`; empty cells are left out."""
        known = groups_of(subject.dataset, self.column, subject.embedding.rows)
        found = compare(Side(subject.clustering.labels, "clusters"),
                        Side(known.codes, self.column, known.names, missing_out=True),
                        self.noise, progress)
        if not read_by(subject.recipe.encoding, subject.dataset, self.column):
            return found
        return Finding(found.scores, found.per_row, found.per_cluster, found.tables, found.extras,
                       (f"The encoder read {self.column} too: the vectors know what the clusters "
                        "are compared with, and agreement is no surprise.", *found.notes))


def compare(ours: Side, theirs: Side, noise: Noise, progress: Progress = silent,
            notes: Sequence[str] = ()) -> Finding:
    """The agreement of two groupings of n rows.

    `extras`: 'counts' R x C int64, 'first' and 'second' the group numbers, 'paired' for each of R
    the place of its partner or -1, 'ours' and 'theirs' n int32 (OUTSIDE where not compared).
    `tables`: 'groups' of both sides, 'matches' one line per group of ours.
    """
    kept = (ours.labels != OUTSIDE) & (theirs.labels != OUTSIDE)
    missing = int(np.count_nonzero(kept & (theirs.labels == NOISE))) if theirs.missing_out else 0
    if theirs.missing_out:
        kept &= theirs.labels != NOISE
    if noise == "left out":
        kept &= (ours.labels != NOISE) & (theirs.labels != NOISE)
    own = np.where(kept, ours.labels, OUTSIDE).astype(np.int32)
    other = np.where(kept, theirs.labels, OUTSIDE).astype(np.int32)
    found = overlap(own[kept], other[kept])
    paired = partners(found, lambda group: group == NOISE)
    inside = _inside(found, paired, own, other)
    noisy = int(np.count_nonzero(ours.labels == NOISE))
    if not theirs.missing_out:
        noisy = int(np.count_nonzero((ours.labels == NOISE) | (theirs.labels == NOISE)))
    said = _said(found, paired, missing, theirs.title)
    changed = np.where(kept, ~inside, np.nan).astype(np.float32)
    best, jaccard = best_jaccard(found) if found.n else (paired, np.zeros(len(paired)))
    return Finding(
        scores=_scores(found, len(own), noisy, noise, progress),
        per_row={"changed": changed}, per_cluster=_per_cluster(found, jaccard),
        tables={"groups": _groups(found, ours, theirs),
                "matches": _matches(found, paired, best, jaccard)},
        extras={"counts": found.counts, "first": found.first, "second": found.second,
                "paired": paired, "ours": own, "theirs": other},
        notes=(*notes, *said))


def _inside(found: Overlap, paired: np.ndarray, own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Whether each row is in the group that its own is paired with."""
    partner = {int(group): int(found.second[place]) if place >= 0 else None
               for group, place in zip(found.first, paired, strict=True)}
    inside = np.zeros(len(own), dtype=bool)
    for group, met in partner.items():
        if met is not None:
            inside |= (own == group) & (other == met)
    return inside


def _scores(found: Overlap, total: int, noisy: int, noise: Noise,
            progress: Progress) -> tuple[Score, ...]:
    policy = "no row is noise" if not noisy else f"{noisy:,} noise rows {noise}" \
        if noise == "left out" else f"{noisy:,} noise rows are {noise}"
    return tuple(Score(measure.name, measure.value, space="the labels alone, no space",
                       metric="shared rows", sample=found.n, total=total, noise=policy,
                       why=measure.why) for measure in measures(found, progress))


def _per_cluster(found: Overlap, jaccard: np.ndarray) -> dict[str, np.ndarray]:
    values = np.full(int(found.first.max(initial=NOISE)) + 1, np.nan)
    real = found.first >= 0
    values[found.first[real]] = jaccard[real]
    return {"jaccard": values}


def _groups(found: Overlap, ours: Side, theirs: Side) -> list[dict[str, Any]]:
    sides = (("ours", ours, found.first, found.counts.sum(1)),
             ("theirs", theirs, found.second, found.counts.sum(0)))
    return [{"side": side, "group": int(group), "rows": int(rows),
             "name": str(which.names[group]) if 0 <= group < len(which.names) else ""}
            for side, which, groups, sizes in sides
            for group, rows in zip(groups.tolist(), sizes.tolist(), strict=True)]


def _matches(found: Overlap, paired: np.ndarray, best: np.ndarray,
             jaccard: np.ndarray) -> list[dict[str, Any]]:
    lines = []
    for place, group in enumerate(found.first.tolist()):
        size, partner = int(found.counts[place].sum()), int(paired[place])
        lines.append({
            "group": group, "rows": size,
            "partner": int(found.second[partner]) if partner >= 0 else None,
            "shared": int(found.counts[place, partner]) if partner >= 0 else 0,
            "best": int(found.second[best[place]]), "jaccard": float(jaccard[place])})
    return lines


def _said(found: Overlap, paired: np.ndarray, missing: int, title: str) -> tuple[str, ...]:
    said = []
    if missing:
        said.append(f"{missing:,} rows without a value in {title} are left out.")
    unpaired = int(np.count_nonzero(paired < 0))
    others = found.counts.shape[1] - int(np.count_nonzero(paired >= 0))
    if unpaired or others:
        said.append(f"Pairing is one to one: {unpaired} groups on the left and {others} on the "
                    "right have no partner, and all their rows count as outside the pairing.")
    return tuple(said)
