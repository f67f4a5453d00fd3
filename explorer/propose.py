"""dataset -> a recipe that fits it, with the reasons in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.cluster import Clusterer, clusterers
from explorer.dataset import Dataset
from explorer.encode import Encoder, encoders
from explorer.errors import DataError, ExplorerError
from explorer.project import Projector, projectors
from explorer.recipe import Recipe

_SMALL = 5_000
_FEW = 30
_ENCODERS: tuple[str, ...] = ("vectors", "minilm", "tfidf", "pixels", "features")
"""The order of preference; the first that finds its columns is proposed."""


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
    """The recipe the app starts with. Raises DataError NO_FEATURES, with the reason per encoder,
    when nothing in the data can be encoded."""
    encoder = _encoder(dataset)
    assert isinstance(encoder.method, Encoder)
    projector = _projector(dataset, encoder.method)
    clusterer = _clusterer(dataset)
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
    refusals = []
    for key in _ENCODERS:
        method = encoders().get(key).create()
        try:
            columns = method.columns(dataset)
            method.fingerprint()
        except ExplorerError as error:
            refusals.append(f"{method.title}: {error}")
            continue
        names = ", ".join(column.name for column in columns[:4])
        more = f" and {len(columns) - 4} more" if len(columns) > 4 else ""
        return Choice(method, f"{method.title}, because the data set has {names}{more}.")
    raise DataError("NO_FEATURES", "The data set must have at least one column that can be "
                                   "encoded, got none.",
                    hint="Give a column the role number, category, text, image or vector. "
                         + " ".join(refusals))


def _projector(dataset: Dataset, encoder: Encoder) -> Choice:
    coordinates = dataset.with_role("coordinate")
    if len(coordinates) in (2, 3):
        names = ", ".join(column.name for column in coordinates)
        return Choice(projectors().create("given"), f"The data brings its own map: {names}.")
    start = {} if _width(dataset, encoder) != 1 else {"init": "random"}
    if dataset.n >= _SMALL:
        return Choice(projectors().create("umap", start),
                      "UMAP, because it is the quickest neighbour map for many rows.")
    if dataset.n >= _FEW or (start and dataset.n >= projectors().get("tsne").min_rows):
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


def _clusterer(dataset: Dataset) -> Choice:
    method = clusterers().get("kmeans")
    for column in dataset.with_role("label"):
        if column.distinct and 2 <= column.distinct <= min(50, dataset.n // 2):
            return Choice(method.create(clusters=column.distinct),
                          f"K-means with {column.distinct} clusters, as many as there are values "
                          f"in {column.name}; the labels themselves are not used.")
    count = int(np.clip(round(np.sqrt(dataset.n / 20)), 2, 12))
    return Choice(method.create(clusters=min(count, max(2, dataset.n - 1))),
                  f"K-means with {count} clusters to start with; the k sweep helps to choose "
                  "another number.")
