"""What encoders that learn from the dataset itself share: their parameters, training, encoding."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from explorer.dataset import Column, Dataset
from explorer.encode.material import Material, Reads, gather, reader
from explorer.encode.unit import UnitLength, counted
from explorer.errors import DataError
from explorer.spec import Cost, Progress, advanced, part
from explorer.train.loop import Hooks, Objective, Settings, State, Trained, train, write_weights
from explorer.values import Embedding

if TYPE_CHECKING:
    import torch
    from torch import nn

_AT_ONCE = 1024
_FLOPS = 2e10
"""Multiplications and additions a second of one core in small float32 products."""


class TrainedEncoder(UnitLength):
    """An encoder whose network is trained on the rows it encodes."""

    trains: ClassVar[bool] = True
    min_rows: ClassVar[int] = 2
    smallest_batch: ClassVar[int] = 1

    reads: Reads = Field(
        "automatic", description="What the network sees: images as pixels, uploaded vectors, texts "
                                 "by meaning (MiniLM), texts by words (TF-IDF), or columns. "
                                 "Automatic takes the first of these that the data has.")
    dimensions: int = Field(
        16, ge=1, le=1000, description="How many numbers a row is squeezed into (the latent "
                                       "space): fewer force it to generalise.")
    epochs: int = Field(
        60, ge=1, le=10_000, description="How many times at most the network sees every row.")
    layers: int = advanced(
        2, ge=0, le=6, description="Hidden layers on each side, for vectors and columns; their "
                                   "sizes follow the data. None at all is a linear network.")
    network: Literal["by the data", "dense"] = advanced(
        "by the data", description="By the data: convolutional for images of 12 pixels a side and "
                                   "more, dense for all else. Dense: always fully connected.")
    side: int = advanced(
        32, ge=4, le=64, description="Width and height in pixels every image is brought to.")
    colour: Literal["colour", "grey"] = advanced(
        "colour", description="See images in red, green and blue, or in brightness only.")
    batch_size: int | None = advanced(
        None, ge=2, le=8192, description="Rows the network sees before each correction; automatic "
                                         "makes about 50 corrections of every epoch, with 16 to "
                                         "128 rows.")
    learning_rate: float = advanced(
        2e-3, gt=0, le=1, description="How large a correction is at most.")
    patience: int = advanced(
        15, ge=0, le=1000, description="Stops after so many epochs without a better loss on rows "
                                       "held back; 0 never stops early.")
    seed: int = advanced(0, ge=0, description="Same seed, same network.")

    @abstractmethod
    def build(self, shape: tuple[int, ...]) -> nn.ModuleDict:
        """The network for rows of this shape: 'encoder' and, where it has one, 'decoder'. Its first
        weights come from PyTorch's global generator, which is seeded around this call."""

    @abstractmethod
    def objective(self, shape: tuple[int, ...]) -> Objective:
        """What is made small."""

    def code(self, modules: nn.ModuleDict, rows: torch.Tensor) -> torch.Tensor:
        """B x dimensions: the place of each row in the latent space."""
        found: torch.Tensor = modules["encoder"](rows)
        return found

    def columns(self, dataset: Dataset) -> tuple[Column, ...]:
        return self._reader(dataset).columns(dataset)

    def material(self, dataset: Dataset, progress: Progress) -> Material:
        """The rows as the network sees them. Raises DataError TOO_FEW_ROWS."""
        found = gather(self._reader(dataset), dataset, progress)
        if len(found.rows) < self.min_rows:
            raise DataError("TOO_FEW_ROWS", f"{self.title} must have at least {self.min_rows} rows "
                                            f"it can read, got {len(found.rows)}.",
                            hint="; ".join(found.notes))
        return found

    def learn_from(self, material: Material, progress: Progress, hooks: Hooks | None = None,
                   start: State | None = None) -> Trained:
        """Train the network; see `train` for what is raised."""
        settings = Settings(epochs=self.epochs, batch=self.batch_for(len(material.rows)), rate=self.learning_rate,
                            patience=self.patience, seed=self.seed,
                            smallest_batch=self.smallest_batch)
        return train(self.made(material.shape), self.objective(material.shape), material.values,
                     settings, progress, hooks, start)

    def batch_for(self, n: int) -> int:
        """The batch for n rows."""
        if self.batch_size is not None:
            return self.batch_size
        return max(16, min(128, 1 << max(n // 50, 1).bit_length() - 1))

    def made(self, shape: tuple[int, ...], weights: Mapping[str, np.ndarray] | None = None,
             ) -> nn.ModuleDict:
        """The network, with its first weights or these."""
        import torch

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            modules = self.build(shape)
        if weights is not None:
            write_weights(modules, weights)
        return modules

    def embed(self, material: Material, trained: Trained, progress: Progress) -> Embedding:
        """The latent vectors of all rows."""
        codes = self.codes(material.values, trained.weights, progress)
        title = f"{self.title} of {material.title} ({codes.shape[1]}-d)"
        return self.finish(codes, material.rows, title, (), (*material.notes, *trained.notes))

    def codes(self, values: np.ndarray, weights: Mapping[str, np.ndarray],
              progress: Progress) -> np.ndarray:
        """m x dimensions float32: the codes of m rows (as `Material.values`)."""
        return self._apply(values, weights, lambda modules, rows: self.code(modules, rows),
                           progress, "rows encoded")

    def reconstructions(self, values: np.ndarray, weights: Mapping[str, np.ndarray],
                        progress: Progress) -> np.ndarray:
        """What the decoder makes of the codes of m rows, in the shape and scale of `values`."""
        return self._apply(
            values, weights,
            lambda modules, rows: modules["decoder"](self.code(modules, rows)).reshape(rows.shape),
            progress, "rows reconstructed")

    def decoded(self, codes: np.ndarray, shape: tuple[int, ...],
                weights: Mapping[str, np.ndarray]) -> np.ndarray:
        """What the decoder makes of any m x dimensions codes: m x `shape` float32."""
        import torch

        modules = self.made(shape, weights).eval()
        with torch.no_grad():
            made = modules["decoder"](torch.from_numpy(np.ascontiguousarray(codes, np.float32)))
        found: np.ndarray = made.reshape(len(codes), *shape).numpy()
        return found

    def encode(self, dataset: Dataset, progress: Progress) -> Embedding:
        material = self.material(dataset, part(progress, 0.0, 0.1))
        trained = self.learn_from(material, part(progress, 0.1, 0.95))
        return self.embed(material, trained, part(progress, 0.95, 1.0))

    def estimate(self, n: int, d: int) -> Cost:
        sizes = max(d, self.dimensions, 64) * 256 * (self.layers + 1)
        return Cost(seconds=2 + 6.0 * n * self.epochs * sizes / _FLOPS,
                    bytes=300_000_000 + 16 * n * d)

    def _reader(self, dataset: Dataset) -> UnitLength:
        found = reader(self.reads, self.side, self.colour, dataset)
        assert isinstance(found, UnitLength)
        return found

    def _apply(self, values: np.ndarray, weights: Mapping[str, np.ndarray], step: object,
               progress: Progress, what: str) -> np.ndarray:
        import torch

        modules = self.made(tuple(values.shape[1:]), weights).eval()
        device = "cuda" if torch.cuda.is_available() else "cpu"
        modules.to(device)
        found: list[np.ndarray] = []
        with torch.no_grad():
            for start in range(0, len(values), _AT_ONCE):
                progress(start / len(values), f"{start:,} of {counted(len(values), 'row')}: {what}")
                rows = torch.from_numpy(np.ascontiguousarray(values[start:start + _AT_ONCE]))
                found.append(step(modules, rows.to(device)).cpu().numpy())  # type: ignore[operator]
        progress(1.0, what)
        return np.concatenate(found)
