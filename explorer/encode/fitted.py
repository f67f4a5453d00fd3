"""What encoders that are fitted to the rows they encode share: what they read, and how much of it
they keep."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field

from explorer.dataset import Dataset
from explorer.encode import Encoder
from explorer.encode.material import Material, Reads, reader, scaled
from explorer.encode.reading import ReadingEncoder
from explorer.errors import DataError
from explorer.spec import advanced
from explorer.values import Embedding

_USUAL = 16


class FittedEncoder(ReadingEncoder):
    """An encoder that is fitted to the rows it encodes."""

    reads: Reads = Field(
        "automatic", description="What is seen of a row: images as pixels, uploaded vectors, texts "
                                 "by meaning (MiniLM), texts by words (TF-IDF), or columns. "
                                 "Automatic takes the first of these that the data has.")
    dimensions: int | None = Field(
        None, ge=1, le=1000, description="How many numbers a row is squeezed into (the latent "
                                         "space): fewer force it to generalise. Automatic: 16, or "
                                         "half as many as the row has where that is less.")
    side: int | None = advanced(
        None, ge=4, le=64, description="Width and height in pixels every image is brought to; "
                                       "automatic is their own size, at most 32.")
    colour: Literal["automatic", "colour", "grey"] = advanced(
        "automatic", description="See images in red, green and blue, or in brightness only; "
                                 "automatic is in brightness only where none has a colour.")

    def reader(self, dataset: Dataset) -> Encoder:
        return reader(self.reads, self.side, self.colour, dataset)

    def material(self, reader: Encoder, read: Embedding) -> Material:
        """The rows read, scaled. Raises DataError TOO_FEW_ROWS."""
        found = scaled(reader, read)
        if len(found.rows) < self.min_rows:
            raise DataError("TOO_FEW_ROWS", f"{self.title} must have at least {self.min_rows} rows "
                                            f"it can read, got {len(found.rows)}.",
                            hint="; ".join(found.notes))
        return found

    def latent(self, shape: tuple[int, ...]) -> int:
        """How many numbers a row of this shape becomes."""
        return self.dimensions or min(_USUAL, max(2, math.prod(shape) // 2))
