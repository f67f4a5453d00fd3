"""rows -> embedding. One file per encoder; `encoders()` finds them."""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cache
from typing import ClassVar

from explorer.dataset import Column, Dataset
from explorer.spec import Method, Progress, Registry, discover
from explorer.values import Embedding


class Encoder(Method):
    """Turns dataset rows into vectors."""

    family: ClassVar[str] = "encoder"

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

    def fingerprint(self) -> str:
        """What else decides the result: the checksum of model weights, for example."""
        return ""


@cache
def encoders() -> Registry[Encoder]:
    """Every encoder of this package, by key."""
    return discover(sys.modules[__name__], Encoder)
