"""Encoders that work on what another encoder read: networks trained here, or kept from before.

Three steps make their embedding, each stored under a key of its own: the reader's embedding (which
other recipes may share), the model, and the rows through the model.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from explorer.dataset import Column, Dataset
from explorer.encode import Encoder
from explorer.encode.unit import UnitLength
from explorer.model import Model
from explorer.spec import Cost, Progress
from explorer.values import Embedding

Read = Callable[[Encoder, Dataset, Progress], Embedding]


class ReadingEncoder(UnitLength):
    """An encoder whose network sees rows as another encoder, its reader, reads them."""

    trains: ClassVar[bool] = False
    """Whether its model is trained on these very rows."""

    @abstractmethod
    def reader(self, dataset: Dataset) -> Encoder:
        """Who reads the rows; decided by the dataset's columns and their roles alone. Raises
        DataError where nothing can be read."""

    @abstractmethod
    def model(self, reader: Encoder, read: Embedding, home: Path, name: str,
              progress: Progress) -> Model:
        """The network for these rows. `home` keeps the files of an unfinished training under
        `name`."""

    @abstractmethod
    def embed(self, reader: Encoder, read: Embedding, model: Model,
              progress: Progress) -> Embedding:
        """The latent vectors of the rows read."""

    @abstractmethod
    def estimate_model(self, n: int, d: int) -> Cost:
        """What the model costs, for n rows of d numbers as read; `estimate` is for all of it."""

    def estimate_embedding(self, n: int, d: int) -> Cost:
        """What the last step costs: n rows of d numbers through the model."""
        return Cost(seconds=1.0 + 2e-8 * n * d, bytes=400_000_000 + 12 * n * d)

    def columns(self, dataset: Dataset) -> tuple[Column, ...]:
        return self.reader(dataset).columns(dataset)

    def places_words(self, dataset: Dataset) -> bool:
        """A text its reader can place goes on through the network, see `explorer.queries`."""
        return self.reader(dataset).places_words(dataset)

    def places_pictures(self, dataset: Dataset) -> bool:
        return self.reader(dataset).places_pictures(dataset)
