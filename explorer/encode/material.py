"""What a network is trained on: the rows of a dataset as numbers, by whichever encoder reads them.

Columns, uploaded vectors, texts (as MiniLM or TF-IDF vectors) or pixels of images; numbers of
vectors are brought to mean 0 and spread 1 first, and the means and spreads belong to what is
learned: new rows go through the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from explorer.dataset import Dataset
from explorer.encode import Encoder
from explorer.encode.features import Features
from explorer.encode.minilm import MiniLM
from explorer.encode.pixels import Pixels
from explorer.encode.seen import LARGEST, seen_as
from explorer.encode.tfidf import Tfidf
from explorer.encode.unit import blocks
from explorer.encode.vectors import Vectors
from explorer.errors import DataError, ExplorerError
from explorer.model import Model
from explorer.values import Embedding

Reads = Literal["automatic", "images", "vectors", "texts", "words", "columns"]
_SMALLEST_SPREAD = 1e-12
"""Of the largest spread: a dimension below it is constant but for rounding, and stays 0."""


@dataclass(frozen=True)
class Material:
    """`values` float32: n x d, or n x channels x height x width for images; of the dataset rows
    `rows` (int64, ascending). `center` and `spread` (float32: d of vectors, one number for each
    channel of images) were taken out. `title` says what they are; `names` name the d columns,
    where they have names.
    """

    values: np.ndarray
    rows: np.ndarray
    title: str
    center: np.ndarray
    spread: np.ndarray
    names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one row."""
        return tuple(self.values.shape[1:])

    def restored(self, made: np.ndarray) -> np.ndarray:
        """Numbers a network made, in the units of the rows: float32, m x the shape of a row."""
        found = (made * self.spread + self.center).astype(np.float32)
        return found.clip(0.0, 1.0) if len(self.shape) == 3 else found


def reader(reads: Reads, side: int | None, colour: str, dataset: Dataset) -> Encoder:
    """The encoder that reads the rows; 'automatic' takes images, then vectors, then texts by
    meaning, then columns: the first there are. Images are seen as `seen_as` says where `side` is
    None or `colour` 'automatic'. Raises DataError where there is none of the kind."""
    every: Mapping[str, Encoder] = {
        "images": _pixels(side, colour, dataset),
        "vectors": Vectors.create(), "texts": MiniLM.create(), "words": Tfidf.create(),
        "columns": Features.create()}
    if reads != "automatic":
        return every[reads]
    for encoder in every.values():
        try:
            encoder.columns(dataset)
        except ExplorerError:
            continue
        return encoder
    raise DataError("NO_ROWS", "Training must have images, vectors, texts or number columns, got "
                               "none of them.",
                    hint="Set the roles of the columns on the Data page.")


def _pixels(side: int | None, colour: str, dataset: Dataset) -> Encoder:
    if dataset.has_images and (side is None or colour == "automatic"):
        seen = seen_as(dataset)
        side = seen.side if side is None else side
        colour = ("grey" if seen.grey else "colour") if colour == "automatic" else colour
    return Pixels.create(side=side or LARGEST, colour=colour.replace("automatic", "colour"),
                         dimensions=None)


def scaled(reader: Encoder, read: Embedding) -> Material:
    """What a reader read (`Embedding`), brought to mean 0 and spread 1; images in their shape."""
    shape = reader.picture_shape
    if shape is not None:
        return _scaled_images(in_shape(read.vectors, shape), read)
    center, spread = _moments(read.vectors)
    constant = int(np.count_nonzero(spread == 0))
    divided = np.where(spread == 0, 1.0, spread)
    notes = read.notes
    if constant:
        notes += (f"{constant:,} of {len(spread):,} numbers of a row are constant: they stay 0 and "
                  "teach the network nothing.",)
    return _vectors(read, center.astype(np.float32), divided.astype(np.float32), notes)


def scaled_as(model: Model, reader: Encoder, read: Embedding) -> Material:
    """What a reader read, scaled as the rows were that the model was trained on. Raises DataError
    OTHER_SHAPE for rows of another shape."""
    shape = reader.picture_shape
    if shape is None:
        found = _vectors(read, model.center, model.spread, read.notes)
    else:
        pixels = in_shape(read.vectors, shape)
        found = Material((pixels - model.center) / model.spread, read.rows, read.title,
                         model.center, model.spread, (), read.notes)
    if found.shape != tuple(model.shape):
        raise DataError("OTHER_SHAPE", f"The model must see rows of {_said(model.shape)}, got "
                                       f"{_said(found.shape)}.",
                        hint="Choose the columns and the size of images it was trained on.")
    return found


def in_shape(vectors: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """n x (height x width x channels) numbers as n x channels x height x width."""
    return vectors.reshape(len(vectors), *shape).transpose(0, 3, 1, 2)


def _said(shape: tuple[int, ...]) -> str:
    if len(shape) == 1:
        return f"{shape[0]:,} numbers"
    return f"{shape[2]} x {shape[1]} pixels in {'colour' if shape[0] == 3 else 'grey'}"


def _vectors(read: Embedding, center: np.ndarray, spread: np.ndarray,
             notes: tuple[str, ...]) -> Material:
    values = np.empty(read.vectors.shape, dtype=np.float32)
    if read.vectors.shape[1:] == center.shape:
        for block in blocks(*read.vectors.shape):
            values[block] = (read.vectors[block] - center) / spread
    return Material(values, read.rows, read.title, center, spread, read.features, notes)


def _scaled_images(pixels: np.ndarray, found: Embedding) -> Material:
    """Pixels (n x channels x height x width, 0 to 1) with mean 0 in each channel and spread 1 in
    all: single pixels are not scaled, so that dark corners stay dark."""
    center = pixels.mean(axis=(0, 2, 3), dtype=np.float64, keepdims=True)[0].astype(np.float32)
    values = np.ascontiguousarray(pixels - center)
    spread = np.float32(values.std(dtype=np.float64) or 1.0)
    values /= spread
    return Material(values, found.rows, found.title, center,
                    np.full((1, 1, 1), spread, dtype=np.float32), notes=found.notes)


def _moments(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation (population) of each dimension, float64; 0 where constant."""
    n, d = vectors.shape
    center = np.zeros(d)
    for block in blocks(n, d):
        center += vectors[block].sum(axis=0, dtype=np.float64) / n
    squares = np.zeros(d)
    for block in blocks(n, d):
        moved = vectors[block].astype(np.float64) - center
        squares += np.einsum("ij,ij->j", moved, moved)
    spread = np.sqrt(squares / n)
    spread[spread <= _SMALLEST_SPREAD * spread.max(initial=0.0)] = 0.0
    return center, spread
