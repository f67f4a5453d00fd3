"""What encoders that learn from the dataset itself share: their parameters, training, encoding."""

from __future__ import annotations

import math
import tempfile
from abc import abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from explorer.dataset import Dataset
from explorer.encode import Encoder
from explorer.encode.fitted import FittedEncoder
from explorer.encode.material import scaled_as
from explorer.encode.seen import SAMPLE
from explorer.encode.training_cost import training_cost
from explorer.encode.unit import counted
from explorer.encode.watch import Watch
from explorer.model import Model
from explorer.spec import Cost, Progress, advanced, part
from explorer.train.files import TrainingFiles
from explorer.train.layers import Layer, layers_of
from explorer.train.loop import split, train
from explorer.train.state import Objective, Settings
from explorer.train.threads import all_threads, worth_it
from explorer.train.weights import write_weights
from explorer.values import Embedding

if TYPE_CHECKING:
    import torch
    from torch import nn

_AT_ONCE = 1024
_Step = Callable[["nn.ModuleDict", "torch.Tensor"], "torch.Tensor"]


class TrainedEncoder(FittedEncoder):
    """An encoder whose network is trained on the rows it encodes."""

    trains: ClassVar[bool] = True
    rebuilds: ClassVar[bool] = True
    """Whether it has a decoder: rows can be rebuilt, and points of the latent space be shown."""
    min_rows: ClassVar[int] = 2
    smallest_batch: ClassVar[int] = 1
    work: ClassVar[float] = 1.0
    """How many times that of an autoencoder a step is, for estimates."""
    follows_rows: ClassVar[bool] = False  # which rows are held back, and the batches, are drawn

    epochs: int = Field(
        60, ge=1, le=10_000, description="How many times at most the network sees every row.")
    layers: int = advanced(
        2, ge=0, le=6, description="Hidden layers on each side, for vectors and columns; their "
                                   "sizes follow the data. None at all is a linear network.")
    network: Literal["by the data", "dense"] = advanced(
        "by the data", description="By the data: convolutional for images of 12 pixels a side and "
                                   "more, dense for all else. Dense: always fully connected.")
    batch_size: int | None = advanced(
        None, ge=2, le=8192, description="Rows the network sees before each correction; automatic "
                                         "makes about 50 corrections of every epoch, with 16 to "
                                         "128 rows.")
    learning_rate: float = advanced(
        3e-3, gt=0, le=1, description="How large a correction is at most.")
    patience: int = advanced(
        15, ge=0, le=1000, description="Stops after so many epochs without a better loss on rows "
                                       "held back; 0 never stops early.")
    stop_after: int | None = advanced(
        None, ge=1, le=10_000, description="Stop after this epoch and keep the best network so "
                                           "far: set by the button that stops a training, so that "
                                           "the recipe gives the same network again.")
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

    def model(self, reader: Encoder, read: Embedding, home: Path, name: str,
              progress: Progress) -> Model:
        """Train the network, going on where an earlier training was cut off; see `train` for what
        is raised, and DataError TOO_FEW_ROWS."""
        material = self.material(reader, read)
        settings = self.settings(len(material.rows))
        held = split(len(material.rows), settings.validation, settings.seed,
                     settings.smallest_batch)[1]
        watch = Watch(self, material, held, TrainingFiles(home, name))
        modules = self.made(material.shape)
        with all_threads(worth_it(modules, settings.batch)):
            trained = train(modules, self.objective(material.shape), material.values, settings,
                            progress, watch.hooks, watch.start)
        remade, shown = watch.remade(trained.epochs)
        return Model(weights=trained.weights, history=trained.history, center=material.center,
                     spread=material.spread, shape=material.shape, method=self.identity(),
                     reader=reader.identity(), title=material.title,
                     best_epoch=trained.best_epoch, ended=trained.ended, held=material.rows[held],
                     original=watch.original, remade=remade, shown=shown,
                     names=material.names,
                     notes=(*material.notes, *self._chosen(material.shape), *trained.notes),
                     seconds=watch.seconds, decoder=self.layout(material.shape))

    def layout(self, shape: tuple[int, ...]) -> tuple[Layer, ...]:
        """The layers of the decoder for rows of this shape; none where nothing is rebuilt."""
        return layers_of(self.made(shape)["decoder"]) if self.rebuilds else ()

    def _chosen(self, shape: tuple[int, ...]) -> tuple[str, ...]:
        """What was decided by the data, and what that means."""
        notes: list[str] = []
        if len(shape) == 3 and (self.side is None or self.colour == "automatic"):
            notes.append(f"Images are seen at {shape[2]} x {shape[1]} pixels in "
                         f"{'colour' if shape[0] == 3 else 'grey'}, as a look at up to {SAMPLE} "
                         "of them, evenly spaced, suggests.")
        numbers, latent = math.prod(shape), self.latent(shape)
        if self.rebuilds and latent >= numbers:
            notes.append(f"The latent space ({latent:,} numbers) is as large as a row "
                         f"({numbers:,} numbers): the network can copy rows and need not learn "
                         "what they have in common.")
        return tuple(notes)

    def settings(self, n: int) -> Settings:
        """How n rows are trained on."""
        return Settings(epochs=self.epochs, batch=self.batch_for(n), rate=self.learning_rate,
                        patience=self.patience, seed=self.seed,
                        smallest_batch=self.smallest_batch, last=self.stop_after,
                        rising=self.rising)

    @property
    def rising(self) -> float:
        """The share of the epochs over which what is made small itself changes."""
        return 0.0

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

    def embed(self, reader: Encoder, read: Embedding, model: Model,
              progress: Progress) -> Embedding:
        codes = self.codes(scaled_as(model, reader, read).values, model.weights, progress)
        title = f"{self.title} of {model.title} ({codes.shape[1]}-d)"
        return self.finish(codes, read.rows, title, (), model.notes)

    def codes(self, values: np.ndarray, weights: Mapping[str, np.ndarray],
              progress: Progress) -> np.ndarray:
        """m x dimensions float32: the codes of m rows (as `Material.values`)."""
        return self._apply(values, weights, self.code, progress, "rows encoded")

    def reconstructions(self, values: np.ndarray, weights: Mapping[str, np.ndarray],
                        progress: Progress) -> np.ndarray:
        """What the decoder makes of the codes of m rows, in the shape and scale of `values`."""
        return self._apply(values, weights, self.remake, progress, "rows reconstructed")

    def remake(self, modules: nn.ModuleDict, rows: torch.Tensor) -> torch.Tensor:
        """B rows through the code and back; only where `rebuilds`."""
        made: torch.Tensor = modules["decoder"](self.code(modules, rows)).reshape(rows.shape)
        return made

    def bounds(self, values: np.ndarray, weights: Mapping[str, np.ndarray],
               progress: Progress) -> np.ndarray | None:
        """m x 2 in nats: the two parts of each row's negative evidence lower bound; None where the
        network is no model of chances."""
        return None

    def divergences(self, values: np.ndarray, weights: Mapping[str, np.ndarray],
                    progress: Progress) -> np.ndarray | None:
        """What each latent number of m rows says beyond chance, in nats (m x dimensions float32);
        None of networks that are no model of chances."""
        return None

    def worsened(self, values: np.ndarray, seed: int) -> np.ndarray | None:
        """m rows (as `Material.values`) with the noise the network was taught to take away, drawn
        anew from `seed`; None where it was taught none."""
        return None

    def decoded(self, codes: np.ndarray, shape: tuple[int, ...],
                weights: Mapping[str, np.ndarray]) -> np.ndarray:
        """What the decoder makes of any m x dimensions codes: m x `shape` float32."""
        import torch

        modules = self.made(shape, weights).eval()
        with torch.no_grad():
            made = modules["decoder"](torch.from_numpy(np.array(codes, np.float32)))
        found: np.ndarray = made.reshape(len(codes), *shape).numpy()
        return found

    def encode(self, dataset: Dataset, progress: Progress) -> Embedding:
        """All three steps at once, keeping none; a recipe keeps each."""
        reader = self.reader(dataset)
        read = reader.encode(dataset, part(progress, 0.0, 0.1))
        with tempfile.TemporaryDirectory() as home:
            model = self.model(reader, read, Path(home), self.key, part(progress, 0.1, 0.95))
        return self.embed(reader, read, model, part(progress, 0.95, 1.0))

    def estimate_model(self, n: int, d: int) -> Cost:
        return training_cost(n, d, latent=self.latent((d,)), layers=self.layers,
                             epochs=self.epochs, batch=min(self.batch_for(n), max(n, 1)),
                             convolves=self.network != "dense" and self.reads in (
                                 "automatic", "images"), work=self.work)

    def estimate(self, n: int, d: int) -> Cost:
        training, last = self.estimate_model(n, d), self.estimate_embedding(n, d)
        return Cost(training.seconds + last.seconds, max(training.bytes, last.bytes))

    def _apply(self, values: np.ndarray, weights: Mapping[str, np.ndarray], step: _Step,
               progress: Progress, what: str) -> np.ndarray:
        import torch

        modules = self.made(tuple(values.shape[1:]), weights).eval()
        device = "cuda" if torch.cuda.is_available() else "cpu"
        modules.to(device)
        found: list[np.ndarray] = []
        with all_threads(worth_it(modules, _AT_ONCE)), torch.no_grad():
            for start in range(0, len(values), _AT_ONCE):
                progress(start / len(values), f"{start:,} of {counted(len(values), 'row')}: {what}")
                rows = torch.from_numpy(np.ascontiguousarray(values[start:start + _AT_ONCE]))
                found.append(step(modules, rows.to(device)).cpu().numpy())
        progress(1.0, what)
        return np.concatenate(found)
