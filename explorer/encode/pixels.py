from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, ClassVar, Literal

import numpy as np
from pydantic import Field

from explorer.dataset import Column, Dataset
from explorer.encode import Placed
from explorer.encode.picture import Unreadable, read_square
from explorer.encode.principal import LARGEST_SIDE, principal
from explorer.encode.unit import UnitLength, counted, left_out, listed
from explorer.errors import DataError, ParameterError, ResultError, StoreError, Where
from explorer.spec import Cost, Facts, Progress, part
from explorer.values import Embedding

_REPORT_EVERY = 32


class Pixels(UnitLength):
    """Shrinks every image to a small square and takes its pixels as numbers from 0 to 1, then
    keeps the main directions of their variation. Sees light and colour, not what is shown: good
    for drawings, digits and textures."""

    key: ClassVar[str] = "pixels"
    title: ClassVar[str] = "Scaled pixels + PCA"
    rank: ClassVar[int] = 60

    side: int = Field(32, ge=4, le=64, description="Width and height in pixels every image is "
                                                   "brought to; its shape is not kept.")
    colour: Literal["colour", "grey"] = Field(
        "colour", description="Keep red, green and blue, or brightness only.")
    dimensions: int | None = Field(
        64, ge=1, le=1000, description="How many main directions to keep (PCA); empty keeps every "
                                       "pixel.")

    @property
    def stands_alone(self) -> bool:
        return self.dimensions is None

    @property
    def picture_shape(self) -> tuple[int, int, int] | None:
        return None if self.dimensions is not None else (self.side, self.side, self._channels)

    def columns(self, dataset: Dataset) -> tuple[Column, ...]:
        """The image column. Raises DataError NO_IMAGES."""
        return image_columns(dataset)

    def limits(self, facts: Facts) -> Mapping[str, tuple[float, float]]:
        """More images than PCA can compare pairwise allow only so many pixels."""
        if self.dimensions is None or facts.n <= LARGEST_SIDE:
            return {}
        return {"side": (4, math.isqrt(LARGEST_SIDE // self._channels))}

    def encode(self, dataset: Dataset, progress: Progress) -> Embedding:
        self.columns(dataset)
        values = self.side**2 * self._channels
        if self.dimensions is not None and min(dataset.n, values) > LARGEST_SIDE:
            allowed = math.isqrt(LARGEST_SIDE // self._channels)
            raise ParameterError("OUT_OF_RANGE", f"side must be at most {allowed} for PCA of "
                                 f"{dataset.n:,} images, got {self.side}.",
                                 Where(parameter="side"), "Use a smaller side, or grey.")
        decoding = progress if self.dimensions is None else part(progress, 0.0, 0.6)
        with tempfile.TemporaryFile() as file:
            decoded = self._decode(dataset, file, decoding)
            if not len(decoded.rows):
                raise DataError("NO_IMAGES", "At least one image must be readable, got "
                                             f"{counted(dataset.n, 'row')} without: "
                                             f"{' '.join(decoded.notes)}")
            pixels = np.memmap(file, np.float32, "r", shape=(len(decoded.rows), values))
            return self._reduce(pixels, decoded, progress)

    def places_pictures(self, dataset: Dataset) -> bool:
        return True

    def learn(self, dataset: Dataset, embedding: Embedding,
              progress: Progress) -> dict[str, np.ndarray]:
        """Finds the main directions again and holds the outcome against the vectors there are.
        Raises ResultError OTHER_VECTORS where another version of a library finds others."""
        if self.dimensions is None:
            return {}
        with tempfile.TemporaryFile() as file:
            decoded = self._decode(dataset, file, part(progress, 0.0, 0.6))
            pixels = np.memmap(file, np.float32, "r",
                               shape=(len(decoded.rows), self.side**2 * self._channels))
            count = min(self.dimensions, max(1, min(len(pixels) - 1, pixels.shape[1])))
            found = principal(pixels, count, part(progress, 0.6, 1.0))
        again = self.finish(found.vectors, decoded.rows, "").vectors
        if (again.shape != embedding.vectors.shape
                or not np.allclose(again, embedding.vectors, rtol=1e-3, atol=1e-3)):
            raise ResultError("OTHER_VECTORS", f"{self.title} must find the directions of the "
                                               "vectors on the map again, got others.",
                              hint="Other versions of the libraries made them: change the recipe's "
                                   "encoder, for example its dimensions, and run it anew.")
        return {"axes": found.axes, "mean": found.mean}

    def place_image(self, data: bytes, learned: Mapping[str, np.ndarray]) -> Placed:
        try:
            square = read_square(data, self.side, self.colour == "colour")
        except Unreadable as error:
            raise DataError("BAD_IMAGE", "The image must be readable, got one that is not "
                                         f"({error}).", hint="Take a PNG or JPEG file.") from error
        vector = square.pixels.reshape(1, -1)
        if self.dimensions is not None:
            vector = ((vector - learned["mean"]) @ learned["axes"]).astype(np.float32)
        return Placed(self.finish(vector, np.zeros(1, dtype=np.int64), "").vectors[0])

    def estimate(self, n: int, d: int) -> Cost:
        values = self.side**2 * self._channels
        if self.dimensions is None:
            return Cost(seconds=0.5 + 1.5e-3 * n, bytes=8 * n * values)
        fewer = min(n, values)
        flops = 2 * n * values * fewer + 2 * fewer**3
        return Cost(seconds=0.5 + 1.5e-3 * n + flops / 2e10,
                    bytes=300_000_000 + 24 * fewer**2 + 8 * n * self.dimensions)

    @property
    def _channels(self) -> int:
        return 3 if self.colour == "colour" else 1

    def _decode(self, dataset: Dataset, file: IO[bytes], progress: Progress) -> _Decoded:
        """Every readable image as a row of float32 in `file`: written, not mapped, because a full
        disk is then an error and not the end of the process."""
        rows: list[int] = []
        unread: dict[str, list[int]] = {}
        stretched: list[int] = []
        for row in range(dataset.n):
            if row % _REPORT_EVERY == 0:
                progress(row / dataset.n, f"{row:,} of {counted(dataset.n, 'image')} read")
            try:
                square = read_square(dataset.image(row), self.side, self.colour == "colour")
            except Unreadable as error:
                unread.setdefault(str(error), []).append(row)
                continue
            rows.append(row)
            if square.stretched:
                stretched.append(row)
            try:
                file.write(square.pixels.tobytes())
            except OSError as error:
                raise _full(error) from error
        try:
            file.flush()
        except OSError as error:
            raise _full(error) from error
        progress(1.0, f"{counted(len(rows), 'image')} read")
        notes = tuple(left_out(np.array(places), why) for why, places in unread.items())
        if stretched:
            notes += (f"{counted(len(stretched), 'image')} with numbers of unknown range: smallest "
                      f"and largest became 0 and 1 ({listed(np.array(stretched))}).",)
        return _Decoded(np.array(rows, dtype=np.int64), notes)

    def _reduce(self, pixels: np.ndarray, decoded: _Decoded, progress: Progress) -> Embedding:
        n, values = pixels.shape
        title = f"pixels {self.side} x {self.side} {self.colour}"
        if self.dimensions is None:
            return self.finish(np.array(pixels), decoded.rows, f"{title} ({values}-d)", (),
                               decoded.notes)
        possible = max(1, min(n - 1, values))
        count = min(self.dimensions, possible)
        found = principal(pixels, count, part(progress, 0.6, 1.0))
        notes = (*decoded.notes, f"{counted(count, 'main direction')} of {values:,} pixel values "
                                 f"explain {found.shares.sum():.1%} of the variance.")
        if count < self.dimensions:
            notes += (f"{self.dimensions} dimensions asked for, {count} possible with "
                      f"{counted(n, 'image')}.",)
        progress(1.0, "Vectors ready")
        return self.finish(found.vectors, decoded.rows, f"{title}, PCA ({count}-d)", (), notes)


def image_columns(dataset: Dataset) -> tuple[Column, ...]:
    """The one image column. Raises DataError NO_IMAGES."""
    columns = dataset.with_role("image")
    if not (columns and dataset.has_images):
        raise DataError("NO_IMAGES", "The data set must have images, got "
                                     f"{counted(len(dataset.columns), 'column')} without.",
                        hint="Import a zip of images, or choose another encoder.")
    return columns[:1]


@dataclass(frozen=True)
class _Decoded:
    rows: np.ndarray
    notes: tuple[str, ...]


def _full(error: OSError) -> StoreError:
    return StoreError("DISK", f"Could not write the decoded images: {error.strerror or error}.",
                      hint="Free some space in the folder for temporary files (TMPDIR), or use a "
                           "smaller side.")
