"""dataset -> a recipe that fits it, with the reasons in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.cluster import Clusterer, clusterers
from explorer.dataset import Dataset
from explorer.encode import Encoder, encoders
from explorer.errors import DataError, ExplorerError, Where
from explorer.project import Projector, projectors
from explorer.recipe import Recipe

_SMALL = 5_000
_FEW = 30
_LEAST = 3
"""Rows below which no projector draws a map."""
_DIFFERENT = 2
_MANY = 50
"""Most clusters that are proposed; more different rows than that need not be counted."""
_NAMED = 8
_ENCODERS: tuple[str, ...] = ("vectors", "minilm", "static_minilm", "tfidf", "image_model",
                              "pixels", "features")
"""The order of preference; the first that finds its columns, and what else it needs on this
machine, is proposed."""
_TOO_SLOW = "TOO_SLOW"
"""What an encoder refuses with that could be used by whoever has the time."""


@dataclass(frozen=True)
class Proposal:
    """A recipe and why it looks as it does, one sentence a choice."""

    recipe: Recipe
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Choice:
    """One proposed method with its reason."""

    method: Encoder | Projector | Clusterer
    reason: str


def propose(dataset: Dataset) -> Proposal:
    """The recipe the app starts with; every method in it accepts this many rows and columns.

    Raises DataError TOO_FEW_ROWS, and NO_FEATURES when nothing in the data can be encoded.
    """
    if dataset.n < _LEAST:
        raise DataError("TOO_FEW_ROWS", f"A map must have at least {_LEAST} rows, "
                                        f"got {dataset.n}.", Where(file=dataset.name),
                        "Bring a file with more rows.")
    encoder = _encoder(dataset)
    assert isinstance(encoder.method, Encoder)
    different = _different(dataset, encoder.method)
    projector = _projector(dataset, encoder.method, different)
    clusterer = _clusterer(dataset, different)
    assert isinstance(projector.method, Projector)
    assert isinstance(clusterer.method, Clusterer)
    recipe = Recipe.of(encoder.method, projector.method, clusterer.method, dataset=dataset.id,
                       dataset_name=dataset.name, read=dict(dataset.options),
                       roles=dataset.roles)
    return Proposal(recipe, (encoder.reason, projector.reason, clusterer.reason))


def fitting_encoders(dataset: Dataset) -> Sequence[type[Encoder]]:
    """The encoders that find something to encode in these columns."""
    return [method for method in encoders() if _refusal(method, dataset) is None]


def _refusal(method: type[Encoder], dataset: Dataset) -> ExplorerError | None:
    try:
        method.create().columns(dataset)
    except ExplorerError as error:
        return error
    return None


def _encoder(dataset: Dataset) -> Choice:
    slower = ""
    for key in _ENCODERS:
        try:
            method = encoders().get(key).usual(dataset)
            columns = method.columns(dataset)
            method.fingerprint()
        except ExplorerError as error:
            slower += f" {error.message}" if error.code == _TOO_SLOW else ""
            continue
        names = ", ".join(column.name for column in columns[:4])
        more = f" and {len(columns) - 4} more" if len(columns) > 4 else ""
        model = method.values().get("model")
        used = f" with {model}, which is on this machine" if model else ""
        return Choice(method, f"{method.title}{used}, because the data set has {names}{more}."
                              f"{slower}")
    raise _no_features(dataset)


def _no_features(dataset: Dataset) -> DataError:
    found = "; ".join(f"{column.name}: {column.role}" for column in dataset.columns[:_NAMED])
    more = "; ..." if len(dataset.columns) > _NAMED else ""
    coordinates = ", ".join(column.name for column in dataset.with_role("coordinate"))
    hint = ("Give a column the role number, category or text; vectors and images come from files "
            "of their own.")
    if coordinates:
        hint = (f"Give {coordinates} the role number: coordinates only place the points, they are "
                "not computed with.")
    return DataError("NO_FEATURES", "At least one column must have a role that can be computed "
                                    f"with, got {found}{more}.", Where(file=dataset.name), hint)


def _projector(dataset: Dataset, encoder: Encoder, different: int) -> Choice:
    coordinates = dataset.with_role("coordinate")
    if len(coordinates) in (2, 3):
        names = ", ".join(column.name for column in coordinates)
        return Choice(projectors().create("given"), f"The data brings its own map: {names}.")
    start = {} if _width(dataset, encoder) != 1 else {"init": "random"}
    tsne = projectors().get("tsne")
    if start and (dataset.n < tsne.min_rows or different < tsne.min_distinct):
        column = encoder.columns(dataset)[0].name
        raise DataError("TOO_FEW_ROWS", f"A map of the one column {column} must have at least "
                                        f"{tsne.min_rows} rows and {tsne.min_distinct} different "
                                        f"values, got {dataset.n} and {different}.",
                        Where(file=dataset.name, column=column),
                        "Bring more rows, or give more columns a role.")
    if different < tsne.min_distinct:
        return Choice(projectors().create("pca"),
                      f"PCA, because the rows can take {different} different values only.")
    if dataset.n >= _SMALL:
        return Choice(projectors().create("umap", start),
                      "UMAP, because it is the quickest neighbour map for many rows.")
    if dataset.n >= _FEW or start:
        # Below 91 rows the usual perplexity is above a third of the rows.
        perplexity = float(np.clip((dataset.n - 1) // 3, 2, 30))
        start = {"initialization": "random"} if start else {}
        return Choice(projectors().create("tsne", {"perplexity": perplexity, **start}),
                      "t-SNE, because it shows groups well at this size.")
    return Choice(projectors().create("pca"), "PCA, because there are few rows.")


def _width(dataset: Dataset, encoder: Encoder) -> int | None:
    """How many dimensions the vectors will have, where that is known beforehand."""
    columns = encoder.columns(dataset)
    if any(column.role not in ("number", "vector") for column in columns):
        return None
    return sum(column.dimensions or 1 for column in columns)


def _different(dataset: Dataset, encoder: Encoder) -> int:
    """How many different rows there are (cells as uploaded), or at least are, where that is many;
    not counted for vectors, texts and images. Raises DataError IDENTICAL_ROWS for one."""
    columns = encoder.columns(dataset)
    names = [column.name for column in columns]
    counts = [column.distinct for column in columns if column.role in ("number", "category")
              and column.distinct is not None]
    if len(counts) < len(columns):
        return dataset.n
    if max(counts) >= _MANY:
        return max(counts)
    different = dataset.table.select(names).group_by(names).aggregate([]).num_rows
    if different < _DIFFERENT:
        raise DataError("IDENTICAL_ROWS", f"The rows must differ in {', '.join(names[:_NAMED])}, "
                                          f"got {dataset.n} copies of one row.",
                        Where(file=dataset.name), "Give other columns a role.")
    return different


def _clusterer(dataset: Dataset, different: int) -> Choice:
    method = clusterers().get("kmeans")
    for column in dataset.with_role("label"):
        if column.distinct and 2 <= column.distinct <= min(_MANY, dataset.n // 2, different):
            return Choice(method.create(clusters=column.distinct),
                          f"K-means with {column.distinct} clusters, as many as there are values "
                          f"in {column.name}; the labels themselves are not used.")
    count = max(2, min(round(np.sqrt(dataset.n / 20)), 12, different))
    return Choice(method.create(clusters=count),
                  f"K-means with {count} clusters to start with; the k sweep helps to choose "
                  "another number.")
