"""What is known of each row of a dataset, as numbers or texts: its columns and a run's results."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from explorer.filters import Numbers, Texts, Values
from explorer.measures import measures
from explorer.run import Run, name_of
from explorer.ui.kept import Kept

Kind = Literal["number", "text", "cluster", "yes"]
_numbers: Kept[np.ndarray] = Kept(64 * 2**20, lambda values: int(values.nbytes))
_listed: Kept[tuple[str, ...]] = Kept(200)
MOST_LISTED = 200
"""A list of more values than that is no list to choose from."""


@dataclass(frozen=True)
class Subject:
    """Something every row may have a value of; `key` is what a filter's condition names."""

    key: str
    title: str
    kind: Kind
    word: str = ""
    """Of clusters that are not the run's own: what they are called, before their number."""

    def name(self, label: int, names: Mapping[int, str]) -> str:
        """What a cluster is called; `names` are people's, of the run's clusters."""
        return f"{self.word} {label}" if self.word else name_of(label, dict(names))


def subjects(current: Run) -> dict[str, Subject]:
    """By key: cluster, silhouette and strength where they are there, the row's id, the columns of
    the table, the other measures (of studies)."""
    found = []
    if current.clustering is not None:
        found.append(Subject("cluster", "Cluster", "cluster"))
    known = [Subject(key, one.title, one.said.kind, "" if one.ours else one.said.word)
             for key, one in measures(current).items()]
    plain = [one for one in known if one.kind == "number" and not one.key.startswith("study:")]
    found += plain
    found.append(Subject("row id", "Row id", "text"))
    for column in current.dataset.columns:
        if column.place == "table" and not column.dimensions:
            number = column.role in ("number", "coordinate")
            found.append(Subject(f"column:{column.name}", column.original or column.name,
                                 "number" if number else "text"))
    found += [one for one in known if one not in plain]
    return {subject.key: subject for subject in found}


def made_of(current: Run, subject: Subject) -> Hashable:
    """What names the values of a subject: equal for equal values."""
    if subject.key == "cluster":
        return subject.key, current.plan.embedding, current.plan.clustering
    known = measures(current)
    if subject.key in known:
        return known[subject.key].made_of, current.plan.embedding
    # A role says whether a column holds numbers, and which column names the rows.
    return subject.key, current.dataset.id, tuple(sorted(current.dataset.roles.items()))


def values_of(current: Run, subject: Subject) -> Values:
    """The value of each of the n rows of the dataset; rows without a vector have no result."""
    if subject.kind != "text":
        return Numbers(_numbers.get(made_of(current, subject), lambda: _read(current, subject)))
    data = current.dataset
    if subject.key == "row id":
        return Texts(np.array(data.row_ids, dtype=object))
    return Texts(np.array(data.texts(subject.key.removeprefix("column:")), dtype=object))


def listed_values(current: Run, subject: Subject) -> tuple[str, ...]:
    """The values of a subject of text, the most frequent first; none where they are more than
    MOST_LISTED."""
    def count() -> tuple[str, ...]:
        texts = values_of(current, subject)
        assert isinstance(texts, Texts)
        counts: dict[str, int] = {}
        for text in texts.values:
            if text:
                counts[text] = counts.get(text, 0) + 1
                if len(counts) > MOST_LISTED:
                    return ()
        return tuple(sorted(counts, key=lambda text: (-counts[text], text)))
    return _listed.get(made_of(current, subject), count)


def _read(current: Run, subject: Subject) -> np.ndarray:
    if subject.key.startswith("column:"):
        values = np.array(current.dataset.numbers(subject.key.removeprefix("column:")))
        values[~np.isfinite(values)] = np.nan  # an infinite cell is no number to compare with
    else:
        values = np.full(current.dataset.n, np.nan)
        values[current.rows] = _result(current, subject)
    values.setflags(write=False)
    return values


def _result(current: Run, subject: Subject) -> np.ndarray:
    if subject.key == "cluster":
        assert current.clustering is not None
        return current.clustering.labels
    return measures(current)[subject.key].numbers()
