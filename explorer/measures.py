"""What a run's results say of every row in one value: of the clusterer, the judges, the studies.

The one list of them: colours of the map, orders of gallery and table, filters, charts, cards and
export columns are made of it. A result with a value per row needs no more than to be computed.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from explorer.cluster import clusterers
from explorer.judge import judges
from explorer.study import Study
from explorer.values import NOISE, RowValue

if TYPE_CHECKING:
    from explorer.run import Run


@dataclass(frozen=True)
class Measure:
    """One value of each of the n rows covered: `said` how a person reads it, `values` as the
    result holds them, `made_by` what made them in words, `made_of` names the result. `ours`:
    numbers of clusters are those of this run's clustering, and people's names fit them."""

    key: str
    said: RowValue
    values: np.ndarray
    made_by: str
    made_of: tuple[Hashable, ...]
    column: str
    ours: bool

    @property
    def title(self) -> str:
        return self.said.title

    @property
    def kind(self) -> str:
        return self.said.kind

    def numbers(self) -> np.ndarray:
        """n float64; NaN where it is not defined, for a cluster also where there is none (-1)."""
        found = np.array(self.values, dtype=np.float64)
        if self.kind == "cluster":
            found[found < 0] = np.nan
        return found

    def codes(self) -> np.ndarray:
        """n int32 for clusters and yes or no; -1 where there is none."""
        values = np.asarray(self.values, dtype=np.float64)
        return np.where(np.isfinite(values), values, NOISE).astype(np.int32)

    def columns(self, at: Any, names: Mapping[int, str]) -> dict[str, pa.Array]:
        """The rows at these places as columns of an export; empty cells where it is not defined.
        Clusters of this run have a second column with their names."""
        if self.kind == "number":
            values = np.asarray(self.values[at])
            return {self.column: pa.array(values, mask=~np.isfinite(values))}
        codes = self.codes()[at]
        if self.kind == "yes":
            return {self.column: pa.array(codes == 1, mask=codes < 0)}
        found = {self.column: pa.array(codes, mask=codes < 0)}
        if self.ours:
            called = {int(code): self.name(int(code), names)
                      for code in np.unique(codes) if code >= 0}
            found[f"{self.column.removesuffix('_cluster')}_name"] = pa.array(
                [called.get(code) for code in codes.tolist()], pa.string())
        return found

    def in_words(self, place: int, names: Mapping[int, str]) -> str:
        """The value of one row as a person reads it."""
        value = float(self.values[place])
        if self.kind == "cluster" and value < 0:
            return "none"
        if not np.isfinite(value):
            return "not defined"
        if self.kind == "number":
            return f"{value:.4g}" if abs(value) >= 1 else f"{value:.3f}"
        if self.kind == "yes":
            return "yes" if value else "no"
        return self.name(int(value), names)

    def name(self, code: int, names: Mapping[int, str]) -> str:
        """What a cluster (or group, ...) is called; `names` are people's, of the run's clusters."""
        if code < 0:
            return "Noise or none"
        return (names.get(code) if self.ours else "") or f"{self.said.word} {code}"


def measures(current: Run) -> dict[str, Measure]:
    """Every value per row that is computed for this run, by key: the clusterer's, the judges', the
    studies' ('study:<key>:<name>'). Reads no arrays."""
    found: dict[str, Measure] = {}
    for one in _all(current):
        found.setdefault(one.key, one)
    return found


def in_a_sentence(title: str) -> str:
    """A title in the middle of a sentence: 'silhouette', but 'LOF'."""
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]


def made_of(current: Run) -> tuple[Hashable, ...]:
    """What names the values of all measures: equal for equal ones."""
    return tuple(one.made_of for one in measures(current).values())


def _all(current: Run) -> Iterator[Measure]:
    clustering, recipe = current.clustering, current.recipe
    if clustering is not None:
        method = clusterers().get(recipe.clusterer.method)
        given = {} if clustering.strengths is None else {"strength": clustering.strengths}
        given |= {name: values for name, values in clustering.extras.items()
                  if name in method.rows_say and values.shape == clustering.labels.shape}
        for name, values in given.items():
            yield _measure(name, name, name, method.rows_say, values,
                           f"{method.title} in {current.space}", (current.plan.clustering,))
    for key, judgement in current.judgements.items():
        judge = judges().get(key)
        basis = "".join(f"{score.metric} distance in {score.space}"
                        + (f", of a sample of {score.sample:,} rows" if score.interval else "")
                        for score in judgement.scores[:1])
        for name in (name for name in judge.rows_say if name in judgement.per_row):
            yield _measure(name, name, name, judge.rows_say, judgement.per_row[name],
                           basis or judge.title, (current.plan.judgements[key],))
    for made in current.findings:
        study = made.study
        given = made.finding.per_row
        for name in sorted(given, key=lambda name: _place(name, study.rows_say)):
            column = name if name.startswith(study.key) else f"{study.key}_{name}"
            yield _measure(f"study:{study.key}:{name}", name, column, study.rows_say,
                           given[name], _made_by(study), (made.key,),
                           ours=False)


def _measure(key: str, name: str, column: str, says: Mapping[str, RowValue], values: np.ndarray,
             made_by: str, result: tuple[Hashable, ...], *, ours: bool = True) -> Measure:
    plain = name.replace("_", " ")
    said = says.get(name) or RowValue(plain[:1].upper() + plain[1:], plain)
    return Measure(key, said, values, made_by, (key, *result), said.column or column,
                   ours or said.ours)


def _place(name: str, says: Mapping[str, RowValue]) -> tuple[int, str]:
    """Stored arrays come by the alphabet: in the order they are declared."""
    order = list(says)
    return (order.index(name) if name in order else len(order)), name


@lru_cache(256)
def _made_by(study: Study) -> str:
    told = ", ".join(f"{name} {value}" for name, value in study.changed().items())
    return f"{study.title} ({told})" if told else study.title
