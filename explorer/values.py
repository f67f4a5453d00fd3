"""What passes between steps: frozen dataclasses over numpy arrays, and how they are stored.

Row order is always the dataset's order; `rows` says which dataset rows a value covers.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import Any, Literal, TypeVar

import numpy as np

from explorer.spec import Facts
from explorer.store import Entry, Store

NOISE = -1
_LISTED = 5
_MANY = 100_000


@dataclass(frozen=True)
class Embedding:
    """n x d float32 `vectors` of the dataset rows `rows` (int64, ascending).

    `features` names the d columns where they have names; `notes` says what was left out or changed
    on the way; `title` is the space as a person reads it ('standardised columns (13)').
    """

    vectors: np.ndarray
    rows: np.ndarray
    title: str = ""
    features: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Graph:
    """For each of n rows its k nearest other rows: `indices` int32 n x k, `distances` float32
    n x k, ascending; the row itself is not among them. `recall`: share of true neighbours found,
    measured on `recall_rows` rows (1.0 when exact)."""

    indices: np.ndarray
    distances: np.ndarray
    metric: str
    exact: bool
    recall: float = 1.0
    recall_rows: int = 0


@dataclass(frozen=True)
class Projection:
    """n x 2 or n x 3 float32 `points`; `extras` are arrays such as explained_variance_ratio."""

    points: np.ndarray
    axes: tuple[str, ...]
    notes: tuple[str, ...] = ()
    extras: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Clustering:
    """n int32 `labels`, 0.. by falling size, -1 is noise; `strengths` float32 membership or None;
    `metric` the distance it was made with. After edits (`explorer.edit`) labels may have gaps and
    any order: go over `clusters`. `extras["next"]` is then the number of the next new cluster."""

    labels: np.ndarray
    metric: str
    strengths: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    extras: dict[str, np.ndarray] = field(default_factory=dict)

    @cached_property
    def sizes(self) -> dict[int, int]:
        """The clusters that are there, ascending, and how many rows each has; noise is none."""
        labels = np.asarray(self.labels)
        kept = labels[labels != NOISE]
        if int(kept.max(initial=0)) > len(labels) + _MANY:  # given numbers may be huge
            found, counts = np.unique(kept, return_counts=True)
        else:
            every = np.bincount(kept)
            found = np.flatnonzero(every)
            counts = every[found]
        return dict(zip(found.tolist(), counts.tolist(), strict=True))

    @property
    def clusters(self) -> tuple[int, ...]:
        """The numbers of the clusters that are there, ascending."""
        return tuple(self.sizes)

    @property
    def count(self) -> int:
        """How many clusters, noise not counted."""
        return len(self.sizes)

    @property
    def noise(self) -> int:
        """How many rows are noise."""
        return int(np.count_nonzero(self.labels == NOISE))

    @property
    def next(self) -> int:
        """The number of the next new cluster: above every number ever used in it."""
        known = self.extras.get("next")
        return int(known[0]) if known is not None else max(self.sizes, default=NOISE) + 1


@dataclass(frozen=True)
class Tree:
    """How n rows join into one group: (n - 1) x 4 float64 `merges` as scipy.cluster.hierarchy has
    them (two groups, height, rows), by rising height; row i is group i, merge j makes group n + j.
    `metric` the distance, `notes` what it approximates."""

    merges: np.ndarray
    metric: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Score:
    """One number about a clustering or a projection, with all that makes it true.

    `value` None means 'not defined', and `why` says why. `sample` of `total` rows were used; where
    it estimates the number of all rows, `low` and `high` are the ends of its 95 % confidence
    interval.
    """

    name: str
    value: float | None
    space: str
    metric: str
    sample: int
    total: int
    noise: str
    seed: int | None = None
    why: str = ""
    better: str = "higher"
    low: float | None = None
    high: float | None = None

    @property
    def interval(self) -> str:
        """'0.305 to 0.319', with a digit more than tells its ends apart; '' where there is none."""
        if self.low is None or self.high is None:
            return ""
        digits = 3
        while digits < 6 and round(self.high - self.low, digits) < 10**(1 - digits):
            digits += 1
        return f"{self.low:.{digits}f} to {self.high:.{digits}f}"


@dataclass(frozen=True)
class Judgement:
    """Scores and, where the judge gives them, values per row (n; NaN or -1 where not defined) and
    per cluster."""

    scores: tuple[Score, ...]
    per_row: dict[str, np.ndarray] = field(default_factory=dict)
    per_cluster: dict[str, np.ndarray] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class RowValue:
    """How a person reads one value per row of a result: `title` in lists and over the legend,
    `about` in a sentence. `kind` 'cluster': numbers of clusters (-1 noise or none), 'yes': 0 or 1;
    NaN is not defined. `column` names it in exports ('': the method's key and the array's name do);
    `ours`: the clusters are those of the run itself; else they are called `word` and number."""

    title: str
    about: str
    kind: Literal["number", "cluster", "yes"] = "number"
    column: str = ""
    ours: bool = False
    word: str = "Cluster"


@dataclass(frozen=True)
class Finding:
    """What a study (`explorer.study`) found out about a run.

    `scores`; `per_row` arrays of n rows and `per_cluster` arrays indexed by cluster number (NaN or
    -1 where not defined); `tables`: records in plain data by the table's name; `extras`: arrays of
    any shape, for figures.
    """

    scores: tuple[Score, ...] = ()
    per_row: dict[str, np.ndarray] = field(default_factory=dict)
    per_cluster: dict[str, np.ndarray] = field(default_factory=dict)
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    extras: dict[str, np.ndarray] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def by_size(labels: np.ndarray) -> np.ndarray:
    """Labels renumbered 0.. by falling cluster size (ties: first row first); -1 and below -> -1."""
    labels = np.asarray(labels)
    kept = labels >= 0
    values, first, counts = np.unique(labels[kept], return_index=True, return_counts=True)
    order = np.lexsort((first, -counts))
    rank = np.empty(len(values), dtype=np.int32)
    rank[order] = np.arange(len(values), dtype=np.int32)
    result = np.full(len(labels), NOISE, dtype=np.int32)
    result[kept] = rank[np.searchsorted(values, labels[kept])]
    return result


def facts_of(vectors: np.ndarray) -> Facts:
    """n, d, distinct rows, all-zero rows, largest magnitude and constant columns of a matrix."""
    n, d = vectors.shape
    if n == 0 or d == 0:
        return Facts(n=n, d=d, distinct=min(n, 1))
    data = np.ascontiguousarray(vectors) + 0.0  # -0.0 and 0.0 are one value
    distinct = len(np.unique(data.view(f"V{data.dtype.itemsize * d}")))
    zero = np.flatnonzero(~data.any(axis=1))
    return Facts(n=n, d=d, distinct=distinct, zeros=len(zero),
                 largest=max(abs(float(data.max())), abs(float(data.min()))),
                 constant=int(np.count_nonzero(data.max(axis=0) == data.min(axis=0))),
                 zero_rows=tuple(zero[:_LISTED].tolist()))


def facts_in(entry: Entry) -> Facts | None:
    """The facts a result's manifest holds (see `save`), where it holds any."""
    told = entry.meta["provenance"].get("facts")
    if told is None:
        return None
    return Facts(**{**told, "zero_rows": tuple(told["zero_rows"])})


V = TypeVar("V")


def save(store: Store, key: str, value: Any, provenance: dict[str, Any]) -> Entry:
    """Write any dataclass of this module: array fields as .npy, the rest as JSON. The manifest of
    an embedding says its facts, so that forms need not read the vectors."""
    if isinstance(value, Embedding):
        provenance = {**provenance, "facts": asdict(facts_of(value.vectors))}
    arrays: dict[str, np.ndarray] = {}
    plain: dict[str, Any] = {}
    for item in fields(value):
        content = getattr(value, item.name)
        if isinstance(content, np.ndarray):
            arrays[item.name] = content
        elif isinstance(content, dict) and all(isinstance(v, np.ndarray) for v in content.values()):
            arrays |= {f"{item.name}.{name}": array for name, array in content.items()}
        elif item.name == "scores":
            plain["scores"] = [vars(score) for score in content]
        else:
            plain[item.name] = content
    return store.put(key, arrays, {"type": type(value).__name__, "value": plain,
                                   "provenance": provenance})


def read(kind: type[V], entry: Entry) -> V:
    """The inverse of `save`."""
    content: dict[str, Any] = {}
    names = [name.removesuffix(".npy") for name in entry.files if name.endswith(".npy")]
    for item in fields(kind):  # type: ignore[arg-type]
        inner = [name for name in names if name.startswith(f"{item.name}.")]
        if item.name in names:
            content[item.name] = entry.array(item.name)
        elif inner:
            content[item.name] = {name.removeprefix(f"{item.name}."): entry.array(name)
                                  for name in inner}
        elif item.name in entry.meta["value"]:
            plain = entry.meta["value"][item.name]
            if item.name == "scores":
                plain = tuple(Score(**score) for score in plain)
            content[item.name] = tuple(plain) if isinstance(plain, list) else plain
    return kind(**content)
