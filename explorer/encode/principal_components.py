from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from explorer.dataset import Dataset
from explorer.encode import Encoder
from explorer.encode.fitted import FittedEncoder
from explorer.encode.material import scaled_as
from explorer.encode.principal import LARGEST_SIDE, principal
from explorer.encode.unit import counted
from explorer.errors import DataError, ParameterError, Where
from explorer.model import Model
from explorer.spec import Cost, Progress, part
from explorer.train.layers import Layer
from explorer.values import Embedding

_WEIGHT, _BIAS = "decoder.weight", "decoder.bias"


class PrincipalComponents(FittedEncoder):
    """Keeps the directions in which your rows differ most, exactly and at once, of the same numbers
    that a network trained here would see. No linear encoder rebuilds rows better from so few
    numbers: the measure for every network."""

    key: ClassVar[str] = "principal_components"
    title: ClassVar[str] = "PCA of the rows"
    rank: ClassVar[int] = 65
    min_rows: ClassVar[int] = 2

    def model(self, reader: Encoder, read: Embedding, home: Path, name: str,
              progress: Progress) -> Model:
        """The directions, in closed form. `weights`: decoder.weight, d x k, whose columns are the
        directions (it encodes too: they are of length 1 and at right angles), and decoder.bias, the
        mean; `extras`: explained_variance_ratio, k float64.

        Raises DataError TOO_FEW_ROWS, IDENTICAL_ROWS; ParameterError OUT_OF_RANGE for more than
        LARGEST_SIDE rows and numbers.
        """
        progress(0.0, "scaling the rows")
        material = self.material(reader, read)
        rows = material.values.reshape(len(material.values), -1)
        n, d = rows.shape
        if min(n, d) > LARGEST_SIDE:
            raise ParameterError("OUT_OF_RANGE", f"{self.title} must have at most {LARGEST_SIDE:,} "
                                 f"rows or numbers in a row, got {n:,} rows of {d:,}.",
                                 Where(parameter="side"), "Use a smaller side, or grey images.")
        asked = self.latent(material.shape)
        count = min(asked, n - 1, d)
        found = principal(rows, count, part(progress, 0.1, 1.0))
        if not found.shares.any():
            raise DataError("IDENTICAL_ROWS", f"{self.title} must have rows that differ, got "
                                              f"{n:,} copies of one row.",
                            hint="Choose other columns or another encoder.")
        notes = (*material.notes, f"{counted(count, 'direction')} of {d:,} numbers explain "
                                  f"{found.shares.sum():.1%} of the variance.")
        if count < asked:
            notes += (f"{asked} dimensions asked for, {count} possible with {counted(n, 'row')} of "
                      f"{counted(d, 'number')}.",)
        nothing = np.empty((0, *material.shape), dtype=np.float32)
        return Model(weights={_WEIGHT: found.axes.astype(np.float32),
                              _BIAS: found.mean.astype(np.float32)},
                     history={"train.loss": np.empty(0)}, center=material.center,
                     spread=material.spread, shape=material.shape, method=self.identity(),
                     reader=reader.identity(), title=material.title, best_epoch=0,
                     ended="in closed form", held=np.empty(0, dtype=np.int64), original=nothing,
                     remade=nothing[None][:0], names=material.names, notes=notes,
                     extras={"explained_variance_ratio": found.shares}, decoder=_LAYERS)

    def embed(self, reader: Encoder, read: Embedding, model: Model,
              progress: Progress) -> Embedding:
        codes = self.codes(scaled_as(model, reader, read).values, model.weights, progress)
        title = f"PCA of {model.title} ({codes.shape[1]}-d)"
        return self.finish(codes, read.rows, title, (), model.notes)

    def codes(self, values: np.ndarray, weights: Mapping[str, np.ndarray],
              progress: Progress) -> np.ndarray:
        """m x k float32: m rows (as `Material.values`) along the directions."""
        axes, mean = weights[_WEIGHT].astype(np.float64), weights[_BIAS].astype(np.float64)
        progress(0.0, f"placing {counted(len(values), 'row')} along the directions")
        flat = values.reshape(len(values), -1)
        found = np.empty((len(flat), axes.shape[1]), dtype=np.float32)
        for start in range(0, len(flat), 1024):
            progress(start / len(flat), f"{start:,} of {counted(len(flat), 'row')} placed")
            found[start:start + 1024] = (flat[start:start + 1024] - mean) @ axes
        progress(1.0, "rows placed")
        return found

    def estimate_model(self, n: int, d: int) -> Cost:
        fewer = min(n, d)
        return Cost(seconds=0.3 + (2.0 * n * d * fewer + 2 * fewer**3) / 2e10,
                    bytes=300_000_000 + 24 * fewer**2 + 16 * n * d)

    def estimate(self, n: int, d: int) -> Cost:
        first, last = self.estimate_model(n, d), self.estimate_embedding(n, d)
        return Cost(first.seconds + last.seconds, max(first.bytes, last.bytes))

    def encode(self, dataset: Dataset, progress: Progress) -> Embedding:
        """All three steps at once, keeping none; a recipe keeps each."""
        reader = self.reader(dataset)
        read = reader.encode(dataset, part(progress, 0.0, 0.6))
        model = self.model(reader, read, Path(), self.key, part(progress, 0.6, 0.9))
        return self.embed(reader, read, model, part(progress, 0.9, 1.0))


_LAYERS: tuple[Layer, ...] = ({"kind": "linear", "weight": _WEIGHT, "bias": _BIAS},)
