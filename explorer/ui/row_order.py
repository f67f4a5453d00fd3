"""In which order rows are shown, and what can be said of each: one place for gallery and table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from explorer.judge.centers import distances_to_center
from explorer.measures import Measure, in_a_sentence, measures
from explorer.run import Run
from explorer.ui.kept import Kept
from explorer.ui.map_data import digest
from explorer.values import NOISE

MOST_NUMBERS = 25_000_000
"""Distances to the middle of any rows are measured while the page waits: for so many numbers
(65,000 rows of 384) that is a fifth of a second, once."""
_WORDS = ("category", "label", "id", "text")
_arrays: Kept[np.ndarray] = Kept(128 * 2**20, lambda values: values.nbytes)
_orders: Kept[Ordered] = Kept(64 * 2**20, lambda found: 12 * len(found.rows))


@dataclass(frozen=True)
class Order:
    """One way to sort rows. `title` says which come first; `values` gives a float64 for each of
    the dataset rows asked for (None: they keep the order of the data set), NaN where there is
    none: those stand last either way. `about` says in words what the values are; texts are sorted
    as `words` instead."""

    title: str
    values: Callable[[np.ndarray], np.ndarray] | None = None
    descending: bool = False
    about: str = ""
    words: str = ""


@dataclass(frozen=True)
class Group:
    """Places start to end of the order are of this cluster (-1: noise; None: no vector)."""

    cluster: int | None
    start: int
    end: int


@dataclass(frozen=True)
class Ordered:
    """Dataset rows in the order shown (int64), the values they are sorted by (float64; None where
    that says nothing), and their groups, if any."""

    rows: np.ndarray
    values: np.ndarray | None
    groups: tuple[Group, ...] = ()


def orders_of(current: Run, rows: np.ndarray, *, texts: bool = False) -> dict[str, Order]:
    """What these dataset rows can be sorted by; `texts`: by columns of words too."""
    found: dict[str, Order] = {}
    if current.description is not None:
        about = f"distance to the centre of its cluster, {current.space}"
        found |= _both("typical", "Most typical first", "Least typical first",
                       lambda some: _at(current, typicality(current), some), about)
    known = measures(current)
    plain = [key for key, one in known.items()
             if one.kind == "number" and not key.startswith("study:")]
    for key in plain:
        found |= _measured(current, known[key])
    if len(rows) > 2 and _small(current, len(rows)):
        found |= _both("center", "Nearest to the middle of these rows first",
                       "Farthest from the middle of these rows first",
                       lambda some: _from_middle(current, some),
                       f"distance to the mean of the {len(rows):,} rows, {current.space}")
    for key, one in known.items():
        if key not in plain:
            found |= _measured(current, one)
    found["row"] = Order("Order of the data")
    for column in current.dataset.columns:
        if column.place != "table" or column.dimensions:
            continue
        name = column.name
        if column.role in ("number", "coordinate"):
            found |= _both(f"column:{name}", f"{name}, low to high", f"{name}, high to low",
                           _numbers(current, name), name)
        elif texts and column.role in _WORDS and not pa.types.is_nested(
                current.dataset.table.schema.field(name).type):
            found[f"column:{name}"] = Order(f"{name}, A to Z", words=name)
            found[f"column:{name}:down"] = Order(f"{name}, Z to A", words=name, descending=True)
    return found


def order_rows(current: Run, rows: np.ndarray, name: str, order: Order, *,
               grouped: bool = False) -> Ordered:
    """These dataset rows (int64, each once) sorted; ties stay in the order of the data set.
    `grouped`: by cluster first, noise and rows without a vector last."""
    known = measures(current).get(name.removesuffix(":down"))
    key = (current.dataset.id, current.plan.clustering, *current.plan.judgements.values(),
           digest(rows.tobytes()), name, grouped, known and known.made_of)
    return _orders.get(key, lambda: _sort(current, np.sort(rows), order, grouped))


def typicality(current: Run) -> np.ndarray:
    """n float: the distance of every row covered to the centre of its cluster, where it was
    clustered; NaN for noise."""
    assert current.description is not None
    return np.asarray(current.description.distances)


def numbers_of(current: Run, name: str) -> np.ndarray:
    """A column as n float64 over the whole data set, read once for all sessions."""
    return _arrays.get((current.dataset.id, name), lambda: current.dataset.numbers(name))


def _sort(current: Run, rows: np.ndarray, order: Order, grouped: bool) -> Ordered:
    values = None if order.values is None else np.asarray(order.values(rows), dtype=np.float64)
    if order.words:
        ranks = _ranks(current, order.words, rows)
        keys = -ranks if order.descending else ranks
    elif values is None:
        keys = np.arange(len(rows), dtype=np.float64)
    else:
        keys = -values if order.descending else values
    if not grouped:
        places = np.argsort(keys, kind="stable")
        return Ordered(rows[places], None if values is None else values[places])
    labels = _labels(current, rows)
    # Noise after the clusters, rows without a vector after the noise.
    last = labels.max(initial=0) + 1
    parts = np.where(labels == NOISE, last, np.where(labels < NOISE, last + 1, labels))
    places = np.lexsort((keys, parts))
    sorted_labels = labels[places]
    starts = np.flatnonzero(np.diff(sorted_labels, prepend=sorted_labels[:1] - 1))
    ends = [*starts[1:], len(rows)]
    groups = tuple(Group(None if sorted_labels[start] < NOISE else int(sorted_labels[start]),
                         int(start), int(end))
                   for start, end in zip(starts, ends, strict=True))
    return Ordered(rows[places], None if values is None else values[places], groups)


def _both(name: str, rising: str, falling: str, values: Callable[[np.ndarray], np.ndarray],
          about: str) -> dict[str, Order]:
    return {name: Order(rising, values, about=about),
            f"{name}:down": Order(falling, values, descending=True, about=about)}


def _measured(current: Run, measure: Measure) -> dict[str, Order]:
    word = in_a_sentence(measure.title)
    rising, falling = f"Lowest {word} first", f"Highest {word} first"
    if measure.kind == "yes":
        rising, falling = f"{measure.title}: no first", f"{measure.title}: yes first"
    elif measure.kind == "cluster":
        rising, falling = f"{measure.title}, from 0 up", f"{measure.title}, last first"
    return _both(measure.key, rising, falling,
                 lambda rows: _at(current, measure.numbers(), rows), f"{word}, {measure.made_by}")


def _numbers(current: Run, name: str) -> Callable[[np.ndarray], np.ndarray]:
    return lambda rows: numbers_of(current, name)[rows]


def _ranks(current: Run, name: str, rows: np.ndarray) -> np.ndarray:
    """Where each row's text stands in the alphabet (float64); NaN where it has none."""
    import pyarrow.compute as pc

    column = current.dataset.table.column(name).take(pa.array(rows)).combine_chunks()
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    words = coded.dictionary
    ranks = np.empty(len(words) + 1)
    ranks[pc.sort_indices(words).to_numpy()] = np.arange(len(words))
    ranks[-1] = np.nan
    return ranks[coded.indices.fill_null(len(words)).to_numpy()]


def _labels(current: Run, rows: np.ndarray) -> np.ndarray:
    """The clusters of these dataset rows (int64); -2 where a row has no vector."""
    if current.clustering is None:
        return np.full(len(rows), NOISE - 1)
    labels = np.asarray(current.clustering.labels, dtype=np.float64)
    found = _at(current, labels, rows)
    return np.where(np.isnan(found), NOISE - 1, found).astype(np.int64)


def _at(current: Run, values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The values (one per row covered) of these dataset rows (ascending); NaN without a vector."""
    found = np.full(len(rows), np.nan)
    found[np.isin(rows, current.rows)] = values[current.positions(rows)]
    return found


def _from_middle(current: Run, rows: np.ndarray) -> np.ndarray:
    clustering = current.clustering
    far = np.full(len(rows), np.nan)
    far[np.isin(rows, current.rows)] = distances_to_center(
        _vectors(current)[current.positions(rows)],
        clustering.metric if clustering is not None else "euclidean")
    return far


def _vectors(current: Run) -> np.ndarray:
    """What was clustered: the picture or the vectors (n x d)."""
    if current.recipe.cluster_in == "projection":
        assert current.projection is not None
        return current.projection.points
    assert current.embedding is not None
    return current.embedding.vectors


def _small(current: Run, rows: int) -> bool:
    if current.embedding is None or (current.recipe.cluster_in == "projection"
                                     and current.projection is None):
        return False
    return rows * _vectors(current).shape[1] <= MOST_NUMBERS
