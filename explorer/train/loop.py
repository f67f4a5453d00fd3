"""One training loop for every network: epochs over shuffled batches, the best weights kept.

Everything random is drawn from generators named by the seed and the epoch, and nothing else carries
over from one epoch to the next but weights, optimiser and history: a training that was stopped
after any epoch and taken up again ends with the same numbers to the bit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from explorer.errors import DataError, ResultError
from explorer.spec import Progress
from explorer.train.state import Hooks, Objective, Settings, Standing, State, Trained
from explorer.train.weights import read_moments, read_weights, write_moments, write_weights

if TYPE_CHECKING:
    import torch
    from torch import nn

_CLIP = 5.0
_WARM = 0.05
"""The share of all steps over which the rate rises from 0; after it, half a cosine to 0."""
_MOST_VALIDATION = 2_000
_FEW = 20
"""Below so many rows none are held back for validation."""
_SMALLEST_BATCH = 2
_SAVE_SECONDS = 5.0


@dataclass
class _Best:
    loss: float = math.inf
    epoch: int = 0
    weights: dict[str, np.ndarray] = field(default_factory=dict)


def train(modules: nn.ModuleDict, objective: Objective, rows: np.ndarray, settings: Settings,
          progress: Progress, hooks: Hooks | None = None, start: State | None = None) -> Trained:
    """Train on n rows (float32, n x ...). `start`: a state to go on from.

    A part of the rows is held back and never trained on; the weights kept are those of the epoch
    with the smallest loss on it (of the training rows where there are fewer than 20). A loss that
    is not finite ends the training with the best weights so far; in the first epoch that is
    ResultError NOT_FINITE. Where memory does not suffice for a batch it is halved; DataError
    NO_MEMORY when one of two rows does not fit.
    """
    loop = _Loop(modules, objective, rows, settings, start)
    saved = time.monotonic()
    ended = loop.ended
    while not ended and loop.epoch < settings.epochs:
        epoch = loop.epoch + 1
        said = f"epoch {epoch:,} of {settings.epochs:,}{loop.told()}"
        finite = loop.run_epoch(partial(_in_epoch, progress, loop.epoch, settings.epochs, said))
        if not finite:
            if not loop.best.epoch:
                raise ResultError("NOT_FINITE", "The loss must be a finite number, got another in "
                                                f"epoch {epoch}.",
                                  hint="Use a smaller learning rate, or scale the columns.")
            ended = "not finite"
        elif settings.patience and loop.epoch - loop.best.epoch >= settings.patience:
            ended = "no progress"
        elif settings.last is not None and loop.epoch >= settings.last < settings.epochs:
            ended = "stopped"
        if hooks is not None:
            hooks.show(modules, loop.standing())
            if time.monotonic() - saved > _SAVE_SECONDS or ended:
                hooks.save(loop.state(ended))
                saved = time.monotonic()
    return loop.result(ended or "all epochs")


def _in_epoch(progress: Progress, done: int, epochs: int, said: str, share: float) -> None:
    progress((done + share) / epochs, said)


class _Loop:
    def __init__(self, modules: nn.ModuleDict, objective: Objective, rows: np.ndarray,
                 settings: Settings, start: State | None) -> None:
        import torch

        self.modules = modules
        self.objective = objective
        self.rows = rows
        self.settings = settings
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        modules.to(self.device)
        self.training, self.held = split(len(rows), settings.validation, settings.seed)
        self.optimizer = torch.optim.AdamW(modules.parameters(), lr=settings.rate,
                                           weight_decay=settings.decay)
        self.batch = min(settings.batch, len(self.training))
        self.epoch = 0
        self.history: dict[str, list[float]] = {}
        self.best = _Best()
        self.notes: list[str] = []
        self.ended = ""
        if start is not None:
            self._take_up(start)

    def told(self) -> str:
        """The last losses, for the progress line."""
        if not self.history.get("train.loss"):
            return ""
        said = f", loss {self.history['train.loss'][-1]:.4g}"
        if "validation.loss" in self.history:
            said += f", on rows held back {self.history['validation.loss'][-1]:.4g}"
        return said

    def run_epoch(self, progress: Callable[[float], None]) -> bool:
        """One pass over the training rows and a look at the rows held back. False when a loss was
        not finite: then the weights are the ones before."""
        import torch

        order = np.random.default_rng((self.settings.seed, self.epoch, 1)).permutation(
            self.training)
        generator = torch.Generator().manual_seed(_seed(self.settings.seed, self.epoch, 2))
        sums: dict[str, float] = {}
        self.modules.train()
        done = 0
        while done < len(order):
            batch = np.sort(order[done:done + self.batch])
            if len(batch) < self.settings.smallest_batch and done:
                break  # a last batch too small to compare rows within it
            self._set_rate((self.epoch + done / len(order)) / self.settings.epochs)
            try:
                parts = self._step(batch, generator)
            except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
                if not _no_memory(error):
                    raise
                self._halve(error)
                continue
            if parts is None:
                return False
            for name, value in parts.items():
                sums[name] = sums.get(name, 0.0) + value * len(batch)
            done += len(batch)
            progress(done / len(order))
        self._note("train", sums, done)
        held = self._look(progress) if len(self.held) else {}
        self._note("validation", held, len(self.held))
        self.epoch += 1
        judged = self.history["validation.loss" if held else "train.loss"][-1]
        if not math.isfinite(judged):
            return False
        if judged < self.best.loss:
            self.best = _Best(judged, self.epoch, read_weights(self.modules))
        return True

    def _step(self, batch: np.ndarray, generator: torch.Generator) -> dict[str, float] | None:
        import torch

        self.optimizer.zero_grad(set_to_none=True)
        share = self.epoch / self.settings.epochs
        parts = self.objective(self.modules, self._tensor(batch), generator, share)
        values = {name: float(part.detach()) for name, part in parts.items()}
        if not all(map(math.isfinite, values.values())):
            return None
        parts["loss"].backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.modules.parameters(), _CLIP)
        self.optimizer.step()
        return values

    def _look(self, progress: Callable[[float], None]) -> dict[str, float]:
        """The parts on the rows held back: the same random numbers after every epoch, so that the
        epochs can be compared."""
        import torch

        generator = torch.Generator().manual_seed(_seed(self.settings.seed, 0, 3))
        sums: dict[str, float] = {}
        self.modules.eval()
        for start in range(0, len(self.held), self.batch):
            batch = self.held[start:start + self.batch]
            with torch.set_grad_enabled(True):  # the contractive term needs gradients here too
                parts = self.objective(self.modules, self._tensor(batch), generator,
                                       self.epoch / self.settings.epochs)
            for name, part in parts.items():
                sums[name] = sums.get(name, 0.0) + float(part.detach()) * len(batch)
            progress(1.0)
        return sums

    def _tensor(self, batch: np.ndarray) -> torch.Tensor:
        import torch

        return torch.from_numpy(np.ascontiguousarray(self.rows[batch])).to(self.device)

    def _note(self, what: str, sums: Mapping[str, float], rows: int) -> None:
        for name, value in sums.items():
            self.history.setdefault(f"{what}.{name}", []).append(value / rows)

    def _set_rate(self, share: float) -> None:
        warm = min(1.0, share / _WARM) if share < _WARM else 1.0
        wave = 0.5 * (1 + math.cos(math.pi * max(0.0, share - _WARM) / (1 - _WARM)))
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.rate * max(warm, 0.02) * (wave if warm == 1.0 else 1.0)

    def _halve(self, error: BaseException) -> None:
        import torch

        if self.batch // 2 < max(_SMALLEST_BATCH, self.settings.smallest_batch):
            raise DataError("NO_MEMORY", "Training must have memory for a batch of two rows, got "
                                         "less.", hint="Use a smaller network or smaller "
                                                       "images.") from error
        self.batch //= 2
        if self.device == "cuda":
            torch.cuda.empty_cache()
        self.notes.append(f"Memory did not suffice for the batch: it was halved to {self.batch:,} "
                          f"rows in epoch {self.epoch + 1:,}.")

    def state(self, ended: str) -> State:
        return State(epoch=self.epoch, batch=self.batch,
                     history={name: list(values) for name, values in self.history.items()},
                     weights=read_weights(self.modules), best=self.best.weights,
                     moments=read_moments(self.optimizer), best_epoch=self.best.epoch,
                     ended=ended if ended != "stopped" else "", notes=tuple(self.notes))

    def standing(self) -> Standing:
        """Where it stands, for whoever looks on."""
        return Standing(self.epoch, self.best.epoch, self.history, self.batch)

    def _take_up(self, start: State) -> None:
        last = self.settings.last
        if last is not None and start.epoch > last and start.best_epoch > last:
            return  # the weights of then are gone: from the beginning it is the same training
        write_weights(self.modules, start.weights)
        write_moments(self.optimizer, start.moments)
        self.epoch, self.batch = start.epoch, start.batch
        self.history = {name: list(values) for name, values in start.history.items()}
        if start.best_epoch:
            name = "validation.loss" if "validation.loss" in self.history else "train.loss"
            self.best = _Best(self.history[name][start.best_epoch - 1], start.best_epoch,
                              start.best)
        self.notes = list(start.notes)
        self.ended = start.ended
        if last is not None and self.epoch >= last < self.settings.epochs:
            self.epoch, self.ended = last, "stopped"
            self.history = {name: list(values[:last]) for name, values in self.history.items()}

    def result(self, ended: str) -> Trained:
        said = {"no progress": f"No better loss for {self.settings.patience:,} epochs: stopped "
                               f"after epoch {self.epoch:,}.",
                "stopped": f"Stopped by hand after epoch {self.epoch:,} of "
                           f"{self.settings.epochs:,}.",
                "not finite": f"The loss of epoch {self.epoch + 1:,} was not a finite number: "
                              "training ended there."}
        notes = [*self.notes, *filter(None, [said.get(ended, "")])]
        notes.append(f"The weights kept are those of epoch {self.best.epoch:,}, with the smallest "
                     "loss on " + (f"{len(self.held):,} rows held back."
                                   if len(self.held) else "all rows: too few to hold any back."))
        history = {name: np.array(values, dtype=np.float64)
                   for name, values in self.history.items()}
        return Trained(weights=self.best.weights, history=history, best_epoch=self.best.epoch,
                       ended=ended, notes=tuple(notes))


def split(n: int, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows to train on and rows held back (int64, ascending): `share` of them, at most 2,000, none
    of fewer than 20."""
    count = min(_MOST_VALIDATION, round(share * n)) if n >= _FEW else 0
    order = np.random.default_rng((seed, 0, 0)).permutation(n)
    return np.sort(order[count:]), np.sort(order[:count])


def _seed(*words: int) -> int:
    return int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0] >> 1)


def _no_memory(error: BaseException) -> bool:
    import torch

    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or (
        "not enough memory" in str(error) or "can't allocate memory" in str(error))


