"""rows -> embedding. One file per encoder; `encoders()` finds them."""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Self

import numpy as np

from explorer.dataset import Column, Dataset
from explorer.errors import DataError
from explorer.spec import Method, Progress, Registry, discover
from explorer.values import Embedding


@dataclass(frozen=True)
class Placed:
    """A typed text or a picture brought by hand in the space of an embedding: `vector` (d float32);
    what to know about it."""

    vector: np.ndarray
    notes: tuple[str, ...] = ()


class Encoder(Method):
    """Turns dataset rows into vectors."""

    family: ClassVar[str] = "encoder"
    places_texts: ClassVar[bool] = False
    """Whether a typed text can be placed among the rows: `learn` once, `place` for each text."""

    @abstractmethod
    def columns(self, dataset: Dataset) -> tuple[Column, ...]:
        """The columns this encoder would read; their names and roles are part of the result key.

        Raises DataError (NO_FEATURES, NO_TEXT, NO_IMAGES, NO_VECTORS) saying what is missing.
        """

    @abstractmethod
    def encode(self, dataset: Dataset, progress: Progress) -> Embedding:
        """The embedding of the rows that can be encoded; what was left out stands in `notes`."""

    @classmethod
    def offers(cls, dataset: Dataset) -> Mapping[str, Sequence[str]]:
        """What a form can offer for parameters whose values depend on the data or on what is on
        this machine: parameter -> values, '' among them where it may stay empty. Other values
        stay allowed."""
        return {}

    @classmethod
    def usual(cls, dataset: Dataset) -> Self:
        """The declaration to start with on this dataset. Raises DataError where there is none, and
        TOO_SLOW where there is one that takes longer than people wait for a first look."""
        return cls.create()

    def fingerprint(self) -> str:
        """What else decides the result: the checksum of model weights, for example."""
        return ""

    @property
    def stands_alone(self) -> bool:
        """Whether a row's vector depends on that row alone, so that rows of another data set are in
        the same space. A kept network asks this of its reader."""
        return False

    @property
    def picture_shape(self) -> tuple[int, int, int] | None:
        """Height, width and channels where the numbers of a vector are the pixels of a picture."""
        return None

    def learn(self, dataset: Dataset, embedding: Embedding,
              progress: Progress) -> dict[str, np.ndarray]:
        """What `place` needs besides the declaration, found again from what was encoded; kept as a
        result of its own. Nothing, where the model is on this machine."""
        return {}

    def places_words(self, dataset: Dataset) -> bool:
        """Whether `place` can place a typed text among the rows of this dataset."""
        return self.places_texts

    def places_pictures(self, dataset: Dataset) -> bool:
        """Whether `place_image` can place a picture among the rows of this dataset."""
        return False

    def place(self, text: str, learned: Mapping[str, np.ndarray]) -> Placed:
        """A text as `encode` would place a row of it. Raises DataError NO_TEXT_SPACE where rows are
        not placed by their texts, NO_KNOWN_WORD where no word of it is known."""
        raise DataError("NO_TEXT_SPACE", "Searching by meaning must have rows that were placed by "
                                         f"their texts, got {self.title}.",
                        hint="Use a text encoder in the recipe, or search by words.")

    def place_image(self, data: bytes, learned: Mapping[str, np.ndarray]) -> Placed:
        """An image file as `encode` would place a row of it. Raises DataError NO_IMAGE_SPACE where
        rows are not placed by their images, BAD_IMAGE for what cannot be read."""
        raise DataError("NO_IMAGE_SPACE", "Searching by an image must have rows that were placed "
                                          f"by their images, got {self.title}.",
                        hint="Use an image encoder in the recipe, or search by words.")


@cache
def encoders() -> Registry[Encoder]:
    """Every encoder of this package, by key."""
    return discover(sys.modules[__name__], Encoder)
